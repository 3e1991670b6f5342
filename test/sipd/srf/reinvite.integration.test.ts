/** Calls that are changed while they last: by drachtio-srf, by its peer, by both at once. */
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { callIn, callOut, hangUp, inCallOut } from './calls.ts';
import { described, isPending, libraryOn, modes, ofSdp, toldBy } from './library.ts';

/** What has been asked before has been dealt with once this is answered: all of it takes the same way, in order. */
async function allDealtWith(peer: Peer, fields: Parameters<Peer['request']>[1]): Promise<void> {
  peer.send(peer.request('OPTIONS', { ...fields, branch: `z9hG4bK-last-${peer.name}` }));
  await peer.next('SIP/2.0 200');
}

describe.each(modes)('a call that is changed (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)('dlg.modify: offer, answer, ACK; Contact and tags stay (%s)', (transport) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', transport);
      const { dialog, toTag } = await callIn(library, alice, { Contact: '<sip:conf1@localhost>;isfocus' });
      const modifying = dialog.modify(described(2));
      const invite = await alice.next('INVITE ');
      expect(invite.text.startsWith(`INVITE ${alice.uri} SIP/2.0`)).toBe(true);
      expect(tag(invite.text, 'From')).toBe(toTag);
      expect(tag(invite.text, 'To')).toBe('tag-alice');
      expect(value(invite.text, 'Contact')).toBe(dialog.local.contact);
      expect(invite.text.endsWith(described(2))).toBe(true);
      alice.answer(invite, '200 OK', { body: described(3), more: ofSdp });
      const ack = await alice.next('ACK ');
      expect(value(ack.text, 'CSeq').split(' ')[0]).toBe(value(invite.text, 'CSeq').split(' ')[0]);
      expect(await within('the answer', modifying)).toBe(described(3));
      expect(dialog).toMatchObject({ local: { sdp: described(2) }, remote: { sdp: described(3) } });
      await hangUp(dialog, alice);
      expect(alice.ladder).toEqual([
        '-> INVITE',
        '<- 200 INVITE',
        '-> ACK',
        '<- INVITE',
        '-> 200 INVITE',
        '<- ACK',
        '<- BYE',
        '-> 200 BYE',
      ]);
    }),
  );

  test('dlg.modify twice at once: the second waits until the first is through', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      const both = [dialog.modify(described(2)), dialog.modify(described(3))];
      for (const version of [2, 3]) {
        const invite = await bob.next('INVITE ');
        expect(invite.text.endsWith(described(version))).toBe(true);
        bob.answer(invite, '200 OK', { body: described(10 + version), more: ofSdp });
        await bob.next('ACK ');
      }
      expect(await within('both', Promise.all(both))).toEqual([described(12), described(13)]);
      await hangUp(dialog, bob);
    }));

  test('dlg.modify refused: the error has the status, the call goes on', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      const modifying = dialog.modify(described(2));
      const failing = expect(modifying).rejects.toMatchObject({ status: 488 });
      bob.answer(await bob.next('INVITE '), '488 Not Acceptable Here');
      await bob.next('ACK ');
      await failing;
      bob.send(bob.request('INFO', inCallOut(bob, 2)));
      await bob.next('SIP/2.0 200');
      await hangUp(dialog, bob);
    }));

  test('an 18x to a re-INVITE: in strict mode its answer is lost as it is by the real server, in free mode it is not', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const dialog = await callOut(library, bob);
      const modifying = dialog.modify(described(2));
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing');
      bob.answer(invite, '200 OK', { body: described(3), more: ofSdp });
      if (mode === 'free') {
        await bob.next('ACK ');
        expect(await within('the answer', modifying)).toBe(described(3));
      } else {
        await allDealtWith(bob, inCallOut(bob, 2));
        expect(await isPending(modifying)).toBe(true);
        expect(bob.ladder.filter((line) => line === '<- ACK')).toHaveLength(1);
      }
      await hangUp(dialog, bob);
    }));

  test('hold and unhold by the application', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      for (const [wish, direction] of [
        ['hold', 'inactive'],
        ['unhold', 'sendrecv'],
      ] as const) {
        const modifying = dialog.modify(wish);
        const invite = await bob.next('INVITE ');
        expect(invite.text.endsWith(described(1, direction))).toBe(true);
        bob.answer(invite, '200 OK', { body: described(1, direction), more: ofSdp });
        await bob.next('ACK ');
        await within(wish, modifying);
      }
      await hangUp(dialog, bob);
    }));

  test('hold, unhold and refresh by the peer: told, and answered by the library with the dialog’s Contact', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await callIn(library, alice, { Contact: '<sip:conf1@localhost>;isfocus' });
      const told = { hold: toldBy(dialog, 'hold'), unhold: toldBy(dialog, 'unhold') };
      for (const [cseq, event, direction, answered] of [
        [2, 'hold', 'sendonly', 'recvonly'],
        [3, 'unhold', 'sendrecv', 'sendrecv'],
      ] as const) {
        alice.send(alice.request('INVITE', { toTag, cseq, body: described(cseq, direction), more: ofSdp }));
        await told[event].next();
        const ok = await alice.next('SIP/2.0 200');
        expect(ok.text.endsWith(described(1, answered))).toBe(true);
        expect(value(ok.text, 'Contact')).toBe(dialog.local.contact);
        alice.send(alice.request('ACK', { toTag, cseq }));
      }
      expect(dialog.onHold).toBe(false);
      const refreshed = toldBy(dialog, 'refresh');
      alice.send(alice.request('INVITE', { toTag, cseq: 4, body: described(3), more: ofSdp }));
      await refreshed.next();
      await alice.next('SIP/2.0 200');
      alice.send(alice.request('ACK', { toTag, cseq: 4 }));
      await hangUp(dialog, alice);
    }));

  test('dlg.on("modify") answers itself, or refuses', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const dialog = await callOut(library, bob);
      const modified = toldBy(dialog, 'modify');
      const acked = toldBy(dialog, 'ack');
      bob.send(bob.request('INVITE', { ...inCallOut(bob, 2), body: described(5), more: ofSdp }));
      const first = await modified.next();
      expect(first.request.body).toBe(described(5));
      first.second.send(200, { body: described(6), headers: { Contact: '<sip:focus@localhost>' } });
      expect((await bob.next('SIP/2.0 200')).text.endsWith(described(6))).toBe(true);
      bob.send(bob.request('ACK', inCallOut(bob, 2)));
      await acked.next();
      const branch = 'z9hG4bK-worse';
      bob.send(bob.request('INVITE', { ...inCallOut(bob, 3), branch, body: described(7), more: ofSdp }));
      (await modified.next()).second.send(488);
      await bob.next('SIP/2.0 488');
      bob.send(bob.request('ACK', { ...inCallOut(bob, 3), branch }));
      await hangUp(dialog, bob);
      expect(acked.isEmpty).toBe(true);
      expect(bob.ladder.slice(3)).toEqual([
        '-> INVITE',
        '<- 200 INVITE',
        '-> ACK',
        '-> INVITE',
        '<- 488 INVITE',
        '-> ACK',
        '<- BYE',
        '-> 200 BYE',
      ]);
    }));

  test('a re-INVITE without an offer: ours is in the 200, the answer in the ACK', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await callIn(library, alice);
      const acks = toldBy(dialog, 'ack');
      alice.send(alice.request('INVITE', { toTag, cseq: 2 }));
      expect((await alice.next('SIP/2.0 200')).text.endsWith(described())).toBe(true);
      alice.send(alice.request('ACK', { toTag, cseq: 2, body: described(8), more: ofSdp }));
      // The ACK of the call itself may still be on its way to the listener.
      let { request } = await acks.next();
      if (request.body === '') ({ request } = await acks.next());
      expect(request.body).toBe(described(8));
      expect(dialog.remote.sdp).toBe(described(8));
      await hangUp(dialog, alice);
    }));

  test('a re-INVITE is answered with what dlg.modify without an offer is given, and acknowledged by the application', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      const modifying = dialog.modify('', { noAck: true }) as unknown as Promise<{
        sdp: string;
        ack: (sdp: string) => void;
      }>;
      const invite = await bob.next('INVITE ');
      expect(value(invite.text, 'Content-Length')).toBe('0');
      bob.answer(invite, '200 OK', { body: described(3), more: ofSdp });
      const { sdp, ack } = await within('the offer', modifying);
      expect(sdp).toBe(described(3));
      ack(described(4));
      expect((await bob.next('ACK ')).text.endsWith(described(4))).toBe(true);
      await hangUp(dialog, bob);
    }));

  test('glare: both ask at once, both answer 491, and both calls for a change fail (RFC 3261 14.1, 14.2)', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      dialog.on('modify', (_, answer) => answer.send(491));
      const modifying = dialog.modify(described(2));
      const failing = expect(modifying).rejects.toMatchObject({ status: 491 });
      const ours = await bob.next('INVITE ');
      const branch = 'z9hG4bK-glare';
      bob.send(bob.request('INVITE', { ...inCallOut(bob, 2), branch, body: described(5), more: ofSdp }));
      const refusal = await bob.next('SIP/2.0 491');
      expect(value(refusal.text, 'CSeq')).toBe('2 INVITE');
      bob.send(bob.request('ACK', { ...inCallOut(bob, 2), branch }));
      bob.answer(ours, '491 Request Pending');
      await bob.next('ACK ');
      await failing;
      expect(bob.ladder.slice(3)).toEqual([
        '<- INVITE',
        '-> INVITE',
        '<- 491 INVITE',
        '-> ACK',
        '-> 491 INVITE',
        '<- ACK',
      ]);
      // After 491 the library sends no modify any more; a request does it.
      const again = dialog.request({ method: 'INVITE', body: described(2) });
      bob.answer(await bob.next('INVITE '), '200 OK', { body: described(6), more: ofSdp });
      await bob.next('ACK ');
      expect((await within('the answer', again)).status).toBe(200);
      await hangUp(dialog, bob);
    }));

  test('a second re-INVITE while the first is open: 500 and Retry-After in free mode, handed up in strict', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const dialog = await callOut(library, bob);
      const modified = toldBy(dialog, 'modify');
      bob.send(bob.request('INVITE', { ...inCallOut(bob, 2), body: described(5), more: ofSdp }));
      const first = await modified.next();
      const branch = 'z9hG4bK-second';
      bob.send(bob.request('INVITE', { ...inCallOut(bob, 3), branch, body: described(6), more: ofSdp }));
      if (mode === 'free') {
        const refusal = await bob.next('SIP/2.0 500');
        expect(Number(value(refusal.text, 'Retry-After'))).toBeLessThanOrEqual(10);
      } else {
        const second = await modified.next();
        second.second.send(491);
        await bob.next('SIP/2.0 491');
      }
      bob.send(bob.request('ACK', { ...inCallOut(bob, 3), branch }));
      first.second.send(200, { body: described(7) });
      await bob.next('SIP/2.0 200');
      bob.send(bob.request('ACK', inCallOut(bob, 2)));
      await hangUp(dialog, bob);
      expect(modified.isEmpty).toBe(true);
    }));

  test('a changed Contact is followed in free mode, and the first one kept in strict', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const elsewhere = await stage.peer('elsewhere', 'udp');
      const { dialog, toTag } = await callIn(library, alice);
      const moved = alice
        .request('INVITE', { toTag, cseq: 2, body: described(2), more: ofSdp })
        .replace(`Contact: <${alice.uri}>`, `Contact: <${elsewhere.uri}>`);
      alice.send(moved);
      await alice.next('SIP/2.0 200');
      alice.send(alice.request('ACK', { toTag, cseq: 2 }));
      await allDealtWith(alice, { toTag, cseq: 3 });
      await hangUp(dialog, mode === 'free' ? elsewhere : alice);
    }));
});
