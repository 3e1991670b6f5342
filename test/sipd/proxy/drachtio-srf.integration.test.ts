import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import type { AppRequest } from '../application.ts';
import { lines, type Peer, tag, value } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';

type ProxyOptions = {
  readonly forking?: 'simultaneous' | 'sequential';
  readonly remainInDialog?: boolean;
  readonly followRedirects?: boolean;
  readonly provisionalTimeout?: string;
  readonly headers?: Record<string, string>;
};

type ProxyResults = {
  readonly connected: boolean;
  readonly finalStatus: number;
  readonly responses: readonly {
    readonly address: string;
    readonly port: number;
    readonly msgs: readonly { readonly status: number }[];
  }[];
};

/** What the types of the library say otherwise. */
type ProxyingApplication = {
  use: (method: string, middleware: (request: AppRequest) => void) => void;
  proxyRequest: (request: AppRequest, to: readonly string[], options: ProxyOptions) => Promise<ProxyResults>;
};

/** An application that has every INVITE forwarded: what came of it. */
async function proxying(stage: Stage, to: readonly string[], options: ProxyOptions): Promise<ProxyResults[]> {
  const application = (await stage.application()) as unknown as ProxyingApplication;
  const results: ProxyResults[] = [];
  application.use('invite', (request) => {
    void application.proxyRequest(request, to, options).then((result) => results.push(result));
  });
  return results;
}

/** Header lines as they stand in a request that follows the Record-Routes of an answer. */
function routesOf(answer: string): string[] {
  return lines(answer, 'Record-Route')
    .toReversed()
    .map((line) => line.replace(/^Record-Route/i, 'Route'));
}

function bare(peer: Peer): string {
  return peer.uri.replace(/sip:\w+@/, 'sip:');
}

describe.each(['free', 'strict'] as const)('srf.proxyRequest on sipd in %s mode', (mode) => {
  describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
    test('one after the other: busy, then answered; the results tell of both', () =>
      onStage(mode, async (stage) => {
        const [alice, bob, carol] = await Promise.all(
          ['alice', 'bob', 'carol'].map((name) => stage.peer(name, transport)),
        );
        if (alice === undefined || bob === undefined || carol === undefined) throw new Error('three peers');
        const results = await proxying(stage, [bob.uri, carol.uri], { headers: { 'X-Seen': 'yes' } });
        alice.send(alice.request('INVITE'));
        const toBob = await bob.next('INVITE ');
        expect(value(toBob.text, 'X-Seen')).toBe('yes');
        expect(value(toBob.text, 'Max-Forwards')).toBe('69');
        bob.answer(toBob, '486 Busy Here', { toTag: 'bob' });
        await bob.next('ACK ');
        carol.answer(await carol.next('INVITE '), '200 OK', { toTag: 'carol' });
        expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('carol');
        const [result] = await waitFor('the results', () => (results.length > 0 ? results : undefined));
        expect(result).toMatchObject({ connected: true, finalStatus: 200 });
        // The library tells targets apart by address only, so both stand under the first.
        expect(result?.responses.flatMap(({ msgs }) => msgs.map(({ status }) => status))).toEqual([486, 200]);
        expect(Number(result?.responses[0]?.port)).toBe(bob.port);
      }));

    test('all at once: one answers, the other is cancelled', () =>
      onStage(mode, async (stage) => {
        const alice = await stage.peer('alice', transport);
        const bob = await stage.peer('bob', transport);
        const carol = await stage.peer('carol', transport);
        const results = await proxying(stage, [bare(bob), bare(carol)], { forking: 'simultaneous' });
        alice.send(alice.request('INVITE'));
        const [toBob, toCarol] = [await bob.next('INVITE '), await carol.next('INVITE ')];
        bob.answer(toBob, '180 Ringing', { toTag: 'bob' });
        carol.answer(toCarol, '180 Ringing', { toTag: 'carol' });
        expect([
          tag((await alice.next('SIP/2.0 180')).text, 'To'),
          tag((await alice.next('SIP/2.0 180')).text, 'To'),
        ]).toEqual(expect.arrayContaining(['bob', 'carol']));
        carol.answer(toCarol, '200 OK', { toTag: 'carol' });
        const cancel = await bob.next('CANCEL ');
        bob.answer(cancel, '200 OK', { toTag: 'bob' });
        bob.answer(toBob, '487 Request Terminated', { toTag: 'bob' });
        await bob.next('ACK ');
        await alice.next('SIP/2.0 200');
        const [result] = await waitFor('the results', () => (results.length > 0 ? results : undefined));
        expect(result).toMatchObject({ connected: true, finalStatus: 200 });
        await waitFor('the end', () => stage.sipd.counts().pendingRequests === 0);
      }));

    test('remainInDialog: ACK, re-INVITE and BYE come through us, and the application need not be there', () =>
      onStage(mode, async (stage) => {
        const alice = await stage.peer('alice', transport);
        const bob = await stage.peer('bob', transport);
        await proxying(stage, [bob.uri], { remainInDialog: true });
        alice.send(alice.request('INVITE'));
        const invite = await bob.next('INVITE ');
        bob.answer(invite, '200 OK', { toTag: 'bob' });
        const ok = await alice.next('SIP/2.0 200');
        const inCall = { uri: bob.uri, toTag: 'bob', more: routesOf(ok.text) };
        expect(inCall.more).toHaveLength(1);
        alice.send(alice.request('ACK', inCall));
        const ack = await bob.next('ACK ');
        expect(lines(ack.text, 'Route')).toEqual([]);
        alice.send(alice.request('INVITE', { ...inCall, cseq: 2 }));
        bob.answer(await bob.next('INVITE '), '200 OK', { toTag: 'bob' });
        await alice.next('SIP/2.0 200');
        alice.send(alice.request('ACK', { ...inCall, cseq: 2 }));
        await bob.next('ACK ');
        const bye = bob.request('BYE', { uri: alice.uri, callId: 'call-alice', toTag: 'tag-alice', fromTag: 'bob' });
        bob.send(bye.replace('\r\nMax-', `\r\nRoute: ${value(invite.text, 'Record-Route')}\r\nMax-`));
        alice.answer(await alice.next('BYE '), '200 OK');
        await bob.next('SIP/2.0 200');
        expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, pendingRequests: 0 });
      }));

    test('the caller hangs up while it rings', () =>
      onStage(mode, async (stage) => {
        const alice = await stage.peer('alice', transport);
        const bob = await stage.peer('bob', transport);
        const results = await proxying(stage, [bob.uri], {});
        const branch = 'z9hG4bK-cancelled';
        alice.send(alice.request('INVITE', { branch }));
        const invite = await bob.next('INVITE ');
        bob.answer(invite, '180 Ringing', { toTag: 'bob' });
        await alice.next('SIP/2.0 180');
        alice.send(alice.request('CANCEL', { branch }));
        bob.answer(await bob.next('CANCEL '), '200 OK', { toTag: 'bob' });
        bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
        expect(value((await alice.next('SIP/2.0 200')).text, 'CSeq')).toBe('1 CANCEL');
        await alice.next('SIP/2.0 487');
        alice.send(alice.request('ACK', { branch, toTag: 'bob' }));
        const [result] = await waitFor('the results', () => (results.length > 0 ? results : undefined));
        expect(result).toMatchObject({ connected: false, finalStatus: 487 });
      }));

    test('a redirection is followed, and nobody at the first address is no obstacle', () =>
      onStage(mode, async (stage) => {
        const alice = await stage.peer('alice', transport);
        const gone = await stage.peer('gone', transport);
        const bob = await stage.peer('bob', transport);
        const carol = await stage.peer('carol', transport);
        await gone.close();
        await proxying(stage, [gone.uri, bob.uri], { followRedirects: true });
        alice.send(alice.request('INVITE'));
        const redirection = await bob.next('INVITE ');
        const moved = [`Contact: <${carol.uri}>`];
        const copied = ['Via', 'From', 'Call-ID', 'CSeq'].flatMap((name) => lines(redirection.text, name));
        const to = `${lines(redirection.text, 'To')[0]};tag=bob`;
        redirection.sendBack(['SIP/2.0 302 Moved', ...copied, to, ...moved, 'Content-Length: 0', '', ''].join('\r\n'));
        carol.answer(await carol.next('INVITE '), '200 OK', { toTag: 'carol' });
        expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('carol');
      }));
  });

  test('a caller over TCP, a target over UDP: each is given the address it can reach', () =>
    onStage(mode, async (stage) => {
      const alice = await stage.peer('alice', 'tcp');
      const bob = await stage.peer('bob', 'udp');
      await proxying(stage, [bob.uri], { remainInDialog: true });
      alice.send(alice.request('INVITE'));
      const invite = await bob.next('INVITE ');
      expect(lines(invite.text, 'Record-Route').map((line) => line.includes('transport=tcp'))).toEqual([false, true]);
      bob.answer(invite, '200 OK', { toTag: 'bob' });
      const ok = await alice.next('SIP/2.0 200');
      alice.send(alice.request('BYE', { uri: bob.uri, toTag: 'bob', cseq: 2, more: routesOf(ok.text) }));
      bob.answer(await bob.next('BYE '), '200 OK');
      await within('the answer', alice.next('SIP/2.0 200'));
    }));

  test('a target that says nothing in time is given up', () =>
    onStage(mode, async (stage) => {
      const alice = await stage.peer('alice', 'udp');
      const mute = await stage.peer('mute', 'udp');
      const bob = await stage.peer('bob', 'udp');
      await proxying(stage, [mute.uri, bob.uri], { provisionalTimeout: '50ms' });
      alice.send(alice.request('INVITE'));
      await mute.next('INVITE ');
      bob.answer(await bob.next('INVITE '), '200 OK', { toTag: 'bob' });
      await alice.next('SIP/2.0 200');
    }));
});
