/** Subscriptions with drachtio-srf as notifier and as subscriber (RFC 6665), and REFER outside calls (RFC 3515). */
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { type Asked, ask, askedFor, type Dialog, type Library, libraryOn, Mailbox, modes, toldBy } from './library.ts';

const ofPresence = ['Event: presence', 'Expires: 60'];

const active = { 'Event': 'presence', 'Subscription-State': 'active;expires=60', 'Content-Type': 'text/plain' };

type Subscribed = { readonly dialog: Dialog; readonly toTag: string; readonly asked: Mailbox<Asked> };

/** Alice subscribes, and createUAS takes it. */
async function subscribed(library: Library, alice: Peer): Promise<Subscribed> {
  const asked = askedFor(library, 'subscribe');
  alice.send(alice.request('SUBSCRIBE', { more: ofPresence }));
  const { request, response } = await asked.next();
  const making = library.createUAS(request, response, {
    headers: { Expires: '60', Contact: '<sip:conf1@localhost>' },
  });
  const accepted = await alice.next('SIP/2.0 202');
  expect(value(accepted.text, 'Expires')).toBe('60');
  return { dialog: await within('the dialog', making), toTag: tag(accepted.text, 'To'), asked };
}

/** A NOTIFY as a notifier of `createUAC` writes it. */
function notify(bob: Peer, cseq: number, [state, body]: readonly [state: string, body: string]): string {
  const more = ['Event: presence', `Subscription-State: ${state}`, 'Content-Type: text/plain'];
  return bob.request('NOTIFY', { callId: 'sub', fromTag: 'bob', toTag: 'ours', cseq, more, body });
}

describe.each(modes)('a notifier (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)('accepts, notifies, is refreshed and ends it (%s)', (transport) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', transport);
      const { dialog, toTag, asked } = await subscribed(library, alice);
      expect(dialog).toMatchObject({ type: 'uas', id: 'call-alice;from-tag=tag-alice' });
      const notifying = dialog.request({ method: 'NOTIFY', headers: active, body: 'in' });
      const first = await alice.next('NOTIFY ');
      expect(first.text.startsWith(`NOTIFY ${alice.uri} SIP/2.0`)).toBe(true);
      expect([tag(first.text, 'From'), tag(first.text, 'To')]).toEqual([toTag, 'tag-alice']);
      alice.answer(first, '200 OK');
      expect((await within('the answer', notifying)).status).toBe(200);

      const refreshed = toldBy(dialog, 'subscribe');
      alice.send(alice.request('SUBSCRIBE', { toTag, cseq: 2, more: ofPresence }));
      const { request, second } = await refreshed.next();
      expect(request.get('Expires')).toBe('60');
      second.send(200, { headers: { Expires: '50' } });
      expect(value((await alice.next('SIP/2.0 200')).text, 'Expires')).toBe('50');

      const ended = toldBy(dialog, 'destroy');
      const headers = { 'Event': 'presence', 'Subscription-State': 'terminated;reason=noresource' };
      const ending = dialog.request({ method: 'NOTIFY', headers });
      const last = await alice.next('NOTIFY ');
      alice.answer(last, '200 OK');
      await within('the answer', ending);
      await ended.next();
      expect(library.findDialogById(dialog.id)).toBeUndefined();
      expect(stage.sipd.counts().dialogs).toBe(0);
      alice.send(alice.request('SUBSCRIBE', { toTag, cseq: 3, more: ofPresence, branch: 'z9hG4bK-gone' }));
      // What belongs to no dialog is the application’s to refuse.
      (await asked.next()).response.send(481);
      await alice.next('SIP/2.0 481');
      expect(alice.ladder).toEqual([
        '-> SUBSCRIBE',
        '<- 202 SUBSCRIBE',
        '<- NOTIFY',
        '-> 200 NOTIFY',
        '-> SUBSCRIBE',
        '<- 200 SUBSCRIBE',
        '<- NOTIFY',
        '-> 200 NOTIFY',
        '-> SUBSCRIBE',
        '<- 481 SUBSCRIBE',
      ]);
    }),
  );

  test('Expires: 0 is told as unsubscribe, and answered with the last NOTIFY', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await subscribed(library, alice);
      const unsubscribed = toldBy(dialog, 'unsubscribe');
      alice.send(alice.request('SUBSCRIBE', { toTag, cseq: 2, more: ['Event: presence', 'Expires: 0'] }));
      await unsubscribed.next();
      await alice.next('SIP/2.0 202');
      const ending = dialog.destroy();
      const last = await alice.next('NOTIFY ');
      expect(value(last.text, 'Subscription-State')).toBe('terminated');
      expect(value(last.text, 'Event')).toBe('presence');
      await within('the end', ending);
      expect(library.findDialogById(dialog.id)).toBeUndefined();
      alice.answer(last, '200 OK');
      // Whoever asks after the answer finds no dialog any more.
      alice.send(alice.request('BYE', { toTag, cseq: 3 }));
      await alice.next('SIP/2.0 481');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a refresh nobody listens for gets 489, and one for another event too', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await subscribed(library, alice);
      alice.send(alice.request('SUBSCRIBE', { toTag, cseq: 2, more: ofPresence }));
      expect(value((await alice.next('SIP/2.0 489')).text, 'CSeq')).toBe('2 SUBSCRIBE');
      const again = dialog.request({ method: 'NOTIFY', headers: active, body: 'still in' });
      alice.answer(await alice.next('NOTIFY '), '200 OK');
      expect((await within('the answer', again)).status).toBe(200);
    }));

  test('an event the application does not know is refused with 489 and its Allow-Events', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, 'subscribe');
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('SUBSCRIBE', { more: ['Event: weather', 'Expires: 60'] }));
      (await asked.next()).response.send(489, { headers: { 'Allow-Events': 'presence' } });
      expect(value((await alice.next('SIP/2.0 489')).text, 'Allow-Events')).toBe('presence');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('481 to a NOTIFY ends the subscription in free mode; strict keeps it, until a last NOTIFY frees it', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog } = await subscribed(library, alice);
      const notifying = dialog.request({ method: 'NOTIFY', headers: active, body: 'in' });
      alice.answer(await alice.next('NOTIFY '), '481 Subscription Does Not Exist');
      expect((await within('the answer', notifying)).status).toBe(481);
      if (mode === 'free') {
        expect(stage.sipd.counts().dialogs).toBe(0);
        await expect(dialog.destroy()).rejects.toMatchObject({ code: 'ENODIALOG' });
      } else {
        expect(stage.sipd.counts().dialogs).toBe(1);
        await within('the end', dialog.destroy());
        alice.answer(await alice.next('NOTIFY '), '481 Subscription Does Not Exist');
        alice.send(alice.request('BYE', { cseq: 9, toTag: 'nobody' }));
        await alice.next('SIP/2.0 481');
        expect(stage.sipd.counts().dialogs).toBe(0);
      }
    }));
});

describe.each(modes)('a subscriber (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)(
    'subscribes by createUAC, hears each NOTIFY, refreshes, unsubscribes (%s)',
    (transport) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', transport);
        const headers = {
          'Call-ID': 'sub',
          'From': '<sip:focus@localhost>;tag=ours',
          'To': '<sip:focus@127.0.0.1>',
          'Event': 'presence',
          'Expires': '60',
          'Contact': '<sip:focus@localhost>',
        };
        const subscribing = library.createUAC(bob.uri, { method: 'SUBSCRIBE', headers });
        const subscribe = await bob.next('SUBSCRIBE ');
        expect(value(subscribe.text, 'Event')).toBe('presence');
        expect(value(subscribe.text, 'Contact')).toBe(`<sip:focus@127.0.0.1:${stage.port}>`);
        bob.answer(subscribe, '202 Accepted', { toTag: 'bob', more: ['Expires: 60'] });
        const dialog = await within('the dialog', subscribing);
        const notified = toldBy(dialog, 'notify');
        const destroyed = toldBy(dialog, 'destroy');
        bob.send(notify(bob, 1, ['active;expires=60', 'in']));
        const first = await notified.next();
        expect(first.request.body).toBe('in');
        first.second.send(200);
        await bob.next('SIP/2.0 200');

        for (const [expires, status] of [
          ['60', 200],
          ['0', 202],
        ] as const) {
          const again = dialog.request({ method: 'SUBSCRIBE', headers: { Event: 'presence', Expires: expires } });
          const refresh = await bob.next('SUBSCRIBE ');
          expect([tag(refresh.text, 'From'), tag(refresh.text, 'To')]).toEqual(['ours', 'bob']);
          expect(value(refresh.text, 'Expires')).toBe(expires);
          bob.answer(refresh, `${status} OK`, { more: [`Expires: ${expires}`] });
          expect((await within('the answer', again)).status).toBe(status);
        }
        bob.send(notify(bob, 2, ['terminated;reason=timeout', 'out']));
        const last = await notified.next();
        expect(last.request.get('Subscription-State')).toBe('terminated;reason=timeout');
        last.second.send(200);
        // The real server has forgotten the dialog before the application can answer.
        await bob.next(mode === 'free' ? 'SIP/2.0 200' : 'SIP/2.0 500');
        await destroyed.next();
        expect(library.findDialogById(dialog.id)).toBeUndefined();
        expect(stage.sipd.counts().dialogs).toBe(0);
        expect(bob.ladder).toEqual([
          '<- SUBSCRIBE',
          '-> 202 SUBSCRIBE',
          '-> NOTIFY',
          '<- 200 NOTIFY',
          '<- SUBSCRIBE',
          '-> 200 SUBSCRIBE',
          '<- SUBSCRIBE',
          '-> 202 SUBSCRIBE',
          '-> NOTIFY',
          mode === 'free' ? '<- 200 NOTIFY' : '<- 500 NOTIFY',
        ]);
      }),
  );

  test('a NOTIFY that outruns the answer is handed up; strict mode refuses it meanwhile', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const early = askedFor(library, 'notify');
      const bob = await stage.peer('bob', 'udp');
      const headers = {
        'Call-ID': 'sub',
        'From': '<sip:focus@localhost>;tag=ours',
        'Event': 'presence',
        'Expires': '60',
      };
      const subscribing = library.createUAC(bob.uri, { method: 'SUBSCRIBE', headers });
      const subscribe = await bob.next('SUBSCRIBE ');
      bob.send(notify(bob, 1, ['active;expires=60', 'at once']));
      const { request, response } = await early.next();
      expect(request.body).toBe('at once');
      response.send(200);
      await bob.next(mode === 'free' ? 'SIP/2.0 200' : 'SIP/2.0 500');
      bob.answer(subscribe, '200 OK', { toTag: 'bob', more: ['Expires: 60'] });
      const dialog = await within('the dialog', subscribing);
      expect(dialog.id).toBe('sub;from-tag=ours');
    }));

  test.each([489, 404])('refused with %i there is no dialog', (status) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const subscribing = library.createUAC(bob.uri, { method: 'SUBSCRIBE', headers: { Event: 'weather' } });
      const failing = expect(subscribing).rejects.toMatchObject({ status });
      bob.answer(await bob.next('SUBSCRIBE '), `${status} No`, { toTag: 'bob' });
      await failing;
      expect(stage.sipd.counts().dialogs).toBe(0);
    }),
  );
});

describe.each(modes)('REFER outside calls (%s)', (mode) => {
  test('arrives in free mode, and is dropped like by the real server in strict', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const referred = askedFor(library, 'refer');
      const asked = askedFor(library, 'options');
      const alice = await stage.peer('alice', 'tcp');
      alice.send(alice.request('REFER', { more: ['Refer-To: <sip:ted@127.0.0.1>', 'Refer-Sub: false'] }));
      if (mode === 'free') {
        const { request, response } = await referred.next();
        expect(request.get('Refer-To')).toBe('<sip:ted@127.0.0.1>');
        response.send(202, { headers: { 'Refer-Sub': 'false' } });
        await alice.next('SIP/2.0 202');
      }
      alice.send(alice.request('OPTIONS', { callId: 'after' }));
      (await asked.next()).response.send(200);
      await alice.next('SIP/2.0 200');
      expect(referred.isEmpty).toBe(true);
      expect(alice.ladder).toEqual([
        '-> REFER',
        ...(mode === 'free' ? ['<- 202 REFER'] : []),
        '-> OPTIONS',
        '<- 200 OPTIONS',
      ]);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('the application’s own goes out, and the NOTIFY of it is its to answer', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const notified = askedFor(library, 'notify');
      const bob = await stage.peer('bob', 'udp');
      const headers = {
        'Call-ID': 'sub',
        'From': '<sip:focus@localhost>;tag=ours',
        'Refer-To': '<sip:ted@127.0.0.1>',
        'Contact': '<sip:focus@localhost>',
      };
      const answered = ask(library, bob.uri, { method: 'REFER', headers });
      const refer = await bob.next('REFER ');
      expect(value(refer.text, 'Refer-To')).toBe('<sip:ted@127.0.0.1>');
      bob.answer(refer, '202 Accepted', { toTag: 'bob' });
      expect((await answered).status).toBe(202);
      const more = [
        'Event: refer',
        'Subscription-State: terminated;reason=noresource',
        'Content-Type: message/sipfrag',
      ];
      const fields = { callId: 'sub', fromTag: 'bob', toTag: 'ours', more, body: 'SIP/2.0 200 OK' };
      bob.send(bob.request('NOTIFY', fields));
      const { request, response } = await notified.next();
      expect(request.body).toBe('SIP/2.0 200 OK');
      response.send(200);
      await bob.next('SIP/2.0 200');
      expect(bob.ladder).toEqual(['<- REFER', '-> 202 REFER', '-> NOTIFY', '<- 200 NOTIFY']);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a listener outside calls hears each event by itself', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const told = new Mailbox<string>('a NOTIFY');
      library.use('notify', (request, response) => {
        told.put(request.get('Event') ?? '');
        response.send(200);
      });
      for (const event of ['check-sync', 'message-summary']) {
        bob.send(bob.request('NOTIFY', { callId: event, more: [`Event: ${event}`, 'Subscription-State: active'] }));
        await bob.next('SIP/2.0 200');
        expect(await told.next()).toBe(event);
      }
    }));
});
