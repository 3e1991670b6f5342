import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, type MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, longLine, roomUri, uriOf } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

describe('private messages (RFC 7701 6.2)', () => {
  const to = (name: string): Buffer =>
    Buffer.from(
      chatLine('psst')
        .toString()
        .replace(`To: <${roomUri}>`, `To: <${uriOf(name)}>`),
    );

  test('CC-181 CC-182 CC-183 only the named member’s sessions get one; strangers and who takes none do not', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    const [toBob, toMallory] = ['bob', 'mallory'].map((name) => alice.chunk({ messageId: name, body: to(name) }));
    await settled();
    room.route(['alice', 'bob', 'ted'], {}, { privateMessages: false });
    const toTed = alice.chunk({ messageId: 'ted', body: to('ted') });
    await settled();
    expect([toBob, toMallory, toTed].map((id) => alice.answers.get(id ?? ''))).toEqual([200, 404, 428]);
    expect([bob.messages, ted.messages]).toEqual([[shortOf(to('bob'))], []]);
  });

  test('CC-181 a large one goes to that member alone, too', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    const content = Buffer.concat([to('bob'), Buffer.alloc(40_000, 'x')]);
    alice.part(content, [1, 20_000]);
    alice.part(content, [20_001, content.length]);
    await settled();
    expect([bob.messages, ted.sends]).toEqual([[shortOf(content)], []]);
  });
});

describe('what the switch refuses', () => {
  test('CC-176 CC-177 is refused once the headers tell, and its further chunks are, too', async () => {
    const content = Buffer.concat([chatLine('x', 'bob'), Buffer.alloc(30_000, 'x')]);
    const first = alice.part(content, [1, 20_000]);
    const second = alice.part(content, [20_001, content.length]);
    const plain = alice.chunk({ messageId: 'plain', body: Buffer.alloc(20_000), contentType: 'text/plain', flag: '+' });
    await settled();
    expect([first, second, plain].map((id) => alice.answers.get(id))).toEqual([403, 403, 415]);
    expect(bob.sends).toEqual([]);
  });

  test('headers that do not end: 400', async () => {
    const endless = Buffer.from('X: y\r\n'.repeat(90) + 'x'.repeat(3_000));
    const inOne = alice.chunk({ messageId: 'whole', body: endless });
    const inTwo = alice.chunk({ messageId: 'parts', body: endless, range: '1-*/*', flag: '+' });
    const end = alice.chunk({ messageId: 'parts', body: Buffer.from('x'), range: `${endless.length + 1}-*/*` });
    const long = Buffer.from(`${'X: '.padEnd(4_000, 'y')}\r\n`.repeat(20));
    const tooLong = alice.chunk({ messageId: 'long', body: long, range: '1-*/*', flag: '+' });
    await settled();
    expect([inOne, inTwo, end, tooLong].map((id) => alice.answers.get(id))).toEqual([400, 200, 400, 400]);
  });

  test('more messages unfinished at once than the bound: 413', async () => {
    const body = chatLine('x').subarray(0, 20);
    const ids = Array.from({ length: limits.unfinishedMessagesMax + 1 }, (_, i) =>
      alice.chunk({ messageId: `m-${i}`, body, range: '1-*/*', flag: '+' }),
    );
    const rest = alice.chunk({ messageId: 'm-0', body: chatLine('x').subarray(20), range: '21-*/*' });
    const next = alice.chunk({ messageId: 'more', body, range: '1-*/*', flag: '+' });
    await settled();
    expect(new Set(ids.slice(0, -1).map((id) => alice.answers.get(id)))).toEqual(new Set([200]));
    expect([ids.at(-1) ?? '', rest, next].map((id) => alice.answers.get(id))).toEqual([413, 200, 200]);
  });
});

describe('a message before its sender is in the route', () => {
  const content = longLine(60_000);

  beforeEach(async () => {
    room.route(['bob']);
    alice = room.join('carol');
    await settled();
  });

  const carols = Buffer.from(content.toString().replace(uriOf('alice'), uriOf('carol')));

  test('is not read further while it is large, and passed on once the route names its sender', async () => {
    const early = alice.chunk({ messageId: 'early', body: chatLine('early', 'carol') });
    alice.part(carols, [1, 20_000]);
    alice.part(carols, [20_001, carols.length]);
    await settled();
    expect(alice.carrier.isPaused).toBe(true);
    expect(alice.answers.get(early)).toBeUndefined();
    room.route(['bob', 'carol']);
    await settled();
    expect(alice.carrier.isPaused).toBe(false);
    expect(alice.answers.get(early)).toBe(200);
    expect(bob.messages).toEqual([shortOf(chatLine('early', 'carol')), shortOf(carols)]);
  });

  test.each<[string, () => void]>([
    ['in the middle of a long chunk', () => alice.carrier.say(longChunk().subarray(0, 20_000))],
    ['after a short one', () => alice.part(carols, [1, 50])],
  ])('is not read further %s', async (_, send) => {
    send();
    await settled();
    expect(alice.carrier.isPaused).toBe(true);
    room.clock.turn(limits.msrpEarlyMs);
    expect(alice.carrier.isPaused).toBe(false);
  });

  const longChunk = (): Buffer => alice.written({ messageId: 'long', body: carols, range: '1-*/60000' }).octets;

  test('is refused after a while', async () => {
    alice.part(carols, [1, 20_000]);
    const late = alice.part(carols, [20_001, carols.length]);
    await settled();
    room.clock.turn(limits.msrpEarlyMs);
    await settled();
    expect(alice.answers.get(late)).toBe(403);
    expect(alice.carrier.isPaused).toBe(false);
  });

  test('is shown once though it came twice', async () => {
    const headers = [{ name: 'Success-Report', value: 'yes' }];
    const ids = [1, 2].map(() => alice.chunk({ messageId: 'twice', body: chatLine('early', 'carol'), headers }));
    room.route(['bob', 'carol']);
    await settled();
    expect(ids.map((id) => alice.answers.get(id))).toEqual([200, 200]);
    expect([bob.messages.length, alice.reports.length]).toEqual([1, 2]);
  });

  test('is judged when the route comes in the middle of it', async () => {
    const forged = Buffer.from(content);
    alice.part(forged, [1, 20_000]);
    await settled();
    room.route(['bob', 'carol']);
    const late = alice.part(forged, [20_001, forged.length]);
    await settled();
    expect(alice.answers.get(late)).toBe(403);
    expect(bob.messages).toEqual([]);
  });

  test('is answered 481 when the session ends in the middle of it', async () => {
    const early = alice.chunk({ messageId: 'early', body: chatLine('early', 'carol') });
    const { octets, transactionId } = alice.written({ messageId: 'long', body: carols, range: '1-*/60000' });
    alice.carrier.say(octets.subarray(0, 18_000));
    room.close(room.sessions.byEndpointId('carol'));
    await settled();
    expect([early, transactionId].map((id) => alice.answers.get(id))).toEqual([481, 481]);
    expect(room.clock.nextDue).toBeUndefined();
  });
});
