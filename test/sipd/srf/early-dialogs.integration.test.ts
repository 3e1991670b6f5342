/** PRACK and UPDATE before a call is taken, as drachtio-srf has them. */
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import type { AppAnswer, AppDialog, AppRequest, AppResponse } from '../application.ts';
import { tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const newer = sdp.replace('1 1 IN', '1 2 IN');
const described = ['Content-Type: application/sdp'];

/** drachtio-srf takes a function for the ACK or PRACK behind the usual callback. */
type ReliableSend = (
  ...values: [
    status: number,
    options: { headers: Record<string, string>; body?: string },
    confirmed: (error: unknown, sent: AppAnswer) => void,
    acknowledged: (prack: AppRequest) => void,
  ]
) => void;

describe.each(['free', 'strict'] as const)('drachtio-srf as a server on sipd in %s mode', (mode) => {
  test('answers reliably, gets the PRACK, answers it, and then takes the call', () =>
    onStage(mode, async (stage) => {
      const application = await stage.application();
      const alice = await stage.peer('alice', 'udp');
      const pracks: AppRequest[] = [];
      let dialog: AppDialog | undefined;
      application.use('invite', (request, response) => {
        const send = response.send.bind(response) as unknown as ReliableSend;
        const headers = { Require: '100rel' };
        send(
          183,
          { headers, body: sdp },
          () => undefined,
          (prack) => {
            pracks.push(prack);
            void application.createUAS(request, response, { localSdp: sdp }).then((made) => {
              dialog = made;
            });
          },
        );
      });
      application.use('prack', (_, response) => response.send(200));
      alice.send(alice.request('INVITE', { more: ['Supported: 100rel', ...described], body: sdp }));
      const progress = await alice.next('SIP/2.0 183');
      expect(value(progress.text, 'Require')).toBe('100rel');
      const toTag = tag(progress.text, 'To');
      const rack = `RAck: ${value(progress.text, 'RSeq')} 1 INVITE`;
      alice.send(alice.request('PRACK', { toTag, cseq: 2, more: [rack] }));
      const answers = [await alice.next('SIP/2.0 200'), await alice.next('SIP/2.0 200')];
      expect(answers.map(({ text }) => value(text, 'CSeq')).toSorted()).toEqual(['1 INVITE', '2 PRACK']);
      alice.send(alice.request('ACK', { toTag }));
      expect(pracks.map((prack) => prack.get('RAck'))).toEqual([rack.slice(6)]);
      const made = await waitFor('the dialog', () => dialog);
      expect(made.sip.localTag).toBe(toTag);
      alice.send(alice.request('BYE', { toTag, cseq: 3 }));
      await alice.next('SIP/2.0 200');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('is told when the caller takes no reliable answers', () =>
    onStage(mode, async (stage) => {
      const application = await stage.application();
      const alice = await stage.peer('alice', 'udp');
      const errors: unknown[] = [];
      application.use('invite', (_, response) => {
        response.send(183, { headers: { Require: '100rel' } }, (error) => {
          errors.push(error);
          response.send(486);
        });
      });
      alice.send(alice.request('INVITE'));
      const busy = await alice.next('SIP/2.0 486');
      expect(errors).toEqual(['Remote endpoint does not support 100rel']);
      alice.send(alice.request('ACK', { branch: 'z9hG4bK-alice-1', toTag: tag(busy.text, 'To') }));
    }));

  test('gets an UPDATE while its INVITE rings, and can still take the call', () =>
    onStage(mode, async (stage) => {
      const application = await stage.application();
      const alice = await stage.peer('alice', 'udp');
      let ringing: { request: AppRequest; response: AppResponse } | undefined;
      application.use('invite', (request, response) => {
        request.on('update', (_, second) => {
          (second as unknown as AppResponse).send(200, { body: newer });
        });
        response.send(180);
        ringing = { request, response };
      });
      alice.send(alice.request('INVITE', { more: described, body: sdp }));
      const toTag = tag((await alice.next('SIP/2.0 180')).text, 'To');
      alice.send(alice.request('UPDATE', { toTag, cseq: 2, more: described, body: newer }));
      const updated = await alice.next('SIP/2.0 200');
      expect(value(updated.text, 'CSeq')).toBe('2 UPDATE');
      expect(updated.text.endsWith(newer)).toBe(true);
      const { request, response } = await waitFor('the INVITE', () => ringing);
      const made = await within('the dialog', application.createUAS(request, response, { localSdp: sdp }));
      const ok = await alice.next('SIP/2.0 200');
      expect(tag(ok.text, 'To')).toBe(toTag);
      alice.send(alice.request('ACK', { toTag }));
      const gone = made.destroy();
      alice.answer(await alice.next('BYE '), '200 OK');
      await within('the end', gone);
    }));
});
