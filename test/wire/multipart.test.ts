import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinMultipart, splitMultipart } from '../../src/wire/multipart.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { crlf } from '../support/bodies.ts';

const split = (body: string, boundary = 'b1', parts = 16) => splitMultipart(body, boundary, { parts });

test('parts are cut out to the character, preamble and epilogue fall away', () => {
  const body =
    'a preamble\r\n--b1\r\nContent-Type: text/plain\r\nX-Folded: one\r\n  two\r\n\r\nfirst\r\n\r\n--b1 \t\r\n\r\nsecond\r\nline\r\n--b1--\r\nan epilogue\r\n--b1\r\n\r\nnothing';
  expect(split(body)).toEqual([
    {
      headers: [
        { name: 'Content-Type', value: 'text/plain' },
        { name: 'X-Folded', value: 'one two' },
      ],
      body: 'first\r\n',
    },
    { headers: [], body: 'second\r\nline' },
  ]);
});

test('bare line feeds are taken', () => {
  expect(split('--b1\nA: b\n\nx\n--b1--\n')).toEqual([{ headers: [{ name: 'A', value: 'b' }], body: 'x' }]);
});

test('a delimiter stands at the beginning of a line, alone and whole', () => {
  const body = crlf('--b1', '', ' --b1', 'x --b1', '--b10', '--b1x', '--b', '-- b1', '--b1-', '--b1--');
  expect(split(body)).toEqual([
    { headers: [], body: [' --b1', 'x --b1', '--b10', '--b1x', '--b', '-- b1', '--b1-'].join('\r\n') },
  ]);
});

test('parts may be empty, may have headers only, and the last may lack its close delimiter', () => {
  expect(split('--b1\r\n--b1\r\n\r\n--b1\r\nA: b\r\n--b1\r\nA: b\r\n\r\n--b1\r\n\r\nx\r\n')).toEqual([
    { headers: [], body: '' },
    { headers: [], body: '' },
    { headers: [{ name: 'A', value: 'b' }], body: '' },
    { headers: [{ name: 'A', value: 'b' }], body: '' },
    { headers: [], body: 'x\r\n' },
  ]);
});

test('every character of a boundary means itself', () => {
  const boundary = "a'()+_,-./:=?9 z";
  const body = joinMultipart([{ headers: [], body: 'x' }], boundary);
  expect(split(body, boundary)).toEqual([{ headers: [], body: 'x' }]);
  expect(() => split(body, boundary.replace('.', 'x'))).toThrow(RemoteError);
});

test.each([
  ['without delimiter', 'text', 'b1'],
  ['that is empty', '', 'b1'],
  ['without boundary', '--\r\n\r\nx\r\n----', ''],
  ['with a boundary over 70 characters', `--${'b'.repeat(71)}--`, 'b'.repeat(71)],
  ['with a boundary that is none', '--b*\r\n\r\nx\r\n--b*--', 'b*'],
  ['with a header that is none', '--b1\r\nno header\r\n\r\nx\r\n--b1--', 'b1'],
  ['with a header without name', '--b1\r\n: x\r\n\r\nx\r\n--b1--', 'b1'],
])('a body %s is refused with 400', (_, body, boundary) => {
  expect(() => split(body, boundary)).toThrow(RemoteError);
});

test('more parts than allowed are refused with 400', () => {
  const body = (count: number): string => joinMultipart(new Array(count).fill({ headers: [], body: 'x' }), 'b1');
  expect(split(body(16))).toHaveLength(16);
  expect(() => split(body(17))).toThrow(RemoteError);
  expect(() => split(body(17).replace('--b1--', ''))).toThrow(RemoteError);
});

test('what was joined splits into what it was', () => {
  const content = fc
    .string({ unit: fc.constantFrom('a', '\r\n', '--', 'b1', ' ', '\r', '\n', ':', 'ä'), maxLength: 20 })
    .filter((text) => !`\n${text}`.includes('\n--b1'));
  const header = fc.record({
    name: fc.stringMatching(/^[A-Za-z-]{1,8}$/),
    value: fc.stringMatching(/^(?:[a-z"=][a-z ;"=]{0,8}[a-z"=])?$/),
  });
  const parts = fc.array(fc.record({ headers: fc.array(header, { maxLength: 2 }), body: content }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(parts, (value) => {
      expect(split(joinMultipart(value, 'b1'))).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test('a boundary that occurs in a part is our own mistake', () => {
  expect(() => joinMultipart([{ headers: [], body: 'x\r\n--b1\r\n' }], 'b1')).toThrow(/boundary/);
});

test('a body cut off anywhere is read or refused with 400', () => {
  const body = '--b1\r\nContent-Type: text/plain\r\n\r\nx\r\n--b1\r\n\r\ny\r\n--b1--\r\n';
  for (let length = 0; length < body.length; length += 1) {
    try {
      expect(split(body.slice(0, length)).length).toBeLessThanOrEqual(3);
    } catch (error) {
      expect(error).toMatchObject({ statusHint: 400 });
    }
  }
});
