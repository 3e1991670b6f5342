import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  joinParts,
  type MsrpResponse,
  mediaTypeOf,
  parseByteRange,
  partsLength,
  pathLines,
  responseTo,
  sendParts,
  wantsResponse,
  wholeByteRange,
  writeMsrpContent,
  writeMsrpRequest,
  writeMsrpResponse,
} from '../../src/wire/msrp.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { alice, bodiless, focus, ok, readOne, readRequest, regular } from './msrp-frames.ts';

describe('writing', () => {
  test('what was read is written the same', () => {
    expect(writeMsrpRequest(readRequest(regular)).toString()).toBe(regular);
    expect(writeMsrpResponse(readOne(ok) as MsrpResponse).toString()).toBe(ok);
    const withoutComment = ok.replace(' OK', '');
    expect(writeMsrpResponse(readOne(withoutComment) as MsrpResponse).toString()).toBe(withoutComment);
  });

  test('any request comes back as it went', () => {
    const requests = fc.record({
      kind: fc.constant('request' as const),
      transactionId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/),
      method: fc.constantFrom('SEND', 'REPORT', 'NICKNAME'),
      toPath: fc.constant([focus, alice]),
      fromPath: fc.constant([alice]),
      headers: fc.constant([
        { name: 'Use-Nickname', value: '"Älice"' },
        { name: 'Content-Type', value: 'application/octet-stream' },
      ]),
      body: fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
      flag: fc.constantFrom('$' as const, '+' as const, '#' as const),
    });
    fc.assert(
      fc.property(requests, (request) => {
        expect(readOne(writeMsrpRequest(request))).toEqual(request);
      }),
    );
  });

  test('the Content-Type goes last, before the empty line (RFC 4975 7.1)', () => {
    const headers = [
      { name: 'Content-Type', value: 'text/plain' },
      { name: 'Message-ID', value: 'abcd' },
    ];
    expect(writeMsrpContent(headers, Buffer.from('hi')).toString()).toBe(
      'Message-ID: abcd\r\nContent-Type: text/plain\r\n\r\nhi\r\n',
    );
  });

  test('a body without type, a type without body, and a body with the end-line are our own mistakes', () => {
    const type = { name: 'Content-Type', value: 'text/plain' };
    expect(() => writeMsrpContent([], Buffer.from('x'))).toThrow('Content-Type');
    expect(() => writeMsrpContent([type], null)).toThrow('Content-Type');
    const request = readRequest(regular);
    expect(() => writeMsrpRequest({ ...request, body: Buffer.from('-------3490visdm') })).toThrow('end-line');
  });

  test('parts of many frames join to what single frames would be', () => {
    const body = Buffer.from([0, 255, 13, 10]);
    const headers = [{ name: 'Content-Type', value: 'image/png' }];
    const content = writeMsrpContent(headers, body);
    const frames = ['t001', 't002'].map((id) =>
      sendParts(id, { paths: pathLines([alice], [focus]), content, flag: '$' }),
    );
    const length = frames.reduce((sum, parts) => sum + partsLength(parts), 0);
    const request = { method: 'SEND', toPath: [alice], fromPath: [focus], headers, body, flag: '$' } as const;
    const expected = ['t001', 't002'].map((transactionId) => writeMsrpRequest({ ...request, transactionId }));
    expect(joinParts(frames, length)).toEqual(Buffer.concat(expected));
  });
});

describe('responses (RFC 4975 7.2)', () => {
  const relayed = readRequest(bodiless.replace(`From-Path: ${alice}`, `From-Path: ${focus} ${alice}`));

  test('CC-169 the To-Path of a response to a SEND is the leftmost From-Path URI only', () => {
    const response = responseTo(relayed, 200, 'OK');
    expect(response).toMatchObject({ transactionId: 'a786hjs2', toPath: [focus], fromPath: [focus] });
  });

  test('the response to another method goes back along the whole path', () => {
    expect(responseTo({ ...relayed, method: 'NICKNAME' }, 403, null).toPath).toEqual([focus, alice]);
  });

  test.each<[string | null, boolean, boolean]>([
    [null, true, true],
    ['yes', true, true],
    ['partial', false, true],
    ['no', false, false],
    ['NO', false, false],
    ['perhaps', true, true],
  ])('CC-156 Failure-Report %s', (value, on200, onError) => {
    const headers = value === null ? [] : [{ name: 'Failure-Report', value }];
    expect([200, 481].map((status) => wantsResponse({ ...relayed, headers }, status))).toEqual([on200, onError]);
  });
});

describe('Byte-Range (RFC 4975 7.1.1)', () => {
  test.each([
    ['1-30/30', { start: 1, end: 30, total: 30 }],
    ['1-*/*', { start: 1, end: null, total: null }],
    ['1-0/0', { start: 1, end: 0, total: 0 }],
    ['2049-*/4000', { start: 2049, end: null, total: 4000 }],
  ])('%s', (text, expected) => expect(parseByteRange(text)).toEqual(expected));

  test.each(['', '1', '0-5/5', '*-5/5', '5-3/9', '1-9/5', '1-5', '1-5/', 'a-b/c', '1-5/5 ', '-1-5/5', '9-*/5'])(
    'refuses %j',
    (text) => expect(() => parseByteRange(text)).toThrow(RemoteError),
  );

  test('a whole message over 2048 octets says that it may be interrupted', () => {
    expect([0, 2_048, 2_049].map((length) => wholeByteRange(length).value)).toEqual([
      '1-0/0',
      '1-2048/2048',
      '1-*/2049',
    ]);
  });
});

test.each([
  ['message/cpim', 'message/cpim'],
  ['Message/CPIM ; charset=utf-8', 'message/cpim'],
])('the media type of %s is %s', (value, expected) => expect(mediaTypeOf(value)).toBe(expected));
