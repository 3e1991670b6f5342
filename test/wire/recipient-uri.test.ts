import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RecipientReading, readRecipientUri } from '../../src/wire/recipient-uri.ts';
import { writeReplaces } from '../../src/wire/sip-headers.ts';
import { writeSipUri } from '../../src/wire/sip-uri.ts';

const lenient = (text: string) => readRecipientUri(text, { lenient: true });
const strict = (text: string) => readRecipientUri(text, { lenient: false });

type Read = Extract<RecipientReading, { ok: true }>;

/** The reading, which the test expects to be good. */
function good(text: string, read = strict): Read {
  const { reading } = read(text);
  if (!reading.ok) throw new Error(`${text}: ${reading.reason}`);
  return reading;
}

const status = (text: string, read = lenient): number => {
  const { reading } = read(text);
  return reading.ok ? 200 : reading.status;
};

const escapedReplaces = 'a84b4c76e66710%3Bto-tag%3Da6c85cf%3Bfrom-tag%3D1928301774';

test('the target is what goes into a Request-URI', () => {
  const reading = good(
    `sip:bob@biloxi.example.com:5062;method=INVITE;transport=tcp?Replaces=${escapedReplaces}&Subject=x`,
  );
  expect(writeSipUri(reading.target)).toBe('sip:bob@biloxi.example.com:5062;transport=tcp');
  expect(reading.method).toBe('INVITE');
});

test('Replaces comes out word for word, to-tag before from-tag', () => {
  const reading = good(`sip:bob@biloxi.example.com;method=INVITE?Replaces=${escapedReplaces}`);
  expect(reading.replaces && writeReplaces(reading.replaces)).toBe('a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774');
  expect(reading.headers).toEqual([]);
  const early = good('sip:b@x.example?replaces=a%3Bearly-only%3Bfrom-tag%3D2%3Bto-tag%3D1');
  expect(early.replaces && writeReplaces(early.replaces)).toBe('a;to-tag=1;from-tag=2;early-only');
});

test('CC-056 %40 in a Call-ID is unescaped to @, once', () => {
  const { replaces } = good('sip:bob@x.example?Replaces=a84%40pc33.example%2525%3Bto-tag%3D1%3Bfrom-tag%3D2');
  expect(replaces?.callId).toBe('a84@pc33.example%25');
});

test('QK-6 a scheme that is missing is added leniently; strictly the entry fails with 416', () => {
  const { quirks, reading } = lenient('bob@biloxi.example.com;method=INVITE');
  expect(quirks).toEqual(['QK-6']);
  expect(reading.ok && writeSipUri(reading.target)).toBe('sip:bob@biloxi.example.com');
  expect(strict('bob@biloxi.example.com;method=INVITE')).toMatchObject({
    quirks: [],
    reading: { ok: false, status: 416 },
  });
});

test.each(['bob', 'biloxi.example.com', '+12015550123', 'bob @biloxi.example.com', '@biloxi.example.com', ''])(
  'QK-6 does not make a SIP URI of %j',
  (text) => {
    expect([status(text), status(text, strict)]).toEqual([400, 400]);
  },
);

test('QK-7 a colon stands for = leniently, after allowed names only; strictly the entry fails with 400', () => {
  const text = `sip:bob@x.example?Replaces: ${escapedReplaces}&Subject:hello&priority=urgent`;
  const read = lenient(text);
  expect(read.quirks).toEqual(['QK-7']);
  expect(good(text, lenient)).toMatchObject({
    replaces: { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774' },
    headers: [
      { name: 'Subject', value: 'hello' },
      { name: 'Priority', value: 'urgent' },
    ],
  });
  expect(status(text, strict)).toBe(400);
  expect(status('sip:bob@x.example?From: evil')).toBe(400);
  expect(status('sip:bob@x.example?Replaces:  two-blanks%3Bto-tag%3D1%3Bfrom-tag%3D2')).toBe(200);
});

test('QK-8 an unescaped Replaces reaches to the next & or the end; strictly the entry fails with 400', () => {
  const text =
    'sip:bob@x.example?Subject=x&Replaces=a84@pc33.example ; to-tag = 1928301774;from-tag= a6c85cf&Priority=urgent';
  expect(lenient(text).quirks).toEqual(['QK-8']);
  const { replaces, headers } = good(text, lenient);
  expect(replaces && writeReplaces(replaces)).toBe('a84@pc33.example;to-tag=1928301774;from-tag=a6c85cf');
  expect(headers.map((header) => header.name)).toEqual(['Subject', 'Priority']);
  expect(status(text, strict)).toBe(400);
  expect(good('sip:bob@x.example?Join=a;to-tag=1;from-tag=2', lenient).join).toBe('a;to-tag=1;from-tag=2');
});

test('QK-8 is for Replaces and Join only', () => {
  expect(status('sip:bob@x.example?Subject=hello world')).toBe(400);
  expect(status('sip:bob@x.example?Accept-Contact=*;audio')).toBe(400);
});

test('the source document’s own entry needs QK-6, QK-7 and QK-8 together', () => {
  const text = 'bob@biloxi.example.com;method=INVITE?Replaces: a84b4c76e66710;to-tag=1928301774;from-tag= a6c85cf';
  const read = lenient(text);
  expect(read.quirks).toEqual(['QK-6', 'QK-7', 'QK-8']);
  expect(read.reading).toEqual({
    ok: true,
    target: {
      scheme: 'sip',
      user: 'bob',
      password: null,
      host: 'biloxi.example.com',
      port: null,
      params: [],
      headers: [],
    },
    method: 'INVITE',
    replaces: { callId: 'a84b4c76e66710', toTag: '1928301774', fromTag: 'a6c85cf', earlyOnly: false },
    join: null,
    headers: [],
    ignoredHeaders: [],
  });
  expect(strict(text).reading.ok).toBe(false);
});

test('no quirk touches what the strict reading takes', () => {
  const uris = [
    'sip:a?b@x.example',
    'sip:bob@x.example?Replaces:x=y',
    'tel:+12015550123',
    `sips:bob@x.example;method=INVITE?Replaces=${escapedReplaces}`,
  ];
  for (const uri of uris) expect(lenient(uri)).toEqual({ ...strict(uri), quirks: [] });
  expect(good('sip:bob@x.example?Replaces:x=y', lenient)).toMatchObject({
    replaces: null,
    ignoredHeaders: ['Replaces%3Ax'],
  });
});

test('CC-049 headers that are not on the allow-list are dropped and named', () => {
  const dropped = [
    'From',
    'To',
    'Via',
    'v',
    'Call-ID',
    'CSeq',
    'Contact',
    'Route',
    'Record-Route',
    'Max-Forwards',
    'Content-Type',
    'Content-Length',
    'Authorization',
    'P-Asserted-Identity',
    'P-Preferred-Identity',
    'Privacy',
    'Require',
    'Supported',
    'Event',
    'Refer-To',
    'body',
    'X-Any',
  ];
  const reading = good(`sip:bob@x.example?${dropped.map((name) => `${name}=x`).join('&')}`);
  expect([reading.ignoredHeaders, reading.headers, reading.replaces, reading.join]).toEqual([dropped, [], null, null]);
});

test('allowed headers come with their full names, single ones once', () => {
  const reading = good(
    'sip:bob@x.example?s=one&subject=two&a=*%3Baudio&Accept-Contact=*%3Bvideo&reject-contact=*%3Bx&PRIORITY=urgent&in-reply-to=a%40b&Subject=',
  );
  expect(reading.headers).toEqual([
    { name: 'Subject', value: 'one' },
    { name: 'Accept-Contact', value: '*;audio' },
    { name: 'Accept-Contact', value: '*;video' },
    { name: 'Reject-Contact', value: '*;x' },
    { name: 'Priority', value: 'urgent' },
    { name: 'In-Reply-To', value: 'a@b' },
  ]);
  expect(reading.ignoredHeaders).toEqual(['subject', 'Subject']);
});

test.each(['%0D%0AVia:%20evil', '%0Ax', '%0D', '%00', '%09', '%1B', '%7F', '%C2%85'])(
  'CC-050 a header with %s in its value is dropped and named, Replaces too',
  (control) => {
    const reading = good(
      `sip:bob@x.example?Subject=a${control}b&Priority=urgent&Replaces=${escapedReplaces}${control}`,
    );
    expect(reading).toMatchObject({
      headers: [{ name: 'Priority', value: 'urgent' }],
      replaces: null,
      ignoredHeaders: ['Subject', 'Replaces'],
    });
  },
);

test('CC-050 no control character leaves a URI, whatever stands in it', () => {
  const hostile = fc.string({
    unit: fc.constantFrom(
      '%0D',
      '%0A',
      '%00',
      '\r',
      '\n',
      '\u0000',
      '&',
      '=',
      ':',
      ' ',
      ';',
      '?',
      '@',
      'Replaces',
      'Subject',
      'Via',
      'a',
      'to-tag',
      'from-tag',
      '%3B',
      '%3D',
      '%25',
    ),
    maxLength: 20,
  });
  fc.assert(
    fc.property(hostile, fc.boolean(), (text, isLenient) => {
      const { reading } = readRecipientUri(`sip:bob@x.example?${text}`, { lenient: isLenient });
      expect(JSON.stringify(reading)).not.toMatch(/\\[rnbtf]|\\u00[01]/);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['two Replaces', `Replaces=${escapedReplaces}&replaces=${escapedReplaces}`],
  ['Replaces and Join', `Replaces=${escapedReplaces}&Join=${escapedReplaces}`],
  ['a Replaces without from-tag', 'Replaces=a%3Bto-tag%3D1'],
  ['a Replaces with two to-tags', 'Replaces=a%3Bto-tag%3D1%3Bto-tag%3D1%3Bfrom-tag%3D2'],
  ['an escape that is none', 'Replaces=a%3'],
  ['octets that are not UTF-8', 'Subject=%FF'],
  ['a header without name', '=x'],
  ['a header without value', 'Subject'],
])('an entry with %s fails with 400', (_, query) => {
  expect([status(`sip:bob@x.example?${query}`), status(`sip:bob@x.example?${query}`, strict)]).toEqual([400, 400]);
});

test.each(['mailto:bob@x.example', 'http://x.example', 'im:bob@x.example', 'bob:secret@x.example'])(
  '%s fails with 416',
  (text) => {
    expect([status(text), status(text, strict)]).toEqual([416, 416]);
  },
);

test('the method is told, wherever it stands', () => {
  expect(good('sip:bob@x.example').method).toBeNull();
  expect(good('sip:bob@x.example;method=BYE').method).toBe('BYE');
  expect(good('sip:bob@x.example;%6Dethod=B%59E').method).toBe('BYE');
  expect(good('sip:bob@x.example;method').method).toBe('');
  // RFC 5368 9 has it as a header in its figure.
  expect(good('sip:bob@x.example?method=BYE').method).toBe('BYE');
});

test('a URI of a hundred thousand blanks, escapes or separators is judged at once', () => {
  for (const piece of [' ', '%20', ';', '=', '&', '@', '?', ':', '%']) {
    const hostile = piece.repeat(100_000);
    for (const text of [
      hostile,
      `sip:${hostile}@x.example`,
      `sip:b@x.example;${hostile}`,
      `sip:b@x.example?Replaces=a${hostile}b`,
    ]) {
      expect([200, 400, 416]).toContain(status(text));
    }
  }
});

test('Refer-To is heeded where a REFER asks for a REFER, and nowhere else', () => {
  const asks = 'sip:bob@biloxi.example.com;method=REFER?Refer-To=%3Csip:conf-1%40conf.example.com%3E';
  const refer = readRecipientUri(asks, { lenient: false, purpose: 'refer' }).reading;
  expect(refer).toMatchObject({
    method: 'REFER',
    headers: [{ name: 'Refer-To', value: '<sip:conf-1@conf.example.com>' }],
    ignoredHeaders: [],
  });
  expect(good(asks)).toMatchObject({ headers: [], ignoredHeaders: ['Refer-To'] });
  const invite = readRecipientUri(asks.replace('REFER', 'INVITE'), { lenient: false, purpose: 'refer' }).reading;
  expect(invite).toMatchObject({ headers: [], ignoredHeaders: ['Refer-To'] });
});

test('the method that stands as a header counts, wherever it stands among them', () => {
  const reading = readRecipientUri('sip:bob@x.example?Refer-To=%3Csip:c%40x%3E&method=REFER', {
    lenient: false,
    purpose: 'refer',
  }).reading;
  expect(reading).toMatchObject({ method: 'REFER', headers: [{ name: 'Refer-To' }], ignoredHeaders: [] });
});
