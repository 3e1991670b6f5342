import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isMessageId,
  joinParts,
  type MsrpRequest,
  type MsrpResponse,
  mediaTypeOf,
  msrpHeader,
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
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

const alice = 'msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp';
const focus = 'msrp://chat.example.com:12763/kjhd37s2s20w2a;tcp';

/** RFC 7701 9.3 F1 in form. */
const regular = [
  'MSRP 3490visdm SEND',
  `To-Path: ${focus}`,
  `From-Path: ${alice}`,
  'Message-ID: 99s9s2',
  'Byte-Range: 1-30/30',
  'Content-Type: message/cpim',
  '',
  'Hello guys, how are you today?',
  '-------3490visdm$',
  '',
].join('\r\n');

const bodiless = `MSRP a786hjs2 SEND\r\nTo-Path: ${focus}\r\nFrom-Path: ${alice}\r\nMessage-ID: 87652491\r\n-------a786hjs2$\r\n`;
const ok = `MSRP 3490visdm 200 OK\r\nTo-Path: ${alice}\r\nFrom-Path: ${focus}\r\n-------3490visdm$\r\n`;

function read(octets: string | Buffer, wholeBytesMax = 1_000): MsrpFrame[] {
  return new MsrpReader({ wholeBytesMax }).push(Buffer.from(octets));
}

function readOne(octets: string | Buffer): MsrpFrame {
  const frames = read(octets);
  expect(frames).toHaveLength(1);
  return frames[0] as MsrpFrame;
}

function readRequest(octets: string | Buffer): MsrpRequest {
  const frame = readOne(octets);
  if (frame.kind !== 'request') throw new Error(`expected a request, not ${frame.kind}`);
  return frame;
}

function kindsOf(frames: readonly MsrpFrame[]): readonly string[] {
  return frames.map((frame) => frame.kind);
}

describe('reading', () => {
  test('a request with a body', () => {
    const request = readRequest(regular);
    expect(request).toMatchObject({ method: 'SEND', transactionId: '3490visdm', toPath: [focus], fromPath: [alice] });
    expect(request.flag).toBe('$');
    expect(request.body?.toString()).toBe('Hello guys, how are you today?');
    expect(request.headers.map((header) => header.name)).toEqual(['Message-ID', 'Byte-Range', 'Content-Type']);
    expect(msrpHeader(request, 'message-id')).toBe('99s9s2');
    expect(msrpHeader(request, 'Status')).toBeUndefined();
  });

  test('CC-157 a bodiless SEND has no empty line before the end-line, read and written', () => {
    const request = readRequest(bodiless);
    expect(request.body).toBeNull();
    expect(writeMsrpRequest(request).toString()).toBe(bodiless);
  });

  test('a bodiless SEND with an empty line is still bodiless, one with a Content-Type has an empty body', () => {
    const [head = ''] = bodiless.split('-------');
    expect(readRequest(`${head}\r\n-------a786hjs2$\r\n`).body).toBeNull();
    expect(readRequest(`${head}Content-Type: text/plain\r\n\r\n-------a786hjs2$\r\n`).body).toHaveLength(0);
    expect(readRequest(`${head}Content-Type: text/plain\r\n\r\n\r\n-------a786hjs2$\r\n`).body).toHaveLength(0);
  });

  test('a response with and without comment', () => {
    expect(readOne(ok)).toMatchObject({ kind: 'response', status: 200, comment: 'OK', toPath: [alice] });
    expect(readOne(ok.replace(' OK', ''))).toMatchObject({ status: 200, comment: null });
    expect(readOne(ok.replace('200 OK', '481 Keine Sitzung für dich'))).toMatchObject({
      comment: 'Keine Sitzung für dich',
    });
  });

  test('paths of several URIs', () => {
    const request = readRequest(bodiless.replace(`From-Path: ${alice}`, `From-Path: ${focus} ${alice}`));
    expect(request.fromPath).toEqual([focus, alice]);
  });

  test.each(['$', '+', '#'] as const)('the flag %s', (flag) => {
    expect(readRequest(regular.replace('visdm$', `visdm${flag}`)).flag).toBe(flag);
  });

  test('a body may hold anything but the end-line at the start of a line', () => {
    const tricky = [
      '-------3490visdm$ in the middle of a line',
      '\r\n-------3490visd$\r\n',
      '\r\n-------3490visdm',
      '\r\n-------3490visdm!\r\n',
      '\r\n-------3490visdm$x\r\n',
      '\n-------3490visdm$\r\n',
      '\r\n\r\nMSRP 1234 SEND\r\n\r\n\0\xff',
    ].join('');
    const octets = Buffer.from(regular.replace('Hello guys, how are you today?', tricky), 'latin1');
    expect(readRequest(octets).body?.toString('latin1')).toBe(tricky);
  });

  test('blank lines between frames are skipped', () => {
    expect(read(`\r\n\r\n${bodiless}\r\n${ok}\r\n`).map((frame) => frame.kind)).toEqual(['request', 'response']);
  });

  test('the body is a view of what was pushed, not a copy', () => {
    const octets = Buffer.from(regular);
    const [frame] = new MsrpReader({ wholeBytesMax: 100 }).push(octets);
    octets[octets.indexOf('Hello')] = 'J'.charCodeAt(0);
    expect(frame).toMatchObject({ body: Buffer.from('Jello guys, how are you today?') });
  });
});

describe('reading from a stream', () => {
  const tail = 'MSRP zzzz 481\r\nTo-Path: msrp://a:1/b;tcp\r\nFrom-Path: msrp://c:1/d;tcp\r\n-------zzzz$\r\n';
  const tricky = regular.replace('Hello guys', 'a\r\n-------3490visdX\r\n-------3490visdm*\r\n\r\n');
  const stream = Buffer.from([regular, bodiless, ok, tricky, '\r\n', regular, tail].join(''));
  const whole = read(stream);

  test('CC-155 many messages per segment, and one split at each octet', () => {
    expect(whole.map((frame) => frame.kind)).toEqual([
      'request',
      'request',
      'response',
      'request',
      'request',
      'response',
    ]);
    for (let at = 0; at <= stream.length; at += 1) {
      const reader = new MsrpReader({ wholeBytesMax: 1_000 });
      expect([...reader.push(stream.subarray(0, at)), ...reader.push(stream.subarray(at))]).toEqual(whole);
    }
  });

  test('CC-155 the end-line is found when every octet is a segment of its own', () => {
    const reader = new MsrpReader({ wholeBytesMax: 1_000 });
    expect([...stream].flatMap((octet) => reader.push(Buffer.from([octet])))).toEqual(whole);
  });

  test('any split gives the same frames', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const reader = new MsrpReader({ wholeBytesMax: 1_000 });
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const frames = places.flatMap((place, i) =>
          reader.push(stream.subarray(place, places[i + 1] ?? stream.length)),
        );
        expect(frames).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  test.each([regular, bodiless, ok])('a frame cut at any octet is waited for', (text) => {
    for (let length = 0; length < text.length; length += 1) {
      const reader = new MsrpReader({ wholeBytesMax: 1_000 });
      expect(reader.push(Buffer.from(text.slice(0, length)))).toEqual([]);
      expect(reader.push(Buffer.from(text.slice(length)))).toHaveLength(1);
    }
  });

  test('any octets at all are read or refused, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(regular.length), (noise, at) => {
        const reader = new MsrpReader({ wholeBytesMax: 100 });
        const text = Buffer.from(regular);
        const frames = [
          ...reader.push(Buffer.concat([text.subarray(0, at), noise, text.subarray(at)])),
          ...reader.push(Buffer.from(regular)),
        ];
        expect(frames.length).toBeLessThan(20);
      }),
    );
  });
});

describe('a long body', () => {
  // All that might be taken for the end, at a distance from it that lets any piece end anywhere in it.
  const decoys = [
    '\r\n-------3490visdm*\r\n',
    '\r\n-------3490visdm$\r\r\n',
    '\r\n-------3490visd',
    '\r\r\r\n\r\n------',
    'MSRP 1234 SEND\r\n\r\n',
    '-------3490visdm$\r\n',
    '\r\n -------3490visdm$\r\n',
  ].join('x');
  const body = `${'a'.repeat(30)}${decoys}\r\n`;
  const [head = ''] = regular.split('\r\n\r\n');
  const framed = `${head}\r\n\r\n${body}\r\n-------3490visdm+\r\n`;
  const stream = Buffer.from([bodiless, framed, ok, framed, framed, regular].join(''));

  /** What the frames of a stream say, however its bodies were split. */
  function said(frames: readonly MsrpFrame[]): unknown[] {
    const texts: unknown[] = [];
    let pieces: Buffer[] = [];
    for (const frame of frames) {
      if (frame.kind === 'piece') {
        expect(frame.octets.length).toBeGreaterThan(0);
        pieces.push(Buffer.from(frame.octets));
      } else if (frame.kind === 'end') {
        texts.push(['end', frame.flag, Buffer.concat(pieces).toString()]);
        pieces = [];
      } else {
        expect(pieces).toEqual([]);
        texts.push(frame.kind === 'begin' ? ['begin', frame.transactionId, frame.headers.length] : frame);
      }
    }
    return texts;
  }

  const whole = said(read(stream, 40));

  test('is begun, given in pieces, and ended with its flag', () => {
    expect(kindsOf(read(framed, 40))).toEqual(['begin', 'piece', 'end']);
    expect(whole.slice(1, 4)).toEqual([
      ['begin', '3490visdm', 3],
      ['end', '+', body],
      expect.objectContaining({ kind: 'response' }),
    ]);
    expect(whole).toHaveLength(9);
  });

  test('CC-155 QK-22 is read the same wherever the stream is split once', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const reader = new MsrpReader({ wholeBytesMax: 40 });
      const [before, after] = [reader.push(stream.subarray(0, at)), reader.push(stream.subarray(at))];
      expect(said([...before, ...after])).toEqual(whole);
    }
  });

  test.each([1, 2, 3, 7, 16, 64])('CC-155 is read the same in segments of %i octets', (size) => {
    const reader = new MsrpReader({ wholeBytesMax: 40 });
    const frames: MsrpFrame[] = [];
    for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
    expect(said(frames)).toEqual(whole);
  });

  test('any split gives the same octets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(stream.length), { maxLength: 12 }),
        fc.integer({ min: 20, max: 300 }),
        (cuts, max) => {
          const reader = new MsrpReader({ wholeBytesMax: max });
          const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
          const frames = places.flatMap((at, i) => reader.push(stream.subarray(at, places[i + 1] ?? stream.length)));
          expect(said(frames)).toEqual(said(read(stream, max)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('its pieces are views of what was pushed, and nothing of it is kept', () => {
    const reader = new MsrpReader({ wholeBytesMax: 10 });
    expect(kindsOf(reader.push(Buffer.from(framed.slice(0, framed.indexOf(body) + 20))))).toEqual(['begin', 'piece']);
    const octets = Buffer.alloc(5_000, 'b');
    const [piece] = reader.push(octets);
    octets.fill('c');
    expect(piece).toEqual({ kind: 'piece', octets: Buffer.alloc(5_000, 'c') });
  });

  test('that is aborted ends so', () => {
    const frames = read(framed.replace(/\+\r\n$/, '#\r\n'), 40);
    expect(frames.at(-1)).toEqual({ kind: 'end', flag: '#' });
  });
});

test('QK-22 an indented end-line ends nothing: what follows is body', () => {
  const indented = regular.replace('-------3490visdm$', '    -------3490visdm$');
  expect(read(indented)).toEqual([]);
  expect(readRequest(indented + regular).body?.toString()).toContain(
    '    -------3490visdm$\r\nMSRP 3490visdm SEND\r\n',
  );
});

test('QK-24 blanks after the empty line are body, an indented header is refused', () => {
  const [head = '', rest = ''] = regular.split('\r\n\r\n');
  expect(readRequest(`${head}\r\n\r\n   ${rest}`).body?.toString()).toBe('   Hello guys, how are you today?');
  expect(readOne(regular.replace('Message-ID', '    Message-ID')).kind).toBe('unreadable');
});

describe('bounds', () => {
  const filled = (length: number): string => regular.replace('Hello guys, how are you today?', 'x'.repeat(length));

  test('a SEND with a body of the bound is one frame, with one octet more it comes in pieces, and the next frame is read', () => {
    expect(kindsOf(read(filled(1_000) + bodiless))).toEqual(['request', 'request']);
    const frames = read(filled(1_001) + bodiless);
    expect(kindsOf(frames)).toEqual(['begin', 'piece', 'end', 'request']);
    expect(frames[0]).toMatchObject({ method: 'SEND', transactionId: '3490visdm', toPath: [focus] });
  });

  test('the body of another request has 10,240 octets at most, and what comes after a longer one is read', () => {
    const report = (length: number): string => filled(length).replace('SEND', 'REPORT');
    expect(kindsOf(read(report(10_240) + bodiless))).toEqual(['request', 'request']);
    const [oversize, next] = read(report(10_241) + bodiless);
    expect(oversize).toMatchObject({ kind: 'oversize', method: 'REPORT', transactionId: '3490visdm', toPath: [focus] });
    expect(next?.kind).toBe('request');
  });

  test('an oversize body is announced before it ends, once, however it is split', () => {
    const octets = Buffer.from(filled(15_000).replace('SEND', 'NICKNAME'));
    const reader = new MsrpReader({ wholeBytesMax: 1_000 });
    expect(kindsOf(reader.push(octets.subarray(0, 12_000)))).toEqual(['oversize']);
    for (const octet of octets.subarray(12_000)) expect(reader.push(Buffer.from([octet]))).toEqual([]);
    expect(reader.push(Buffer.from(bodiless))).toHaveLength(1);
  });

  test('a header line of 4 KiB is taken, one octet more is not', () => {
    const line = (length: number): string => `X: ${'y'.repeat(length - 5)}\r\n`;
    const withLine = (length: number): string => bodiless.replace('Message-ID', `${line(length)}Message-ID`);
    expect(readOne(withLine(4_096)).kind).toBe('request');
    expect(readOne(withLine(4_097)).kind).toBe('unreadable');
    expect(readOne(`MSRP ${'a'.repeat(4_200)}`).kind).toBe('unreadable');
  });

  test('a header section of 8 KiB is taken, one octet more is not', () => {
    const padded = (length: number): string => {
      const line = `X: ${'y'.repeat(995)}\r\n`;
      const head = bodiless.replace('Message-ID', `${line.repeat(7)}Message-ID`);
      const rest = length - head.length - 5;
      return head.replace('Message-ID', `X: ${'y'.repeat(rest)}\r\nMessage-ID`);
    };
    expect(padded(8_192)).toHaveLength(8_192);
    expect(readOne(padded(8_192)).kind).toBe('request');
    expect(readOne(padded(8_193)).kind).toBe('unreadable');
    const unfinished = padded(8_300);
    expect(readOne(unfinished.slice(0, unfinished.indexOf('Message-ID'))).kind).toBe('unreadable');
  });

  test('a transaction id of 32 characters is taken, 33 are not', () => {
    const withId = (length: number): string => bodiless.replaceAll('a786hjs2', 'a'.repeat(length));
    expect(readRequest(withId(32)).transactionId).toHaveLength(32);
    expect(readOne(withId(33)).kind).toBe('unreadable');
  });

  test('QK-40 a Message-ID of 1 to 64 characters is taken', () => {
    expect(['452', 'a', 'a'.repeat(64)].every(isMessageId)).toBe(true);
    expect(['', 'a'.repeat(65), 'a b', 'ä'].some(isMessageId)).toBe(false);
  });
});

describe('what is not MSRP', () => {
  test.each<[string, string]>([
    ['another protocol', 'GET / HTTP/1.1\r\n'],
    ['its first octet', 'G'],
    ['TLS', '\x16\x03\x01'],
    ['no transaction id', 'MSRP SEND\r\n'],
    ['an id with a bad first character', 'MSRP .abcd SEND\r\n'],
    ['a status of two digits', 'MSRP abcd 20\r\n'],
    ['words after the method', 'MSRP abcd SEND now\r\n'],
    ['bare line feeds', bodiless.replaceAll('\r\n', '\n')],
    ['no To-Path', bodiless.replace('To-Path', 'X-Path')],
    ['no From-Path', bodiless.replace('From-Path', 'X-Path')],
    ['an empty path', bodiless.replace(`From-Path: ${alice}`, 'From-Path: ')],
    ['a path with a control character', bodiless.replace(alice, 'msrp://a:1/\x01;tcp')],
    ['two To-Paths', bodiless.replace('Message-ID', `To-Path: ${focus}\r\nMessage-ID`)],
    ['a header without colon', bodiless.replace('Message-ID: 87652491', 'Message-ID')],
    ['a folded header', bodiless.replace('Message-ID:', 'Message-ID:\r\n')],
    ['a header with a bare CR', bodiless.replace('87652491', '8765\r2491')],
    ['an end-line without flag', bodiless.replace('$', '')],
    ['an end-line with another flag', bodiless.replace('$', '*')],
    ['a response with an endless body', `${ok.replace(/-{7}.*\r\n/, '')}\r\n${'x'.repeat(10_300)}`],
  ])('%s ends the stream', (_, text) => {
    const reader = new MsrpReader({ wholeBytesMax: 1_000 });
    const frames = reader.push(Buffer.from(text, 'latin1'));
    expect(frames.map((frame) => frame.kind)).toEqual(['unreadable']);
    expect(reader.push(Buffer.from(bodiless))).toEqual([]);
  });

  test('a request whose paths could be read can be answered 400', () => {
    const frame = readOne(bodiless.replace('Message-ID: 87652491', 'Message-ID'));
    if (frame.kind !== 'unreadable' || frame.request === null) throw new Error('expected what can be answered');
    expect(writeMsrpResponse(responseTo(frame.request, 400, null)).toString()).toContain(`To-Path: ${alice}\r\n`);
    expect(readOne(ok.replace('200 OK', '200 OK\r\nnonsense'))).toMatchObject({ kind: 'unreadable', request: null });
  });

  test('what came whole before it is given', () => {
    expect(read(`${bodiless}${ok}nonsense`).map((frame) => frame.kind)).toEqual(['request', 'response', 'unreadable']);
  });

  test('a header named like a property of objects is a header', () => {
    const request = readRequest(bodiless.replace('Message-ID', 'constructor: x\r\n__proto__: y\r\nMessage-ID'));
    expect(msrpHeader(request, 'constructor')).toBe('x');
  });
});

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
