/** Requests within calls, both ways: what the library gives its listeners, what it answers when there are none. */
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import { tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { callIn, callOut, hangUp, inCallOut } from './calls.ts';
import { libraryOn, modes, ofText, toldBy } from './library.ts';

const methods = ['INFO', 'MESSAGE', 'OPTIONS', 'REFER', 'NOTIFY', 'PUBLISH', 'UPDATE'] as const;

/** Headers without which some of the methods are not whole. What a REFER makes is shown apart (RFC 4488: none here). */
const wholeWith = {
  'Refer-To': '<sip:ted@localhost>',
  'Event': 'refer',
  'Subscription-State': 'active;expires=60',
};

const wholeLines = Object.entries(wholeWith).map(([name, content]) => `${name}: ${content}`);

describe.each(modes)('requests within a call (%s)', (mode) => {
  test.each(['udp', 'tcp'] as const)(
    'dlg.request of every kind goes in the dialog, each with the next number (%s)',
    (transport) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const alice = await stage.peer('alice', transport);
        const { dialog, toTag } = await callIn(library, alice);
        let last: number | undefined;
        for (const method of methods) {
          const headers = { ...wholeWith, 'X-Number': method, 'Content-Type': 'text/plain' };
          const asking = dialog.request({ method, headers, body: `a ${method}` });
          const request = await alice.next(`${method} `);
          expect(request.text.startsWith(`${method} ${alice.uri} SIP/2.0`)).toBe(true);
          expect([tag(request.text, 'From'), tag(request.text, 'To')]).toEqual([toTag, 'tag-alice']);
          expect(value(request.text, 'X-Number')).toBe(method);
          expect(request.text.endsWith(`a ${method}`)).toBe(true);
          const number = Number.parseInt(value(request.text, 'CSeq'), 10);
          if (last !== undefined) expect(number).toBe(last + 1);
          last = number;
          alice.answer(request, '202 Accepted', {
            more: ['X-Answer: yes', 'Refer-Sub: false', ...ofText],
            body: `to ${method}`,
          });
          const answer = await within('the answer', asking);
          expect([answer.status, answer.body, answer.get('X-Answer')]).toEqual([202, `to ${method}`, 'yes']);
        }
        const refused = dialog.request({ method: 'INFO' });
        alice.answer(await alice.next('INFO '), '469 Bad Info Package');
        expect((await within('the answer', refused)).status).toBe(469);
        await hangUp(dialog, alice);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }),
  );

  test('dlg.on hears of every kind, and answers', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const dialog = await callOut(library, bob);
      for (const [index, method] of methods.entries()) {
        const told = toldBy(dialog, method.toLowerCase());
        const more = [...wholeLines, ...ofText];
        bob.send(bob.request(method, { ...inCallOut(bob, index + 2), more, body: `a ${method}` }));
        const { request, second } = await told.next();
        expect([request.method, request.body, request.stackDialogId]).toEqual([method, `a ${method}`, dialog.id]);
        const headers = { 'X-Answer': method, 'Refer-Sub': 'false', 'Content-Type': 'text/plain' };
        second.send(202, { headers, body: `to ${method}` });
        const answer = await bob.next('SIP/2.0 202');
        expect(value(answer.text, 'CSeq')).toBe(`${index + 2} ${method}`);
        expect(value(answer.text, 'X-Answer')).toBe(method);
        expect(answer.text.endsWith(`to ${method}`)).toBe(true);
      }
      await hangUp(dialog, bob);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('without a listener the library says 200, to a SUBSCRIBE 489', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await callIn(library, alice);
      const ladder: string[] = [...alice.ladder];
      for (const [index, method] of [...methods, 'SUBSCRIBE'].entries()) {
        const status = method === 'SUBSCRIBE' ? 489 : 200;
        alice.send(alice.request(method, { toTag, cseq: index + 2, more: wholeLines }));
        expect(value((await alice.next(`SIP/2.0 ${status}`)).text, 'CSeq')).toBe(`${index + 2} ${method}`);
        ladder.push(`-> ${method}`, `<- ${status} ${method}`);
      }
      expect(alice.ladder).toEqual(ladder);
      await hangUp(dialog, alice);
    }));

  test('after the end there is no dialog: the library is told so, the peer gets 481', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await callIn(library, alice);
      const destroyed = toldBy(dialog, 'destroy');
      alice.send(alice.request('BYE', { toTag, cseq: 2, more: ['X-Why: tired'] }));
      const { request, second } = await destroyed.next();
      expect([second, request.get('X-Why')]).toEqual(['normal release', 'tired']);
      await alice.next('SIP/2.0 200');
      expect(dialog.connected).toBe(false);
      expect(library.findDialogById(dialog.id)).toBeUndefined();
      await expect(dialog.request({ method: 'INFO' })).rejects.toMatchObject({ code: 'ENODIALOG' });
      await expect(dialog.modify('hold')).rejects.toThrow('completed dialog');
      await expect(dialog.destroy()).rejects.toMatchObject({ code: 'ENODIALOG' });
      alice.send(alice.request('BYE', { toTag, cseq: 3 }));
      await alice.next('SIP/2.0 481');
      expect(alice.ladder).toEqual([
        '-> INVITE',
        '<- 200 INVITE',
        '-> ACK',
        '-> BYE',
        '<- 200 BYE',
        '-> BYE',
        '<- 481 BYE',
      ]);
    }));

  test('both hang up at once', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const dialog = await callOut(library, bob);
      const ending = dialog.destroy();
      const bye = await bob.next('BYE ');
      bob.send(bob.request('BYE', inCallOut(bob, 2)));
      // Whose dialog has gone with its own BYE says 481, whose has not 200: either ends it.
      const answer = await bob.next('SIP/2.0');
      expect(['200', '481']).toContain(answer.text.split(' ')[1]);
      bob.answer(bye, '481 Call/Transaction Does Not Exist');
      await within('the end', ending);
      expect(library.findDialogById(dialog.id)).toBeUndefined();
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a request the listener leaves open gets 487 at the end of the call, in strict mode 500', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'tcp');
      const { dialog, toTag } = await callIn(library, alice);
      const informed = toldBy(dialog, 'info');
      const destroyed = toldBy(dialog, 'destroy');
      alice.send(alice.request('INFO', { toTag, cseq: 2 }));
      await informed.next();
      alice.send(alice.request('BYE', { toTag, cseq: 3 }));
      expect(value((await alice.next(`SIP/2.0 ${mode === 'free' ? 487 : 500}`)).text, 'CSeq')).toBe('2 INFO');
      await destroyed.next();
      expect(value((await alice.next('SIP/2.0 200')).text, 'CSeq')).toBe('3 BYE');
    }));

  test('REFER in the call, its NOTIFYs with sipfrag, and the call goes on', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'tcp');
      const dialog = await callOut(library, bob);
      const referred = toldBy(dialog, 'refer');
      bob.send(bob.request('REFER', { ...inCallOut(bob, 2), more: ['Refer-To: <sip:ted@127.0.0.1;method=INVITE>'] }));
      const { request, second } = await referred.next();
      expect(request.get('Refer-To')).toBe('<sip:ted@127.0.0.1;method=INVITE>');
      second.send(202);
      await bob.next('SIP/2.0 202');
      for (const [state, fragment] of [
        ['active;expires=60', 'SIP/2.0 100 Trying'],
        ['terminated;reason=noresource', 'SIP/2.0 200 OK'],
      ] as const) {
        const headers = {
          'Event': 'refer',
          'Subscription-State': state,
          'Content-Type': 'message/sipfrag;version=2.0',
          'Contact': '<sip:focus@localhost>',
        };
        const notifying = dialog.request({ method: 'NOTIFY', headers, body: `${fragment}\r\n` });
        const notify = await bob.next('NOTIFY ');
        expect(notify.text.endsWith(`\r\n\r\n${fragment}\r\n`)).toBe(true);
        expect(value(notify.text, 'Content-Type')).toBe('message/sipfrag;version=2.0');
        bob.answer(notify, '200 OK');
        expect((await within('the answer', notifying)).status).toBe(200);
      }
      await hangUp(dialog, bob);
      expect(bob.ladder.slice(3)).toEqual([
        '-> REFER',
        '<- 202 REFER',
        '<- NOTIFY',
        '-> 200 NOTIFY',
        '<- NOTIFY',
        '-> 200 NOTIFY',
        '<- BYE',
        '-> 200 BYE',
      ]);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('REFER by the application, the peer notifies of it, and can still hang up', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const alice = await stage.peer('alice', 'udp');
      const { dialog, toTag } = await callIn(library, alice);
      const notified = toldBy(dialog, 'notify');
      const destroyed = toldBy(dialog, 'destroy');
      const headers = { 'Refer-To': '<sip:ted@127.0.0.1>', 'Contact': '<sip:focus@localhost>' };
      const referring = dialog.request({ method: 'REFER', headers });
      alice.answer(await alice.next('REFER '), '202 Accepted');
      expect((await within('the answer', referring)).status).toBe(202);
      for (const [cseq, state, body] of [
        [2, 'active;expires=60', 'SIP/2.0 180 Ringing'],
        [3, 'terminated;reason=noresource', 'SIP/2.0 200 OK'],
      ] as const) {
        const more = ['Event: refer', `Subscription-State: ${state}`, 'Content-Type: message/sipfrag'];
        alice.send(alice.request('NOTIFY', { toTag, cseq, more, body }));
        const { request, second } = await notified.next();
        expect(request.body).toBe(body);
        second.send(200);
        await alice.next('SIP/2.0 200');
      }
      alice.send(alice.request('BYE', { toTag, cseq: 4 }));
      await destroyed.next();
      await alice.next('SIP/2.0 200');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));
});
