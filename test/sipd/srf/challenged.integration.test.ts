/** drachtio-srf is asked for its password (RFC 3261 22), by servers and proxies, outside calls and in them. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { within } from '../../support/wait.ts';
import type { AppRequest } from '../application.ts';
import { type Peer, value } from '../peer.ts';
import { onStage } from '../stage.ts';
import { callOut } from './calls.ts';
import { ask, described, libraryOn, Mailbox, modes, ofSdp } from './library.ts';

const auth = { username: 'focus', password: 'secret' };

const challenges = {
  401: { status: '401 Unauthorized', asks: 'WWW-Authenticate', answers: 'Authorization' },
  407: { status: '407 Proxy Authentication Required', asks: 'Proxy-Authenticate', answers: 'Proxy-Authorization' },
} as const;

function challenge(code: 401 | 407, nonce: string, qop: string): string[] {
  return [`${challenges[code].asks}: Digest realm="home", nonce="${nonce}", algorithm=MD5${qop}, opaque="o"`];
}

/** RFC 2617 3.2.2: whether the credentials of a request are those of somebody who knows the password. */
function isAuthentic(text: string, code: 401 | 407): boolean {
  const credentials = value(text, challenges[code].answers);
  const param = (name: string): string | undefined => new RegExp(`\\b${name}="?([^",]*)"?`).exec(credentials)?.[1];
  const md5 = (...parts: (string | undefined)[]): string => createHash('md5').update(parts.join(':')).digest('hex');
  const [method = ''] = text.split(' ');
  const known = md5(auth.username, 'home', auth.password);
  const asked = md5(method, param('uri'));
  const qop = param('qop');
  const expected =
    qop === undefined
      ? md5(known, param('nonce'), asked)
      : md5(known, param('nonce'), param('nc'), param('cnonce'), qop, asked);
  return param('response') === expected && param('username') === auth.username && param('opaque') === 'o';
}

/** Asks for the password of the request that waits, and gives that request. */
async function demand(peer: Peer, method: string, code: 401 | 407): Promise<string> {
  const first = await peer.next(`${method} `);
  peer.answer(first, challenges[code].status, { more: challenge(code, 'once', ', qop="auth"') });
  if (method === 'INVITE') await peer.next('ACK ');
  return first.text;
}

describe.each(modes)('a client that is challenged (%s)', (mode) => {
  describe.each([401, 407] as const)('with %i', (code) => {
    test.each(['udp', 'tcp'] as const)(
      'createUAC calls again with its credentials, same Call-ID and From, CSeq + 1 (%s)',
      (transport) =>
        onStage(mode, async (stage) => {
          const library = await libraryOn(stage);
          const bob = await stage.peer('bob', transport);
          const calling = library.createUAC(bob.uri, { localSdp: described(), auth });
          const first = await demand(bob, 'INVITE', code);
          const second = await bob.next('INVITE ');
          expect(isAuthentic(second.text, code)).toBe(true);
          for (const name of ['Call-ID', 'From', 'To']) expect(value(second.text, name)).toBe(value(first, name));
          const number = (text: string): number => Number.parseInt(value(text, 'CSeq'), 10);
          expect(number(second.text)).toBe(number(first) + 1);
          expect(second.text.endsWith(described())).toBe(true);
          bob.answer(second, '200 OK', { toTag: 'bob', body: described(), more: ofSdp });
          const ack = await bob.next('ACK ');
          expect(number(ack.text)).toBe(number(second.text));
          const dialog = await within('the dialog', calling);
          expect(library.findDialogById(dialog.id)).toBe(dialog);
          const ending = dialog.destroy();
          await demand(bob, 'BYE', code);
          const bye = await bob.next('BYE ');
          expect(isAuthentic(bye.text, code)).toBe(true);
          bob.answer(bye, '200 OK');
          await within('the end', ending);
          expect(bob.ladder).toEqual([
            '<- INVITE',
            `-> ${code} INVITE`,
            '<- ACK',
            '<- INVITE',
            '-> 200 INVITE',
            '<- ACK',
            '<- BYE',
            `-> ${code} BYE`,
            '<- BYE',
            '-> 200 BYE',
          ]);
          expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
        }),
    );

    test('a wrong password ends with the refusal', () =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'udp');
        const calling = library.createUAC(bob.uri, { localSdp: described(), auth: { ...auth, password: 'guess' } });
        const failing = expect(calling).rejects.toMatchObject({ status: code });
        await demand(bob, 'INVITE', code);
        const second = await bob.next('INVITE ');
        expect(isAuthentic(second.text, code)).toBe(false);
        bob.answer(second, challenges[code].status, { more: challenge(code, 'again', '') });
        await bob.next('ACK ');
        await failing;
        expect(bob.ladder).toEqual([
          '<- INVITE',
          `-> ${code} INVITE`,
          '<- ACK',
          '<- INVITE',
          `-> ${code} INVITE`,
          '<- ACK',
        ]);
        expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
      }));

    test.each(['REGISTER', 'MESSAGE', 'PUBLISH'])('%s is sent again, also after a challenge without qop', (method) =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const registrar = await stage.peer('registrar', 'udp');
        const options = { method, auth, headers: { 'Contact': '<sip:focus@localhost>', 'Content-Type': 'text/plain' } };
        const answered = ask(library, registrar.uri, { ...options, body: 'x' });
        const first = await registrar.next(`${method} `);
        registrar.answer(first, challenges[code].status, { more: challenge(code, 'plain', '') });
        const second = await registrar.next(`${method} `);
        expect(isAuthentic(second.text, code)).toBe(true);
        expect(value(second.text, 'Call-ID')).toBe(value(first.text, 'Call-ID'));
        registrar.answer(second, '200 OK');
        expect((await answered).status).toBe(200);
        expect(registrar.ladder).toEqual([`<- ${method}`, `-> ${code} ${method}`, `<- ${method}`, `-> 200 ${method}`]);
      }),
    );

    test('re-INVITE and INFO of a call are sent again in it', () =>
      onStage(mode, async (stage) => {
        const library = await libraryOn(stage);
        const bob = await stage.peer('bob', 'udp');
        const dialog = await callOut(library, bob, { auth });
        const modifying = dialog.modify(described(2));
        await demand(bob, 'INVITE', code);
        const second = await bob.next('INVITE ');
        expect(isAuthentic(second.text, code)).toBe(true);
        expect(value(second.text, 'To')).toContain(';tag=bob');
        expect(second.text.endsWith(described(2))).toBe(true);
        bob.answer(second, '200 OK', { body: described(3), more: ofSdp });
        await bob.next('ACK ');
        expect(await within('the answer', modifying)).toBe(described(3));
        const informing = dialog.request({ method: 'INFO', headers: { 'X-What': 'now' } });
        await demand(bob, 'INFO', code);
        const info = await bob.next('INFO ');
        expect(isAuthentic(info.text, code)).toBe(true);
        expect(value(info.text, 'X-What')).toBe('now');
        bob.answer(info, '200 OK');
        expect((await within('the answer', informing)).status).toBe(200);
        const ending = dialog.destroy();
        bob.answer(await bob.next('BYE '), '200 OK');
        await within('the end', ending);
        expect(stage.sipd.counts().dialogs).toBe(0);
      }));
  });

  test('without credentials the challenge is the answer', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const calling = library.createUAC(bob.uri, { localSdp: described() });
      const failing = expect(calling).rejects.toMatchObject({ status: 401 });
      await demand(bob, 'INVITE', 401);
      await failing;
    }));

  test('a CANCEL after the challenge cancels the second INVITE', () =>
    onStage(mode, async (stage) => {
      const library = await libraryOn(stage);
      const bob = await stage.peer('bob', 'udp');
      const sent = new Mailbox<AppRequest>('cbRequest');
      const calling = library.createUAC(
        bob.uri,
        { localSdp: described(), auth },
        { cbRequest: (_, request) => sent.put(request) },
      );
      const failing = expect(calling).rejects.toMatchObject({ status: 487 });
      await demand(bob, 'INVITE', 401);
      const second = await bob.next('INVITE ');
      bob.answer(second, '180 Ringing', { toTag: 'bob' });
      // Its id becomes that of the second once the library has heard of that: 180 was told after it.
      (await sent.next()).cancel(() => undefined);
      const cancel = await bob.next('CANCEL ');
      expect(value(cancel.text, 'Via')).toBe(value(second.text, 'Via'));
      bob.answer(cancel, '200 OK', { toTag: 'bob' });
      bob.answer(second, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      await failing;
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }));
});
