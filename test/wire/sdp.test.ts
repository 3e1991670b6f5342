import { expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { type MsrpMedia, msrpMediaOf, parseSdp, type SessionDescription, writeSdp } from '../../src/wire/sdp.ts';
import { crlf } from '../support/bodies.ts';

/** M-01 of the flows. */
const offer = crlf(
  'v=0',
  'o=alice 2890844526 2890844527 IN IP4 pc33.atlanta.example.com',
  's=-',
  'c=IN IP4 pc33.atlanta.example.com',
  't=0 0',
  'm=message 7654 TCP/MSRP *',
  'a=accept-types:message/cpim text/plain',
  'a=accept-wrapped-types:text/plain',
  'a=setup:actpass',
  'a=path:msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp',
);

const statusOf = (text: string): number => {
  try {
    parseSdp(text);
  } catch (error) {
    if (error instanceof RemoteError) return error.statusHint;
    throw error;
  }
  return 200;
};

test('a session description is taken apart', () => {
  expect(parseSdp(offer)).toEqual({
    origin: { username: 'alice', sessionId: '2890844526', version: '2890844527', address: 'pc33.atlanta.example.com' },
    connection: 'pc33.atlanta.example.com',
    media: [
      {
        media: 'message',
        port: 7654,
        protocol: 'TCP/MSRP',
        formats: ['*'],
        connection: null,
        attributes: [
          { name: 'accept-types', value: 'message/cpim text/plain' },
          { name: 'accept-wrapped-types', value: 'text/plain' },
          { name: 'setup', value: 'actpass' },
          { name: 'path', value: 'msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp' },
        ],
      },
    ],
    attributes: [],
  });
});

test('what was read is written as it was', () => {
  expect(writeSdp(parseSdp(offer))).toBe(offer);
  const six = offer.replaceAll('IN IP4 pc33.atlanta.example.com', 'IN IP6 2001:db8::1');
  expect(writeSdp(parseSdp(six))).toBe(six);
});

test('several media, their own connections, ports with counts and session attributes', () => {
  const text = crlf(
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's= ',
    'i=about',
    'c=IN IP4 224.2.1.1/127/3',
    'b=AS:64',
    't=3034423619 3042462419',
    'r=7d 1h 0 25h',
    'a=sendonly',
    'm=audio 49170/2 RTP/AVP 0 8',
    'c=IN IP6 2001:db8::1',
    'a=rtpmap:0 PCMU/8000',
    'm=video 0 RTP/AVP 31',
  );
  const session = parseSdp(text);
  expect(session.connection).toBe('224.2.1.1');
  expect(session.attributes).toEqual([{ name: 'sendonly', value: null }]);
  expect(session.media).toEqual([
    {
      media: 'audio',
      port: 49_170,
      protocol: 'RTP/AVP',
      formats: ['0', '8'],
      connection: '2001:db8::1',
      attributes: [{ name: 'rtpmap', value: '0 PCMU/8000' }],
    },
    { media: 'video', port: 0, protocol: 'RTP/AVP', formats: ['31'], connection: null, attributes: [] },
  ]);
});

test('bare line feeds, a missing last line end and empty lines at the end are taken', () => {
  for (const text of [offer.replaceAll('\r\n', '\n'), offer.trimEnd(), `${offer}\r\n\r\n`])
    expect(parseSdp(text)).toEqual(parseSdp(offer));
});

test('QK-36 a name in the c= line is as good as an address', () => {
  expect(parseSdp(offer.replace('c=IN IP4 pc33.atlanta.example.com', 'c=IN IP4 user1.imserver.com')).connection).toBe(
    'user1.imserver.com',
  );
});

test.each(['v', 'o', 's', 't'])('without its %s= line it is no description: 488', (type) => {
  expect(statusOf(offer.replace(new RegExp(`^${type}=.*\r\n`, 'm'), ''))).toBe(488);
});

test.each([
  ['', 'nothing'],
  ['hello', 'text'],
  [offer.replace('v=0', 'v=1'), 'another version'],
  [offer.replace('v=0\r\n', '').replace('s=-', 's=-\r\nv=0'), 'v= not first'],
  [offer.replace('s=-', 's=-\r\n'), 'an empty line within'],
  [offer.replace('s=-', 's=-\r\n x=1'), 'a blank before a type'],
  [offer.replace('s=-', 's=-\r\nS=1'), 'a type in upper case'],
  [offer.replace('s=-', 's=-\u0000'), 'a NUL'],
  [offer.replace('s=-', 's=-\rs=x'), 'a bare CR'],
  [offer.replace('s=-', `s=${'x'.repeat(5_000)}`), 'a line too long'],
  [offer.replace('o=alice 2890844526', 'o=alice'), 'an o= line too short'],
  [offer.replace('o=alice', 'o=alice smith'), 'an o= line too long'],
  [offer.replace('s=-', 'o=bob 1 1 IN IP4 192.0.2.1\r\ns=-'), 'two o= lines'],
  [offer.replace('c=IN IP4 pc33', 'c=IN pc33'), 'a c= line without type'],
  [offer.replace('m=message 7654', 'm=message'), 'an m= line without port'],
  [offer.replace('7654 TCP', '65536 TCP'), 'a port out of range'],
  [offer.replace('7654 TCP', '-1 TCP'), 'a port below zero'],
  [offer.replace(' *', ''), 'an m= line without formats'],
])('%# is refused with 400: %s', (text, reason) => {
  expect([reason, statusOf(text)]).toEqual([reason, 400]);
});

test('more media than allowed are refused with 400', () => {
  const many = (count: number): string => offer + 'm=audio 0 RTP/AVP 0\r\n'.repeat(count - 1);
  expect([statusOf(many(32)), statusOf(many(33))]).toEqual([200, 400]);
});

test('a description cut off anywhere is read or refused with 400 or 488', () => {
  for (let length = 0; length < offer.length; length += 1)
    expect([200, 400, 488]).toContain(statusOf(offer.slice(0, length)));
});

test('a hundred thousand empty lines are judged at once', () => {
  expect(statusOf(`v=0${'\n'.repeat(100_000)}x`)).toBe(400);
});

test('a line end in a value is our own mistake, never written', () => {
  const session = parseSdp(offer);
  expect(() => writeSdp({ ...session, attributes: [{ name: 'x', value: 'a\r\nb=c' }] })).toThrow(/one line/);
  expect(() => writeSdp({ ...session, connection: '192.0.2.1\nx' })).toThrow(/one line/);
});

const msrp = (change: (text: string) => string = (text) => text): MsrpMedia | null => {
  const session: SessionDescription = parseSdp(change(offer));
  const [media] = session.media;
  return media === undefined ? null : msrpMediaOf(media, session);
};

test('the MSRP attributes are read', () => {
  expect(msrp()).toEqual({
    path: ['msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp'],
    acceptTypes: ['message/cpim', 'text/plain'],
    acceptWrappedTypes: ['text/plain'],
    setup: 'actpass',
    direction: 'sendrecv',
    chatroom: null,
    tls: false,
    transport: 'tcp',
    address: { host: 'pc33.atlanta.example.com', port: 7654 },
    cema: false,
    fingerprints: [],
    maxSize: null,
  });
});

test('types lose case and parameters, wildcards stay', () => {
  const read = msrp((text) =>
    text.replace('message/cpim text/plain', 'Message/CPIM text/plain;charset=utf-8  image/* *'),
  );
  expect(read?.acceptTypes).toEqual(['message/cpim', 'text/plain', 'image/*', '*']);
});

test('a path through relays keeps its order', () => {
  const relay = 'msrps://relay.example.com:9000/ab;tcp';
  const end = 'msrp://pc33.example.com:7654/xy;tcp';
  const read = msrp((text) => text.replace(/a=path:.*/, `a=path:${relay} ${end}`).replace('TCP/MSRP', 'tcp/tls/msrp'));
  expect([read?.path, read?.tls]).toEqual([[relay, end], true]);
});

test.each([
  ['actpass', 'actpass'],
  ['ACTIVE', 'active'],
  ['passive', 'passive'],
  ['holdconn', null],
  ['nonsense', null],
])('a=setup:%s is %s', (text, setup) => {
  expect(msrp((whole) => whole.replace('setup:actpass', `setup:${text}`))?.setup).toBe(setup);
});

test('setup and direction of the session hold where the media has none', () => {
  const session = (text: string): string =>
    text.replace('a=setup:actpass\r\n', '').replace('t=0 0', 't=0 0\r\na=setup:active\r\na=inactive');
  expect(msrp(session)).toMatchObject({ setup: 'active', direction: 'inactive' });
  expect(msrp((text) => `${session(text)}a=setup:passive\r\na=recvonly\r\n`)).toMatchObject({
    setup: 'passive',
    direction: 'recvonly',
  });
});

test.each([
  ['a=chatroom', []],
  ['a=chatroom:nickname private-messages', ['nickname', 'private-messages']],
  ['a=chatroom:nickname nickname com.example.chat.foo', ['nickname', 'com.example.chat.foo']],
])('%s tells what the peer supports', (line, tokens) => {
  expect(msrp((text) => `${text}${line}\r\n`)?.chatroom).toEqual(tokens);
});

test('max-size is octets, or nothing that can be used', () => {
  expect(
    ['10240', '0', '1e3', '', '-1'].map((value) => msrp((text) => `${text}a=max-size:${value}\r\n`)?.maxSize),
  ).toEqual([10_240, 0, null, null, null]);
});

test('without a c= line nothing says where middleboxes want to be connected to, though the line can be used', () => {
  const usable = msrp((text) => text.replace(/c=.*\r\n/, ''));
  expect([usable?.address, usable?.path]).toEqual([null, ['msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp']]);
});

test('addresses of IPv6 are named as such, without the brackets of URIs (RFC 4566 5.7)', () => {
  const origin = { username: 'focus', sessionId: '1', version: '1', address: '[2001:db8::1]' };
  const text = writeSdp({ origin, connection: '2001:db8::2', attributes: [], media: [] });
  expect(text).toContain('\r\no=focus 1 1 IN IP6 2001:db8::1\r\n');
  expect(text).toContain('\r\nc=IN IP6 2001:db8::2\r\n');
});

test.each([
  ['another kind of media', (text: string) => text.replace('m=message', 'm=audio')],
  ['port 0', (text: string) => text.replace('message 7654', 'message 0')],
  ['another protocol', (text: string) => text.replace('TCP/MSRP', 'RTP/AVP')],
  ['formats that are not *', (text: string) => text.replace('MSRP *', 'MSRP 0')],
  ['no path', (text: string) => text.replace(/a=path:.*\r\n/, '')],
  ['an empty path', (text: string) => text.replace(/a=path:.*/, 'a=path:')],
  ['a path that is none', (text: string) => text.replace(/a=path:.*/, 'a=path:http://example.com/')],
  ['no accept-types', (text: string) => text.replace(/a=accept-types:.*\r\n/, '')],
  ['empty accept-types', (text: string) => text.replace(/a=accept-types:.*/, 'a=accept-types:')],
  ['msrps on a line without TLS', (text: string) => text.replace('msrp://', 'msrps://')],
  ['msrp on a line with TLS', (text: string) => text.replace('TCP/MSRP', 'TCP/TLS/MSRP')],
])('a line with %s cannot be used', (_, change) => {
  expect(msrp(change)).toBeNull();
});
