import { describe, expect, test } from 'vitest';
import { FrameWatch } from '../../../src/sipd/transport/websocket-frames.ts';

type Frame = { readonly opcode: number; readonly fin: boolean; readonly length: number; readonly masked?: boolean };

/** A frame by RFC 6455 5.2, its payload zeros. */
function frame({ opcode, fin, length, masked = true }: Frame): Buffer {
  const mask = masked ? 128 : 0;
  const first = (fin ? 128 : 0) + opcode;
  let header: Buffer;
  if (length < 126) header = Buffer.from([first, mask + length]);
  else if (length < 65_536) header = Buffer.from([first, mask + 126, length >> 8, length & 255]);
  else {
    header = Buffer.alloc(10);
    header.writeUInt8(first);
    header.writeUInt8(mask + 127, 1);
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), Buffer.alloc(length)]);
}

describe('following the frames of a WebSocket', () => {
  test.each([0, 1, 125, 126, 65_535, 65_536])(
    'a frame of %i octets is whole with its last octet, not before',
    (length) => {
      for (const masked of [true, false]) {
        const octets = frame({ opcode: 1, fin: true, length, masked });
        const watch = new FrameWatch();
        expect(watch.partial).toBe(false);
        watch.push(octets.subarray(0, 1));
        expect(watch.partial).toBe(true);
        watch.push(octets.subarray(1, -1));
        expect(watch.partial).toBe(true);
        watch.push(octets.subarray(-1));
        expect(watch.partial).toBe(false);
      }
    },
  );

  test('split at every octet it says the same', () => {
    const octets = Buffer.concat([
      frame({ opcode: 1, fin: true, length: 3 }),
      frame({ opcode: 9, fin: true, length: 0 }),
      frame({ opcode: 2, fin: true, length: 130 }),
    ]);
    const ends = new Set([0, 9, 15, octets.length]);
    for (let at = 0; at <= octets.length; at += 1) {
      const watch = new FrameWatch();
      watch.push(octets.subarray(0, at));
      expect([at, watch.partial]).toEqual([at, !ends.has(at)]);
      watch.push(octets.subarray(at));
      expect(watch.partial).toBe(false);
    }
  });

  test('a message in fragments is whole with its last one; a ping between them ends nothing', () => {
    const watch = new FrameWatch();
    watch.push(frame({ opcode: 1, fin: false, length: 5 }));
    expect([watch.partial, watch.held]).toEqual([true, 5]);
    watch.push(frame({ opcode: 9, fin: true, length: 5 }));
    expect(watch.partial).toBe(true);
    watch.push(frame({ opcode: 0, fin: false, length: 5 }));
    expect(watch.partial).toBe(true);
    watch.push(frame({ opcode: 0, fin: true, length: 5 }));
    expect([watch.partial, watch.held]).toEqual([false, 0]);
  });
});
