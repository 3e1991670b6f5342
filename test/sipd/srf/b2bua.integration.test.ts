/** drachtio-srf between a caller and the one who is called: srf.createB2BUA. */
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';
import { hangUp } from './calls.ts';
import {
  askedFor,
  type BridgeOptions,
  type Dialog,
  described,
  type Library,
  libraryOn,
  modes,
  ofSdp,
  toldBy,
} from './library.ts';

const theirs = { callId: 'b-leg', fromTag: 'bob', toTag: 'ours' };
const legB = { 'Call-ID': 'b-leg', 'From': '<sip:alice@localhost>;tag=ours' };

type Bridge = { readonly uas: Dialog; readonly uac: Dialog };

/** Alice calls; the application calls Bob. */
async function bridging(stage: Stage, options: BridgeOptions = {}) {
  const library = await libraryOn(stage);
  const invites = askedFor(library, 'invite');
  const alice = await stage.peer('alice', 'udp');
  const bob = await stage.peer('bob', 'tcp');
  return {
    library,
    alice,
    bob,
    begin: async (more: string[] = [], body = described(1)): Promise<Promise<Bridge>> => {
      const branch = 'z9hG4bK-bridged';
      alice.send(alice.request('INVITE', { branch, more: body === '' ? more : [...more, ...ofSdp], body }));
      const { request, response } = await invites.next();
      const headers = { ...legB, ...options.headers };
      const bridging = library.createB2BUA(request, response, bob.uri, { ...options, headers });
      // Whoever awaits it hears of a failure; until then nobody does.
      bridging.catch(() => undefined);
      return Promise.resolve().then(() => bridging);
    },
  };
}

type Parties = { readonly library: Library; readonly alice: Peer; readonly bob: Peer };

/** Both have taken the call. */
async function bridged(stage: Stage): Promise<Parties & Bridge & { readonly toTag: string }> {
  const { library, alice, bob, begin } = await bridging(stage);
  const making = begin();
  const invite = await bob.next('INVITE ');
  bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
  await bob.next('ACK ');
  const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
  alice.send(alice.request('ACK', { toTag }));
  return { library, alice, bob, toTag, ...(await within('both dialogs', making)) };
}

describe.each(modes)('a call between two (%s)', (mode) => {
  test('rings, is answered and hung up by the caller', () =>
    onStage(mode, async (stage) => {
      const { library, alice, bob, begin } = await bridging(stage);
      const making = begin();
      const invite = await bob.next('INVITE ');
      expect(invite.text.endsWith(described(1))).toBe(true);
      expect(value(invite.text, 'Call-ID')).not.toBe('call-alice');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await alice.next('SIP/2.0 180');
      bob.answer(invite, '183 Session Progress', { toTag: 'bob', body: described(2), more: ofSdp });
      expect((await alice.next('SIP/2.0 183')).text.endsWith(described(2))).toBe(true);
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
      await bob.next('ACK ');
      const ok = await alice.next('SIP/2.0 200');
      expect(ok.text.endsWith(described(2))).toBe(true);
      const toTag = tag(ok.text, 'To');
      alice.send(alice.request('ACK', { toTag }));
      const { uas, uac } = await within('both dialogs', making);
      expect([uas.id, uac.id]).toEqual(['call-alice;from-tag=tag-alice', 'b-leg;from-tag=ours']);
      expect([library.findDialogById(uas.id), library.findDialogById(uac.id)]).toEqual([uas, uac]);
      uas.on('destroy', () => void uac.destroy());
      alice.send(alice.request('BYE', { toTag, cseq: 2 }));
      await alice.next('SIP/2.0 200');
      bob.answer(await bob.next('BYE '), '200 OK');
      expect(alice.ladder).toEqual([
        '-> INVITE',
        '<- 180 INVITE',
        '<- 183 INVITE',
        '<- 200 INVITE',
        '-> ACK',
        '-> BYE',
        '<- 200 BYE',
      ]);
      expect(bob.ladder).toEqual([
        '<- INVITE',
        '-> 180 INVITE',
        '-> 183 INVITE',
        '-> 200 INVITE',
        '<- ACK',
        '<- BYE',
        '-> 200 BYE',
      ]);
    }));

  test('is hung up by the one who was called', () =>
    onStage(mode, async (stage) => {
      const { alice, bob, uas, uac } = await bridged(stage);
      const ended = toldBy(uac, 'destroy');
      bob.send(bob.request('BYE', { ...theirs, cseq: 1 }));
      expect((await ended.next()).second).toBe('normal release');
      await bob.next('SIP/2.0 200');
      await hangUp(uas, alice);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test.each([
    [486, 486],
    [404, 404],
    [503, 503],
    [603, 603],
  ])('%i by the one who is called is %i to the caller', (refused, status) =>
    onStage(mode, async (stage) => {
      const { alice, bob, begin } = await bridging(stage, { proxyResponseHeaders: ['X-Why'] });
      const failing = expect(begin()).rejects.toMatchObject({ status: refused });
      bob.answer(await bob.next('INVITE '), `${refused} No`, { toTag: 'bob', more: ['X-Why: lunch'] });
      await bob.next('ACK ');
      const refusal = await alice.next(`SIP/2.0 ${status} No`);
      expect(value(refusal.text, 'X-Why')).toBe('lunch');
      alice.send(alice.request('ACK', { branch: 'z9hG4bK-bridged', toTag: tag(refusal.text, 'To') }));
      await failing;
      expect(bob.ladder).toEqual(['<- INVITE', `-> ${refused} INVITE`, '<- ACK']);
      expect(alice.ladder).toEqual(['-> INVITE', `<- ${status} INVITE`, '-> ACK']);
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }),
  );

  test('with passFailure: false the application answers the caller, as by trying the next', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const invites = askedFor(library, 'invite');
      const alice = await stage.peer('alice', 'udp');
      const bob = await stage.peer('bob', 'udp');
      const ted = await stage.peer('ted', 'udp');
      alice.send(alice.request('INVITE', { body: described(1), more: ofSdp }));
      const { request, response } = await invites.next();
      const first = library.createB2BUA(request, response, bob.uri, { passFailure: false });
      const failing = expect(first).rejects.toMatchObject({ status: 486 });
      bob.answer(await bob.next('INVITE '), '486 Busy Here', { toTag: 'bob' });
      await bob.next('ACK ');
      await failing;
      const second = library.createB2BUA(request, response, ted.uri, { localSdpA: () => described(9) });
      ted.answer(await ted.next('INVITE '), '200 OK', { toTag: 'ted', body: described(2), more: ofSdp });
      await ted.next('ACK ');
      const ok = await alice.next('SIP/2.0 200');
      expect(ok.text.endsWith(described(9))).toBe(true);
      const toTag = tag(ok.text, 'To');
      alice.send(alice.request('ACK', { toTag }));
      const { uas, uac } = await within('both dialogs', second);
      await hangUp(uas, alice);
      await hangUp(uac, ted);
      expect(alice.ladder).toEqual(['-> INVITE', '<- 200 INVITE', '-> ACK', '<- BYE', '-> 200 BYE']);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('CANCEL by the caller goes on to the one who is called, with its Reason', () =>
    onStage(mode, async (stage) => {
      const { alice, bob, begin } = await bridging(stage);
      const failing = expect(begin()).rejects.toMatchObject({ status: 487 });
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await alice.next('SIP/2.0 180');
      const branch = 'z9hG4bK-bridged';
      alice.send(alice.request('CANCEL', { branch, more: ['Reason: SIP;cause=200'] }));
      const cancel = await bob.next('CANCEL ');
      expect(value(cancel.text, 'Reason')).toBe('SIP;cause=200');
      await alice.next('SIP/2.0 200');
      const toTag = tag((await alice.next('SIP/2.0 487')).text, 'To');
      alice.send(alice.request('ACK', { branch, toTag }));
      bob.answer(cancel, '200 OK', { toTag: 'bob' });
      bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      await failing;
      expect(alice.ladder).toEqual([
        '-> INVITE',
        '<- 180 INVITE',
        '-> CANCEL',
        '<- 200 CANCEL',
        '<- 487 INVITE',
        '-> ACK',
      ]);
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0, pendingRequests: 0 });
    }));

  test('headers pass both ways when they are named, and those of the application are added', () =>
    onStage(mode, async (stage) => {
      const options = {
        proxyRequestHeaders: ['X-Account', 'User-Agent', 'Subject'],
        proxyResponseHeaders: ['X-Answer', 'Server'],
        responseHeaders: { 'X-Bridge': 'we' },
      };
      const { alice, bob, begin } = await bridging(stage, options);
      const making = begin(['X-Account: 7', 'User-Agent: phone', 'Subject: lunch', 'X-Secret: no']);
      const invite = await bob.next('INVITE ');
      expect(['X-Account', 'User-Agent', 'Subject'].map((name) => value(invite.text, name))).toEqual([
        '7',
        'phone',
        'lunch',
      ]);
      expect(invite.text).not.toContain('X-Secret');
      const more = ['X-Answer: yes', 'Server: tel', 'X-Hidden: no', ...ofSdp];
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more });
      await bob.next('ACK ');
      const ok = await alice.next('SIP/2.0 200');
      expect(['X-Answer', 'Server', 'X-Bridge'].map((name) => value(ok.text, name))).toEqual(['yes', 'tel', 'we']);
      expect(ok.text).not.toContain('X-Hidden');
      alice.send(alice.request('ACK', { toTag: tag(ok.text, 'To') }));
      const { uas, uac } = await within('both dialogs', making);
      await hangUp(uas, alice);
      await hangUp(uac, bob);
    }));

  test('a late offer: Bob’s goes to Alice, her answer in the ACK to Bob', () =>
    onStage(mode, async (stage) => {
      const { alice, bob, begin } = await bridging(stage);
      const making = begin([], '');
      const invite = await bob.next('INVITE ');
      expect(value(invite.text, 'Content-Length')).toBe('0');
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
      const ok = await alice.next('SIP/2.0 200');
      expect(ok.text.endsWith(described(2))).toBe(true);
      alice.send(alice.request('ACK', { toTag: tag(ok.text, 'To'), body: described(3), more: ofSdp }));
      expect((await bob.next('ACK ')).text.endsWith(described(3))).toBe(true);
      const { uas, uac } = await within('both dialogs', making);
      await hangUp(uas, alice);
      await hangUp(uac, bob);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a re-INVITE of either passes to the other, and its answer back', () =>
    onStage(mode, async (stage) => {
      const { alice, bob, uas, uac, toTag } = await bridged(stage);
      for (const [from, to] of [
        [uas, uac],
        [uac, uas],
      ] as const) {
        from.on('modify', (request, answer) => {
          void to.modify(request.body).then((body) => answer.send(200, { body }));
        });
      }
      alice.send(alice.request('INVITE', { toTag, cseq: 2, body: described(3), more: ofSdp }));
      const toBob = await bob.next('INVITE ');
      expect(toBob.text.endsWith(described(3))).toBe(true);
      bob.answer(toBob, '200 OK', { body: described(4), more: ofSdp });
      await bob.next('ACK ');
      expect((await alice.next('SIP/2.0 200')).text.endsWith(described(4))).toBe(true);
      alice.send(alice.request('ACK', { toTag, cseq: 2 }));
      bob.send(bob.request('INVITE', { ...theirs, cseq: 1, body: described(5), more: ofSdp }));
      const toAlice = await alice.next('INVITE ');
      expect(toAlice.text.endsWith(described(5))).toBe(true);
      alice.answer(toAlice, '200 OK', { body: described(6), more: ofSdp });
      await alice.next('ACK ');
      expect((await bob.next('SIP/2.0 200')).text.endsWith(described(6))).toBe(true);
      bob.send(bob.request('ACK', { ...theirs, cseq: 1 }));
      await hangUp(uas, alice);
      await hangUp(uac, bob);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('ringing that wants a PRACK gets it on both sides', () =>
    onStage(mode, async (stage) => {
      const { alice, bob, begin } = await bridging(stage, {
        headers: { Supported: '100rel' },
        proxyResponseHeaders: ['require'],
      });
      const making = begin(['Supported: 100rel']);
      const invite = await bob.next('INVITE ');
      const more = ['Require: 100rel', 'RSeq: 8', ...ofSdp];
      bob.answer(invite, '183 Session Progress', { toTag: 'bob', body: described(2), more });
      const progress = await alice.next('SIP/2.0 183');
      const toTag = tag(progress.text, 'To');
      const prack = await bob.next('PRACK ');
      expect(value(prack.text, 'RAck')).toBe(`8 ${value(invite.text, 'CSeq')}`);
      bob.answer(prack, '200 OK');
      alice.send(alice.request('PRACK', { toTag, cseq: 2, more: [`RAck: ${value(progress.text, 'RSeq')} 1 INVITE`] }));
      expect(value((await alice.next('SIP/2.0 200')).text, 'CSeq')).toBe('2 PRACK');
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(2), more: ofSdp });
      await bob.next('ACK ');
      expect(value((await alice.next('SIP/2.0 200')).text, 'CSeq')).toBe('1 INVITE');
      alice.send(alice.request('ACK', { toTag }));
      const { uas, uac } = await within('both dialogs', making);
      await hangUp(uas, alice);
      await hangUp(uac, bob);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));
});
