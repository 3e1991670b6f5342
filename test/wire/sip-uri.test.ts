import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import {
  aorOf,
  parseSipUri,
  readableSipUri,
  type SipUri,
  sameUri,
  unescapeUser,
  uriParam,
  withoutHeaders,
  withoutPasswords,
  writeSipUri,
} from '../../src/wire/sip-uri.ts';

const same = (a: string, b: string): boolean => {
  const forth = sameUri(parseSipUri(a), parseSipUri(b));
  expect(sameUri(parseSipUri(b), parseSipUri(a))).toBe(forth);
  return forth;
};

const statusOf = (text: string): number => {
  try {
    parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return error.statusHint;
    throw error;
  }
  return 200;
};

test('a URI with everything is taken apart', () => {
  const text = 'sips:alice:secret@Atlanta.Example.COM:5061;transport=tcp;lr?subject=project%20x&priority=urgent';
  expect(parseSipUri(text)).toEqual({
    scheme: 'sips',
    user: 'alice',
    password: 'secret',
    host: 'atlanta.example.com',
    port: 5061,
    params: [
      { name: 'transport', value: 'tcp' },
      { name: 'lr', value: null },
    ],
    headers: [
      { name: 'subject', value: 'project x' },
      { name: 'priority', value: 'urgent' },
    ],
  });
});

// RFC 4475 3.1.1: semiuri, intmeth, esc01 (twice), escnull, transports.
test.each([
  ['sip:user;par=u%40example.net@example.com', 'user;par=u%40example.net', null],
  [
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
  ],
  ['sip:sips%3Auser%40example.com@example.net', 'sips%3Auser%40example.com', null],
  ['sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31', 'cal%6Cer', null],
  ['sip:null-%00-null@example.com', 'null-%00-null', null],
  ['sip:user@example.com;transport=UDP', 'user', null],
])('the odd but legal user part of %s is kept', (text, user, password) => {
  const uri = parseSipUri(text);
  expect([uri.user, uri.password]).toEqual([user, password]);
});

test('a percent escape is undone once', () => {
  const uri = parseSipUri('sip:a@example.com;n%61me=v%61lue%25%34%31?Subject=%2541');
  expect(uriParam(uri, 'NAME')).toBe('value%2541');
  expect(uri.headers).toEqual([{ name: 'Subject', value: '%41' }]);
  expect(unescapeUser('%2541')).toBe('%41');
  expect(unescapeUser('%FF')).toBe('%FF');
});

test.each([
  ['sip:[2001:DB8::1]:5060', '[2001:db8::1]', 5060],
  ['sip:192.0.2.4', '192.0.2.4', null],
  ['sip:gateway_1.example.com.', 'gateway_1.example.com.', null],
  ['sip:3f2a9b@4e5f', '4e5f', null],
])('the host and port of %s', (text, host, port) => {
  const uri = parseSipUri(text);
  expect([uri.host, uri.port]).toEqual([host, port]);
});

test.each([
  '',
  'sip:',
  'sip:@example.com',
  'sip:a@',
  'sip:a b@example.com',
  ' sip:a@example.com',
  'sip: a@example.com',
  'sip:a@example.com ',
  'sip:a@exa mple.com',
  'sip:a@example..com',
  'sip:a@-example.com',
  'sip:a@example.com:0',
  'sip:a@example.com:65536',
  'sip:a@example.com:',
  'sip:a@example.com:x',
  'sip:a@444.555.666.777',
  'sip:a@127.1',
  'sip:a@0x7f000001',
  'sip:a@[::g]',
  'sip:a@[192.0.2.1]',
  'sip:a@[::1',
  'sip:a@b@c',
  'sip:a%4@example.com',
  'sip:a%zz@example.com',
  'sip:a"b@example.com',
  'sip:a<b>@example.com',
  'sip:a@example.com;;lr',
  'sip:a@example.com;',
  'sip:a@example.com;=x',
  'sip:a@example.com;a=b=c',
  'sip:a@example.com;lr;LR',
  'sip:a@example.com;l%72;lr',
  'sip:a@example.com?',
  'sip:a@example.com?x',
  'sip:a@example.com?x=a;b',
  'sip:a@example.com?x=%FF',
  'sip:a\r\nb@example.com',
  'sip:a@example.com\r\n',
  'sip:a\u0000@example.com',
  'sip:\u00e4@example.com',
  'alice@example.com',
  'tel:',
  'tel:+',
  'tel:123',
  'tel:123;phone-context=',
  'tel:12 34;phone-context=a.example',
])('%j is refused with 400', (text) => {
  expect(statusOf(text)).toBe(400);
});

test.each([
  'mailto:bob@example.com',
  'http://example.com/',
  'im:bob@example.com',
  'soap.beep://192.0.2.103:3002',
  'nobodyKnowsThisScheme:totallyopaquecontent',
])('%s is refused with 416', (text) => {
  expect(statusOf(text)).toBe(416);
});

test('a URI cut off anywhere is read or refused, never anything else', () => {
  const text = 'sips:al%69ce:secret@[2001:db8::1]:5061;transport=tcp?Replaces=a%3Bto-tag%3D1';
  for (let length = 0; length <= text.length; length += 1)
    expect([200, 400]).toContain(statusOf(text.slice(0, length)));
});

test('what was written reads as what it was', () => {
  const word = fc.string({ unit: 'grapheme', maxLength: 12 });
  const escapedWord = word.map((text) => encodeURIComponent(text));
  const uris = fc.record({
    scheme: fc.constantFrom('sip', 'sips'),
    user: fc.option(escapedWord.filter((text) => text !== '')),
    host: fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip.toLowerCase()}]`),
    ),
    port: fc.option(fc.integer({ min: 1, max: 65_535 })),
    params: fc.uniqueArray(
      fc.record({ name: fc.stringMatching(/^[a-z][a-z-]{0,6}$/), value: fc.option(escapedWord) }),
      {
        selector: (param) => param.name,
        maxLength: 3,
      },
    ),
    headers: fc.array(fc.record({ name: fc.stringMatching(/^[A-Za-z-]{1,8}$/), value: word }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(uris, (parts) => {
      const uri = { ...parts, password: null } as SipUri;
      expect(parseSipUri(writeSipUri(uri))).toEqual(uri);
    }),
    { numRuns: 300 },
  );
});

test('header values leave escaped as an entry or Refer-To needs them', () => {
  const uri = {
    ...parseSipUri('sip:bob@biloxi.example.com'),
    headers: [{ name: 'Replaces', value: 'a@b;to-tag=1;x="&%' }],
  };
  expect(writeSipUri(uri)).toBe('sip:bob@biloxi.example.com?Replaces=a%40b%3Bto-tag%3D1%3Bx%3D%22%26%25');
});

test('CC-030 the scheme and the host compare without case', () => {
  expect(same('SIP:bob@EXAMPLE.com', 'sip:bob@example.com')).toBe(true);
});

test('CC-031 the user part compares with case', () => {
  expect(same('sip:Bob@example.com', 'sip:bob@example.com')).toBe(false);
});

test('CC-032 an explicit default port differs from none', () => {
  expect(same('sip:bob@example.com', 'sip:bob@example.com:5060')).toBe(false);
  expect(aorOf(parseSipUri('sip:bob@example.com:5060'))).toBe('sip:bob@example.com:5060');
});

test('CC-033 sip and sips of one user differ', () => {
  expect(same('sip:bob@example.com', 'sips:bob@example.com')).toBe(false);
  expect(aorOf(parseSipUri('sips:bob@example.com'))).toBe('sips:bob@example.com');
});

test('CC-034 a needless escape makes no difference', () => {
  expect(same('sip:%62ob@example.com', 'sip:bob@example.com')).toBe(true);
  expect(aorOf(parseSipUri('sip:%62ob@example.com'))).toBe('sip:bob@example.com');
});

// The examples of RFC 3261 19.1.4 and RFC 5954 4.2.
test.each([
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
  ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
  ],
  ['sip:bob@[::ffff:192.0.2.128]', 'sip:bob@[::ffff:c000:280]'],
  ['sip:bob@[2001:db8::9:1]', 'sip:bob@[2001:db8::9:01]'],
  ['sip:bob@[0:0:0:0:0:FFFF:129.144.52.38]', 'sip:bob@[::FFFF:129.144.52.38]'],
])('%s equals %s', (a, b) => {
  expect(same(a, b)).toBe(true);
});

test.each([
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
  ['sip:carol@chicago.com;security=off', 'sip:carol@chicago.com;security=on'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;maddr=192.0.2.1'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;user=phone'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;ttl=1'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;method=INVITE'],
  ['sip:bob:x@biloxi.com', 'sip:bob@biloxi.com'],
  ['sip:a%40b@biloxi.com', 'sip:a%2540b@biloxi.com'],
  ['sip:a%3Bb@biloxi.com', 'sip:a;b@biloxi.com'],
  ['sip:biloxi.com', 'sip:bob@biloxi.com'],
])('%s differs from %s', (a, b) => {
  expect(same(a, b)).toBe(false);
});

// RFC 3966 4.
test('telephone numbers compare by digits and by every parameter', () => {
  expect(same('tel:+1-201-555-0123', 'tel:+1(201)5550123')).toBe(true);
  expect(same('TEL:7042;Phone-Context=Example.COM', 'tel:7042;phone-context=example.com')).toBe(true);
  expect(same('tel:7042;phone-context=+1-914', 'tel:7042;phone-context=+1914')).toBe(true);
  expect(same('tel:7042;phone-context=example.com', 'tel:7042;phone-context=example.net')).toBe(false);
  expect(same('tel:+12015550123', 'tel:+12015550123;ext=7')).toBe(false);
  expect(same('tel:+12015550123', 'tel:12015550123;phone-context=example.com')).toBe(false);
  expect(same('tel:+12015550123', 'sip:+12015550123@example.com')).toBe(false);
});

test('an address of record is one text for all spellings', () => {
  expect(aorOf(parseSipUri('sip:alice:pw@EXAMPLE.com;transport=tcp?Subject=x'))).toBe('sip:alice@example.com');
  expect(aorOf(parseSipUri('sip:bob@[2001:DB8:0::1]'))).toBe('sip:bob@[2001:db8::1]');
  expect(aorOf(parseSipUri('sip:a%3bb@example.com'))).toBe('sip:a%3Bb@example.com');
  expect(aorOf(parseSipUri('sip:example.com'))).toBe('sip:example.com');
  expect(aorOf(parseSipUri('tel:+1-201-555-0123;x=y'))).toBe('tel:+12015550123');
  expect(aorOf(parseSipUri('tel:70-42;ext=1-2;phone-context=Example.com'))).toBe(
    'tel:7042;phone-context=example.com;ext=12',
  );
});

test('a Request-URI keeps the parameters but for method, and no headers', () => {
  const uri = parseSipUri('sip:bob@example.com;method=INVITE;transport=tcp;x=1?Replaces=a&Subject=b');
  expect(writeSipUri(withoutHeaders(uri))).toBe('sip:bob@example.com;transport=tcp;x=1');
});

test('what cannot be read is null for whoever asks so', () => {
  expect(readableSipUri('sip:alice@atlanta.example.com')).toEqual(parseSipUri('sip:alice@atlanta.example.com'));
  for (const text of ['', '*', 'mailto:alice@atlanta.example.com', 'sip:a@b@c'])
    expect(readableSipUri(text)).toBeNull();
});

test.each([
  ['sip:bob:secret@example.com', 'sip:bob:…@example.com'],
  ['<SIPS:bob:se%63ret@example.com;lr>, <sip:carol:@a>', '<SIPS:bob:…@example.com;lr>, <sip:carol:…@a>'],
  ['sip:bob@example.com:5060;maddr=10.0.0.1', 'sip:bob@example.com:5060;maddr=10.0.0.1'],
  ['To: <sip:example.com:5060>\nFrom: x@y', 'To: <sip:example.com:5060>\nFrom: x@y'],
  ['mailto:bob@example.com', 'mailto:bob@example.com'],
])('passwords of URIs are not shown: %s', (text, shown) => {
  expect(withoutPasswords(text)).toBe(shown);
});
