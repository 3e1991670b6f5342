/** drachtio-srf makes calls: what the one who is called sees on the wire, and what the library promises and tells. */
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import type { AppAnswer, AppRequest } from '../application.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { callOut, hangUp, inCallOut } from './calls.ts';
import { described, libraryOn, Mailbox, modes, ofSdp, toldBy } from './library.ts';

/** What a call tells on its way: the request as it was sent, and each provisional answer. */
function progress() {
  const sent = new Mailbox<AppRequest>('cbRequest');
  const rang = new Mailbox<AppAnswer>('cbProvisional');
  return {
    sent,
    rang,
    callbacks: {
      cbRequest: (error: unknown, request: AppRequest) => {
        if (error === null) sent.put(request);
      },
      cbProvisional: (answer: AppAnswer) => rang.put(answer),
    },
  };
}

/** Refuses the INVITE that waits, and waits for the ACK. */
async function refuse(peer: Peer, status: string, more: string[] = []): Promise<void> {
  peer.answer(await peer.next('INVITE '), status, { toTag: peer.name, more });
  await peer.next('ACK ');
}

function cancelling(request: AppRequest): Promise<unknown> {
  const done = new Promise((resolve) => request.cancel((error) => resolve(error)));
  return within('the confirmation of the CANCEL', done);
}

describe.each(modes)('a call that goes out (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)(
    'createUAC tells what it sends and hears, acknowledges and gives the dialog (%s)',
    (transport) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', transport);
        const { sent, rang, callbacks } = progress();
        const headers = { 'Call-ID': 'out', 'Subject': 'lunch' };
        const from = { callingNumber: '4711', callingName: 'Alice' };
        const calling = library.createUAC(bob.uri, { localSdp: described(1), headers, ...from }, callbacks);
        const invite = await bob.next('INVITE ');
        expect(invite.text.startsWith(`INVITE ${bob.uri} SIP/2.0`)).toBe(true);
        expect(value(invite.text, 'Subject')).toBe('lunch');
        expect(value(invite.text, 'From')).toMatch(/^"Alice" <sip:4711@127\.0\.0\.1:\d+>;tag=/);
        const request = await sent.next();
        expect(request.raw).toBe(invite.text);
        expect(request.source).toBe('application');
        bob.answer(invite, '100 Trying');
        bob.answer(invite, '180 Ringing', { toTag: 'bob' });
        bob.answer(invite, '183 Session Progress', { toTag: 'bob', body: described(5), more: ofSdp });
        const statuses: number[] = [];
        while (statuses.at(-1) !== 183) statuses.push((await rang.next()).status);
        // A 100 may be told, or not: both are heard in the field.
        expect(statuses.filter((status) => status !== 100)).toEqual([180, 183]);
        bob.answer(invite, '200 OK', { toTag: 'bob', body: described(6), more: ofSdp });
        const ack = await bob.next('ACK ');
        expect(ack.text.startsWith(`ACK ${bob.uri} SIP/2.0`)).toBe(true);
        const dialog = await within('the dialog', calling);
        const ourTag = tag(invite.text, 'From');
        expect(dialog).toMatchObject({
          type: 'uac',
          id: `out;from-tag=${ourTag}`,
          sip: { callId: 'out', localTag: ourTag, remoteTag: 'bob' },
          local: { sdp: described(1), uri: bob.uri },
          remote: { sdp: described(6), uri: bob.uri },
        });
        expect(library.findDialogByCallIDAndFromTag('out', ourTag)).toBe(dialog);
        const destroyed = toldBy(dialog, 'destroy');
        bob.send(bob.request('BYE', { callId: 'out', fromTag: 'bob', toTag: ourTag, cseq: 9 }));
        expect((await destroyed.next()).second).toBe('normal release');
        await bob.next('SIP/2.0 200');
        expect(library.findDialogById(dialog.id)).toBeUndefined();
        expect(bob.ladder).toEqual([
          '<- INVITE',
          '-> 100 INVITE',
          '-> 180 INVITE',
          '-> 183 INVITE',
          '-> 200 INVITE',
          '<- ACK',
          '-> BYE',
          '<- 200 BYE',
        ]);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }),
  );

  test('a refusal is thrown with status, reason and answer', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const calling = library.createUAC(bob.uri, { localSdp: described() });
      const failing = expect(calling).rejects.toMatchObject({ status: 486, reason: 'At Lunch', res: { status: 486 } });
      await refuse(bob, '486 At Lunch');
      await failing;
      expect(bob.ladder).toEqual(['<- INVITE', '-> 486 INVITE', '<- ACK']);
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }));

  test('a redirection is followed when the application wants that', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const ted = await stage.peer('ted', 'tcp');
      const calling = library.createUAC(bob.uri, { localSdp: described(), followRedirects: true });
      const invite = await bob.next('INVITE ');
      const moved = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${value(invite.text, name)}`);
      const to = `To: ${value(invite.text, 'To')};tag=bob`;
      const lines = ['SIP/2.0 302 Moved', ...moved, to, `Contact: <${ted.uri}>`, 'Content-Length: 0', '', ''];
      bob.send(lines.join('\r\n'));
      await bob.next('ACK ');
      const second = await ted.next('INVITE ');
      expect(second.text.startsWith(`INVITE ${ted.uri} SIP/2.0`)).toBe(true);
      ted.answer(second, '200 OK', { toTag: 'ted', body: described(), more: ofSdp });
      await ted.next('ACK ');
      await hangUp(await within('the dialog', calling), ted);
      expect(bob.ladder).toEqual(['<- INVITE', '-> 302 INVITE', '<- ACK']);
    }));

  test('noAck: the offer comes with the 200, the ACK and its answer are the application’s', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const calling = library.createUAC(bob.uri, { noAck: true });
      const invite = await bob.next('INVITE ');
      expect(value(invite.text, 'Content-Length')).toBe('0');
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(3), more: ofSdp });
      const offered = await within('the offer', calling);
      expect(offered.sdp).toBe(described(3));
      expect(bob.ladder).toEqual(['<- INVITE', '-> 200 INVITE']);
      const acknowledging = offered.ack(described(4));
      const ack = await bob.next('ACK ');
      expect(ack.text.endsWith(described(4))).toBe(true);
      expect(value(ack.text, 'Content-Type')).toBe('application/sdp');
      const dialog = await within('the dialog', acknowledging);
      expect([dialog.local.sdp, dialog.remote.sdp]).toEqual([described(4), described(3)]);
      await hangUp(dialog, bob);
    }));

  test('CANCEL before anything was heard waits for the first ringing', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const { sent, callbacks } = progress();
      const calling = library.createUAC(bob.uri, { localSdp: described() }, callbacks);
      const failing = expect(calling).rejects.toMatchObject({ status: 487 });
      const invite = await bob.next('INVITE ');
      expect(await cancelling(await sent.next())).toBeNull();
      bob.answer(invite, '100 Trying');
      bob.answer(await bob.next('CANCEL '), '200 OK', { toTag: 'bob' });
      bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      await failing;
      expect(bob.ladder).toEqual([
        '<- INVITE',
        '-> 100 INVITE',
        '<- CANCEL',
        '-> 200 CANCEL',
        '-> 487 INVITE',
        '<- ACK',
      ]);
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }));

  test('CANCEL after 180 goes at once, with the headers the application gives', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const { sent, rang, callbacks } = progress();
      const calling = library.createUAC(bob.uri, { localSdp: described() }, callbacks);
      const failing = expect(calling).rejects.toMatchObject({ status: 487 });
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await rang.next();
      const request = (await sent.next()) as unknown as { cancel: (options: object, done: () => void) => void };
      request.cancel({ headers: { Reason: 'SIP;cause=600' } }, () => undefined);
      const cancel = await bob.next('CANCEL ');
      expect(value(cancel.text, 'Reason')).toBe('SIP;cause=600');
      expect(value(cancel.text, 'Via')).toBe(value(invite.text, 'Via'));
      bob.answer(cancel, '200 OK', { toTag: 'bob' });
      bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      await failing;
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }));

  test('a 200 that crosses the CANCEL is acknowledged, and the server hangs up and says so', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const { sent, rang, callbacks } = progress();
      const calling = library.createUAC(bob.uri, { localSdp: described() }, callbacks);
      const ended = calling.then((dialog) => toldBy(dialog, 'destroy').next());
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await rang.next();
      await cancelling(await sent.next());
      bob.answer(invite, '200 OK', { toTag: 'bob', body: described(), more: ofSdp });
      bob.answer(await bob.next('CANCEL '), '200 OK', { toTag: 'bob' });
      await bob.next('ACK ');
      const bye = await bob.next('BYE ');
      expect(value(bye.text, 'Reason')).toContain('text="ACK-BYE due to cancel race condition"');
      bob.answer(bye, '200 OK');
      expect((await within('destroy', ended)).second).toBe('ACK-BYE due to cancel race condition');
      expect(bob.ladder.filter((line) => line.startsWith('<-'))).toEqual([
        '<- INVITE',
        '<- CANCEL',
        '<- ACK',
        '<- BYE',
      ]);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a 200 without Contact is an error of the library, and no call', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const calling = library.createUAC(bob.uri, { localSdp: described() });
      const failing = expect(calling).rejects.toMatchObject({ status: 500 });
      const { text } = await bob.next('INVITE ');
      const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${value(text, name)}`);
      bob.send(
        ['SIP/2.0 200 OK', ...copied, `To: ${value(text, 'To')};tag=b`, 'Content-Length: 0', '', ''].join('\r\n'),
      );
      await failing;
      await waitFor('the end', () => stage.sipd.counts().dialogs === 0);
    }));

  test('nobody answers: 408 when SIP says so', () =>
    onStage(
      mode,
      async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'udp');
        const calling = library.createUAC(bob.uri, { localSdp: described() });
        await expect(within('the failure', calling)).rejects.toMatchObject({ status: 408 });
        expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
      },
      { timers: { t1: 5, t2: 40, t4: 50 } },
    ));

  test('a phone that answered and lost its power: the BYE is answered 408 by the server', () =>
    onStage(
      mode,
      async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'udp');
        const dialog = await callOut(library, bob);
        const asked = dialog.request({ method: 'INFO', body: 'there?', headers: { 'Content-Type': 'text/plain' } });
        expect((await within('the answer', asked)).status).toBe(408);
        await within('the end', dialog.destroy());
        bob.send(bob.request('BYE', inCallOut(bob, 3)));
        await bob.next('SIP/2.0 481');
        expect(stage.sipd.counts().dialogs).toBe(0);
      },
      { timers: { t1: 5, t2: 40, t4: 50 } },
    ));
});
