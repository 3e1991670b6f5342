import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { SwitchedDelivery } from '../../src/core/messaging/switched.ts';
import { type MsrpRequest, msrpHeader, responseTo, writeMsrpResponse } from '../../src/wire/msrp.ts';
import { settled } from './memory-carrier.ts';
import { type Member, MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;
let ted: Member;
let said = 0;

beforeEach(async () => {
  room = new MemoryRoom();
  [alice, bob, ted] = [room.join('alice'), room.join('bob'), room.join('ted')];
  room.route(['alice', 'bob', 'ted'], {}, { acceptsWrapped: ['*'] });
  await settled();
});

/** A line of alice's, after whatever she said before. */
async function says(text: string, type = 'text/plain'): Promise<void> {
  said += 1;
  const body = Buffer.from(chatLine(text).toString().replace('text/plain', type));
  alice.chunk({ messageId: `said-${said}`, body });
  await settled();
}

/** The same line, again and again. */
async function saysManyTimes(count: number, body: Buffer): Promise<void> {
  for (let i = 1; i <= count; i += 1) {
    alice.chunk({ messageId: `again-${i}`, body });
    if (i % 50 === 0 || i === count) await settled();
  }
}

/** What became of all that was said so far, at bob. */
function atBob(): readonly (SwitchedDelivery | undefined)[] {
  room.report();
  return room.told.map(({ deliveries }) => deliveries.find(({ endpointId }) => endpointId === 'bob'));
}

/** The requests that have come to bob and were not answered, to be answered by hand. */
function silently(member: Member): { readonly answer: (request: MsrpRequest, status?: number) => Promise<void> } {
  member.answer = () => 'none';
  return {
    answer: async (request, status = 200) => {
      member.carrier.say(writeMsrpResponse(responseTo(request, status, null)));
      await settled();
    },
  };
}

function last(member: Member): MsrpRequest {
  return member.sends.at(-1) ?? expect.fail('nothing was sent');
}

const delivered = { outcome: 'delivered', status: null, reason: null };

describe('what a receiver answers (RFC 4975 10)', () => {
  test('200 to the last chunk that is not answered: it has the message', async () => {
    const content = chatLine('x'.repeat(30_000));
    const { answer } = silently(bob);
    alice.chunk({ messageId: 'long', body: content, range: `1-*/${content.length}` });
    await settled();
    const [first = last(bob), ...others] = bob.sends;
    expect(others).not.toEqual([]);
    for (const send of others) await answer(send);
    expect(atBob()).toEqual([]);
    await answer(first);
    expect(atBob()).toMatchObject([delivered]);
  });

  test.each([400, 403, 408, 413, 423, 501])('%i: it has not, and gets the next message', async (status) => {
    bob.answer = () => status;
    await says('one');
    bob.answer = () => 200;
    await says('two');
    expect(atBob()).toMatchObject([{ outcome: 'failed', status, reason: `it answered ${status}` }, delivered]);
    expect(room.lost).toEqual([]);
  });

  test('413 in the middle: it is told that there is no more, the others get the rest', async () => {
    const content = chatLine('x'.repeat(60_000));
    bob.answer = () => 413;
    alice.chunk({
      messageId: 'long',
      body: content.subarray(0, 40_000),
      range: `1-40000/${content.length}`,
      flag: '+',
    });
    await settled();
    alice.chunk({ messageId: 'long', body: content.subarray(40_000), range: `40001-*/${content.length}` });
    await settled();
    expect([bob.messages.length, bob.aborted.length, last(bob).flag]).toEqual([0, 1, '#']);
    expect(ted.messages).toEqual([shortOf(content)]);
    expect(atBob()).toMatchObject([{ outcome: 'failed', status: 413 }]);
  });

  test('415: what is wrapped in it is not sent to it again, anything else is', async () => {
    bob.answer = () => 415;
    await says('<b>one</b>', 'text/html');
    bob.answer = () => 200;
    await says('<b>two</b>', 'text/html');
    await says('three');
    expect(bob.messages).toHaveLength(2);
    expect(ted.messages).toHaveLength(3);
    expect(atBob()).toMatchObject([{ outcome: 'failed', status: 415 }, { outcome: 'skipped', status: 415 }, delivered]);
  });

  test('481 and 506: its session is over, and with it what it has not answered', async () => {
    const { answer } = silently(bob);
    await says('one');
    const one = last(bob);
    await says('two');
    await answer(one, 481);
    const ended = { outcome: 'failed', status: null, reason: 'its session has ended' };
    expect(atBob()).toMatchObject([ended, ended]);
    expect(room.lost).toEqual(['bob']);
  });

  test('in another order, twice, or to nothing that was sent', async () => {
    const { answer } = silently(bob);
    for (const text of ['one', 'two', 'three']) await says(text);
    const [one = last(bob), two = last(bob), three = last(bob)] = bob.sends;
    await answer(three);
    await answer({ ...three, transactionId: 'unknown' });
    await answer(three, 403);
    await answer(one);
    await answer(one, 403);
    expect(atBob()).toEqual([delivered, delivered].map((how) => expect.objectContaining(how)));
    await answer(two);
    expect(atBob()).toMatchObject([delivered, delivered, delivered]);
  });

  test('in a REPORT of success: nothing, as its answer is what counts', async () => {
    const { answer } = silently(bob);
    await says('one');
    bob.report(msrpHeader(last(bob), 'Message-ID') ?? '', '000 200 OK');
    await settled();
    expect(atBob()).toEqual([]);
    await answer(last(bob), 423);
    expect(atBob()).toMatchObject([{ outcome: 'failed', status: 423 }]);
  });
});

describe('a receiver that reads and answers late', () => {
  const content = chatLine('x'.repeat(600_000));

  /** The whole in one chunk, as a network brings it. */
  async function sendsAll(): Promise<void> {
    const { octets } = alice.written({ messageId: 'long', body: content, range: `1-*/${content.length}` });
    for (let at = 0; at < octets.length; at += 64 * 1024) {
      alice.carrier.say(octets.subarray(at, at + 64 * 1024));
      await settled();
    }
  }

  test('has no more of a large message on its way to it than its window', async () => {
    const { answer } = silently(bob);
    await sendsAll();
    let answered = 0;
    for (let waiting = bob.sends; waiting.length > 0; waiting = bob.sends.slice(answered)) {
      const octets = waiting.reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
      expect(octets).toBeLessThanOrEqual(2 * limits.msrpWindowBytes);
      expect(alice.carrier.isPaused || alice.carrier.unreadBytes === 0).toBe(true);
      await answer(waiting[0] ?? expect.fail());
      answered += 1;
    }
    expect([bob.messages, ted.messages]).toEqual([[shortOf(content)], [shortOf(content)]]);
  });

  test('or never loses it, and the others do not wait for long', async () => {
    silently(bob);
    await sendsAll();
    expect(ted.messages).toEqual([]);
    room.clock.turn(limits.msrpPatienceMs);
    for (let i = 0; i < 100 && ted.messages.length === 0; i += 1) await settled();
    expect(ted.messages).toEqual([shortOf(content)]);
    expect(bob.aborted).toHaveLength(1);
  });
});

describe('CC-168 a receiver that does not answer', () => {
  test('in 30 s has not got the message, and is taken for gone; the others are not', async () => {
    silently(bob);
    await says('one');
    room.clock.turn(limits.msrpAnswerTimeoutMs - 1);
    expect(room.lost).toEqual([]);
    room.clock.turn(1);
    expect(atBob()).toMatchObject([{ outcome: 'failed', status: 408, reason: 'it did not answer in time' }]);
    expect(room.lost).toEqual(['bob']);
    expect(room.told[0]?.deliveries[1]).toMatchObject({ endpointId: 'ted', outcome: 'delivered' });
  });

  test('to one message, though it does to later ones', async () => {
    const { answer } = silently(bob);
    await says('one');
    for (let second = 0; second < 29; second += 1) {
      await says('more');
      await answer(last(bob));
      room.clock.turn(1_000);
    }
    expect(room.lost).toEqual([]);
    room.clock.turn(1_000);
    expect(room.lost).toEqual(['bob']);
  });

  test('fast, but in order, is slow and not gone', async () => {
    const { answer } = silently(bob);
    const waiting: MsrpRequest[] = [];
    for (let second = 0; second < 200; second += 1) {
      await says('more');
      waiting.push(last(bob));
      const oldest = second > 60 ? waiting.shift() : undefined;
      if (second === 25 || second === 50) await answer(waiting.shift() ?? expect.fail());
      if (oldest !== undefined) await answer(oldest);
      room.clock.turn(1_000);
    }
    expect(room.lost).toEqual([]);
  });

  test('once it has answered has no time that runs', async () => {
    await says('one');
    room.clock.turn(2 * limits.msrpAnswerTimeoutMs);
    expect(room.clock.nextDue).toBeUndefined();
    expect(room.lost).toEqual([]);
  });

  test('is sent no more than so much', async () => {
    silently(bob);
    await saysManyTimes(limits.msrpUnansweredMax + 2, chatLine('Hello'));
    expect(bob.messages).toHaveLength(limits.msrpUnansweredMax);
    room.report();
    const losses = room.reported.flatMap(({ losses }) => losses);
    expect(losses).toEqual([{ endpointId: 'bob', reason: 'congested', count: 2 }]);
    expect(ted.messages).toHaveLength(limits.msrpUnansweredMax + 2);
  });
});

describe('a receiver that does not read', () => {
  const line = chatLine('x'.repeat(9_000));

  test('loses what its queue does not hold, which is counted, and hears the rest when it reads on', async () => {
    bob.carrier.stopReading();
    const count = Math.ceil(limits.msrpQueueBytesMax / line.length) + 20;
    await saysManyTimes(count, line);
    expect(ted.messages).toHaveLength(count);
    expect(bob.connection.waitingBytesMost).toBeLessThanOrEqual(limits.msrpQueueBytesMax);
    bob.carrier.readOn();
    await settled();
    const lost = count - bob.messages.length;
    expect(lost).toBeGreaterThan(0);
    room.report();
    const losses = room.reported.flatMap((switched) => switched.losses);
    expect(losses).toEqual([{ endpointId: 'bob', reason: 'congested', count: lost }]);
    await says('heard again');
    expect(bob.messages).toHaveLength(count - lost + 1);
  });

  test('has its own requests answered, and is told what was given up, though its queue is full', async () => {
    const long = chatLine('x'.repeat(60_000));
    alice.chunk({ messageId: 'long', body: long.subarray(0, 40_000), range: `1-40000/${long.length}`, flag: '+' });
    await settled();
    bob.carrier.stopReading();
    await saysManyTimes(200, line);
    const answered = bob.chunk({ messageId: 'mine', body: null });
    alice.chunk({ messageId: 'long', body: null, range: `40001-*/${long.length}`, flag: '#' });
    await settled();
    bob.carrier.readOn();
    await settled();
    expect(bob.answers.get(answered)).toBe(200);
    expect(bob.aborted).toHaveLength(1);
  });

  test('and has not after 30 s is closed as stalled', async () => {
    bob.carrier.stopReading();
    await saysManyTimes(200, line);
    room.clock.turn(limits.msrpStallMs);
    await settled();
    expect(room.lost).toEqual(['bob']);
    expect(bob.carrier.isClosed).toBe(true);
  });
});
