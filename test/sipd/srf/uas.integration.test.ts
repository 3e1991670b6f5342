/** drachtio-srf takes calls: what the caller sees on the wire, and what the library promises and tells. */
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import { tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { callIn } from './calls.ts';
import { askedFor, described, libraryOn, modes, ofSdp, toldBy } from './library.ts';

describe.each(modes)('a call that comes in (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)(
    'createUAS gives the dialog once its 200 is sent; destroy ends it (%s)',
    (transport) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const invites = askedFor(library, 'invite');
        const alice = await stage.peer('alice', transport);
        alice.send(alice.request('INVITE', { body: described(1), more: ofSdp }));
        const { request, response } = await invites.next();
        expect(request.body).toBe(described(1));
        response.send(180, { headers: { 'X-Ring': 'loud' } });
        expect(value((await alice.next('SIP/2.0 180')).text, 'X-Ring')).toBe('loud');
        // The ACK is not waited for.
        const dialog = await within('the dialog', library.createUAS(request, response, { localSdp: described(2) }));
        const acks = toldBy(dialog, 'ack');
        const ok = await alice.next('SIP/2.0 200');
        expect(ok.text.endsWith(described(2))).toBe(true);
        const toTag = tag(ok.text, 'To');
        expect(dialog).toMatchObject({
          type: 'uas',
          id: 'call-alice;from-tag=tag-alice',
          sip: { callId: 'call-alice', localTag: toTag, remoteTag: 'tag-alice' },
          local: { sdp: described(2), contact: value(ok.text, 'Contact') },
          remote: { sdp: described(1), uri: alice.uri },
        });
        alice.send(alice.request('ACK', { toTag }));
        await acks.next();
        expect(library.findDialogByCallIDAndFromTag('call-alice', 'tag-alice')).toBe(dialog);
        const ending = dialog.destroy({ headers: { 'X-Reason': 'enough' } });
        const bye = await alice.next('BYE ');
        expect(value(bye.text, 'X-Reason')).toBe('enough');
        alice.answer(bye, '200 OK');
        await within('the end', ending);
        expect(library.findDialogByCallIDAndFromTag('call-alice', 'tag-alice')).toBeUndefined();
        expect(alice.ladder).toEqual(['-> INVITE', '<- 180 INVITE', '<- 200 INVITE', '-> ACK', '<- BYE', '-> 200 BYE']);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }),
  );

  test('without an offer the 200 makes one, and the answer comes with the ACK', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const invites = askedFor(library, 'invite');
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('INVITE'));
      const { request, response } = await invites.next();
      const dialog = await library.createUAS(request, response, { localSdp: described(2) });
      const acks = toldBy(dialog, 'ack');
      const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
      alice.send(alice.request('ACK', { toTag, body: described(7), more: ofSdp }));
      expect((await acks.next()).request.body).toBe(described(7));
      expect(dialog.remote.sdp).toBe(described(7));
      expect(library.findDialogById(dialog.id)).toBe(dialog);
    }));

  test.each([302, 404, 486, 503, 603])('res.send(%i) refuses it; the ACK is the server’s business', (status) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const invites = askedFor(library, 'invite');
      const acks = askedFor(library, 'ack');
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('INVITE', { branch: 'z9hG4bK-refused', body: described(), more: ofSdp }));
      const { request, response } = await invites.next();
      const confirmed = new Promise((resolve) => {
        response.send(status, { headers: { 'Retry-After': '7' } }, (error) => resolve(error));
      });
      const refusal = await alice.next(`SIP/2.0 ${status}`);
      expect(value(refusal.text, 'Retry-After')).toBe('7');
      expect(await within('the confirmation', confirmed)).toBeNull();
      alice.send(alice.request('ACK', { branch: 'z9hG4bK-refused', toTag: tag(refusal.text, 'To') }));
      const more = library.createUAS(request, response, { localSdp: described() });
      await expect(more).rejects.toThrow('final response already sent');
      await waitFor('the end', () => stage.sipd.counts().pendingRequests === 0);
      expect(alice.ladder).toEqual(['-> INVITE', `<- ${status} INVITE`, '-> ACK']);
      expect(acks.isEmpty).toBe(true);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }),
  );

  test.each([false, true])('CANCEL is told, and a createUAS that comes after it fails (after 180: %s)', (rings) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const invites = askedFor(library, 'invite');
      const alice = await stage.peer('alice', 'udp');
      const branch = 'z9hG4bK-cancelled';
      alice.send(alice.request('INVITE', { branch, body: described(), more: ofSdp }));
      const { request, response } = await invites.next();
      const cancelled = new Promise<void>((resolve) => request.on('cancel', () => resolve()));
      if (rings) {
        response.send(180);
        await alice.next('SIP/2.0 180');
      }
      alice.send(alice.request('CANCEL', { branch }));
      await within('the event cancel', cancelled);
      const toTag = tag((await alice.next('SIP/2.0 487')).text, 'To');
      alice.send(alice.request('ACK', { branch, toTag }));
      const late = library.createUAS(request, response, { localSdp: described() });
      await expect(late).rejects.toBe('Response not sent due to unknown transaction');
      await alice.next('SIP/2.0 200');
      expect(alice.ladder).toEqual([
        '-> INVITE',
        ...(rings ? ['<- 180 INVITE'] : []),
        '-> CANCEL',
        '<- 200 CANCEL',
        '<- 487 INVITE',
        '-> ACK',
      ]);
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, pendingRequests: 0 });
    }),
  );

  test('CANCEL while createUAS waits for its description: the promise is broken, the caller has the 487', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const invites = askedFor(library, 'invite');
      const alice = await stage.peer('alice', 'udp');
      const branch = 'z9hG4bK-waiting';
      alice.send(alice.request('INVITE', { branch, body: described(), more: ofSdp }));
      const { request, response } = await invites.next();
      const cancelled = new Promise<string>((resolve) => request.on('cancel', () => resolve(described())));
      const taking = library.createUAS(request, response, { localSdp: () => cancelled });
      alice.send(alice.request('CANCEL', { branch }));
      const toTag = tag((await alice.next('SIP/2.0 487')).text, 'To');
      alice.send(alice.request('ACK', { branch, toTag }));
      await expect(within('the failure', taking)).rejects.toBe('Response not sent due to unknown transaction');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a BYE nobody answers ends the dialog all the same', () =>
    onStage(
      mode,
      async (stage) => {
        const library = await libraryOn(stage);
        const alice = await stage.peer('alice', 'udp');
        const { dialog } = await callIn(library, alice);
        await within('the end', dialog.destroy());
        expect(alice.received.filter((text) => text.startsWith('BYE '))).not.toHaveLength(1);
        expect(library.findDialogById(dialog.id)).toBeUndefined();
        expect(stage.sipd.counts().dialogs).toBe(0);
      },
      { timers: { t1: 10, t2: 40, t4: 50 } },
    ));

  test('a call the library forgot to handle gets 404', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      library.use('invite', (...values: unknown[]) => (values[2] as () => void)());
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('INVITE', { branch: 'z9hG4bK-nobody' }));
      const refusal = await alice.next('SIP/2.0 404');
      alice.send(alice.request('ACK', { branch: 'z9hG4bK-nobody', toTag: tag(refusal.text, 'To') }));
      expect(alice.ladder).toEqual(['-> INVITE', '<- 404 INVITE', '-> ACK']);
    }));
});
