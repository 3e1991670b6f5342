import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { msrpHeader } from '../../src/wire/msrp.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, longLine, uriOf } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

describe('a message in several chunks', () => {
  const content = longLine(30_000);

  test('CC-165 in order: each chunk is answered, and everybody gets the whole', async () => {
    const chunks = [
      alice.part(content, [1, 10_000]),
      alice.part(content, [10_001, 20_000]),
      alice.part(content, [20_001, 30_000]),
    ];
    await settled();
    expect(chunks.map((id) => alice.answers.get(id))).toEqual([200, 200, 200]);
    expect(bob.messages).toEqual([shortOf(content)]);
    expect(alice.messages).toEqual([]);
  });

  test('CC-164 it is passed on while it comes, in chunks of 10 KB that may be interrupted', async () => {
    alice.part(content, [1, 10_000]);
    await settled();
    expect(bob.ranges).toEqual([]);
    alice.part(content, [10_001, 20_000]);
    await settled();
    expect(bob.ranges).toEqual(['1-*/30000']);
    alice.part(content, [20_001, 30_000]);
    await settled();
    expect(bob.ranges).toEqual(['1-*/30000', '10501-*/30000', '21001-*/30000']);
    expect(bob.sends.map(({ flag }) => flag)).toEqual(['+', '+', '$']);
    expect(new Set(bob.sends.map((request) => msrpHeader(request, 'Message-ID'))).size).toBe(1);
    expect(new Set(bob.sends.map((request) => msrpHeader(request, 'Content-Type')))).toEqual(new Set(['message/cpim']));
  });

  test('CC-164 one long chunk is passed on as it is read', async () => {
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/30000' });
    for (let at = 0; at < 20_000; at += 500) alice.carrier.say(octets.subarray(at, Math.min(at + 500, 20_000)));
    await settled();
    expect(bob.ranges).toEqual(['1-*/30000']);
    alice.carrier.say(octets.subarray(20_000));
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('CC-165 backwards, the end first', async () => {
    const chunks = [alice.part(content, [20_001, 30_000]), alice.part(content, [10_001, 20_000])];
    await settled();
    expect(bob.sends).toEqual([]);
    chunks.push(alice.part(content, [1, 10_000]));
    await settled();
    expect(chunks.map((id) => alice.answers.get(id))).toEqual([200, 200, 200]);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('CC-165 overlapping: the last to come counts, also where it was passed on before', async () => {
    const other = Buffer.from(content).fill(0x5a, 14_000, 18_000);
    alice.part(content, [1, 20_000]);
    await settled();
    expect(bob.ranges).toEqual(['1-*/30000']);
    alice.part(other, [14_001, 19_000], { flag: '+' });
    alice.part(content, [19_001, 30_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(other)]);
  });

  test('whom it is from and to has been judged: what comes again of the headers does not count', async () => {
    const forged = Buffer.from(content);
    forged.write(uriOf('caro'), forged.indexOf(uriOf('alice')));
    alice.part(content, [1, 20_000]);
    alice.part(forged, [1, 20_000]);
    alice.part(content, [20_001, 30_000]);
    const short = chatLine('Hello, this is short');
    const forgedShort = Buffer.from(short);
    forgedShort.write(uriOf('caro'), forgedShort.indexOf(uriOf('alice')));
    alice.chunk({ messageId: 'short', body: short.subarray(0, -3), range: '1-*/*', flag: '+' });
    alice.chunk({ messageId: 'short', body: forgedShort, range: '1-*/*' });
    await settled();
    expect(bob.messages).toEqual([shortOf(content), shortOf(short)]);
  });

  test('chunks of a few octets each, and headers that come little by little', async () => {
    const short = chatLine('Hello');
    for (let at = 0; at < short.length; at += 3) {
      const body = short.subarray(at, at + 3);
      const flag = at + 3 >= short.length ? '$' : '+';
      alice.chunk({ messageId: 'drops', body, range: `${at + 1}-*/*`, flag });
    }
    await settled();
    expect(bob.messages).toEqual([shortOf(short)]);
    expect(bob.ranges).toEqual([`1-${short.length}/${short.length}`]);
  });

  test('chunks of several messages may alternate; they go out in the order of their ends', async () => {
    const [one, two] = [chatLine('one'), chatLine('two')];
    alice.chunk({ messageId: 'one', body: one.subarray(0, 20), range: '1-20/*', flag: '+' });
    alice.chunk({ messageId: 'two', body: two.subarray(0, 30), range: '1-30/*', flag: '+' });
    alice.chunk({ messageId: 'two', body: two.subarray(30), range: '31-*/*' });
    alice.chunk({ messageId: 'one', body: one.subarray(20), range: '21-*/*' });
    await settled();
    expect(bob.messages).toEqual([shortOf(two), shortOf(one)]);
  });

  test('an end that has no octets of its own', async () => {
    alice.part(content, [1, 30_000], { flag: '+' });
    alice.chunk({ messageId: 'long', body: Buffer.alloc(0), range: '30001-30000/30000' });
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('an end that has no body at all, nor Content-Type', async () => {
    alice.part(content, [1, 30_000], { flag: '+' });
    const end = alice.chunk({ messageId: 'long', body: null, range: '30001-30000/30000' });
    await settled();
    expect(alice.answers.get(end)).toBe(200);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('QK-23 without a Byte-Range a chunk begins the message', async () => {
    const short = chatLine('Hello');
    alice.chunk({ messageId: 'bare', body: short });
    alice.chunk({ messageId: 'begun', body: short.subarray(0, 40), flag: '+' });
    alice.chunk({ messageId: 'begun', body: short.subarray(40), range: `41-${short.length}/${short.length}` });
    await settled();
    expect(bob.messages).toEqual([shortOf(short), shortOf(short)]);
  });
});

describe('CC-166 a message that is given up', () => {
  const content = longLine(40_000);

  test('nobody takes its part for the whole, and nothing of it is kept', async () => {
    alice.part(content, [1, 20_000]);
    const end = alice.part(content, [20_001, 25_000], { flag: '#' });
    await settled();
    expect(alice.answers.get(end)).toBe(200);
    expect(bob.sends.map(({ flag }) => flag)).toEqual(['+', '+', '#']);
    expect([bob.messages, bob.aborted.length]).toEqual([[], 1]);
    alice.part(content, [1, 40_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('without octets, and before anything of it was passed on', async () => {
    alice.part(content, [1, 10_000]);
    const end = alice.chunk({ messageId: 'long', body: null, flag: '#' });
    await settled();
    expect(alice.answers.get(end)).toBe(200);
    expect(bob.sends).toEqual([]);
  });

  test('in the middle of a chunk that is still being read', async () => {
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/40000', flag: '#' });
    alice.carrier.say(octets);
    await settled();
    expect(bob.sends.map(({ flag }) => flag).at(-1)).toBe('#');
    expect(bob.messages).toEqual([]);
  });

  test('because its sender is gone', async () => {
    alice.part(content, [1, 20_000]);
    alice.carrier.destroy();
    await settled();
    expect(room.lost).toEqual(['alice']);
    expect(bob.sends.map(({ flag }) => flag)).toEqual(['+', '#']);
    room.report();
    expect(room.reported[0]).toMatchObject({ count: 0, losses: [{ endpointId: 'bob', count: 1 }] });
  });
});

describe('CC-167 a message over the maximal size', () => {
  const content = longLine(60_000);

  beforeEach(async () => {
    room = new MemoryRoom({ maxSize: 50_000 });
    [alice, bob] = [room.join('alice'), room.join('bob')];
    room.route(['alice', 'bob']);
    await settled();
  });

  test('that says so is answered 413 before it is sent, and so is what still comes of it', async () => {
    const { octets, transactionId } = alice.written({ messageId: 'long', body: content, range: '1-*/60000' });
    alice.carrier.say(octets.subarray(0, 17_000));
    await settled();
    expect(alice.answers.get(transactionId)).toBe(413);
    alice.carrier.say(octets.subarray(17_000));
    const next = alice.part(content, [60_000, 60_000]);
    await settled();
    expect([alice.answers.get(next), alice.responses.length]).toEqual([413, 3]);
    expect(bob.sends).toEqual([]);
  });

  test('that does not say so is stopped when it has passed the bound, for everybody', async () => {
    alice.part(content, [1, 40_000], { range: '1-*/*', flag: '+' });
    const id = alice.part(content, [40_001, 55_000], { range: '40001-*/*', flag: '+' });
    await settled();
    expect(alice.answers.get(id)).toBe(413);
    expect(bob.sends.at(-1)?.flag).toBe('#');
    expect(bob.messages).toEqual([]);
  });

  test('and of the maximal size is delivered', async () => {
    alice.part(content.subarray(0, 50_000), [1, 50_000], { range: '1-*/50000' });
    await settled();
    expect(bob.messages).toHaveLength(1);
  });
});

describe('what contradicts itself', () => {
  const content = longLine(30_000);

  test.each<[string, () => string]>([
    ['a Byte-Range that is none', () => alice.part(content, [20_001, 30_000], { range: '20001-30000' })],
    ['another length', () => alice.part(content, [20_001, 30_000], { range: '20001-30000/30001' })],
    ['an end before octets that came', () => alice.part(content, [1, 10_000], { flag: '$' })],
    [
      'octets after its length',
      () => alice.part(Buffer.alloc(40_000), [25_000, 35_000], { range: '25000-*/*', flag: '+' }),
    ],
  ])('%s: 400', async (_, send) => {
    alice.part(content, [1, 20_000]);
    const id = send();
    await settled();
    expect(alice.answers.get(id)).toBe(400);
    expect(bob.messages).toEqual([]);
  });

  test.each([
    ['a longer message', chatLine('Hello').length + 1],
    ['a shorter message', chatLine('Hello').length - 1],
  ])('all of it in one chunk, whose Byte-Range is that of %s: 400', async (_, total) => {
    const id = alice.chunk({ messageId: 'short', body: chatLine('Hello'), range: `1-*/${total}` });
    await settled();
    expect(alice.answers.get(id)).toBe(400);
    expect(bob.messages).toEqual([]);
  });

  test('what a chunk says of its own end does not count, as it may have been interrupted', async () => {
    const short = chatLine('Hello');
    alice.chunk({ messageId: 'whole', body: short, range: `1-9/${short.length}` });
    alice.chunk({ messageId: 'parts', body: short.subarray(0, 40), range: `1-90/${short.length}`, flag: '+' });
    alice.chunk({ messageId: 'parts', body: short.subarray(40), range: `41-41/${short.length}` });
    await settled();
    expect(bob.messages).toEqual([shortOf(short), shortOf(short)]);
  });

  test('an end without body before octets that came, or without a place: 400', async () => {
    alice.part(content, [1, 20_000]);
    const bare = alice.chunk({ messageId: 'long', body: null });
    await settled();
    expect(alice.answers.get(bare)).toBe(400);
    expect(bob.sends.at(-1)?.flag).toBe('#');
  });

  test('the message is over for everybody, and later chunks get the same answer', async () => {
    alice.part(content, [1, 20_000]);
    alice.part(content, [20_001, 30_000], { range: '20001-30000/30001' });
    const late = alice.part(content, [20_001, 30_000]);
    await settled();
    expect(alice.answers.get(late)).toBe(400);
    expect(bob.sends.at(-1)?.flag).toBe('#');
  });

  test('what lies too far ahead of what is missing: 413', async () => {
    const far = longLine(400_000);
    const id = alice.part(far, [300_001, 310_000]);
    await settled();
    expect(alice.answers.get(id)).toBe(413);
  });
});

describe('CC-186 the chunk timer', () => {
  const content = longLine(60_000);

  test('a message of which nothing comes any more is given up, and freed', async () => {
    alice.part(content, [1, 20_000]);
    await settled();
    room.clock.turn(limits.chunkTimeoutMs - 1);
    expect(bob.aborted).toEqual([]);
    room.clock.turn(1);
    await settled();
    expect(bob.aborted).toHaveLength(1);
    const late = alice.part(content, [20_001, 60_000]);
    await settled();
    expect(alice.answers.get(late)).toBe(413);
    room.clock.turn(limits.msrpAnswerTimeoutMs);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('each chunk has its time, and so has each piece of a long one', async () => {
    alice.part(content, [1, 20_000]);
    await settled();
    room.clock.turn(limits.chunkTimeoutMs - 1);
    const { octets } = alice.written({ messageId: 'long', body: content.subarray(20_000), range: '20001-*/60000' });
    alice.carrier.say(octets.subarray(0, 20_000));
    await settled();
    room.clock.turn(limits.chunkTimeoutMs - 1);
    alice.carrier.say(octets.subarray(20_000));
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
    room.clock.turn(limits.msrpAnswerTimeoutMs);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('strikes in the middle of a chunk, too', async () => {
    const { octets, transactionId } = alice.written({ messageId: 'long', body: content, range: '1-*/60000' });
    alice.carrier.say(octets.subarray(0, 30_000));
    await settled();
    room.clock.turn(limits.chunkTimeoutMs);
    await settled();
    expect([alice.answers.get(transactionId), bob.aborted.length]).toEqual([413, 1]);
    alice.carrier.say(octets.subarray(30_000));
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toEqual([shortOf(chatLine('Hello'))]);
  });
});
