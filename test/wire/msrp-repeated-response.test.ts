import { describe, expect, test } from 'vitest';
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';

const paths = 'To-Path: msrp://focus:1/a;tcp\r\nFrom-Path: msrp://bob:2/b;tcp\r\n';

function response(id: string, { line = '200 OK', lines = paths, end = `-------${id}$` } = {}): string {
  return `MSRP ${id} ${line}\r\n${lines}${end}\r\n`;
}

/** What each kind of response that may follow another is written as. */
const kinds: readonly ((id: string) => string)[] = [
  (id) => response(id),
  (id) => response(id, { line: '200' }),
  (id) => response(id, { line: '413 OK' }),
  (id) => response(id, { lines: paths.replace('bob', 'ted') }),
  (id) => response(id, { lines: `${paths}X-Other: 1\r\n` }),
  (id) => response(id, { lines: `${paths}-------cccc1: 1\r\n` }),
  (id) => response(id, { end: `-------${id}#` }),
  (id) => `\r\n${response(id)}`,
  (id) => response(id).replace(' 200', ' SEND').replace(' OK', ''),
];

/** What is no frame, or another than it looks like. */
const faults: readonly ((id: string) => string)[] = [
  (id) => response(id, { end: `------${id}$$` }),
  (id) => response(id, { end: `-------${id.replace(/.$/, '_')}$` }),
  (id) => response(id, { end: `-------${id}!` }),
  (id) => response(id).replace('MSRP ', 'MSRQ '),
  (id) => response(`_${id}`),
  (id) => response(id.padEnd(33, 'x')),
  (id) => response(id, { lines: paths.replace('To-Path', 'To_Path') }),
];

function read(octets: string): readonly MsrpFrame[] {
  return new MsrpReader({ wholeBytesMax: 100 }).push(Buffer.from(octets, 'latin1'));
}

describe('a response is read as if none had come before it', () => {
  const pairs = kinds.flatMap((first) => [...kinds, ...faults].map((second) => [first, second] as const));

  test('whatever follows what', () => {
    for (const [first, second] of pairs)
      expect(read(first('aaaa1') + first('bbbb22') + second('cccc1'))).toEqual([
        ...read(first('aaaa1')),
        ...read(first('bbbb22')),
        ...read(second('cccc1')),
      ]);
  });

  test('CC-155 wherever it is split', () => {
    const octets = Buffer.from(response('aaaa1') + response('bbbb22') + response('c3') + response('aaaa1'), 'latin1');
    for (let at = 0; at <= octets.length; at += 1) {
      const reader = new MsrpReader({ wholeBytesMax: 100 });
      const frames = [...reader.push(octets.subarray(0, at)), ...reader.push(octets.subarray(at))];
      expect(frames).toEqual(read(octets.toString('latin1')));
      expect(frames).toHaveLength(4);
    }
  });
});
