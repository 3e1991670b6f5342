import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { msrpHeader } from '../../src/wire/msrp.ts';
import { settled } from './memory-carrier.ts';
import { type Member, MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, roomUri, uriOf } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  room = new MemoryRoom();
  [alice, bob] = [room.join('alice'), room.join('bob')];
  room.route(['alice', 'bob']);
  await settled();
});

/** A message of alice’s of this length in octets, headers included. */
function longLine(length: number): Buffer {
  const line = chatLine('x'.repeat(length - chatLine('').length));
  for (let i = chatLine('').length; i < length; i += 1) line[i] = 97 + (i % 26);
  return line;
}

/** Alice sends these octets of `content`, from 1: its end if the last one is among them. */
function part(
  content: Buffer,
  [from, to]: readonly [number, number],
  change: { flag?: '+' | '$' | '#'; range?: string } = {},
): string {
  const { flag = to === content.length ? '$' : '+', range = `${from}-${to}/${content.length}` } = change;
  return alice.chunk({ messageId: 'long', body: content.subarray(from - 1, to), range, flag });
}

function rangesOf(member: Member): readonly (string | undefined)[] {
  return member.sends.map((request) => msrpHeader(request, 'Byte-Range'));
}

describe('a message in several chunks', () => {
  const content = longLine(30_000);

  test('CC-165 in order: each chunk is answered, and everybody gets the whole', async () => {
    const chunks = [part(content, [1, 10_000]), part(content, [10_001, 20_000]), part(content, [20_001, 30_000])];
    await settled();
    expect(chunks.map((id) => alice.answers.get(id))).toEqual([200, 200, 200]);
    expect(bob.messages).toEqual([shortOf(content)]);
    expect(alice.messages).toEqual([]);
  });

  test('CC-164 it is passed on while it comes, in chunks of 10 KB that may be interrupted', async () => {
    part(content, [1, 10_000]);
    await settled();
    expect(rangesOf(bob)).toEqual([]);
    part(content, [10_001, 20_000]);
    await settled();
    expect(rangesOf(bob)).toEqual(['1-*/30000']);
    part(content, [20_001, 30_000]);
    await settled();
    expect(rangesOf(bob)).toEqual(['1-*/30000', '10501-*/30000', '21001-*/30000']);
    expect(bob.sends.map(({ flag }) => flag)).toEqual(['+', '+', '$']);
    expect(new Set(bob.sends.map((request) => msrpHeader(request, 'Message-ID'))).size).toBe(1);
    expect(new Set(bob.sends.map((request) => msrpHeader(request, 'Content-Type')))).toEqual(new Set(['message/cpim']));
  });

  test('CC-164 one long chunk is passed on as it is read', async () => {
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/30000' });
    for (let at = 0; at < 20_000; at += 500) alice.carrier.say(octets.subarray(at, Math.min(at + 500, 20_000)));
    await settled();
    expect(rangesOf(bob)).toEqual(['1-*/30000']);
    alice.carrier.say(octets.subarray(20_000));
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('CC-165 backwards, the end first', async () => {
    const chunks = [part(content, [20_001, 30_000]), part(content, [10_001, 20_000])];
    await settled();
    expect(bob.sends).toEqual([]);
    chunks.push(part(content, [1, 10_000]));
    await settled();
    expect(chunks.map((id) => alice.answers.get(id))).toEqual([200, 200, 200]);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('CC-165 overlapping: the last to come counts, also where it was passed on before', async () => {
    const other = Buffer.from(content).fill(0x5a, 14_000, 18_000);
    part(content, [1, 20_000]);
    await settled();
    expect(rangesOf(bob)).toEqual(['1-*/30000']);
    part(other, [14_001, 19_000], { flag: '+' });
    part(content, [19_001, 30_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(other)]);
  });

  test('whom it is from and to has been judged: what comes again of the headers does not count', async () => {
    const forged = Buffer.from(content);
    forged.write(uriOf('caro'), forged.indexOf(uriOf('alice')));
    part(content, [1, 20_000]);
    part(forged, [1, 20_000]);
    part(content, [20_001, 30_000]);
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
    expect(rangesOf(bob)).toEqual([`1-${short.length}/${short.length}`]);
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
    part(content, [1, 30_000], { flag: '+' });
    alice.chunk({ messageId: 'long', body: Buffer.alloc(0), range: '30001-30000/30000' });
    await settled();
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
    part(content, [1, 20_000]);
    const end = part(content, [20_001, 25_000], { flag: '#' });
    await settled();
    expect(alice.answers.get(end)).toBe(200);
    expect(bob.sends.map(({ flag }) => flag)).toEqual(['+', '+', '#']);
    expect([bob.messages, bob.aborted.length]).toEqual([[], 1]);
    part(content, [1, 40_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test('without octets, and before anything of it was passed on', async () => {
    part(content, [1, 10_000]);
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
    part(content, [1, 20_000]);
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
    const next = part(content, [60_000, 60_000]);
    await settled();
    expect([alice.answers.get(next), alice.responses.length]).toEqual([413, 3]);
    expect(bob.sends).toEqual([]);
  });

  test('that does not say so is stopped when it has passed the bound, for everybody', async () => {
    part(content, [1, 40_000], { range: '1-*/*', flag: '+' });
    const id = part(content, [40_001, 55_000], { range: '40001-*/*', flag: '+' });
    await settled();
    expect(alice.answers.get(id)).toBe(413);
    expect(bob.sends.at(-1)?.flag).toBe('#');
    expect(bob.messages).toEqual([]);
  });

  test('and of the maximal size is delivered', async () => {
    part(content.subarray(0, 50_000), [1, 50_000], { range: '1-*/50000' });
    await settled();
    expect(bob.messages).toHaveLength(1);
  });
});

describe('what contradicts itself', () => {
  const content = longLine(30_000);

  test.each<[string, () => string]>([
    ['a Byte-Range that is none', () => part(content, [20_001, 30_000], { range: '20001-30000' })],
    ['another length', () => part(content, [20_001, 30_000], { range: '20001-30000/30001' })],
    ['an end before octets that came', () => part(content, [1, 10_000], { flag: '$' })],
    ['octets after its length', () => part(Buffer.alloc(40_000), [25_000, 35_000], { range: '25000-*/*', flag: '+' })],
  ])('%s: 400', async (_, send) => {
    part(content, [1, 20_000]);
    const id = send();
    await settled();
    expect(alice.answers.get(id)).toBe(400);
    expect(bob.messages).toEqual([]);
  });

  test('the message is over for everybody, and later chunks get the same answer', async () => {
    part(content, [1, 20_000]);
    part(content, [20_001, 30_000], { range: '20001-30000/30001' });
    const late = part(content, [20_001, 30_000]);
    await settled();
    expect(alice.answers.get(late)).toBe(400);
    expect(bob.sends.at(-1)?.flag).toBe('#');
  });

  test('what lies too far ahead of what is missing: 413', async () => {
    const far = longLine(400_000);
    const id = part(far, [300_001, 310_000]);
    await settled();
    expect(alice.answers.get(id)).toBe(413);
  });
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
    part(content, [1, 20_000]);
    part(content, [20_001, content.length]);
    await settled();
    expect([bob.messages, ted.sends]).toEqual([[shortOf(content)], []]);
  });
});

describe('what the switch refuses', () => {
  test('CC-176 CC-177 is refused once the headers tell, and its further chunks are, too', async () => {
    const content = Buffer.concat([chatLine('x', 'bob'), Buffer.alloc(30_000, 'x')]);
    const first = part(content, [1, 20_000]);
    const second = part(content, [20_001, content.length]);
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

describe('responses and reports (RFC 4975 7.1, 7.2)', () => {
  const content = longLine(30_000);
  const header = (name: string, value: string): { name: string; value: string } => ({ name, value });

  test.each([
    ['no', [undefined, undefined, undefined]],
    ['partial', [undefined, undefined, 413]],
    ['yes', [200, 200, 413]],
  ])('CC-156 Failure-Report %s of chunks', async (value, expected) => {
    const headers = [header('Failure-Report', value)];
    const [first, last] = [content.subarray(0, 20_000), content.subarray(20_000)];
    const ids = [
      alice.chunk({ messageId: 'long', body: first, range: '1-*/30000', flag: '+', headers }),
      alice.chunk({ messageId: 'long', body: last, range: '20001-*/30000', headers }),
      alice.chunk({ messageId: 'longer', body: content, range: '1-*/2000000', flag: '+', headers }),
    ];
    await settled();
    expect(ids.map((id) => alice.answers.get(id))).toEqual(expected);
    expect(bob.messages).toEqual([shortOf(content)]);
  });

  test.each(['yes', 'partial', 'no'])(
    'CC-158 Success-Report yes: one REPORT when all has come, with Failure-Report %s, too',
    async (value) => {
      const headers = [header('Success-Report', 'yes'), header('Failure-Report', value)];
      alice.chunk({ messageId: 'long', body: content.subarray(20_000), range: '20001-30000/30000', headers });
      await settled();
      expect(alice.reports).toEqual([]);
      alice.chunk({ messageId: 'long', body: content.subarray(0, 20_000), range: '1-*/30000', flag: '+', headers });
      alice.chunk({ messageId: 'short', body: chatLine('Hello'), headers });
      await settled();
      expect(alice.reports.map((report) => report.headers)).toEqual([
        [header('Message-ID', 'long'), header('Byte-Range', '1-30000/30000'), header('Status', '000 200 OK')],
        [
          header('Message-ID', 'short'),
          header('Byte-Range', `1-${chatLine('Hello').length}/${chatLine('Hello').length}`),
          header('Status', '000 200 OK'),
        ],
      ]);
      expect(alice.reports[0]).toMatchObject({ toPath: alice.path, fromPath: [alice.peerPath], body: null, flag: '$' });
    },
  );

  test('CC-158 the REPORT comes after the 200, along the whole path, and only of what was taken', async () => {
    const carol = room.join('carol', 'msrp://relay.example.com:2855/r;tcp');
    room.route(['alice', 'bob', 'carol']);
    const headers = [header('Success-Report', 'yes')];
    const refused = carol.chunk({ messageId: 'forged', body: chatLine('Hello'), headers });
    const taken = carol.chunk({ messageId: 'own', body: chatLine('Hello', 'carol'), headers });
    await settled();
    expect([refused, taken].map((id) => carol.answers.get(id))).toEqual([403, 200]);
    expect(carol.reports).toHaveLength(1);
    expect(carol.reports[0]?.toPath).toEqual(['msrp://relay.example.com:2855/r;tcp', 'msrp://127.0.0.1:9/carol;tcp']);
    expect(carol.responses.at(-1)?.toPath).toEqual(['msrp://relay.example.com:2855/r;tcp']);
  });

  test('CC-159 CC-160 CC-184 a REPORT is not answered, not passed on, and ignored when it is about nothing', async () => {
    bob.report('unknown', '000 413 Too large');
    bob.report('unknown', 'nonsense');
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    bob.report(msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '', '000 200 OK');
    await settled();
    expect(bob.answers.has('report')).toBe(false);
    expect(alice.requests).toEqual([]);
  });

  test('CC-160 a REPORT on another connection than the message went is ignored', async () => {
    const ted = room.join('ted');
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    const messageId = msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '';
    ted.report(messageId, '000 408 Timeout', { toPath: bob.peerPath });
    await settled();
    room.report();
    expect(room.told).toEqual([]);
  });

  test('a failure that a relay reports is told of its receiver', async () => {
    bob.answer = () => 'none';
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    bob.report(msrpHeader(bob.sends[0] ?? expect.fail(), 'Message-ID') ?? '', '000 408 Timeout');
    await settled();
    room.report();
    expect(room.told).toMatchObject([{ deliveries: [{ endpointId: 'bob', outcome: 'failed', status: 408 }] }]);
  });
});

describe('what comes again (RFC 4975 5.4)', () => {
  test('is acknowledged and not shown twice, also in another session of the endpoint', async () => {
    const headers = [{ name: 'Success-Report', value: 'yes' }];
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    const second = alice.chunk({ messageId: 'again', body: chatLine('Hello'), headers });
    const chunk = alice.chunk({ messageId: 'again', body: chatLine('Hello').subarray(0, 9), flag: '+' });
    await settled();
    expect([second, chunk].map((id) => alice.answers.get(id))).toEqual([200, 200]);
    expect(alice.reports).toHaveLength(1);
    room.close(room.sessions.byEndpointId('alice'));
    const anew = room.join('alice');
    const third = anew.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(anew.answers.get(third)).toBe(200);
    expect(bob.messages).toHaveLength(1);
  });

  test('after it was refused is judged anew when it is whole', async () => {
    const first = alice.chunk({ messageId: 'again', body: chatLine('Hello', 'bob') });
    const second = alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect([first, second].map((id) => alice.answers.get(id))).toEqual([403, 200]);
  });

  test('after too many others, or after its sender has left, is a new one', async () => {
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    for (let i = 0; i < limits.completedMessagesMax; i += 1)
      alice.chunk({ messageId: `m-${i}`, body: chatLine('other') });
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toHaveLength(limits.completedMessagesMax + 2);
    room.route(['bob']);
    room.route(['alice', 'bob']);
    alice.chunk({ messageId: 'again', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toHaveLength(limits.completedMessagesMax + 3);
  });
});

describe('CC-185 while a large message comes', () => {
  const content = longLine(60_000);

  test('who joins does not get its rest, who leaves gets no more, the others get the whole', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    part(content, [1, 20_000]);
    await settled();
    const carol = room.join('carol');
    room.close(room.sessions.byEndpointId('ted'));
    room.route(['alice', 'bob', 'carol']);
    const sentToTed = ted.sends.length;
    part(content, [20_001, 60_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
    expect([carol.requests.length, ted.sends.length - sentToTed]).toEqual([0, 0]);
    room.report();
    expect(room.told[0]?.deliveries).toMatchObject([
      { endpointId: 'bob', outcome: 'delivered' },
      { endpointId: 'ted', outcome: 'failed' },
    ]);
  });

  test('small ones go past it', async () => {
    part(content, [1, 40_000]);
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toEqual([shortOf(chatLine('Hello'))]);
    part(content, [40_001, 60_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(chatLine('Hello')), shortOf(content)]);
  });
});

describe('CC-186 the chunk timer', () => {
  const content = longLine(60_000);

  test('a message of which nothing comes any more is given up, and freed', async () => {
    part(content, [1, 20_000]);
    await settled();
    room.clock.turn(limits.chunkTimeoutMs - 1);
    expect(bob.aborted).toEqual([]);
    room.clock.turn(1);
    await settled();
    expect(bob.aborted).toHaveLength(1);
    const late = part(content, [20_001, 60_000]);
    await settled();
    expect(alice.answers.get(late)).toBe(413);
    room.clock.turn(limits.msrpAnswerTimeoutMs);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('each chunk has its time, and so has each piece of a long one', async () => {
    part(content, [1, 20_000]);
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

/** Alice’s socket gives what is read at once, again and again. */
async function sayInSegments(octets: Buffer): Promise<void> {
  for (let at = 0; at < octets.length; at += 60_000) {
    alice.carrier.say(octets.subarray(at, at + 60_000));
    await settled();
  }
}

describe('a receiver that does not read', () => {
  const content = longLine(900_000);

  test('holds up the sender of a large message for a while, and gets all of it when it reads on', async () => {
    bob.carrier.stopReading();
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/900000' });
    await sayInSegments(octets);
    expect(alice.carrier.isPaused).toBe(true);
    expect(bob.carrier.mostWaitingBytes).toBeLessThan(400_000);
    for (let i = 0; i < 100 && bob.messages.length === 0; i += 1) {
      bob.carrier.readOn();
      bob.carrier.stopReading();
      await settled();
    }
    bob.carrier.readOn();
    await settled();
    expect(bob.messages).toEqual([shortOf(content)]);
    expect(alice.carrier.isPaused).toBe(false);
  });

  test('loses it when it does not, and the others get it', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    bob.carrier.stopReading();
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/900000' });
    await sayInSegments(octets);
    expect(ted.messages).toEqual([]);
    room.clock.turn(limits.msrpPatienceMs);
    // It comes part by part, as ted answers.
    for (let i = 0; i < 100 && ted.messages.length === 0; i += 1) await settled();
    expect(ted.messages).toEqual([shortOf(content)]);
    bob.carrier.readOn();
    await settled();
    expect([bob.messages.length, bob.aborted.length]).toEqual([0, 1]);
    room.report();
    expect(room.told.at(-1)?.deliveries).toMatchObject([
      { endpointId: 'bob', outcome: 'failed', reason: 'congested' },
      { endpointId: 'ted', outcome: 'delivered' },
    ]);
  });

  test('does not keep a sender waiting who has gone', async () => {
    bob.carrier.stopReading();
    const { octets } = alice.written({ messageId: 'long', body: content, range: '1-*/900000' });
    await sayInSegments(octets.subarray(0, 300_000));
    alice.carrier.destroy();
    await settled();
    room.clock.turn(limits.msrpPatienceMs);
    bob.carrier.readOn();
    await settled();
    expect([bob.messages.length, bob.aborted.length]).toEqual([0, 1]);
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
    part(carols, [1, 20_000]);
    part(carols, [20_001, carols.length]);
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
    ['after a short one', () => part(carols, [1, 50])],
  ])('is not read further %s', async (_, send) => {
    send();
    await settled();
    expect(alice.carrier.isPaused).toBe(true);
    room.clock.turn(limits.msrpEarlyMs);
    expect(alice.carrier.isPaused).toBe(false);
  });

  const longChunk = (): Buffer => alice.written({ messageId: 'long', body: carols, range: '1-*/60000' }).octets;

  test('is refused after a while', async () => {
    part(carols, [1, 20_000]);
    const late = part(carols, [20_001, carols.length]);
    await settled();
    room.clock.turn(limits.msrpEarlyMs);
    await settled();
    expect(alice.answers.get(late)).toBe(403);
    expect(alice.carrier.isPaused).toBe(false);
  });

  test('is shown once though it came twice', async () => {
    const ids = [1, 2].map(() => alice.chunk({ messageId: 'twice', body: chatLine('early', 'carol') }));
    room.route(['bob', 'carol']);
    await settled();
    expect(ids.map((id) => alice.answers.get(id))).toEqual([200, 200]);
    expect(bob.messages).toHaveLength(1);
  });

  test('is judged when the route comes in the middle of it', async () => {
    const forged = Buffer.from(content);
    part(forged, [1, 20_000]);
    await settled();
    room.route(['bob', 'carol']);
    const late = part(forged, [20_001, forged.length]);
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

describe('what is told afterwards', () => {
  const wrapped = (type: string, text: string, to = roomUri): Buffer =>
    Buffer.from(chatLine(text).toString().replace('text/plain', type).replace(`<${roomUri}>`, `<${to}>`));

  test('of each message: sender, receivers and what became of it at each', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted'], { keeps: 'content' });
    ted.answer = () => 413;
    alice.chunk({ messageId: 'told', body: chatLine('Hello') });
    await settled();
    room.report();
    expect(room.reported).toEqual([
      {
        count: 1,
        messages: [
          {
            messageId: 'told',
            from: uriOf('alice'),
            to: null,
            contentType: 'text/plain',
            size: chatLine('Hello').length,
            sentAt: 1_000_000,
            content: 'Hello',
            deliveries: [
              { endpointId: 'bob', outcome: 'delivered', status: null, reason: null },
              { endpointId: 'ted', outcome: 'failed', status: 413, reason: 'it answered 413' },
            ],
          },
        ],
        losses: [{ endpointId: 'ted', reason: 'it answered 413', count: 1 }],
      },
    ]);
  });

  test('of a private message: whom it was for, all named as the roster has them', async () => {
    const body = wrapped('text/plain', 'psst', `${uriOf('bob')};transport=tcp`);
    alice.chunk({ messageId: 'private', body: Buffer.from(body.toString().replace('alice@example', 'alice@EXAMPLE')) });
    await settled();
    room.report();
    expect(room.told).toMatchObject([
      { from: uriOf('alice'), to: uriOf('bob'), content: null, deliveries: [{ outcome: 'delivered' }] },
    ]);
  });

  test('only the count and the losses where nothing is kept', async () => {
    room.route(['alice', 'bob'], { keeps: 'nothing' });
    bob.answer = () => 400;
    alice.chunk({ messageId: 'one', body: chatLine('Hello') });
    await settled();
    room.report();
    expect(room.reported).toMatchObject([{ count: 1, messages: [], losses: [{ endpointId: 'bob', count: 1 }] }]);
  });

  test('no text that is long, or no text', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' }, { acceptsWrapped: ['*'] });
    const kept = 'x'.repeat(limits.keptContentBytesMax);
    for (const text of [kept, `${kept}x`]) alice.chunk({ messageId: `${text.length}`, body: chatLine(text) });
    alice.chunk({ messageId: 'image', body: wrapped('image/png', 'x') });
    await settled();
    room.report();
    expect(room.told.map(({ content }) => content)).toEqual([kept, null, null]);
  });

  test('who was skipped, and why', async () => {
    alice.chunk({ messageId: 'image', body: wrapped('image/png', 'x') });
    await settled();
    room.report();
    const skipped = { endpointId: 'bob', outcome: 'skipped', status: null, reason: 'it takes no image/png' };
    expect(room.told[0]?.deliveries).toEqual([skipped]);
    expect(room.reported[0]?.losses).toEqual([]);
  });

  test('nothing of isComposing and IMDN, which are passed on as all else', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' }, { acceptsWrapped: ['*'], privateMessages: false });
    const composing = wrapped('application/im-iscomposing+xml', '<isComposing/>');
    const notification = wrapped('message/imdn+xml', '<imdn/>', uriOf('bob'));
    alice.chunk({ messageId: 'composing', body: composing });
    alice.chunk({ messageId: 'imdn', body: notification });
    await settled();
    room.report();
    expect(bob.messages).toEqual([shortOf(composing), shortOf(notification)]);
    expect(room.reported).toMatchObject([{ count: 2, messages: [] }]);
  });

  test('of a notice: that the conference said it, and to whom', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' });
    room.notice('Welcome', ['bob']);
    room.notice('All of you', null);
    await settled();
    room.report();
    expect([alice.messages.length, bob.messages.length]).toEqual([1, 2]);
    expect(room.reported).toHaveLength(1);
    expect(room.reported[0]).toMatchObject({
      count: 0,
      messages: [
        { messageId: 'notice-1', from: roomUri, to: uriOf('bob'), content: 'Welcome' },
        { from: roomUri, to: null, content: 'All of you' },
      ],
    });
  });

  test('of a notice: who takes no text is not sent it; it is UTF-8, and says so', async () => {
    room.route(['alice'], { keeps: 'facts' }, { acceptsWrapped: [] });
    room.notice('Welcome', null);
    room.route(['bob'], { keeps: 'facts' });
    room.notice('Grüße', null);
    await settled();
    room.report();
    expect([alice.messages.length, bob.messages.length]).toEqual([0, 1]);
    expect(bob.messages[0]).toContain('Content-Type: text/plain;charset=utf-8\r\n\r\n');
    expect(room.reported[0]?.messages).toMatchObject([
      { deliveries: [{ endpointId: 'alice', outcome: 'skipped' }] },
      { deliveries: [{ endpointId: 'bob', outcome: 'delivered' }] },
    ]);
  });

  test('in groups: a large one at once', async () => {
    for (let i = 0; i < limits.switchedMessagesMax; i += 1)
      alice.chunk({ messageId: `m-${i}`, body: chatLine('Hello') });
    await settled();
    expect(room.reported).toMatchObject([{ count: limits.switchedMessagesMax, losses: [] }]);
    expect(room.told).toHaveLength(limits.switchedMessagesMax);
  });
});
