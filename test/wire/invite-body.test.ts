import { expect, test } from 'vitest';
import { readInviteBody } from '../../src/wire/invite-body.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseResourceList } from '../../src/wire/resource-lists.ts';
import { parseSdp } from '../../src/wire/sdp.ts';
import { parseSipMessage, type SipHeader, type SipMessage } from '../../src/wire/sip-message.ts';
import { boundary, crlf, listPart, msrpSdp, multipart, type Part, resourceList } from '../support/bodies.ts';

const options = { lenient: true, partsMax: 16, depthMax: 4, expectList: true };
const strict = { ...options, lenient: false };

const sdp = msrpSdp({ user: 'alice', path: 'msrp://192.0.2.1:7654/jshA7weztas;tcp', port: 7654, setup: 'actpass' });
const list = resourceList([{ uri: 'sip:bob@biloxi.example.com' }, { uri: 'sip:ted@example.net' }]);
const sdpPart: Part = { type: 'application/sdp', text: sdp };
const mixed = `multipart/mixed;boundary="${boundary}"`;

function message(body: string, ...headers: readonly (readonly [string, string])[]): SipMessage {
  const lines = headers.map(([name, value]): SipHeader => ({ name, value }));
  return { kind: 'request', method: 'INVITE', uri: 'sip:conf-fact@conf.example.com', headers: lines, body };
}

const ofParts = (...parts: readonly Part[]): SipMessage => message(multipart(parts), ['Content-Type', mixed]);

const statusOf = (request: SipMessage, how = options): number => {
  try {
    readInviteBody(request, how);
  } catch (error) {
    if (error instanceof RemoteError) return error.statusHint;
    throw error;
  }
  return 200;
};

test('session description and list are found in a multipart body (RFC 5366 5)', () => {
  expect(readInviteBody(ofParts(sdpPart, listPart(list)), strict)).toEqual({ sdp, lists: [list], quirks: [] });
  expect(readInviteBody(ofParts(listPart(list), sdpPart), strict)).toEqual({ sdp, lists: [list], quirks: [] });
});

test('a session description alone, a list alone, and no body at all are fine', () => {
  expect(readInviteBody(message(sdp, ['Content-Type', 'application/sdp']), strict)).toEqual({
    sdp,
    lists: [],
    quirks: [],
  });
  const alone = message(
    list,
    ['Content-Type', 'application/resource-lists+xml'],
    ['Content-Disposition', 'recipient-list'],
  );
  expect(readInviteBody(alone, strict)).toEqual({ sdp: null, lists: [list], quirks: [] });
  expect(readInviteBody(message(''), strict)).toEqual({ sdp: null, lists: [], quirks: [] });
});

test('the first session description and every list count, however deep (RFC 5363 4.1)', () => {
  const inner = multipart([listPart('<first/>'), sdpPart]).replaceAll(boundary, 'inner');
  const body = ofParts(
    { type: 'multipart/related;boundary=inner', text: inner },
    { ...sdpPart, text: 'v=9\r\n' },
    listPart('<second/>'),
  );
  expect(readInviteBody(body, options)).toEqual({ sdp, lists: ['<first/>', '<second/>'], quirks: [] });
});

test('multiparts may nest four deep', () => {
  const nest = (depth: number): SipMessage => {
    let part: Part = sdpPart;
    for (let level = 1; level < depth; level += 1) {
      part = { type: `multipart/mixed;boundary=b${level}`, text: multipart([part]).replaceAll(boundary, `b${level}`) };
    }
    return ofParts(part);
  };
  expect(readInviteBody(nest(4), options).sdp).toBe(sdp);
  expect(statusOf(nest(5))).toBe(400);
});

test('parts are counted over all multiparts', () => {
  const inner = multipart(new Array(8).fill(sdpPart)).replaceAll(boundary, 'inner');
  const body = (count: number): SipMessage =>
    ofParts({ type: 'multipart/mixed;boundary=inner', text: inner }, ...new Array<Part>(count).fill(sdpPart));
  expect([statusOf(body(7)), statusOf(body(8))]).toEqual([200, 400]);
});

/** M-03L: the body of the source document’s message 3. */
const twoBodies = `${sdp}\r\n${list}`;
const twoTypes: readonly (readonly [string, string])[] = [
  ['Content-Type', 'application/sdp'],
  ['Content-Type', 'application/resource-lists+xml'],
];

test('QK-4 two Content-Types over two bodies are split leniently, in either order', () => {
  for (const types of [twoTypes, [...twoTypes].reverse()]) {
    const read = readInviteBody(message(twoBodies, ...types), options);
    expect(read).toEqual({ sdp: `${sdp}\r\n`, lists: [list], quirks: ['QK-4'] });
    expect(parseSdp(read.sdp ?? '').media).toHaveLength(1);
  }
  const bare = list.replace(/<\?xml.*\?>\s*/, '');
  expect(readInviteBody(message(sdp + bare, ...twoTypes), options).lists).toEqual([bare]);
  expect(readInviteBody(message(list, ...twoTypes), options)).toEqual({ sdp: null, lists: [list], quirks: ['QK-4'] });
});

test('QK-4 two Content-Types are refused strictly with 400', () => {
  expect(statusOf(message(twoBodies, ...twoTypes), strict)).toBe(400);
});

test.each([
  [['application/sdp', 'application/sdp']],
  [['application/sdp', 'text/plain']],
  [['application/sdp', 'application/resource-lists+xml;charset=utf-8']],
  [['application/sdp', 'application/resource-lists+xml', 'application/sdp']],
  [['multipart/mixed;boundary=b', 'application/resource-lists+xml']],
])('QK-4 other repeated Content-Types, %j, are refused with 400', (types) => {
  const headers = types.map((type) => ['Content-Type', type] as const);
  expect(statusOf(message(twoBodies, ...headers))).toBe(400);
});

test('QK-4 without a list to split at is refused with 400', () => {
  expect(statusOf(message(sdp, ...twoTypes))).toBe(400);
});

const disposition = ['Content-Disposition', 'recipient-list'] as const;

test('QK-5 a message-level recipient-list over both bodies is taken under QK-4 only', () => {
  const quirk = message(twoBodies, ...twoTypes, disposition);
  expect(readInviteBody(quirk, options).quirks).toEqual(['QK-4', 'QK-5']);
  expect(statusOf(quirk, strict)).toBe(400);
  for (const how of [options, strict]) {
    expect(statusOf(message(sdp, ['Content-Type', 'application/sdp'], disposition), how)).toBe(400);
    expect(statusOf(message(multipart([sdpPart, listPart(list)]), ['Content-Type', mixed], disposition), how)).toBe(
      400,
    );
  }
  expect(statusOf(message(twoBodies, ...twoTypes, ['Content-Disposition', 'session']))).toBe(400);
});

test('the source document’s message 3 is read from the wire to the last entry', () => {
  const text = crlf(
    'INVITE sip:conf-fact@conf.example.com SIP/2.0',
    'Content-Type: application/sdp',
    'Require: recipient-list-subscribe',
    'Content-Type: application/resource-lists+xml',
    'Content-Disposition: recipient-list',
    '',
  );
  const read = readInviteBody(parseSipMessage(text + twoBodies), options);
  const entries = read.lists.flatMap(
    (xml) => parseResourceList(xml, { lenient: true, bytesMax: 10_000, elementsMax: 10, depthMax: 8 }).entries,
  );
  expect(entries.map((entry) => entry.raw)).toEqual(['sip:bob@biloxi.example.com', 'sip:ted@example.net']);
});

const listWithout: Part = { type: 'application/resource-lists+xml', text: list };

test('CC-014 a list without Content-Disposition is the list where the request requires one; strictly 400', () => {
  expect(readInviteBody(ofParts(sdpPart, listWithout), options).lists).toEqual([list]);
  expect(statusOf(ofParts(sdpPart, listWithout), strict)).toBe(400);
  expect(statusOf(ofParts(sdpPart, listWithout), { ...options, expectList: false })).toBe(415);
});

test('a list that nobody asked for is passed over when it says so, and told otherwise', () => {
  const unasked = { ...options, expectList: false };
  const optional: Part = { ...listWithout, disposition: 'recipient-list;handling=optional' };
  expect(readInviteBody(ofParts(sdpPart, optional), unasked).lists).toEqual([]);
  expect(readInviteBody(ofParts(sdpPart, optional), options).lists).toEqual([list]);
  expect(readInviteBody(ofParts(sdpPart, listPart(list)), unasked).lists).toEqual([list]);
});

test('CC-015 an unknown part is passed over with handling=optional, and 415 without', () => {
  const unknown = (value?: string): SipMessage =>
    ofParts(sdpPart, {
      type: 'application/x-unknown',
      text: 'x',
      ...(value === undefined ? {} : { disposition: value }),
    });
  expect(readInviteBody(unknown('render; handling=optional'), strict).sdp).toBe(sdp);
  expect([statusOf(unknown()), statusOf(unknown('render')), statusOf(unknown('render;handling=required'))]).toEqual([
    415, 415, 415,
  ]);
  expect(statusOf(message('x', ['Content-Type', 'application/x-unknown']))).toBe(415);
});

test('a history list and a session description of another disposition are unknown parts', () => {
  const history: Part = { ...listWithout, disposition: 'recipient-list-history; handling=optional' };
  expect(readInviteBody(ofParts(sdpPart, history), options).lists).toEqual([]);
  const early: Part = { ...sdpPart, disposition: 'early-session;handling=optional' };
  expect(readInviteBody(ofParts(early), options).sdp).toBeNull();
  expect(statusOf(ofParts({ ...sdpPart, disposition: 'early-session' }))).toBe(415);
});

test('of alternatives one that is understood is enough (RFC 2046 5.1.4)', () => {
  const alternatives = (...parts: readonly Part[]): SipMessage =>
    ofParts(sdpPart, {
      type: 'multipart/alternative;boundary=inner',
      text: multipart(parts).replaceAll(boundary, 'inner'),
    });
  const unknown: Part = { type: 'application/x-unknown', text: 'x' };
  expect(readInviteBody(alternatives(unknown, sdpPart), options).sdp).toBe(sdp);
  expect(statusOf(alternatives(unknown))).toBe(415);
});

test('CC-016 an encoded body or part is refused with 415', () => {
  expect(statusOf(message(sdp, ['Content-Type', 'application/sdp'], ['Content-Encoding', 'gzip']))).toBe(415);
  expect(statusOf(message(sdp, ['Content-Type', 'application/sdp'], ['Content-Encoding', 'identity']))).toBe(200);
  const body = multipart([sdpPart, listPart(list)]).replace(
    'Content-Disposition',
    'Content-Encoding: gzip\r\nContent-Disposition',
  );
  expect(statusOf(message(body, ['Content-Type', mixed]))).toBe(415);
  expect(statusOf(message(twoBodies, ...twoTypes, ['Content-Encoding', 'gzip']))).toBe(415);
});

test.each([
  ['without Content-Type', message(sdp)],
  ['with a Content-Type that is none', message(sdp, ['Content-Type', 'sdp'])],
  ['that says multipart and gives no boundary', message(multipart([sdpPart]), ['Content-Type', 'multipart/mixed'])],
  ['without its boundary', message(sdp, ['Content-Type', mixed])],
  [
    'with two Content-Dispositions',
    message(list, ['Content-Type', 'application/resource-lists+xml'], disposition, disposition),
  ],
  [
    'with a part of two types',
    message(multipart([sdpPart]).replace('Content-Type', 'Content-Type: a/b\r\nContent-Type'), ['Content-Type', mixed]),
  ],
])('a body %s is refused with 400', (_, request) => {
  expect(statusOf(request)).toBe(400);
});

test('a body cut off anywhere is read or refused with 400 or 415', () => {
  const body = multipart([sdpPart, listPart(list)]);
  for (let length = 1; length <= body.length; length += 1) {
    expect([200, 400, 415]).toContain(statusOf(message(body.slice(0, length), ['Content-Type', mixed])));
  }
});
