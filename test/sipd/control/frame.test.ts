import { describe, expect, test } from 'vitest';
import { FrameReader, writeFrame } from '../../../src/sipd/control/frame.ts';
import { RingReader, readBytes, ringBytes } from '../../../src/sipd/control/ring.ts';

type Reader = { push: (chunk: string) => { frames: readonly string[]; broken: string | null } };

function read(reader: Reader, ...chunks: string[]): { frames: string[]; broken: string | null } {
  const frames: string[] = [];
  for (const chunk of chunks) {
    const reading = reader.push(chunk);
    frames.push(...reading.frames);
    if (reading.broken !== null) return { frames, broken: reading.broken };
  }
  return { frames, broken: null };
}

describe.each([
  ['FrameReader', () => new FrameReader(99_999)],
  ['RingReader', () => new RingReader()],
] as const)('%s', (_, make) => {
  const payloads = ['id|ping', '', 'id|sip||\r\nOPTIONS sip:a#b|c SIP/2.0\r\n\r\n12#34', 'gr\u00c3\u00bc\u00c3\u009f'];
  const stream = payloads.map(writeFrame).join('');

  test('split at every byte the payloads are the same', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      expect(read(make(), stream.slice(0, at), stream.slice(at))).toEqual({ frames: payloads, broken: null });
    }
    expect(read(make(), ...stream)).toEqual({ frames: payloads, broken: null });
  });

  test('a letter in the length, or too many digits, breaks the stream after what was whole', () => {
    expect(read(make(), '2#hi3x#')).toEqual({ frames: ['hi'], broken: 'frame length is no number' });
    expect(read(make(), '2#hi100000#')).toEqual({ frames: ['hi'], broken: 'frame length has too many digits' });
    expect(read(make(), '#')).toEqual({ frames: [], broken: 'frame without length' });
    expect(read(make(), '00001#x').frames).toEqual(['x']);
  });
});

test('a frame longer than allowed is refused as soon as its length is known', () => {
  expect(read(new FrameReader(5), '5#12345').frames).toEqual(['12345']);
  expect(read(new FrameReader(5), '6#')).toEqual({ frames: [], broken: 'frame too long' });
  expect(read(new FrameReader(50), '51#').broken).toBe('frame too long');
});

describe('the ring of the real daemon (12,228 octets, reads of 8,192)', () => {
  const frame = (octets: number): string => {
    const payload = octets - String(octets).length - 1;
    return writeFrame('x'.repeat(payload)).padEnd(octets, ' ').slice(0, octets);
  };

  test('frames are made to measure', () => {
    for (const octets of [100, 4_036, 5_000, 12_228]) expect(frame(octets)).toHaveLength(octets);
  });

  test('one frame of 12,228 octets passes, one more octet is fatal', () => {
    expect(read(new RingReader(), frame(ringBytes))).toMatchObject({ broken: null });
    expect(read(new RingReader(), frame(ringBytes + 1)).broken).toBe('ring buffer overrun');
    expect(read(new RingReader(), ...frame(ringBytes + 1)).broken).toBe('ring buffer overrun');
  });

  test('frames of up to 4,036 octets survive any burst', () => {
    const octets = ringBytes - readBytes;
    expect(octets).toBe(4_036);
    expect(read(new RingReader(), frame(octets).repeat(50))).toMatchObject({ broken: null });
    expect(read(new RingReader(), frame(3_000).repeat(60))).toMatchObject({ broken: null });
  });

  test('bursts of larger frames are fatal: 20 of 4.1 kB, 60 of 5 kB', () => {
    expect(read(new RingReader(), frame(4_100).repeat(20)).broken).toBe('ring buffer overrun');
    expect(read(new RingReader(), frame(5_000).repeat(60)).broken).toBe('ring buffer overrun');
  });

  test('large frames one by one, each after the last was taken, pass', () => {
    const reader = new RingReader();
    for (let count = 0; count < 60; count += 1) expect(read(reader, frame(12_000)).frames).toHaveLength(1);
  });

  test('whatever is never more than 12,228 octets in flight passes, however reads fall', () => {
    const burst = frame(5_000) + frame(4_000) + frame(3_228);
    expect(burst).toHaveLength(ringBytes);
    for (let at = 0; at <= burst.length; at += 251) {
      expect(read(new RingReader(), burst.slice(0, at), burst.slice(at)).frames).toHaveLength(3);
    }
  });
});
