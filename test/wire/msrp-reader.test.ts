import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { msrpHeader, responseTo, writeMsrpRequest, writeMsrpResponse } from '../../src/wire/msrp.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { alice, bodiless, focus, ok, read, readOne, readRequest, regular } from './msrp-frames.ts';

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
