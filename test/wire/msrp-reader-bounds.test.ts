import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMessageId } from '../../src/wire/msrp.ts';
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';
import { bodiless, focus, kindsOf, ok, read, readOne, readRequest, regular } from './msrp-frames.ts';

describe('a long body', () => {
  // All that might be taken for the end, at a distance from it that lets any piece end anywhere in it.
  const decoys = [
    '\r\n-------3490visdm*\r\n',
    '\r\n-------3490visdm$\r\r\n',
    '\r\n-------3490visd',
    '\r\r\r\n\r\n------',
    'MSRP 1234 SEND\r\n\r\n',
    '-------3490visdm$\r\n',
    '\r\n -------3490visdm$\r\n',
  ].join('x');
  const body = `${'a'.repeat(30)}${decoys}\r\n`;
  const [head = ''] = regular.split('\r\n\r\n');
  const framed = `${head}\r\n\r\n${body}\r\n-------3490visdm+\r\n`;
  const stream = Buffer.from([bodiless, framed, ok, framed, framed, regular].join(''));

  /** What the frames of a stream say, however its bodies were split. */
  function said(frames: readonly MsrpFrame[]): unknown[] {
    const texts: unknown[] = [];
    let pieces: Buffer[] = [];
    for (const frame of frames) {
      if (frame.kind === 'piece') {
        expect(frame.octets.length).toBeGreaterThan(0);
        pieces.push(Buffer.from(frame.octets));
      } else if (frame.kind === 'end') {
        texts.push(['end', frame.flag, Buffer.concat(pieces).toString()]);
        pieces = [];
      } else {
        expect(pieces).toEqual([]);
        texts.push(frame.kind === 'begin' ? ['begin', frame.transactionId, frame.headers.length] : frame);
      }
    }
    return texts;
  }

  const whole = said(read(stream, 40));

  test('is begun, given in pieces, and ended with its flag', () => {
    expect(kindsOf(read(framed, 40))).toEqual(['begin', 'piece', 'end']);
    expect(whole.slice(1, 4)).toEqual([
      ['begin', '3490visdm', 3],
      ['end', '+', body],
      expect.objectContaining({ kind: 'response' }),
    ]);
    expect(whole).toHaveLength(9);
  });

  test('CC-155 QK-22 is read the same wherever the stream is split once', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const reader = new MsrpReader({ wholeBytesMax: 40 });
      const [before, after] = [reader.push(stream.subarray(0, at)), reader.push(stream.subarray(at))];
      expect(said([...before, ...after])).toEqual(whole);
    }
  });

  test.each([1, 2, 3, 7, 16, 64])('CC-155 is read the same in segments of %i octets', (size) => {
    const reader = new MsrpReader({ wholeBytesMax: 40 });
    const frames: MsrpFrame[] = [];
    for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
    expect(said(frames)).toEqual(whole);
  });

  test('any split gives the same octets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(stream.length), { maxLength: 12 }),
        fc.integer({ min: 20, max: 300 }),
        (cuts, max) => {
          const reader = new MsrpReader({ wholeBytesMax: max });
          const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
          const frames = places.flatMap((at, i) => reader.push(stream.subarray(at, places[i + 1] ?? stream.length)));
          expect(said(frames)).toEqual(said(read(stream, max)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('its pieces are views of what was pushed, and nothing of it is kept', () => {
    const reader = new MsrpReader({ wholeBytesMax: 10 });
    expect(kindsOf(reader.push(Buffer.from(framed.slice(0, framed.indexOf(body) + 20))))).toEqual(['begin', 'piece']);
    const octets = Buffer.alloc(5_000, 'b');
    const [piece] = reader.push(octets);
    octets.fill('c');
    expect(piece).toEqual({ kind: 'piece', octets: Buffer.alloc(5_000, 'c') });
  });

  test('that is aborted ends so', () => {
    const frames = read(framed.replace(/\+\r\n$/, '#\r\n'), 40);
    expect(frames.at(-1)).toEqual({ kind: 'end', flag: '#' });
  });
});

describe('bounds', () => {
  const filled = (length: number): string => regular.replace('Hello guys, how are you today?', 'x'.repeat(length));

  test('a SEND with a body of the bound is one frame, with one octet more it comes in pieces, and the next frame is read', () => {
    expect(kindsOf(read(filled(1_000) + bodiless))).toEqual(['request', 'request']);
    const frames = read(filled(1_001) + bodiless);
    expect(kindsOf(frames)).toEqual(['begin', 'piece', 'end', 'request']);
    expect(frames[0]).toMatchObject({ method: 'SEND', transactionId: '3490visdm', toPath: [focus] });
  });

  test('the body of another request has 10,240 octets at most, and what comes after a longer one is read', () => {
    const report = (length: number): string => filled(length).replace('SEND', 'REPORT');
    expect(kindsOf(read(report(10_240) + bodiless))).toEqual(['request', 'request']);
    const [oversize, next] = read(report(10_241) + bodiless);
    expect(oversize).toMatchObject({ kind: 'oversize', method: 'REPORT', transactionId: '3490visdm', toPath: [focus] });
    expect(next?.kind).toBe('request');
  });

  test('an oversize body is announced before it ends, once, however it is split', () => {
    const octets = Buffer.from(filled(15_000).replace('SEND', 'NICKNAME'));
    const reader = new MsrpReader({ wholeBytesMax: 1_000 });
    expect(kindsOf(reader.push(octets.subarray(0, 12_000)))).toEqual(['oversize']);
    for (const octet of octets.subarray(12_000)) expect(reader.push(Buffer.from([octet]))).toEqual([]);
    expect(reader.push(Buffer.from(bodiless))).toHaveLength(1);
  });

  test('a header line of 4 KiB is taken, one octet more is not', () => {
    const line = (length: number): string => `X: ${'y'.repeat(length - 5)}\r\n`;
    const withLine = (length: number): string => bodiless.replace('Message-ID', `${line(length)}Message-ID`);
    expect(readOne(withLine(4_096)).kind).toBe('request');
    expect(readOne(withLine(4_097)).kind).toBe('unreadable');
    expect(readOne(`MSRP ${'a'.repeat(4_200)}`).kind).toBe('unreadable');
  });

  test('a header section of 8 KiB is taken, one octet more is not', () => {
    const padded = (length: number): string => {
      const line = `X: ${'y'.repeat(995)}\r\n`;
      const head = bodiless.replace('Message-ID', `${line.repeat(7)}Message-ID`);
      const rest = length - head.length - 5;
      return head.replace('Message-ID', `X: ${'y'.repeat(rest)}\r\nMessage-ID`);
    };
    expect(padded(8_192)).toHaveLength(8_192);
    expect(readOne(padded(8_192)).kind).toBe('request');
    expect(readOne(padded(8_193)).kind).toBe('unreadable');
    const unfinished = padded(8_300);
    expect(readOne(unfinished.slice(0, unfinished.indexOf('Message-ID'))).kind).toBe('unreadable');
  });

  test('a transaction id of 32 characters is taken, 33 are not', () => {
    const withId = (length: number): string => bodiless.replaceAll('a786hjs2', 'a'.repeat(length));
    expect(readRequest(withId(32)).transactionId).toHaveLength(32);
    expect(readOne(withId(33)).kind).toBe('unreadable');
  });

  test('QK-40 a Message-ID of 1 to 64 characters is taken', () => {
    expect(['452', 'a', 'a'.repeat(64)].every(isMessageId)).toBe(true);
    expect(['', 'a'.repeat(65), 'a b', 'ä'].some(isMessageId)).toBe(false);
  });
});
