import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MsrpHead } from '../../src/wire/msrp.ts';
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';

const wholeBytesMax = 100;

function read(...parts: readonly string[]): readonly MsrpFrame[] {
  const reader = new MsrpReader({ wholeBytesMax });
  return joined(parts.flatMap((part) => reader.push(Buffer.from(part, 'latin1'))));
}

/** Pieces of one body as one, since where it is split means nothing. */
function joined(frames: readonly MsrpFrame[]): readonly MsrpFrame[] {
  const all: MsrpFrame[] = [];
  for (const frame of frames) {
    const last = all.at(-1);
    if (frame.kind !== 'piece' || last?.kind !== 'piece') all.push(frame);
    else all[all.length - 1] = { kind: 'piece', octets: Buffer.concat([last.octets, frame.octets]) };
  }
  return all;
}

/** What frames give that are read each by a reader of its own, until one is unreadable. */
function readAlone(frames: readonly string[]): readonly MsrpFrame[] {
  const all: MsrpFrame[] = [];
  for (const each of frames) {
    if (all.at(-1)?.kind === 'unreadable') break;
    all.push(...read(each));
  }
  return joined(all);
}

const to = 'To-Path: msrp://focus:1/a;tcp';
const from = 'From-Path: msrp://bob:2/b;tcp';
const usually = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...others) });

/** A frame: its first line, its header lines, and what follows them. */
type Written = { readonly before: string; readonly head: string; readonly rest: string };

const written = ({ before, head, rest }: Written): string => `${before}${head}${rest}`;

const ids = fc.constantFrom('aaaa', 'b', 'bb', 'cccc1', 'a.b', 'x'.repeat(32));
const extras = fc.constantFrom(
  ...['Message-ID: q', 'X:', 'x-y: é', 'X: a\tb', 'X: a\x01', 'X: a\rb', 'X: a\nb', 'X', ': y', ' folded', '-------'],
  ...['-------bb: 1', '-------aaaa: 1', to, 'Content-Type: text/plain', 'From-Path:', `X: ${'p'.repeat(900)}`],
);
const heads = fc
  .record({
    toLine: usually(to, `${to}  msrp://relay:3/c;tcp`, 'To-Path: msrp://focus:1/c;tcp', 'X-Path: a'),
    fromLine: usually(from, from.replace('bob', 'ted'), `${from} é`, from.toLowerCase()),
    more: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(extras, { maxLength: 2 })),
  })
  .map(({ toLine, fromLine, more }) => [toLine, fromLine, ...more].map((line) => `${line}\r\n`).join(''));
const blanks = usually('', '\r\n');

const responses = fc
  .record({
    id: ids,
    line: usually('200 OK', '200', '413 né', '20'),
    head: heads,
    blank: blanks,
    flag: usually('$', '#', ''),
  })
  .map(({ id, line, head, blank, flag }): Written => {
    return { before: `${blank}MSRP ${id} ${line}\r\n`, head, rest: `-------${id}${flag}\r\n` };
  });

const bodies = fc.constantFrom(
  ...['', 'hi', '\r\n', '\r\n\r\n', 'x'.repeat(wholeBytesMax + 50), '\r\n-------ID', '\r\n-------ID!\r\n'],
  `MSRP ID 200 OK\r\n${to}\r\n${from}\r\n------ID$\r\n`,
);
const requests = fc
  .record({
    id: ids,
    method: usually('SEND', 'REPORT'),
    head: heads,
    body: fc.option(bodies),
    flag: usually('$', '+', '!'),
  })
  .map(({ id, method, head, body, flag }): Written => {
    const content = body === null ? '' : `\r\n${body.replaceAll('ID', id)}\r\n`;
    // A line that is no end-line is body, which the next frame must not end.
    const end = flag === '!' && body !== null ? `-------${id}!\r\n-------${id}$\r\n` : `-------${id}${flag}\r\n`;
    return { before: `MSRP ${id} ${method}\r\n`, head, rest: `${content}${end}` };
  });

const streams = fc.array(fc.oneof({ weight: 2, arbitrary: responses }, requests), { minLength: 1, maxLength: 8 });

describe('a frame is read alike', () => {
  test('whatever came before it', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const frames = stream.map(written);
        expect(read(frames.join(''))).toEqual(readAlone(frames));
      }),
      { numRuns: 1_000 },
    );
  });

  test('wherever the stream is split', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(2_000), { maxLength: 6 }), (stream, cuts) => {
        const octets = stream.map(written).join('');
        const places = [0, ...cuts.toSorted((a, b) => a - b), octets.length];
        expect(read(...places.map((place, i) => octets.slice(place, places[i + 1])))).toEqual(read(octets));
      }),
      { numRuns: 1_000 },
    );
  });

  test('whether its head is short or long', () => {
    fc.assert(
      fc.property(requests, ({ before, head, rest }) => {
        const long = written({ before, head: `${head}X-Padding: ${'p'.repeat(1_100)}\r\n`, rest });
        expect(read(long).map(withoutPadding)).toEqual(read(`${before}${head}${rest}`));
      }),
      { numRuns: 1_000 },
    );
  });
});

function withoutPadding(frame: MsrpFrame): MsrpFrame {
  const without = <H extends MsrpHead>(head: H): H => {
    return { ...head, headers: head.headers.filter(({ name }) => name !== 'X-Padding') };
  };
  if (frame.kind === 'unreadable') return { ...frame, request: frame.request && without(frame.request) };
  return 'headers' in frame ? without(frame) : frame;
}
