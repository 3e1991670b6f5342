import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, type MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, longLine } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

describe('CC-185 while a large message comes', () => {
  const content = longLine(60_000);

  test('who joins does not get its rest, who leaves gets no more, the others get the whole', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted']);
    alice.part(content, [1, 20_000]);
    await settled();
    const carol = room.join('carol');
    room.close(room.sessions.byEndpointId('ted'));
    room.route(['alice', 'bob', 'carol']);
    const sentToTed = ted.sends.length;
    alice.part(content, [20_001, 60_000]);
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
    alice.part(content, [1, 40_000]);
    alice.chunk({ messageId: 'short', body: chatLine('Hello') });
    await settled();
    expect(bob.messages).toEqual([shortOf(chatLine('Hello'))]);
    alice.part(content, [40_001, 60_000]);
    await settled();
    expect(bob.messages).toEqual([shortOf(chatLine('Hello')), shortOf(content)]);
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
