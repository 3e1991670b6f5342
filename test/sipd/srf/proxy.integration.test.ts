/** drachtio-srf has requests forwarded: srf.proxyRequest, RFC 3261 16. */
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';
import {
  askedFor,
  described,
  isPending,
  libraryOn,
  modes,
  ofSdp,
  type ProxyOptions,
  type ProxyResults,
} from './library.ts';

const branch = 'z9hG4bK-proxied';

/** Alice calls, and the application has the call forwarded to these phones. */
async function forwarding(stage: Stage, names: readonly string[], options: ProxyOptions) {
  const library = await libraryOn(stage);
  const invites = askedFor(library, 'invite');
  const others = ['ack', 'bye', 'cancel', 'prack'].map((method) => askedFor(library, method));
  const alice = await stage.peer('alice', 'udp');
  const phones = await Promise.all(names.map((name) => stage.peer(name, 'udp')));
  alice.send(alice.request('INVITE', { branch, body: described(1), more: ofSdp }));
  const { request } = await invites.next();
  const results = library.proxyRequest(
    request,
    phones.map(({ uri }) => uri),
    options,
  );
  return {
    alice,
    phones,
    results: within('the results', results),
    heardNothingElse: () => invites.isEmpty && others.every((each) => each.isEmpty),
  };
}

/** Alice acknowledges what was refused. */
function acknowledge(alice: Peer, refusal: string): void {
  alice.send(alice.request('ACK', { branch, toTag: tag(refusal, 'To') }));
}

/** What a phone answers to an INVITE that waits. */
async function answerInvite(phone: Peer, status: string): Promise<void> {
  const ok = status.startsWith('200');
  const parts = ok ? { body: described(2), more: ofSdp } : {};
  phone.answer(await phone.next('INVITE '), status, { toTag: phone.name, ...parts });
  if (!ok) await phone.next('ACK ');
}

function statuses({ responses }: ProxyResults): number[] {
  return responses.flatMap(({ msgs }) => msgs.map(({ status }) => status));
}

function pick<T>(values: readonly T[], index: number): T {
  const found = values[index];
  if (found === undefined) throw new Error(`there is no number ${index}`);
  return found;
}

describe.each(modes)('srf.proxyRequest (%s)', (mode) => {
  test('with remainInDialog ACK, re-INVITE and BYE pass by, both ways, and the application hears nothing of them', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results, heardNothingElse } = await forwarding(stage, ['bob'], { remainInDialog: true });
      const bob = pick(phones, 0);
      const invite = await bob.next('INVITE ');
      const bobsRoute = `Route: ${value(invite.text, 'Record-Route')}`;
      expect(invite.text.split('\r\n').filter((line) => line.startsWith('Via:'))).toHaveLength(2);
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await alice.next('SIP/2.0 180');
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
      const ok = await alice.next('SIP/2.0 200');
      // Each side may be given a Route of its own (RFC 3261 16.7 step 8).
      const alicesRoute = `Route: ${value(ok.text, 'Record-Route')}`;
      expect(value(ok.text, 'Contact')).toBe(`<${bob.uri}>`);
      const result = await results;
      expect(result).toMatchObject({ connected: true, finalStatus: 200 });
      expect(result.responses).toMatchObject([{ address: '127.0.0.1', port: bob.port, msgs: [{ status: 200 }] }]);

      const inCall = { uri: bob.uri, toTag: 'bob', more: [alicesRoute] };
      alice.send(alice.request('ACK', inCall));
      await bob.next('ACK ');
      const fromBob = { uri: alice.uri, callId: 'call-alice', fromTag: 'bob', toTag: 'tag-alice', more: [bobsRoute] };
      bob.send(bob.request('INVITE', { ...fromBob, body: described(3), more: [bobsRoute, ...ofSdp] }));
      const again = await alice.next('INVITE ');
      expect(again.text.endsWith(described(3))).toBe(true);
      alice.answer(again, '200 OK', { body: described(4), more: ofSdp });
      await bob.next('SIP/2.0 200');
      bob.send(bob.request('ACK', fromBob));
      await alice.next('ACK ');
      alice.send(alice.request('BYE', { ...inCall, cseq: 2 }));
      bob.answer(await bob.next('BYE '), '200 OK');
      await alice.next('SIP/2.0 200');
      expect(heardNothingElse()).toBe(true);
      expect(alice.ladder).toEqual([
        '-> INVITE',
        '<- 180 INVITE',
        '<- 200 INVITE',
        '-> ACK',
        '<- INVITE',
        '-> 200 INVITE',
        '<- ACK',
        '-> BYE',
        '<- 200 BYE',
      ]);
    }));

  test('without it the call goes its own way after the 200', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results } = await forwarding(stage, ['bob'], {});
      const bob = pick(phones, 0);
      const invite = await bob.next('INVITE ');
      expect(invite.text).not.toContain('Record-Route');
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
      await alice.next('SIP/2.0 200');
      expect(await results).toMatchObject({ connected: true });
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('forked at once: the first 200 wins, the others are cancelled', () =>
    onStage(mode, async (stage) => {
      const options = { forking: 'simultaneous' } as const;
      const { alice, phones, results } = await forwarding(stage, ['desk', 'cell', 'home'], options);
      const invites = await Promise.all(phones.map((phone) => phone.next('INVITE ')));
      for (const [index, phone] of phones.entries()) {
        phone.answer(pick(invites, index), '180 Ringing', { toTag: phone.name });
        await alice.next('SIP/2.0 180');
      }
      const [desk, cell, home] = [pick(phones, 0), pick(phones, 1), pick(phones, 2)];
      cell.answer(pick(invites, 1), '200 OK', { toTag: 'cell', body: described(2), more: ofSdp });
      expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('cell');
      alice.send(alice.request('ACK', { uri: cell.uri, toTag: 'cell' }));
      for (const [index, phone] of [
        [0, desk],
        [2, home],
      ] as const) {
        phone.answer(await phone.next('CANCEL '), '200 OK', { toTag: phone.name });
        phone.answer(pick(invites, index), '487 Request Terminated', { toTag: phone.name });
        await phone.next('ACK ');
        expect(phone.ladder).toEqual([
          '<- INVITE',
          '-> 180 INVITE',
          '<- CANCEL',
          '-> 200 CANCEL',
          '-> 487 INVITE',
          '<- ACK',
        ]);
      }
      const result = await results;
      expect(result).toMatchObject({ connected: true, finalStatus: 200 });
      expect(alice.ladder.filter((line) => line.startsWith('<-'))).toEqual([
        ...Array(3).fill('<- 180 INVITE'),
        '<- 200 INVITE',
      ]);
    }));

  test('forked at once and refused by all: the best refusal goes back when all have answered', () =>
    onStage(mode, async (stage) => {
      const options = { forking: 'simultaneous' } as const;
      const { alice, phones, results } = await forwarding(stage, ['desk', 'cell'], options);
      await answerInvite(pick(phones, 0), '503 Service Unavailable');
      expect(await isPending(results)).toBe(true);
      await answerInvite(pick(phones, 1), '404 Not Found');
      acknowledge(alice, (await alice.next('SIP/2.0 404')).text);
      const result = await results;
      expect(result.connected).toBe(false);
      expect(statuses(result).toSorted()).toEqual([404, 503]);
      expect(alice.ladder).toEqual(['-> INVITE', '<- 404 INVITE', '-> ACK']);
    }));

  test('one after the other, each refusal told, until somebody accepts', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results } = await forwarding(stage, ['desk', 'cell', 'home'], {});
      const [desk, cell, home] = [pick(phones, 0), pick(phones, 1), pick(phones, 2)];
      await answerInvite(desk, '486 Busy Here');
      await answerInvite(cell, '480 Temporarily Unavailable');
      await answerInvite(home, '200 OK');
      expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('home');
      const result = await results;
      expect(statuses(result)).toEqual([486, 480, 200]);
      // The library puts all that comes from one host into one entry, under the first port.
      expect(result.responses).toMatchObject([{ address: '127.0.0.1', port: desk.port }]);
      expect(alice.ladder).toEqual(['-> INVITE', '<- 200 INVITE']);
    }));

  test('provisionalTimeout: one that gives no sign of life is passed over', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results } = await forwarding(stage, ['dead', 'cell'], { provisionalTimeout: '150ms' });
      await pick(phones, 0).next('INVITE ');
      await answerInvite(pick(phones, 1), '200 OK');
      expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('cell');
      expect((await results).connected).toBe(true);
    }));

  test('finalTimeout: one that only rings is given up for the next; the real server waits on, and so does strict mode', () =>
    onStage(mode, async (stage) => {
      // What is waited for must have time to ring, what is not must be over before it does.
      const finalTimeout = mode === 'free' ? '150ms' : '1ms';
      const { alice, phones, results } = await forwarding(stage, ['desk', 'cell'], { finalTimeout });
      const [desk, cell] = [pick(phones, 0), pick(phones, 1)];
      const invite = await desk.next('INVITE ');
      desk.answer(invite, '180 Ringing', { toTag: 'desk' });
      await alice.next('SIP/2.0 180');
      if (mode === 'free') {
        desk.answer(await desk.next('CANCEL '), '200 OK', { toTag: 'desk' });
        desk.answer(invite, '487 Request Terminated', { toTag: 'desk' });
        await desk.next('ACK ');
        await answerInvite(cell, '200 OK');
        expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('cell');
      } else {
        desk.answer(invite, '200 OK', { toTag: 'desk', body: described(2), more: ofSdp });
        expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('desk');
        expect(cell.received).toEqual([]);
      }
      expect((await results).connected).toBe(true);
    }));

  test('nobody is there at all: the server’s own answer is told as such', () =>
    onStage(
      mode,
      async (stage) => {
        const { alice, phones, results } = await forwarding(stage, ['gone'], {});
        await pick(phones, 0).next('INVITE ');
        acknowledge(alice, (await alice.next('SIP/2.0 408')).text);
        const result = await results;
        expect(result.connected).toBe(false);
        expect(statuses(result)).toEqual([408]);
      },
      { timers: { t1: 5, t2: 40, t4: 50 } },
    ));

  test('a 3xx goes back, or is followed when the application wants that', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results } = await forwarding(stage, ['bob'], { followRedirects: true });
      const bob = pick(phones, 0);
      const ted = await stage.peer('ted', 'udp');
      const invite = await bob.next('INVITE ');
      const moved = invite.text.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
      const to = `To: ${value(invite.text, 'To')};tag=bob`;
      bob.send(['SIP/2.0 302 Moved', ...moved, to, `Contact: <${ted.uri}>`, 'Content-Length: 0', '', ''].join('\r\n'));
      await bob.next('ACK ');
      await answerInvite(ted, '200 OK');
      expect(tag((await alice.next('SIP/2.0 200')).text, 'To')).toBe('ted');
      expect(await results).toMatchObject({ connected: true, finalStatus: 200 });
    }));

  test('CANCEL of the caller goes on, the 487 comes back, and the application is told', () =>
    onStage(mode, async (stage) => {
      const { alice, phones, results } = await forwarding(stage, ['bob'], {});
      const bob = pick(phones, 0);
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await alice.next('SIP/2.0 180');
      alice.send(alice.request('CANCEL', { branch }));
      await alice.next('SIP/2.0 200');
      bob.answer(await bob.next('CANCEL '), '200 OK', { toTag: 'bob' });
      bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      acknowledge(alice, (await alice.next('SIP/2.0 487')).text);
      const result = await results;
      expect([result.connected, result.finalStatus]).toEqual([false, 487]);
    }));

  test.each(['MESSAGE', 'OPTIONS', 'REGISTER'])('%s is forwarded, and its answer comes back', (method) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, method.toLowerCase());
      const alice = await stage.peer('alice', 'udp');
      const bob = await stage.peer('bob', 'tcp');
      alice.send(alice.request(method, { body: 'hello', more: ['Content-Type: text/plain'] }));
      const results = library.proxyRequest((await asked.next()).request, bob.uri);
      const forwarded = await bob.next(`${method} `);
      expect(forwarded.text.endsWith('hello')).toBe(true);
      expect(value(forwarded.text, 'Max-Forwards')).toBe('69');
      bob.answer(forwarded, '202 Accepted', { toTag: 'bob', more: ['X-Answer: yes'] });
      expect(value((await alice.next('SIP/2.0 202')).text, 'X-Answer')).toBe('yes');
      expect(statuses(await within('the results', results))).toEqual([202]);
      await waitFor('the end', () => stage.sipd.counts().calls === 0);
    }),
  );
});
