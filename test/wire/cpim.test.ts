import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CpimMessage,
  cpimAddresses,
  cpimRequires,
  cpimValues,
  escapeCpim,
  isCpimAmbiguous,
  parseCpim,
  parseCpimAddress,
  unescapeCpim,
  wrappedTypeOf,
  writeCpim,
  writeCpimAddress,
} from '../../src/wire/cpim.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

const sample = [
  'From: MR SANDERS <im:piglet@100akerwood.com>',
  'To: Depressed Donkey <im:eeyore@100akerwood.com>',
  'DateTime: 2000-12-13T13:40:00-08:00',
  'Subject: the weather will be fine today',
  'Subject:;lang=fr beau temps prevu pour aujourd\\u0027hui',
  'NS: MyFeatures <mid:MessageFeatures@id.foo.com>',
  'Require: MyFeatures.VitalMessageOption',
  'MyFeatures.VitalMessageOption: Confirmation-requested',
  '',
  'Content-type: text/xml; charset=utf-8',
  'Content-ID: <1234567890@foo.com>',
  '',
  '<body>\nHere is the text of my message.\r\n\r\n</body>',
].join('\r\n');

const read = (text: string): CpimMessage => parseCpim(Buffer.from(text));

describe('reading', () => {
  test('both header blocks and the body', () => {
    const cpim = read(sample);
    expect(cpim.headers.map((header) => header.name)).toEqual([
      'From',
      'To',
      'DateTime',
      'Subject',
      'Subject',
      'NS',
      'Require',
      'MyFeatures.VitalMessageOption',
    ]);
    expect(cpim.headers[4]?.params).toEqual([{ name: 'lang', value: 'fr' }]);
    expect(cpim.contentHeaders).toEqual([
      { name: 'Content-type', value: 'text/xml; charset=utf-8' },
      { name: 'Content-ID', value: '<1234567890@foo.com>' },
    ]);
    expect(cpim.body.toString()).toBe('<body>\nHere is the text of my message.\r\n\r\n</body>');
    expect(wrappedTypeOf(cpim)).toBe('text/xml');
  });

  test('a Content-Type among the first headers begins the MIME headers (RFC 4975 11.4, RFC 7701 9.3)', () => {
    const cpim = read(
      'To: <sip:bob@example.com>\r\nCONTENT-TYPE: text/html\r\nContent-ID: <1>\r\n\r\nABCD\r\n\r\nEFGH',
    );
    expect(cpim.headers).toHaveLength(1);
    expect(cpim.contentHeaders.map((header) => header.name)).toEqual(['CONTENT-TYPE', 'Content-ID']);
    expect(cpim.body.toString()).toBe('ABCD\r\n\r\nEFGH');
    expect(wrappedTypeOf(cpim)).toBe('text/html');
  });

  test('without MIME headers the wrapped type is text/plain, and the body may be empty', () => {
    const cpim = read('To: <sip:bob@example.com>\r\n\r\n\r\n');
    expect(wrappedTypeOf(cpim)).toBe('text/plain');
    expect(cpim.body).toHaveLength(0);
  });

  test('bare line feeds end lines too, and the body keeps its octets', () => {
    const octets = Buffer.concat([
      Buffer.from('To: <sip:b@c>\n\nContent-Type: a/b\n\n'),
      Buffer.from([0, 10, 13, 255]),
    ]);
    expect(parseCpim(octets).body).toEqual(Buffer.from([0, 10, 13, 255]));
  });

  test('MIME headers may be folded, the own headers may not', () => {
    const cpim = read('To: <sip:b@c>\r\n\r\nContent-Type: a/b;\r\n x=1\r\n\r\n');
    expect(cpim.contentHeaders).toEqual([{ name: 'Content-Type', value: 'a/b; x=1' }]);
    expect(() => read('Subject: a\r\n b\r\n\r\nContent-Type: a/b\r\n\r\n')).toThrow(RemoteError);
  });

  test.each<[string, string]>([
    ['no end of the first block', 'To: <sip:b@c>\r\n'],
    ['no end of the MIME headers', 'To: <sip:b@c>\r\n\r\nContent-Type: a/b\r\n'],
    ['nothing', ''],
    ['a header without colon', 'To <sip:b@c>\r\n\r\n\r\n'],
    ['a header name with a blank', 'T o: <sip:b@c>\r\n\r\n\r\n'],
    ['a control character', 'Subject: a\x07\r\n\r\n\r\n'],
    ['a MIME header without colon', 'To: <sip:b@c>\r\n\r\nContent-Type\r\n\r\n'],
    ['lines that do not end alike', 'To: <sip:b@c>\r\nX: y\n\nContent-Type: a/b\n\n\r\nFrom: <sip:d@c>\r\n\r\n'],
    ['an empty line that does not end like the others', 'To: <sip:b@c>\r\n\nContent-Type: a/b\r\n\r\n'],
    ['a MIME block that begins folded', 'To: <sip:b@c>\r\n\r\n x\r\n\r\n'],
  ])('refuses %s', (_, text) => expect(() => read(text)).toThrow(RemoteError));

  test('a header of 4 KiB is taken, one octet more is not', () => {
    const withSubject = (length: number): string => `${'Subject: '.padEnd(length - 1, 'x')}\r\n\r\n\r\n`;
    expect(read(withSubject(4_096)).headers).toHaveLength(1);
    expect(() => read(withSubject(4_097))).toThrow('too long');
  });

  test('a hundred lines of headers are taken, one more is not', () => {
    const withHeaders = (count: number): string => `${'a: b\r\n'.repeat(count)}\r\n\r\n`;
    expect(read(withHeaders(98)).headers).toHaveLength(98);
    expect(() => read(withHeaders(99))).toThrow('too many');
  });

  test('a message cut at any octet of its headers is refused, later only its body is shorter', () => {
    const octets = Buffer.from(sample);
    const bodyAt = octets.indexOf('<body>');
    for (let length = 0; length <= octets.length; length += 1) {
      const cut = octets.subarray(0, length);
      if (length < bodyAt) expect(() => parseCpim(cut)).toThrow(RemoteError);
      else expect(parseCpim(cut).body).toHaveLength(length - bodyAt);
    }
  });

  test('any octets at all are read or refused, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(sample.length), (noise, at) => {
        const octets = Buffer.from(sample);
        try {
          parseCpim(Buffer.concat([octets.subarray(0, at), noise, octets.subarray(at)]));
        } catch (error) {
          expect(error).toBeInstanceOf(RemoteError);
        }
      }),
    );
  });
});

describe('writing', () => {
  test('what was read is written the same, octet by octet', () => {
    expect(writeCpim(read(sample)).toString()).toBe(sample);
  });

  test('the empty line between the blocks is always written', () => {
    const written = writeCpim(read('To: <sip:b@c>\r\nContent-Type: a/b\r\n\r\nx')).toString();
    expect(written).toBe('To: <sip:b@c>\r\n\r\nContent-Type: a/b\r\n\r\nx');
  });

  test('any body and any subject come back as they went', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'binary' }), (octets, subject) => {
        const whole = subject.trim();
        const cpim: CpimMessage = {
          headers: [{ name: 'Subject', params: [{ name: 'lang', value: 'de' }], value: escapeCpim(whole) }],
          contentHeaders: [{ name: 'Content-Type', value: 'application/octet-stream' }],
          body: Buffer.from(octets),
        };
        const again = parseCpim(writeCpim(cpim));
        expect(again).toEqual(cpim);
        expect(unescapeCpim(again.headers[0]?.value ?? '')).toBe(whole);
      }),
    );
  });
});

describe('addresses (RFC 3862 4.1)', () => {
  test.each([
    ['<sip:alice@example.com>', null, 'sip:alice@example.com'],
    ['Winnie the Pooh <im:pooh@100akerwood.com>', 'Winnie the Pooh', 'im:pooh@100akerwood.com'],
    ['"Alice <\\"A\\"> \\u00fc" <sip:alice@example.com;x=1>', 'Alice <"A"> ü', 'sip:alice@example.com;x=1'],
    ['"" <sip:a@b>', null, 'sip:a@b'],
  ])('%s', (text, displayName, uri) => {
    expect(parseCpimAddress(text)).toEqual({ displayName, uri });
    expect(parseCpimAddress(writeCpimAddress({ displayName, uri }))).toEqual({ displayName, uri });
  });

  test.each([
    '',
    'sip:alice@example.com',
    '<>',
    '<sip:a@b',
    '"a <sip:a@b>',
    '<sip:a@b> x',
    '<sip:a@b> <sip:c@d>',
    '<a b>',
  ])('refuses %j', (text) => expect(() => parseCpimAddress(text)).toThrow(RemoteError));

  test('several To and a cc, in order; names are case-sensitive', () => {
    const cpim = read('To: <sip:a@x>\r\nTo: <sip:b@x>\r\ncc: <sip:c@x>\r\nTO: <sip:d@x>\r\nCc: <sip:e@x>\r\n\r\n\r\n');
    expect(cpimAddresses(cpim, 'To').map((address) => address.uri)).toEqual(['sip:a@x', 'sip:b@x']);
    expect(cpimAddresses(cpim, 'cc').map((address) => address.uri)).toEqual(['sip:c@x']);
  });
});

describe('whom a message is from and to, as different readers see it', () => {
  const own = 'From: <sip:a@x>\r\nTo: <sip:r@x>\r\n';
  const ns = 'NS: c <urn:ietf:params:cpim-headers:>\r\n';

  test.each([
    ['in another case', `${own}FROM: <sip:m@x>\r\n\r\n\r\n`],
    ['in another case, alone', 'from: <sip:m@x>\r\nTo: <sip:r@x>\r\n\r\n\r\n'],
    ['out of the namespace', `${ns}c.From: <sip:a@x>\r\nNS: <urn:example>\r\nFrom: <sip:m@x>\r\n\r\n\r\n`],
    ['after Content-Type', `${own}Content-Type: text/plain\r\nFrom: <sip:m@x>\r\n\r\nHello`],
    ['after Content-Type, by a prefix', `${own}${ns}Content-Type: text/plain\r\nc.to: <sip:m@x>\r\n\r\nHello`],
    ['a Cc', `${own}Cc: <sip:m@x>\r\n\r\n\r\n`],
  ])('is ambiguous: %s', (_, text) => expect(isCpimAmbiguous(read(text))).toBe(true));

  test.each([
    ['with both empty lines', `${own}\r\nContent-Type: text/plain\r\n\r\nFrom: <sip:m@x>`],
    ['without the first', `${own}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nHi`],
    ['by a prefix', `${ns}c.From: <sip:a@x>\r\nc.To: <sip:r@x>\r\n\r\n\r\n`],
    ['beside what is called alike elsewhere', `NS: d <urn:example>\r\n${own}d.To: 5\r\n\r\n\r\n`],
  ])('is not: %s', (_, text) => expect(isCpimAmbiguous(read(text))).toBe(false));
});

describe('namespaces (RFC 3862 3.4)', () => {
  const core = 'urn:ietf:params:cpim-headers:';

  test('a prefix of the core namespace makes its header a core header', () => {
    const cpim = read(`NS: c <${core}>\r\nc.To: <sip:a@x>\r\nd.To: <sip:b@x>\r\n\r\n\r\n`);
    expect(cpimAddresses(cpim, 'To').map((address) => address.uri)).toEqual(['sip:a@x']);
  });

  test('another default namespace takes what follows out of the core', () => {
    const cpim = read('To: <sip:a@x>\r\nNS: <urn:example>\r\nTo: <sip:b@x>\r\n\r\n\r\n');
    expect(cpimValues(cpim, 'To')).toEqual(['<sip:a@x>']);
    expect(cpimValues(cpim, 'To', 'urn:example')).toEqual(['<sip:b@x>']);
  });

  test('a prefix means nothing before it is declared', () => {
    const cpim = read('imdn.Message-ID: early\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: abc\r\n\r\n\r\n');
    expect(cpimValues(cpim, 'Message-ID', 'urn:ietf:params:imdn')).toEqual(['abc']);
  });

  test('a malformed declaration is refused', () => {
    expect(() => cpimValues(read('NS: imdn\r\n\r\n\r\n'), 'To')).toThrow(RemoteError);
  });
});

test('every name that is required, from every Require', () => {
  expect(cpimRequires(read('Require: a.b, c\r\nRequire: Subject\r\n\r\n\r\n'))).toEqual(['a.b', 'c', 'Subject']);
});

describe('escapes (RFC 3862 2.3)', () => {
  test.each([
    ['a\\\\b', 'a\\b'],
    ['\\"quoted\\"', '"quoted"'],
    ["it\\'s", "it's"],
    ['\\b\\t\\n\\r', '\b\t\n\r'],
    ['\\u0041\\u00E4', 'Aä'],
    ['\\q', 'q'],
    ['\\u12', 'u12'],
    ['end\\', 'end'],
  ])('%j stands for %j', (escaped, text) => expect(unescapeCpim(escaped)).toBe(text));

  test('only backslash and control characters are escaped', () => {
    expect(escapeCpim('a\\b\t\u0001 "ü" \'x\'\u007f')).toBe('a\\\\b\\t\\u0001 "ü" \'x\'\\u007f');
  });
});
