import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { responseTo, writeMsrpResponse } from '../../src/wire/msrp.ts';
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
async function aliceSends(messageId: string): Promise<void> {
  const { octets } = alice.written({ messageId, body: content, range: `1-*/${content.length}` });
  for (let at = 0; at < octets.length; at += 64 * 1024) {
    alice.carrier.say(octets.subarray(at, at + 64 * 1024));
    await settled();
  }
}

/**
 * Bob answers each so many milliseconds what makes room for one more chunk, until Ted has a message more; gives how long that
 * took.
 */
async function bobAnswersEach(ms: number): Promise<number> {
  const [began, had] = [room.clock.now(), ted.messages.length];
  bob.answer = () => 'none';
  await aliceSends(`long-${had}`);
  for (let answered = 0; ted.messages.length === had; ) {
    room.clock.turn(ms);
    let waitingBytes = bob.sends.slice(answered).reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
    for (; waitingBytes > limits.msrpWindowBytes - limits.messagePartBytes; answered += 1) {
      const request = bob.sends[answered] ?? expect.fail();
      waitingBytes -= request.body?.length ?? 0;
      bob.carrier.say(writeMsrpResponse(responseTo(request, 200, null)));
    }
    await settled();
  }
  return room.clock.now() - began;
}

describe('RFC 7701 6.4 a receiver of a large message that is slow, but never stands still', () => {
  test('holds up the others for no longer than its pace is worth, and then loses the message', async () => {
    const chunkMs = limits.msrpPatienceMs - 100;
    expect(await bobAnswersEach(chunkMs)).toBeLessThan(5 * limits.msrpPatienceMs);
    expect([bob.aborted.length, bob.messages.length]).toEqual([1, 0]);
    expect(ted.messages).toEqual([shortOf(content)]);
  });

  test('and reads fast enough is waited for to the end', async () => {
    const chunkMs = (limits.messagePartBytes / limits.msrpPaceBytes) * 900;
    expect(await bobAnswersEach(chunkMs)).toBeLessThan(longestMs);
    expect([bob.aborted.length, bob.messages]).toEqual([0, [shortOf(content)]]);
  });
});
