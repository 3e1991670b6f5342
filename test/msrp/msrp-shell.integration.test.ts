import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { msrpHeader, wholeByteRange, writeMsrpRequest } from '../../src/wire/msrp.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { waitFor } from '../support/wait.ts';
import { chatLine, openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

/** Of a message, where a test says so. */
const maxSize = 10_000;

const cpim = 'message/cpim';

describe('switching (RFC 7701 6.1)', () => {
  test('CC-179 every other participant gets a byte-identical body', async () => {
    const room = await openRoom();
    const [alice, bob, ted] = [await room.join('alice'), await room.join('bob'), await room.join('ted')];
    room.route('alice', 'bob', 'ted');
    const content = Buffer.concat([chatLine('Hello\r\n-------tx-1$\r\n'), Buffer.from([0, 255, 13, 10, 13, 10])]);
    expect(await alice.send({ contentType: cpim, content, headers: [{ name: 'Content-ID', value: '<1>' }] })).toBe(200);
    const received = [await bob.waitForMessage(), await ted.waitForMessage()];
    for (const { request } of received) {
      expect(request.body?.equals(content)).toBe(true);
      expect(msrpHeader(request, 'Content-Type')).toBe(cpim);
      expect(msrpHeader(request, 'Content-ID')).toBe('<1>');
      expect(msrpHeader(request, 'Byte-Range')).toBe(`1-${content.length}/${content.length}`);
    }
    const [first, second] = received.map(({ request }) => request);
    expect(first?.toPath).toEqual([bob.path]);
    expect(first?.fromPath).toEqual([room.path('bob')]);
    expect(first?.transactionId).not.toBe(second?.transactionId);
    expect(first && msrpHeader(first, 'Message-ID')).toBe(second && msrpHeader(second, 'Message-ID'));
  });

  test('CC-180 the sender does not get its own message, messages keep their order', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    for (const text of ['one', 'two', 'three']) await alice.send({ from: uriOf('alice'), to: roomUri, text });
    await bob.send({ from: uriOf('bob'), to: roomUri, text: 'four' });
    expect((await alice.waitForMessage()).text).toBe('four');
    expect(
      [await bob.waitForMessage(), await bob.waitForMessage(), await bob.waitForMessage()].map((m) => m.text),
    ).toEqual(['one', 'two', 'three']);
  });

  test('what the switch refuses reaches nobody, and the session lives', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    const from = uriOf('alice');
    expect(await alice.send({ contentType: 'text/plain', content: 'Hello' })).toBe(415);
    expect(await alice.send({ contentType: cpim, content: 'Hello' })).toBe(400);
    expect(await alice.send({ from: uriOf('bob'), to: roomUri, text: 'I am Bob' })).toBe(403);
    expect(await alice.send({ from, to: uriOf('mallory'), text: 'psst' })).toBe(404);
    expect(await alice.send({ from, to: uriOf('bob'), text: 'psst' })).toBe(428);
    expect(await alice.send({ from, to: roomUri, text: '<x/>', wrappedType: 'image/svg+xml' })).toBe(200);
    expect(await alice.send({ from, to: roomUri, text: 'Hello all' })).toBe(200);
    expect((await bob.waitForMessage()).text).toBe('Hello all');
  });

  test('who is no longer in the route may not speak', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    room.route('bob');
    expect(await alice.send({ from: uriOf('alice'), to: roomUri, text: 'still here' })).toBe(403);
    expect(bob.messages).toEqual([]);
  });
});

describe('a message in one chunk', () => {
  /** A SEND as octets, from alice's client. */
  function frame(
    alice: MsrpClient,
    toPath: string,
    change: { flag?: '+' | '#'; range?: string; content?: Buffer },
  ): Buffer {
    const { flag = '$', range, content = chatLine('Hello') } = change;
    const headers = [
      { name: 'Message-ID', value: 'abcd' },
      range === undefined ? wholeByteRange(content.length) : { name: 'Byte-Range', value: range },
      { name: 'Content-Type', value: cpim },
    ];
    const paths = { toPath: [toPath], fromPath: [alice.path] };
    return writeMsrpRequest({ transactionId: 'tttt', method: 'SEND', ...paths, headers, body: content, flag });
  }

  test.each<[string, Parameters<typeof frame>[2], number]>([
    ['an aborted chunk', { flag: '#' }, 200],
    ['an oversize message', { content: chatLine('x'.repeat(maxSize)) }, 413],
    ['a Byte-Range that is none', { range: '0-5/5' }, 400],
  ])('%s is answered and nobody receives it', async (_, change, status) => {
    const room = await openRoom({ maxSize });
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    alice.write(frame(alice, room.path('alice'), change));
    expect(await alice.waitForStatus('tttt')).toBe(status);
    await alice.send({ contentType: cpim, content: chatLine('whole') });
    expect((await bob.waitForMessage()).text).toBe('whole');
    expect(room.closed).toEqual([]);
  });

  test('CC-167 a message of the size limit is delivered', async () => {
    const room = await openRoom({ maxSize });
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    const content = chatLine('x'.repeat(maxSize - chatLine('').length));
    expect(content).toHaveLength(maxSize);
    alice.write(frame(alice, room.path('alice'), { content, range: '1-*/*' }));
    expect((await bob.waitForMessage()).content.equals(content)).toBe(true);
    // CC-164, RFC 4975 7.1.1: a longer chunk is interruptible.
    expect(bob.requests.map((request) => msrpHeader(request, 'Byte-Range'))).toEqual([`1-*/${content.length}`]);
  });

  test('a message of two Content-Types is refused', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.route('alice');
    const octets = frame(alice, room.path('alice'), {}).toString();
    alice.write(octets.replace('Content-Type:', 'Content-Type: text/plain\r\nContent-Type:'));
    expect(await alice.waitForStatus('tttt')).toBe(400);
  });

  test('a message without Message-ID is refused', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.route('alice');
    alice.write(frame(alice, room.path('alice'), {}).toString().replace('Message-ID: abcd\r\n', ''));
    expect(await alice.waitForStatus('tttt')).toBe(400);
  });
});

describe('requests and responses (RFC 4975 7)', () => {
  /** A bodiless request as text. */
  function request(method: string, toPath: string, headers = ''): string {
    return `MSRP tttt ${method}\r\nTo-Path: ${toPath}\r\nFrom-Path: msrp://r:1/r;tcp msrp://c:2/c;tcp\r\nMessage-ID: abcd\r\n${headers}-------tttt$\r\n`;
  }

  test('CC-159 CC-160 a REPORT is never answered', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.route('alice');
    alice.write(request('REPORT', room.path('alice'), 'Status: 000 200 OK\r\n'));
    alice.write(request('REPORT', room.path('nobody'), 'Status: 000 413\r\n'));
    expect(await alice.send({ contentType: cpim, content: chatLine('after them') })).toBe(200);
    expect(alice.statusOf('tttt')).toBeUndefined();
  });

  test('CC-163 an unknown method gets 501, an unknown header is ignored', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    alice.write(request('FLY', room.path('alice')));
    expect(await alice.waitForStatus('tttt')).toBe(501);
    alice.write(request('SEND', room.path('alice'), 'X-Unknown: yes\r\n').replaceAll('tttt', 'uuuu'));
    expect(await alice.waitForStatus('uuuu')).toBe(200);
  });

  test.each([
    ['AUTH', 501],
    ['NICKNAME', 424],
  ])('%s gets %i', async (method, status) => {
    const room = await openRoom();
    const alice = await room.join('alice');
    alice.write(request(method, room.path('alice')));
    expect(await alice.waitForStatus('tttt')).toBe(status);
  });

  test('CC-169 a SEND is answered to the leftmost From-Path URI only', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    alice.write(request('SEND', room.path('alice')));
    expect((await alice.waitForResponse('tttt')).toPath).toEqual(['msrp://r:1/r;tcp']);
    expect((await alice.waitForResponse('tttt')).fromPath).toEqual([room.path('alice')]);
  });

  test('CC-156 no answer at all with Failure-Report no, errors only with partial', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    const send = (id: string, path: string, value: string): void =>
      alice.write(request('SEND', path, `Failure-Report: ${value}\r\n`).replaceAll('tttt', id));
    send('no-200', room.path('alice'), 'no');
    send('no-481', room.path('nobody'), 'no');
    send('partial-200', room.path('alice'), 'partial');
    send('partial-481', room.path('nobody'), 'partial');
    send('yes-200', room.path('alice'), 'yes');
    expect(await alice.waitForStatus('yes-200')).toBe(200);
    const ids = ['no-200', 'no-481', 'partial-200', 'partial-481'];
    expect(ids.map((id) => alice.statusOf(id))).toEqual([undefined, undefined, undefined, 481]);
  });

  test('what is not MSRP ends the connection; what can be addressed gets 400 before', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    alice.write(request('SEND', room.path('alice')).replace('Message-ID: abcd', 'Message-ID'));
    bob.write('GET / HTTP/1.1\r\n\r\n');
    await Promise.all([alice.waitForClose(), bob.waitForClose()]);
    expect(alice.statusOf('tttt')).toBe(400);
    const closed = await room.waitForClosed(2);
    expect([...closed].sort()).toEqual([
      'alice: the peer sent what is not MSRP: A header line is malformed',
      'bob: the peer sent what is not MSRP: This is not MSRP',
    ]);
  });
});

describe('NICKNAME (RFC 7701 7)', () => {
  const most = limits.nicknamesPerMinuteMax;

  /** The tokens by which the core answers those that it was asked. */
  function asked(room: SwitchRoom): readonly string[] {
    return room.inputs.flatMap((input) => (input.type === 'nickname-asked' ? [input.reply] : []));
  }

  async function answerNext(room: SwitchRoom, place: number): Promise<void> {
    const reply = await waitFor('a nickname that is asked for', () => asked(room)[place]);
    room.shell.reply(reply, { kind: 'nickname-answered', status: 200, comment: 'OK' });
  }

  test('the core is asked so often in a minute, and not while as many wait; more is refused at once, and counted', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    const waiting = Array.from({ length: most }, (_, i) => alice.nickname(`Alice ${i}`));
    expect(await alice.nickname('one more')).toBe(403);
    room.clock.turn(60_000);
    expect(await alice.nickname('while the store is slow')).toBe(403);
    expect(asked(room)).toHaveLength(most);
    for (let i = 0; i < most; i += 1) await answerNext(room, i);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([200]));
    const [next, bobs] = [alice.nickname('Alice'), bob.nickname('Bob')];
    await Promise.all([answerNext(room, most), answerNext(room, most + 1)]);
    expect(await Promise.all([next, bobs])).toEqual([200, 200]);
    expect(room.shell.nicknamesTurnedAway.entries).toEqual([['403', 2]]);
  });

  test('what is answered counts for its minute, too', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    for (let i = 0; i < most; i += 1) {
      const status = alice.nickname(`Alice ${i}`);
      await answerNext(room, i);
      expect(await status).toBe(200);
    }
    expect(await alice.nickname('one more')).toBe(403);
    room.clock.turn(60_000 - 1);
    expect(await alice.nickname('a moment too early')).toBe(403);
    room.clock.turn(1);
    const next = alice.nickname('Alice');
    await answerNext(room, most);
    expect(await next).toBe(200);
  });

  test('what is none is refused without the core, and counted, as often as it comes', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    for (let i = 0; i <= most; i += 1) expect(await alice.nickname('"')).toBe(424);
    const status = alice.nickname('Alice');
    await answerNext(room, 0);
    expect(await status).toBe(200);
    expect(room.shell.nicknamesTurnedAway.entries).toEqual([['424', most + 1]]);
  });

  test('whatever else the core answers, the name is not to be had: 403', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    const status = alice.nickname('Alice');
    const reply = await waitFor('a nickname that is asked for', () => asked(room)[0]);
    room.shell.reply(reply, { kind: 'refused', code: 'busy', detail: 'too much waits' });
    expect(await status).toBe(403);
  });
});
