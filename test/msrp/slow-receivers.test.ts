import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { responseTo, writeMsrpResponse } from '../../src/wire/msrp.ts';
import { clearGarbage } from '../support/garbage.ts';
import { settled } from './memory-carrier.ts';
import { type Member, MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;
let ted: Member;

beforeEach(async () => {
  room = new MemoryRoom({ maxSize: 10_000_000 });
  [alice, bob, ted] = [room.join('alice'), room.join('bob'), room.join('ted')];
  room.route(['alice', 'bob', 'ted']);
  await settled();
});

const content = Buffer.concat([chatLine(''), Buffer.alloc(1_000_000, 97)]);

/** How long all of them together may hold up the others of a message, beside what one chunk takes. */
const longestMs = limits.msrpPatienceMs + (content.length / limits.msrpPaceBytes) * 1_000;

/** Alice sends all of it as fast as it is read of her. */
async function aliceSends(messageId: string, body = content): Promise<void> {
  const { octets } = alice.written({ messageId, body, range: `1-*/${body.length}` });
  for (let at = 0; at < octets.length; at += 64 * 1024) {
    alice.carrier.say(octets.subarray(at, at + 64 * 1024));
    await settled();
  }
}

/**
 * These answer each so many milliseconds what makes room for one more chunk, until they and Ted have a message of Alice's or
 * lost it; gives how long that took.
 */
async function answerEach(ms: number, ...slow: readonly Member[]): Promise<number> {
  const began = room.clock.now();
  const answered = new Map(slow.map((member) => [member, 0]));
  for (const member of slow) member.answer = () => 'none';
  await aliceSends('long');
  const isOpen = ({ aborted, messages }: Member): boolean => aborted.length + messages.length === 0;
  while ([...slow, ted].some(isOpen) && room.clock.now() < began + 10 * longestMs) {
    room.clock.turn(ms);
    for (const [member, count] of answered) answered.set(member, answerSome(member, count));
    await settled();
  }
  return room.clock.now() - began;
}

/** Answers, after so many, what makes room for one more chunk; gives how many are answered now. */
function answerSome(member: Member, count: number): number {
  let answered = count;
  let waitingBytes = member.sends.slice(answered).reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
  for (; waitingBytes > limits.msrpWindowBytes - limits.messagePartBytes; answered += 1) {
    const request = member.sends[answered] ?? expect.fail();
    waitingBytes -= request.body?.length ?? 0;
    member.carrier.say(writeMsrpResponse(responseTo(request, 200, null)));
  }
  return answered;
}

describe('RFC 7701 6.4 a receiver of a large message that is slow, but never stands still', () => {
  test('holds up the others for no longer than its pace is worth, and then loses the message', async () => {
    const chunkMs = limits.msrpPatienceMs - 100;
    expect(await answerEach(chunkMs, bob)).toBeLessThan(5 * limits.msrpPatienceMs);
    expect([bob.aborted.length, bob.messages.length]).toEqual([1, 0]);
    expect(ted.messages).toEqual([shortOf(content)]);
  });

  test('and reads fast enough is waited for to the end', async () => {
    const chunkMs = (limits.messagePartBytes / limits.msrpPaceBytes) * 900;
    expect(await answerEach(chunkMs, bob)).toBeLessThan(longestMs);
    expect([bob.aborted.length, bob.messages]).toEqual([0, [shortOf(content)]]);
  });

  test('as most are, holds up nobody, and gets all of it', async () => {
    await answerEach(limits.msrpPatienceMs - 100, bob, ted);
    for (const { aborted, messages } of [bob, ted]) expect([aborted.length, messages]).toEqual([0, [shortOf(content)]]);
  });
});

describe('a large message to who is behind one relay with others', () => {
  test('does not wait for answers that come behind it, when its sender is there, too', async () => {
    room.joinBeside(alice, 'carol');
    room.route(['alice', 'carol', 'ted']);
    for (let at = 0; at < content.length; at += 10_000) {
      const flag = at + 10_000 < content.length ? '+' : '$';
      alice.chunk({ messageId: 'long', body: content.subarray(at, at + 10_000), range: `${at + 1}-*/*`, flag });
    }
    for (let i = 0; i < 20; i += 1) await settled();
    expect(ted.messages).toEqual([shortOf(content)]);
    expect(alice.messages).toEqual([shortOf(content)]);
  });

  test('finds as much room there as if each of them had a connection of its own', async () => {
    const behind = Array.from({ length: 100 }, (_, i) => `behind-${i}`);
    for (const name of behind) room.joinBeside(bob, name);
    room.route(['alice', ...behind]);
    alice.chunk({ messageId: 'short', body: content.subarray(0, 10_000) });
    await settled();
    await aliceSends('long', content.subarray(0, 100_000));
    room.report();
    const outcomes = room.told.flatMap(({ deliveries }) => deliveries.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(Array<string>(200).fill('delivered'));
  });

  test('leaves nothing of its session once that is over, though the relay stays', async () => {
    room.joinBeside(bob, 'carol');
    const carol = new WeakRef(room.sessions.byEndpointId('carol') ?? expect.fail());
    carol.deref()?.whenRelieved(() => undefined);
    room.close(carol.deref());
    await new Promise(setImmediate);
    clearGarbage();
    expect(carol.deref()).toBeUndefined();
  });
});
