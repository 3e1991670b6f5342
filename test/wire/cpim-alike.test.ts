import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CpimMessage, cpimParties, parseCpim, parseCpimAddress } from '../../src/wire/cpim.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

/** What is read, or why not. */
function outcomeOf<T>(read: () => T): T | 'refused' {
  try {
    return read();
  } catch (error) {
    if (error instanceof RemoteError) return 'refused';
    throw error;
  }
}

const read = (text: string): CpimMessage => parseCpim(Buffer.from(text));

/** Values with what one reading might see otherwise than another. */
const values = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '\t', '\u00a0', '\u2003', '\u2028', '\u2029', '\ufeff', '\u0085', '\x01', '\x7f', '\r'),
      fc.constantFrom('a', 'é', '😀', ';', ':', '<', '>', '"', '\\', ',', '<sip:a@b>', '.'),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

describe('a header is read alike', () => {
  test('whether its name is a usual one or not', () => {
    fc.assert(
      fc.property(fc.constantFrom(':', ': ', ':  ', ':\t'), values, (colon, value) => {
        const headerOf = (name: string) => read(`${name}${colon}${value}\r\n\r\n\r\n`).headers[0];
        const usual = outcomeOf(() => headerOf('Subject'));
        expect(usual).toEqual(outcomeOf(() => ({ ...headerOf('Object'), name: 'Subject' })));
      }),
      { numRuns: 2_000 },
    );
  });

  test('whether it is the Content-Type or another MIME header', () => {
    fc.assert(
      fc.property(values, (value) => {
        const headerOf = (name: string) => read(`\r\n${name}: ${value}\r\n\r\n`).contentHeaders[0];
        const type = outcomeOf(() => headerOf('Content-Type'));
        expect(type).toEqual(outcomeOf(() => ({ ...headerOf('Content-Kind'), name: 'Content-Type' })));
      }),
      { numRuns: 2_000 },
    );
  });

  test('an address with a blank before it or none', () => {
    fc.assert(
      fc.property(values, (value) => {
        const plain = outcomeOf(() => parseCpimAddress(`<${value}>`));
        expect(plain).toEqual(outcomeOf(() => parseCpimAddress(` <${value}>`)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('whom a message is from and to, whether it declares a namespace or not', () => {
    const line = fc
      .tuple(fc.constantFrom('From', 'To', 'cc', 'Require', 'Subject', 'from'), values)
      .map(([name, value]) => `${name}: ${name === 'Subject' ? value : `<${value}>`}\r\n`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        const partiesOf = (before: string) => cpimParties(read(`${before}${lines.join('')}\r\n\r\n`));
        expect(outcomeOf(() => partiesOf(''))).toEqual(outcomeOf(() => partiesOf('NS: x <urn:x>\r\n')));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('header blocks are read alike wherever they stand', () => {
  const lines = ['From: <sip:a@b>', 'Subject: Grüße 😀 日本', 'To: <sip:c@d>', '', 'Content-Type: text/plain', '', ''];
  const body = 'body\r\n\r\n😀\n';

  function expectAt(length: number, eol: string): void {
    const text = `${lines.join(eol)}${body}`;
    const { headers, contentHeaders } = read(text);
    const before = `DateTime: ${'x'.repeat(length)}`;
    const after = read(`${before}${eol}${text}`);
    expect(after.headers.slice(1)).toEqual(headers);
    expect(after.contentHeaders).toEqual(contentHeaders);
    expect(after.body.toString()).toBe(body);
  }

  test.each(['\r\n', '\n'])('each octet of them at the 1,024th, lines ended by %j', (eol) => {
    for (let length = 850; length <= 1_050; length += 1) expectAt(length, eol);
  });

  test('behind a header as long as may be', () => {
    for (let length = 3_970; length <= 4_085; length += 1) expectAt(length, '\r\n');
  });

  test('many long headers', () => {
    const long = Array.from({ length: 90 }, (_, i) => `X-${i}: ${'é'.repeat(1_000 + 11 * i)}`);
    const { headers, body: rest } = read(`${long.join('\r\n')}\r\n\r\n\r\n${body}`);
    expect(headers.map(({ name, value }) => `${name}: ${value}`)).toEqual(long);
    expect(rest.toString()).toBe(body);
  });
});

test('a folded MIME header has no control characters either', () => {
  expect(() => read('\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\n')).not.toThrow();
  expect(() => read('\r\nContent-Type: text/plain\r\n \rFrom: <sip:a@b>\r\n\r\n')).toThrow('malformed');
});
