import { expect, test } from 'vitest';
import { questionUrl } from '../../../src/sipd/handlers/question.ts';
import { readHandlers } from '../../../src/sipd/handlers/request-handlers.ts';
import type { Peer } from '../../../src/sipd/input.ts';
import { readMessage } from '../../../src/sipd/message/incoming.ts';

const from: Peer = { protocol: 'udp', host: '10.0.0.1', port: 5060, connection: null, listener: null };

/** The query for a request, in order. */
function query(lines: readonly string[], url = 'http://router/'): (readonly [string, string])[] {
  const text = [...lines, 'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1', 'Call-ID: a', '', ''].join('\r\n');
  const reading = readMessage(from, text, new Set());
  if (reading.kind !== 'request') throw new Error(`not a request: ${JSON.stringify(reading)}`);
  return [...new URL(questionUrl(url, reading)).searchParams];
}

const usual = ['From: "A" <sip:alice@example.com>;tag=1', 'To: <sip:focus@example.com>', 'CSeq: 1 INVITE'];

test('what is told of a request', () => {
  const type = 'Content-Type: application/sdp; charset=utf-8';
  expect(query(['INVITE sip:focus@example.com:5070;user=phone;lr SIP/2.0', ...usual, type])).toEqual([
    ['method', 'INVITE'],
    ['domain', 'example.com'],
    ['protocol', 'udp'],
    ['source_address', '10.0.0.1'],
    ['fromUser', 'alice'],
    ['toUser', 'focus'],
    ['uriUser', 'focus'],
    ['contentType', 'application/sdp'],
    ['uri', 'sip:focus@example.com:5070;user=phone;lr'],
    ['user', 'phone'],
    ['lr', ''],
  ]);
});

test('parameters of the Request-URI never pass for what we tell, nor for the handler’s own', () => {
  const uri = 'sip:focus@example.com;source_address=127.0.0.1;FROMUSER=root;Method=x;key=stolen;other=1';
  const told = query([`INVITE ${uri} SIP/2.0`, ...usual], 'http://router/?Key=secret');
  expect(told.map(([name]) => name)).toEqual([
    'Key',
    ...[
      'method',
      'domain',
      'protocol',
      'source_address',
      'fromUser',
      'toUser',
      'uriUser',
      'contentType',
      'uri',
      'other',
    ],
  ]);
  expect(new Map(told).get('source_address')).toBe('10.0.0.1');
});

test('octets stay what they are: signs of a query, escapes, letters beyond ASCII', () => {
  const lines = ['INVITE sip:a%26b&c=d@example.com SIP/2.0', 'From: <sip:%C3%A4@b>;tag=1', 'To: <sip:+49@c>'];
  const told = new Map(query([...lines, 'CSeq: 1 INVITE', 'Content-Type: text/\xc3\xa4']));
  expect(told.get('uriUser')).toBe('a%26b&c=d');
  expect(told.get('fromUser')).toBe('%C3%A4');
  expect(told.get('toUser')).toBe('+49');
  expect(told.get('contentType')).toBe('text/ä');
});

test('users there are none of are empty', () => {
  const told = new Map(
    query(['INVITE sip:example.com SIP/2.0', 'From: <sip:b>;tag=1', 'To: <sip:c>', 'CSeq: 1 INVITE']),
  );
  expect(['fromUser', 'toUser', 'uriUser', 'contentType'].map((name) => told.get(name))).toEqual(['', '', '', '']);
});

test.each([
  [{ method: 'in vite', url: 'http://a' }, 'A request handler is for a SIP method or for *, not "in vite".'],
  [{ method: 'invite', url: 'ftp://a' }, 'A request handler has an http, https, tcp or tls URL, not "ftp://a".'],
  [{ method: 'invite', url: 'nowhere' }, 'A request handler has an http, https, tcp or tls URL, not "nowhere".'],
  [{ method: 'invite', url: 'tcp://a' }, 'A request handler has an http, https, tcp or tls URL, not "tcp://a".'],
])('a handler that cannot be used is told in one sentence: %j', (option, sentence) => {
  expect(() => readHandlers([option])).toThrow(new Error(sentence));
});

test('two handlers for one method are told, too', () => {
  const twice = [
    { method: 'invite', url: 'http://a' },
    { method: 'INVITE', url: 'http://b' },
  ];
  expect(() => readHandlers(twice)).toThrow(new Error('There are two request handlers for INVITE.'));
});
