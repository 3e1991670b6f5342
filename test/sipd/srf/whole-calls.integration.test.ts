/** Whole calls and subscriptions with drachtio-srf: what is filled in, what is taken as it is given. */
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import { type AppAnswer, type AppDialog, ask } from '../application.ts';
import { tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

describe.each(['free', 'strict'] as const)('drachtio-srf on sipd in %s mode', (mode) => {
  describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
    test('answers an INVITE by createUAS, talks in the dialog both ways and hears the BYE', () =>
      onStage(mode, async (stage) => {
        const application = await stage.application();
        const alice = await stage.peer('alice', transport);
        let dialog: AppDialog | undefined;
        const ended: string[] = [];
        const infos: string[] = [];
        application.use('invite', (request, response) => {
          void application
            .createUAS(request, response, {
              localSdp: sdp,
              headers: { Contact: '<sip:conf1@localhost>;isfocus', To: '<sip:focus@127.0.0.1>;tag=our-tag' },
            })
            .then((made) => {
              dialog = made;
              made.on('destroy', (_, why) => ended.push(String(why)));
              made.on('info', (info, answer) => {
                infos.push(info.body);
                (answer as { send: (status: number) => void }).send(200);
              });
            });
        });
        alice.send(alice.request('INVITE', { body: sdp, more: ['Content-Type: application/sdp'] }));
        const ok = await alice.next('SIP/2.0 200');
        expect(tag(ok.text, 'To')).toBe('our-tag');
        expect(value(ok.text, 'Contact')).toBe(`<sip:conf1@127.0.0.1:${stage.port}>;isfocus`);
        expect(value(ok.text, 'Content-Type')).toBe('application/sdp');
        alice.send(alice.request('ACK', { toTag: 'our-tag' }));
        const made = await waitFor('the dialog', () => dialog);
        expect(made.id).toBe('call-alice;from-tag=tag-alice');
        expect(made.sip).toEqual({ callId: 'call-alice', localTag: 'our-tag', remoteTag: 'tag-alice' });

        alice.send(
          alice.request('INFO', { toTag: 'our-tag', cseq: 2, body: 'hello', more: ['Content-Type: text/plain'] }),
        );
        await alice.next('SIP/2.0 200');
        expect(infos).toEqual(['hello']);

        const asked = made.request({ method: 'MESSAGE', body: 'grüß', headers: { 'Content-Type': 'text/plain' } });
        const message = await alice.next('MESSAGE ');
        expect(message.text.startsWith(`MESSAGE ${alice.uri} SIP/2.0`)).toBe(true);
        expect(value(message.text, 'From')).toContain(';tag=our-tag');
        expect(value(message.text, 'CSeq')).toBe('2 MESSAGE');
        expect(value(message.text, 'Content-Length')).toBe('6');
        alice.answer(message, '202 Accepted');
        expect((await within('the answer', asked)).status).toBe(202);

        alice.send(alice.request('BYE', { toTag: 'our-tag', cseq: 3 }));
        await alice.next('SIP/2.0 200');
        await waitFor('the end', () => ended.length > 0);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }));

    test('calls by createUAC with its own Call-ID and From tag, sends the ACK, and ends by BYE', () =>
      onStage(mode, async (stage) => {
        const application = await stage.application();
        const bob = await stage.peer('bob', transport);
        const provisional: AppAnswer[] = [];
        const calling = application.createUAC(
          bob.uri,
          {
            localSdp: sdp,
            headers: {
              'Call-ID': 'chosen-by-us',
              'From': '<sip:conf1@localhost>;tag=chosen-too',
              'Contact': '<sip:conf1@localhost>;isfocus',
              'Replaces': 'abc;to-tag=1;from-tag=2',
            },
          },
          { cbProvisional: (answer) => provisional.push(answer) },
        );
        const invite = await bob.next('INVITE ');
        expect(value(invite.text, 'Call-ID')).toBe('chosen-by-us');
        expect(value(invite.text, 'From')).toBe(`<sip:conf1@127.0.0.1:${stage.port}>;tag=chosen-too`);
        expect(value(invite.text, 'To')).toBe(`<${bob.uri}>`);
        expect(value(invite.text, 'Contact')).toBe(`<sip:conf1@127.0.0.1:${stage.port}>;isfocus`);
        expect(value(invite.text, 'Replaces')).toBe('abc;to-tag=1;from-tag=2');
        expect(value(invite.text, 'Max-Forwards')).toBe('70');
        bob.answer(invite, '180 Ringing', { toTag: 'bob-tag' });
        await waitFor('180', () => provisional.find((answer) => answer.status === 180));
        bob.answer(invite, '200 OK', { toTag: 'bob-tag', body: sdp, more: ['Content-Type: application/sdp'] });
        const ack = await bob.next('ACK ');
        expect(value(ack.text, 'CSeq').split(' ')[0]).toBe(value(invite.text, 'CSeq').split(' ')[0]);
        expect(tag(ack.text, 'To')).toBe('bob-tag');
        const dialog = await within('the dialog', calling);
        expect(dialog.id).toBe('chosen-by-us;from-tag=chosen-too');
        const ending = dialog.destroy();
        const bye = await bob.next('BYE ');
        bob.answer(bye, '200 OK');
        await within('the end', ending);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }));

    test('takes a SUBSCRIBE with res.send and notifies by stackDialogId', () =>
      onStage(mode, async (stage) => {
        const application = await stage.application();
        const alice = await stage.peer('alice', transport);
        let dialogId: string | undefined;
        application.use('subscribe', (_, response) => {
          const headers = { Contact: '<sip:conf1@localhost>;isfocus', Expires: '60' };
          response.send(200, { headers }, (error) => {
            expect(error).toBeNull();
            dialogId = response.stackDialogId;
          });
        });
        alice.send(alice.request('SUBSCRIBE', { cseq: 7, more: ['Event: conference', 'Expires: 60'] }));
        const ok = await alice.next('SIP/2.0 200');
        const id = await waitFor('the dialog', () => dialogId);
        expect(id).toBe('call-alice;from-tag=tag-alice');
        const answered = ask(application, 'sip:placeholder', {
          method: 'NOTIFY',
          stackDialogId: id,
          headers: {
            'Event': 'conference',
            'Subscription-State': 'active;expires=60',
            'Contact': '<sip:conf1@localhost>;isfocus',
            'Content-Type': 'application/conference-info+xml',
          },
          body: '<conference-info/>',
        });
        const notify = await alice.next('NOTIFY ');
        expect(notify.text.startsWith(`NOTIFY ${alice.uri} SIP/2.0`)).toBe(true);
        expect(value(notify.text, 'CSeq')).toBe('8 NOTIFY');
        expect(tag(notify.text, 'From')).toBe(tag(ok.text, 'To'));
        expect(tag(notify.text, 'To')).toBe('tag-alice');
        alice.answer(notify, '200 OK');
        expect((await within('the answer', answered)).status).toBe(200);

        const last = ask(application, 'sip:placeholder', {
          method: 'NOTIFY',
          stackDialogId: id,
          headers: { 'Event': 'conference', 'Subscription-State': 'terminated;reason=noresource' },
        });
        alice.answer(await alice.next('NOTIFY '), '200 OK');
        await within('the last answer', last);
        expect(stage.sipd.counts().dialogs).toBe(0);
        const none = ask(application, 'sip:placeholder', { method: 'NOTIFY', stackDialogId: id });
        await expect(none).rejects.toThrow('unable to find dialog');
      }));

    test('is told 503 at once when nobody listens at the target', () =>
      onStage(mode, async (stage) => {
        const application = await stage.application();
        const gone = await stage.peer('gone', transport);
        const { uri } = gone;
        await gone.close();
        const answer = await within('503', ask(application, uri, { method: 'OPTIONS' }));
        expect(answer.status).toBe(503);
        expect(answer.source_address).toBe('');
      }));
  });

  test('ends a call whose 200 is never acknowledged, and tells the application why', () =>
    onStage(
      mode,
      async (stage) => {
        const application = await stage.application();
        const alice = await stage.peer('alice', 'udp');
        const ended: string[] = [];
        application.use('invite', (request, response) => {
          void application.createUAS(request, response, { localSdp: sdp }).then((dialog) => {
            dialog.on('destroy', (_, why) => ended.push(String(why)));
          });
        });
        alice.send(alice.request('INVITE'));
        const bye = await alice.next('BYE ');
        expect(value(bye.text, 'Reason')).toBe('SIP;cause=200;text="ACK timeout"');
        alice.answer(bye, '200 OK');
        await waitFor('destroy', () => ended.length > 0);
        expect(ended).toEqual(['ACK timeout']);
        expect(alice.received.filter((text) => text.startsWith('SIP/2.0 200')).length).toBeGreaterThan(4);
        expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, unacknowledged: 0 });
      },
      { timers: { t1: 10, t2: 40, t4: 50 } },
    ));
});
