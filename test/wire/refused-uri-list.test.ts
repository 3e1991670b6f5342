import { describe, expect, test } from 'vitest';
import { refusedListsIn } from '../../src/wire/refused-uri-list.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';

const bounds = { partsMax: 16, depthMax: 4, lenient: true };
const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';

function forbidden(headers: readonly string[], body: string): ReturnType<typeof parseSipMessage> {
  const head = ['SIP/2.0 403 Forbidden', ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
  return parseSipMessage(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const part = (id: string, text: string, type = 'application/resource-lists+xml'): string =>
  `--b1\r\nContent-Type: ${type}\r\nContent-ID: <${id}>\r\n\r\n${text}\r\n`;

const alone = ['Content-Type: application/resource-lists+xml', 'Content-ID: <an3@x.example>'];

describe('CC-052 P-Refused-URI-List names the part that says who is behind the URI', () => {
  test.each([
    ['quoted, as the grammar has it', '<sip:friends@x.example>;members="<cid:an3@x.example>"'],
    ['bare, as the examples have it', 'sip:friends@x.example;members=<cid:an3@x.example>'],
    ['without brackets', '"Friends" <sip:friends@x.example>;members="cid:an3@x.example"'],
    ['percent-encoded, as a URL', '<sip:friends@x.example>;members="<cid:an3%40x.example>"'],
    ['among other parameters', '<sip:friends@x.example>;x=1;MEMBERS=<CID:an3@x.example>;y'],
  ])('%s', (_, value) => {
    expect(refusedListsIn(forbidden([`P-Refused-URI-List: ${value}`, ...alone], list), bounds)).toEqual([list]);
  });

  test('of several parts those that are named', () => {
    const body = `${part('one@x', 'first')}${part('two@x', 'second')}${part('three@x', 'third')}--b1--\r\n`;
    const headers = [
      'P-Refused-URI-List: <sip:a@x.example>;members=<cid:three@x>, <sip:b@x.example>;members="<cid:one@x>"',
      'Content-Type: multipart/mixed;boundary=b1',
    ];
    expect(refusedListsIn(forbidden(headers, body), bounds)).toEqual(['first', 'third']);
  });
});

test('nothing is named, or nothing is there, or it is no list: nobody is known', () => {
  const refused = 'P-Refused-URI-List: <sip:friends@x.example>';
  const named = `${refused};members="<cid:an3@x.example>"`;
  const other = ['Content-Type: application/resource-lists+xml', 'Content-ID: <other@x.example>'];
  expect(refusedListsIn(forbidden(alone, list), bounds)).toBeNull();
  expect(refusedListsIn(forbidden([refused, ...alone], list), bounds)).toBeNull();
  expect(refusedListsIn(forbidden([named, ...other], list), bounds)).toBeNull();
  expect(refusedListsIn(forbidden([named], ''), bounds)).toBeNull();
  expect(
    refusedListsIn(forbidden([named, 'Content-Type: text/plain', 'Content-ID: <an3@x.example>'], list), bounds),
  ).toBeNull();
});

test('QK-19 blanks in the brackets: not where reading is strict', () => {
  const message = forbidden(
    ['P-Refused-URI-List: < sip:friends@x.example >;members="<cid:an3@x.example>"', ...alone],
    list,
  );
  expect(refusedListsIn(message, bounds)).toEqual([list]);
  expect(() => refusedListsIn(message, { ...bounds, lenient: false })).toThrow(RemoteError);
});

test('what cannot be read is told so', () => {
  const unreadable = [
    '<sip:friends@x.example>;members="http://192.0.2.1/list"',
    '<sip:friends@x.example>;members="<cid:%zz>"',
    '"friends <sip:friends@x.example>;members=<cid:an3@x.example>',
  ];
  for (const value of unreadable)
    expect(() => refusedListsIn(forbidden([`P-Refused-URI-List: ${value}`, ...alone], list), bounds), value).toThrow(
      RemoteError,
    );
  const many = `${part('an3@x.example', list).repeat(17)}--b1--\r\n`;
  const headers = [
    'P-Refused-URI-List: <sip:a@x>;members=<cid:an3@x.example>',
    'Content-Type: multipart/mixed;boundary=b1',
  ];
  expect(() => refusedListsIn(forbidden(headers, many), bounds)).toThrow(RemoteError);
});
