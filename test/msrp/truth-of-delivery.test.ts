import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { msrpHeader } from '../../src/wire/msrp.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, type MemoryRoom } from './memory-room.ts';
import { chatLine } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

/** Alice sends one of the parts of 60 KB of a message, which has come whole with the last one. */
async function alicesPart(index: number, flag: '+' | '$', length = 60_000): Promise<void> {
  const body = Buffer.alloc(length, 97);
  if (index === 0) chatLine('').copy(body);
  alice.chunk({ messageId: 'long', body, range: `${index * 60_000 + 1}-*/*`, flag });
  await settled();
}

function outcomes(): readonly object[] {
  room.report();
  return room.told.flatMap(({ deliveries }) => deliveries);
}

describe('a receiver that does not read for a while', () => {
  test('has a large message all of which it was sent, however long it took to read it', async () => {
    bob.carrier.stopReading();
    await alicesPart(0, '+');
    // In the middle of this one Bob has more before him than the window; its end has been read by then.
    await alicesPart(1, '$');
    room.clock.turn(limits.msrpPatienceMs);
    await settled();
    bob.carrier.readOn();
    await settled();
    expect(bob.messages).toHaveLength(1);
    expect(outcomes()).toMatchObject([{ endpointId: 'bob', outcome: 'delivered' }]);
  });

  test('is told that a large message will not be completed when only its end found no room', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    await alicesPart(0, '+');
    bob.carrier.stopReading();
    const fillings = [...Array<number>(110).fill(10_000), ...Array<number>(20).fill(1_000)];
    for (const [i, length] of fillings.entries())
      ted.chunk({ messageId: `fill-${i}`, body: chatLine('x'.repeat(length), 'ted') });
    await settled();
    await alicesPart(1, '$', 100);
    bob.carrier.readOn();
    await settled();
    expect([bob.unfinishedCount, bob.aborted.length]).toEqual([0, 1]);
  });
});

test('who leaves in the middle of a large message has not lost it by congestion', async () => {
  const ted = room.join('ted');
  room.route(['alice', 'bob', 'ted']);
  await alicesPart(0, '+');
  room.close(room.sessions.byEndpointId('ted'));
  await alicesPart(1, '$');
  expect(ted.messages).toEqual([]);
  expect(outcomes()).toMatchObject([
    { endpointId: 'bob', outcome: 'delivered' },
    { endpointId: 'ted', outcome: 'failed', reason: 'its session has ended' },
  ]);
});

test('a message whose sender depends on who reads it is not passed on', async () => {
  const text = chatLine('Hello').toString();
  const folded = text.replace('\r\nTo:', '\r\n From: <sip:mallory@example.com>\r\nTo:');
  const twice = text.replace('\r\nTo:', '\r\nFrom: <sip:mallory@example.com>\r\nTo:');
  const other = text.replace('\r\nTo:', '\r\nFROM: <sip:mallory@example.com>\r\nTo:');
  const bodies = [folded, twice, other].map((each) => Buffer.from(each));
  const chunks = bodies.map((body, i) => alice.chunk({ messageId: `line-${i}`, body }));
  await settled();
  expect(chunks.map((id) => alice.answers.get(id))).toEqual([400, 403, 400]);
  expect(bob.messages).toEqual([]);
});

describe('a receiver behind a relay, which answers for itself (RFC 4976)', () => {
  let rita: Member;
  let messageId: string;

  beforeEach(async () => {
    rita = room.join('rita', 'msrp://relay.example.com:2855/token;tcp');
    room.route(['alice', 'rita']);
    alice.chunk({ messageId: 'line', body: chatLine('Hello') });
    await settled();
    messageId = msrpHeader(rita.sends[0] ?? expect.fail(), 'Message-ID') ?? '';
    expect(outcomes()).toEqual([]);
  });

  test('is asked for a REPORT, which says that the message has arrived', async () => {
    expect(msrpHeader(rita.sends[0] ?? expect.fail(), 'Success-Report')).toBe('yes');
    rita.report(messageId, '000 200 OK', { range: '1-10/90' });
    await settled();
    expect(outcomes()).toEqual([]);
    rita.report(messageId, '000 200 OK', { range: '1-90/90' });
    await settled();
    expect(outcomes()).toMatchObject([{ endpointId: 'rita', outcome: 'delivered' }]);
  });

  test('has not got what the relay reports as failed afterwards', async () => {
    room.clock.turn(30_000);
    rita.report(messageId, '000 408 Timeout');
    await settled();
    expect(outcomes()).toMatchObject([{ endpointId: 'rita', outcome: 'failed', status: 408 }]);
  });

  test('has got what nobody says anything of for a while', () => {
    room.clock.turn(limits.msrpReportTimeoutMs);
    expect(outcomes()).toMatchObject([{ endpointId: 'rita', outcome: 'delivered' }]);
  });

  test('has a large message once that is so of each of its chunks', async () => {
    rita.report(messageId, '000 200 OK', { range: '1-90/90' });
    await alicesPart(0, '+');
    await alicesPart(1, '$');
    expect(outcomes()).toHaveLength(1);
    const { length } = rita.messages;
    room.clock.turn(limits.msrpReportTimeoutMs);
    expect([length, outcomes().length]).toEqual([2, 2]);
    expect(outcomes().at(-1)).toMatchObject({ endpointId: 'rita', outcome: 'delivered' });
  });

  test('or until it leaves, after which no timer is left', () => {
    room.close(room.sessions.byEndpointId('rita'));
    expect(outcomes()).toMatchObject([{ endpointId: 'rita', outcome: 'delivered' }]);
    expect(room.clock.nextDue).toBeUndefined();
  });
});

test('who is reached directly is asked for no REPORT', async () => {
  alice.chunk({ messageId: 'line', body: chatLine('Hello') });
  await settled();
  expect(msrpHeader(bob.sends[0] ?? expect.fail(), 'Success-Report')).toBeUndefined();
  expect(outcomes()).toMatchObject([{ endpointId: 'bob', outcome: 'delivered' }]);
});

test('two who send each other large messages at the same time lose neither: what holds one up is not read, its answers with it', async () => {
  const [fromAlice, fromBob] = ['alice', 'bob'].map((name) => chatLine('x'.repeat(400_000), name));
  for (let at = 0; at < 400_000; at += 20_000) {
    for (const [member, content] of [[alice, fromAlice] as const, [bob, fromBob] as const]) {
      const body = content?.subarray(at, at < 380_000 ? at + 20_000 : undefined) ?? expect.fail();
      member.chunk({ messageId: 'long', body, range: `${at + 1}-*/*`, flag: at < 380_000 ? '+' : '$' });
    }
    if (at % 60_000 === 0) await settled();
  }
  for (let i = 0; i < 10; i += 1) {
    await settled();
    room.clock.turn(limits.msrpPatienceMs);
  }
  await settled();
  expect([alice.messages.length, bob.messages.length]).toEqual([1, 1]);
  expect(outcomes()).toMatchObject([{ outcome: 'delivered' }, { outcome: 'delivered' }]);
});

test('a message that is given up while somebody is waited for goes no further, to nobody', async () => {
  const ted = room.join('ted');
  room.route(['alice', 'bob', 'ted']);
  bob.carrier.stopReading();
  await alicesPart(0, '+');
  await alicesPart(1, '+');
  const parts = (): number => ted.requests.filter(({ flag, body }) => flag === '+' && body !== null).length;
  const before = parts();
  room.close(room.sessions.byEndpointId('alice'));
  await settled();
  expect(ted.aborted).toHaveLength(1);
  expect(parts()).toBe(before);
});
