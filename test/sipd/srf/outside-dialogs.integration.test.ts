/** Requests outside calls, both ways, and what bodies and headers look like on the other side. */
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import { lines, value } from '../peer.ts';
import { everyTransport, onStage } from '../stage.ts';
import { callIn, callOut, hangUp, inCallOut } from './calls.ts';
import { ask, askedFor, described, libraryOn, modes, ofSdp, ofText, toldBy } from './library.ts';

/** Characters of one to four octets; a flag, and a family that is one to the eye. */
const colourful = 'grüß Gott, 世界! 🇪🇺 👩‍👩‍👧 \u{1F680}';

describe.each(modes)('requests outside calls (%s)', (mode) => {
  test.each(['MESSAGE', 'OPTIONS', 'PUBLISH', 'INFO', 'NOTIFY', 'REGISTER'])('%s is handed up and answered', (method) =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, method.toLowerCase());
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request(method, { body: 'hello', more: [...ofText, 'Event: presence'] }));
      const { request, response } = await asked.next();
      expect(request).toMatchObject({ method, body: 'hello', stackDialogId: '' });
      response.send(200, { headers: { 'SIP-ETag': 'one', 'Content-Type': 'text/plain' }, body: 'and to you' });
      const ok = await alice.next('SIP/2.0 200');
      expect(value(ok.text, 'SIP-ETag')).toBe('one');
      expect(ok.text.endsWith('\r\n\r\nand to you')).toBe(true);
      expect(alice.ladder).toEqual([`-> ${method}`, `<- 200 ${method}`]);
    }),
  );

  test.each(['MESSAGE', 'OPTIONS', 'PUBLISH', 'INFO', 'REGISTER'])(
    '%s goes out, and each final answer comes back',
    (method) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'udp');
        for (const status of [200, 202, 302, 404, 503, 603]) {
          const headers = { 'Content-Type': 'text/plain', 'Event': 'presence' };
          const answered = ask(library, bob.uri, { method, headers, body: `${status}?` });
          const request = await bob.next(`${method} `);
          expect(request.text.endsWith(`${status}?`)).toBe(true);
          bob.answer(request, `${status} So`, { toTag: 'bob', more: ['Warning: 399 bob "so"', ...ofText], body: 'so' });
          const answer = await answered;
          expect([answer.status, answer.reason, answer.body]).toEqual([status, 'So', 'so']);
          expect(answer.get('Warning')).toBe('399 bob "so"');
        }
      }),
  );

  test('what no handler takes is answered 404 by the library; what nobody asked for 405 or 503 by the server', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      library.use('message', (...values: unknown[]) => (values[2] as () => void)());
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('MESSAGE', { body: 'hello', more: ofText }));
      await alice.next('SIP/2.0 404');
      const status = mode === 'free' ? 405 : 503;
      alice.send(alice.request('PUBLISH', { callId: 'another', more: ['Event: presence'] }));
      await alice.next(`SIP/2.0 ${status}`);
      expect(alice.ladder).toEqual(['-> MESSAGE', '<- 404 MESSAGE', '-> PUBLISH', `<- ${status} PUBLISH`]);
    }));

  test('without any application all of it is 503', () =>
    onStage(mode, async (stage) => {
      const alice = await stage.peer('alice', 'udp');
      for (const method of ['MESSAGE', 'OPTIONS', 'REGISTER', 'SUBSCRIBE', 'INVITE']) {
        alice.send(alice.request(method, { callId: method }));
        await alice.next('SIP/2.0 503');
      }
    }));

  test('a registrar: Contacts in, Contacts and Expires out, and a way to each one who registered', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, 'register');
      const alice = await stage.peer('alice', 'tcp');
      for (const [cseq, expires] of [
        [1, '60'],
        [2, '0'],
      ] as const) {
        alice.send(alice.request('REGISTER', { cseq, more: [`Expires: ${expires}`] }));
        const { request, response } = await asked.next();
        expect([request.get('Expires'), request.get('Contact')]).toEqual([expires, `<${alice.uri}>`]);
        const headers = expires === '0' ? {} : { Contact: `<${alice.uri}>;expires=60`, Expires: '60' };
        response.send(200, { headers });
        const ok = await alice.next('SIP/2.0 200');
        expect(lines(ok.text, 'Contact')).toEqual(expires === '0' ? [] : [`Contact: <${alice.uri}>;expires=60`]);
        if (expires === '0') continue;
        const reached = ask(library, alice.uri, {
          method: 'MESSAGE',
          headers: { 'Content-Type': 'text/plain' },
          body: 'hi',
        });
        alice.answer(await alice.next('MESSAGE '), '200 OK', { toTag: 'alice' });
        expect((await reached).status).toBe(200);
      }
    }));

  test('headers of several values stay apart or joined as they came, and reach the library together', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, 'message');
      const alice = await stage.peer('alice', 'udp');
      const more = [
        'X-Part: one',
        'X-Part: two, three',
        'Accept: text/plain, text/html',
        'Accept: image/png',
        ...ofText,
      ];
      alice.send(alice.request('MESSAGE', { more, body: '.' }));
      const { request, response } = await asked.next();
      expect(request.get('X-Part')?.split(/, ?/)).toEqual(['one', 'two', 'three']);
      expect(request.get('Accept')?.split(/, ?/)).toEqual(['text/plain', 'text/html', 'image/png']);
      response.send(200, { headers: { 'Accept-Language': 'de, en;q=0.5', 'X-Part': 'one, two' } });
      const ok = await alice.next('SIP/2.0 200');
      expect(value(ok.text, 'Accept-Language').replaceAll(' ', '')).toBe('de,en;q=0.5');
      expect(value(ok.text, 'X-Part')).toBe('one, two');
    }));

  test.each(['udp', 'tcp'] as const)(
    'a body of letters beyond ASCII is whole both ways, its length in octets (%s)',
    (transport) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const asked = askedFor(library, 'message');
        const alice = await stage.peer('alice', transport);
        alice.send(alice.request('MESSAGE', { more: [...ofText, 'Subject: 👩‍👩‍👧'], body: colourful }));
        const { request, response } = await asked.next();
        expect([request.body, request.get('Subject')]).toEqual([colourful, '👩‍👩‍👧']);
        const headers = { 'Content-Type': 'text/plain;charset=UTF-8', 'Subject': 'Straße 🚀' };
        response.send(200, { headers, body: colourful });
        const ok = await alice.next('SIP/2.0 200');
        expect(ok.text.endsWith(`\r\n\r\n${colourful}`)).toBe(true);
        expect(value(ok.text, 'Content-Length')).toBe(String(Buffer.byteLength(colourful)));
        expect(value(ok.text, 'Subject')).toBe('Straße 🚀');
        const answered = ask(library, alice.uri, { method: 'MESSAGE', headers, body: colourful });
        const message = await alice.next('MESSAGE ');
        expect(message.text.endsWith(`\r\n\r\n${colourful}`)).toBe(true);
        expect(value(message.text, 'Content-Length')).toBe(String(Buffer.byteLength(colourful)));
        alice.answer(message, '200 OK', { toTag: 'alice', more: ofText, body: colourful });
        expect((await answered).body).toBe(colourful);
      }),
  );

  test('60 kB come in over TCP; out they go in free mode, and in strict end the application as with the real server', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const asked = askedFor(library, 'message');
      const alice = await stage.peer('alice', 'tcp');
      const body = `${'0123456789abcdef'.repeat(64)}\r\n`.repeat(58);
      alice.send(alice.request('MESSAGE', { more: ofText, body }));
      const { request, response } = await asked.next();
      expect(request.body.length).toBe(body.length);
      expect(request.body).toBe(body);
      if (mode === 'free') {
        response.send(200, { headers: { 'Content-Type': 'text/plain' }, body });
        expect((await alice.next('SIP/2.0 200')).text.endsWith(body)).toBe(true);
        const answered = ask(library, alice.uri, {
          method: 'MESSAGE',
          headers: { 'Content-Type': 'text/plain' },
          body,
        });
        const message = await alice.next('MESSAGE ');
        expect(message.text.endsWith(body)).toBe(true);
        alice.answer(message, '200 OK', { toTag: 'alice', more: ofText, body });
        expect((await answered).body).toBe(body);
      } else {
        const closed = new Promise<void>((resolve) => library.on('close', () => resolve()));
        response.send(200, { headers: { 'Content-Type': 'text/plain' }, body });
        const back = new Promise<void>((resolve) => library.on('connect', () => resolve()));
        await within('the control connection to end', closed);
        await within('the library to come back', back);
        expect(alice.ladder).toEqual(['-> MESSAGE']);
      }
    }));
});

describe.each(modes)('the same over secured streams and WebSockets (%s)', (mode) => {
  test.each(['tls', 'ws', 'wss'] as const)(
    'a call in, requests both ways, a change of the call, and its end (%s)',
    (transport) =>
      onStage(
        mode,
        async (stage) => {
          const library = await libraryOn(stage);
          const alice = await stage.peer('alice', transport);
          const { dialog, toTag } = await callIn(library, alice);
          const informed = toldBy(dialog, 'info');
          alice.send(alice.request('INFO', { toTag, cseq: 2, body: colourful, more: ofText }));
          const { request, second } = await informed.next();
          expect(request.body).toBe(colourful);
          second.send(200);
          await alice.next('SIP/2.0 200');
          const modifying = dialog.modify(described(2));
          alice.answer(await alice.next('INVITE '), '200 OK', { body: described(3), more: ofSdp });
          await alice.next('ACK ');
          expect(await within('the answer', modifying)).toBe(described(3));
          await hangUp(dialog, alice);
          expect(alice.ladder).toEqual([
            '-> INVITE',
            '<- 200 INVITE',
            '-> ACK',
            '-> INFO',
            '<- 200 INFO',
            '<- INVITE',
            '-> 200 INVITE',
            '<- ACK',
            '<- BYE',
            '-> 200 BYE',
          ]);
        },
        everyTransport,
      ),
  );

  test('a call out over TLS, to a certificate that names its host', () =>
    onStage(
      mode,
      async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'tls');
        const dialog = await callOut(library, bob);
        const destroyed = toldBy(dialog, 'destroy');
        bob.send(bob.request('BYE', inCallOut(bob, 2)));
        await destroyed.next();
        await bob.next('SIP/2.0 200');
        expect(stage.sipd.counts().dialogs).toBe(0);
      },
      everyTransport,
    ));
});
