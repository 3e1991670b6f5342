import { describe, expect, test } from 'vitest';
import { type ReferBodyOptions, readReferBody } from '../../src/wire/refer-body.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';

const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list/></resource-lists>';

type Part = { readonly headers: readonly string[]; readonly body: string };

const listPart = (id: string | null, disposition: string | null = 'recipient-list'): Part => ({
  headers: [
    'Content-Type: application/resource-lists+xml',
    ...(disposition === null ? [] : [`Content-Disposition: ${disposition}`]),
    ...(id === null ? [] : [`Content-ID: <${id}>`]),
  ],
  body: list,
});

const tokenPart: Part = {
  headers: [
    'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=inner',
    'Content-ID: <token@x>',
  ],
  body: '--inner\r\nContent-Type: message/sipfrag\r\n\r\nFrom: x\r\n--inner--',
};

function read(parts: readonly Part[], options: Partial<ReferBodyOptions> = {}) {
  const text = parts.map(({ headers, body }) => `--b\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n`).join('');
  const message = `REFER sip:a@b.example SIP/2.0\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n${text}--b--\r\n`;
  return readReferBody(parseSipMessage(message), {
    listId: null,
    tokenId: null,
    partsMax: 16,
    depthMax: 4,
    ...options,
  });
}

test('without a body there is nothing', () => {
  const message = parseSipMessage('REFER sip:a@b.example SIP/2.0\r\n\r\n');
  const options = { listId: 'l@x', tokenId: null, partsMax: 16, depthMax: 4 };
  expect(readReferBody(message, options)).toEqual({ lists: [], hasPointedList: false, token: null });
});

describe('lists', () => {
  test('RFC 5363 4.1: all recipient lists are one, if Refer-To points at one of them', () => {
    const parts = [listPart('l@x'), listPart(null)];
    expect(read(parts, { listId: 'l@x' })).toMatchObject({ lists: [list, list], hasPointedList: true });
    expect(read(parts, { listId: 'other@x' })).toMatchObject({ hasPointedList: false });
  });

  test('what Refer-To points at needs no disposition; another list does', () => {
    expect(read([listPart('l@x', null)], { listId: 'l@x' })).toMatchObject({ lists: [list] });
    expect(() => read([listPart('m@x', null)], { listId: 'l@x' })).toThrow(RemoteError);
  });

  test('a list for another purpose is no recipient list', () => {
    expect(() => read([listPart('l@x', 'session')], { listId: 'l@x' })).toThrow(RemoteError);
    expect(read([listPart('l@x', 'history;handling=optional')], { listId: 'l@x' }).lists).toEqual([]);
  });

  test('the body itself may be the list (RFC 8262)', () => {
    const [part] = [listPart('l@x')];
    const message = parseSipMessage(
      `REFER sip:a@b.example SIP/2.0\r\n${part.headers.join('\r\n')}\r\nContent-Length: ${list.length}\r\n\r\n${list}`,
    );
    const options = { listId: 'l@x', tokenId: null, partsMax: 16, depthMax: 4 };
    expect(readReferBody(message, options)).toMatchObject({ lists: [list], hasPointedList: true });
  });
});

describe('the token of Referred-By', () => {
  test('RFC 3892 2.2: is kept to the character, whatever it is made of', () => {
    const body = read([tokenPart, listPart('l@x')], { tokenId: 'token@x', listId: 'l@x' });
    expect(body.token?.body).toBe(tokenPart.body);
    expect(body.token?.headers.map(({ name }) => name)).toEqual(['Content-Type', 'Content-ID']);
    expect(body.hasPointedList).toBe(true);
  });

  test('is not there when nothing bears its Content-ID', () => {
    expect(read([listPart('l@x')], { tokenId: 'token@x', listId: 'l@x' }).token).toBeNull();
  });
});

describe('what is refused', () => {
  test('a part that has to be understood and is not', () => {
    const sdp = { headers: ['Content-Type: application/sdp'], body: 'v=0' };
    expect(() => read([sdp])).toThrow(/application\/sdp/);
    const optional = { headers: [...sdp.headers, 'Content-Disposition: x;handling=optional'], body: 'v=0' };
    expect(read([optional])).toMatchObject({ lists: [] });
  });

  test('a part that says twice what it is, or how it is meant: readers would differ', () => {
    const { headers, body } = listPart('l@x');
    for (const twice of ['Content-Type: text/plain', 'Content-Disposition: session', 'Content-ID: <m@x>'])
      expect(() => read([{ headers: [...headers, twice], body }])).toThrow(/several/);
  });

  test('an encoded part, a body without a type, too much nesting', () => {
    const gzip = { headers: [...listPart('l@x').headers, 'Content-Encoding: gzip'], body: list };
    expect(() => read([gzip])).toThrow(/encoded/);
    const untyped = parseSipMessage('REFER sip:a@b.example SIP/2.0\r\n\r\nhello');
    expect(() => readReferBody(untyped, { listId: null, tokenId: null, partsMax: 16, depthMax: 4 })).toThrow(
      RemoteError,
    );
    expect(() => read([tokenPart], { depthMax: 1 })).toThrow(/deep/);
  });
});
