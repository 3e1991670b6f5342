import { describe, expect, test } from 'vitest';
import { type MsrpUri, parseMsrpUri, sameMsrpSession, sameMsrpUri, writeMsrpUri } from '../../src/wire/msrp-uri.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

const sample: MsrpUri = {
  secure: false,
  host: 'focus.conf.example.com',
  port: 2855,
  sessionId: 'Zx81QmT0aliceLeg',
  transport: 'tcp',
};

describe('parsing (RFC 4975 6, 9)', () => {
  test.each<[string, Partial<MsrpUri>]>([
    ['msrp://focus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp', {}],
    ['MSRP://Focus.CONF.example.com:2855/Zx81QmT0aliceLeg;TCP', {}],
    ['msrps://focus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp', { secure: true }],
    ['msrp://alice@focus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp', {}],
    ['msrp://focus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp;x=1;y', {}],
    ['msrp://focus.conf.example.com:2855/Zx81QmT0aliceLeg;ws', { transport: 'ws' }],
    ['msrp://focus.conf.example.com:2855/a/b+c=d~e_f-g.h;tcp', { sessionId: 'a/b+c=d~e_f-g.h' }],
    ['msrp://focus.conf.example.com/s1;tcp', { port: null, sessionId: 's1' }],
    ['msrp://focus.conf.example.com;tcp', { port: null, sessionId: '' }],
    ['msrp://%66ocus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp', {}],
    ['msrp://192.0.2.7:7654/s1;tcp', { host: '192.0.2.7', port: 7654, sessionId: 's1' }],
    ['msrp://[2001:DB8::1]:7654/s1;tcp', { host: '[2001:db8::1]', port: 7654, sessionId: 's1' }],
  ])('%s', (text, expected) => {
    expect(parseMsrpUri(text)).toEqual({ ...sample, ...expected });
  });

  test.each([
    '',
    'msrp:',
    'msrp://;tcp',
    'sip:alice@example.com',
    'msrp://host:2855/s1',
    'msrp://host:2855/s1;',
    'msrp://host:0/s1;tcp',
    'msrp://host:65536/s1;tcp',
    'msrp://host:port/s1;tcp',
    'msrp://host:2855/;tcp',
    'msrp://host:2855/s 1;tcp',
    'msrp://host:2855/s1;tcp ',
    ' msrp://host:2855/s1;tcp',
    'msrp://ho%zzst:2855/s1;tcp',
    'msrp://ho%20st:2855/s1;tcp',
    'msrp://[2001:db8::g]:2855/s1;tcp',
    'msrp://[192.0.2.7]:2855/s1;tcp',
    'msrp://host:2855/s1;tcp;a=b=c',
    'msrp://host:2855/s1;tcp;',
    'msrp://host:2855/s1;tcp\r\nTo-Path: x',
    `msrp://host:2855/${'s'.repeat(1100)};tcp`,
  ])('refuses %j with 400', (text) => {
    expect(() => parseMsrpUri(text)).toThrow(RemoteError);
  });

  test('a URI cut at any octet is refused or is another URI, never a crash', () => {
    const text = 'msrp://alice@[2001:db8::1]:2855/Zx81;tcp;x=1';
    for (let length = 0; length < text.length; length += 1) {
      try {
        expect(writeMsrpUri(parseMsrpUri(text.slice(0, length)))).not.toBe('');
      } catch (error) {
        expect(error).toBeInstanceOf(RemoteError);
      }
    }
  });
});

test.each([
  'msrp://focus.conf.example.com:2855/Zx81QmT0aliceLeg;tcp',
  'msrps://[2001:db8::1]:2855/s1;tcp',
  'msrp://relay.example.com;tcp',
])('%s is written as it was read', (text) => {
  expect(writeMsrpUri(parseMsrpUri(text))).toBe(text);
});

describe('comparison (RFC 4975 6.1)', () => {
  const same = (a: string, b: string): boolean => sameMsrpUri(parseMsrpUri(a), parseMsrpUri(b));

  test('CC-162 session ids are compared case-sensitively, hosts are not', () => {
    expect(same('msrp://host:1/aBc;tcp', 'msrp://HOST:1/aBc;tcp')).toBe(true);
    expect(same('msrp://host:1/aBc;tcp', 'msrp://host:1/abc;tcp')).toBe(false);
  });

  test.each([
    ['msrp://host:1/s;tcp', 'MSRP://bob@host:1/s;TCP;p=1'],
    ['msrp://[2001:db8::1]:1/s;tcp', 'msrp://[2001:0db8:0:0::0001]:1/s;tcp'],
    ['msrp://h%6fst:1/s;tcp', 'msrp://host:1/s;tcp'],
  ])('%s is %s', (a, b) => expect(same(a, b)).toBe(true));

  test.each([
    ['msrp://host:1/s;tcp', 'msrps://host:1/s;tcp'],
    ['msrp://host:1/s;tcp', 'msrp://host:2/s;tcp'],
    ['msrp://host:2855/s;tcp', 'msrp://host/s;tcp'],
    ['msrp://host:1/s;tcp', 'msrp://host:1;tcp'],
    ['msrp://host:1/s;tcp', 'msrp://host:1/s;ws'],
    ['msrp://host:1/s/../t;tcp', 'msrp://host:1/t;tcp'],
    ['msrp://127.0.0.1:1/s;tcp', 'msrp://127.0.0.2:1/s;tcp'],
  ])('%s is not %s', (a, b) => expect(same(a, b)).toBe(false));

  test('the same session may be named with a rewritten authority, but not with another scheme, id or transport', () => {
    const ours = parseMsrpUri('msrp://10.0.0.1:2855/s;tcp');
    const named = (text: string): boolean => sameMsrpSession(ours, parseMsrpUri(text));
    expect(named('msrp://nat.example.com:40000/s;tcp')).toBe(true);
    expect(named('msrps://10.0.0.1:2855/s;tcp')).toBe(false);
    expect(named('msrp://10.0.0.1:2855/S;tcp')).toBe(false);
    expect(named('msrp://10.0.0.1:2855/s;ws')).toBe(false);
  });
});
