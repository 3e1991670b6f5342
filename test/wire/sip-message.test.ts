import { describe, expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import {
  header,
  headerValues,
  parseSipMessage,
  parseStartLine,
  type SipMessage,
  scanSipMessage,
  sipHeaderLimits,
  writeSipMessage,
} from '../../src/wire/sip-message.ts';

const invite =
  'INVITE sip:conf-fact@example.com SIP/2.0\r\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n' +
  'From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\nTo: <sip:conf-fact@example.com>\r\n' +
  'Call-ID: a84b4c76e66710@pc33.atlanta.com\r\nCSeq: 314159 INVITE\r\nContent-Length: 5\r\n\r\nhello';

function status(act: () => unknown): number {
  try {
    act();
  } catch (error) {
    if (error instanceof RemoteError) return error.statusHint;
    throw error;
  }
  return 0;
}

describe('reading a message', () => {
  test('a request is its method, URI, headers in order and body', () => {
    const message = parseSipMessage(invite);
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      uri: 'sip:conf-fact@example.com',
      body: 'hello',
    });
    expect(message.headers.map(({ name }) => name)).toEqual(['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Content-Length']);
    expect(header(message, 'call-id')).toBe('a84b4c76e66710@pc33.atlanta.com');
    expect(header(message, 'Subject')).toBeUndefined();
  });

  test('a response has a status and a reason, which may be empty', () => {
    expect(parseSipMessage('SIP/2.0 180 Ringing\r\n\r\n')).toMatchObject({ status: 180, reason: 'Ringing' });
    expect(parseStartLine('SIP/2.0 100 ')).toEqual({ kind: 'response', status: 100, reason: '' });
    expect(parseStartLine('sip/2.0 100')).toEqual({ kind: 'response', status: 100, reason: '' });
    expect(parseStartLine('SIP/2.0 404 Not  there')).toMatchObject({ reason: 'Not  there' });
  });

  test('CC-196 folded headers and compact forms parse', () => {
    const message = parseSipMessage(
      'INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a\r\nf :\r\n <sip:a@b>\r\n\t;tag=1\r\nT: <sip:c@d>\r\ni: x\r\nm: <sip:a@b>\r\n' +
        'e: gzip\r\nl: 0\r\nc: text/plain\r\ns:\r\nk: norefersub\r\no: conference\r\nr: <sip:e@f>\r\nu: conference\r\n' +
        'b: <sip:g@h>\r\nx: 90\r\na: *\r\nj: *\r\nd: proxy\r\ny: sig\r\n\r\n',
    );
    expect(message.headers.map(({ name }) => name)).toEqual([
      'Via',
      'From',
      'To',
      'Call-ID',
      'Contact',
      'Content-Encoding',
      'Content-Length',
      'Content-Type',
      'Subject',
      'Supported',
      'Event',
      'Refer-To',
      'Allow-Events',
      'Referred-By',
      'Session-Expires',
      'Accept-Contact',
      'Reject-Contact',
      'Request-Disposition',
      'Identity',
    ]);
    expect(header(message, 'from')).toBe('<sip:a@b> ;tag=1');
    expect(header(message, 'subject')).toBe('');
  });

  test('bare line feeds are taken, and line ends before the start line are skipped', () => {
    const message = parseSipMessage('\r\n\r\nOPTIONS sip:a@b SIP/2.0\nTo: <sip:a@b>\n\nbody\nof lines');
    expect(message).toMatchObject({ method: 'OPTIONS', body: 'body\nof lines' });
    expect(header(message, 'to')).toBe('<sip:a@b>');
  });

  test('every header of a name is found, unsplit and in order', () => {
    const message = parseSipMessage(
      'OPTIONS sip:a@b SIP/2.0\r\nRoute: <sip:a>, <sip:b>\r\nX: y\r\nrOUTE: <sip:c>\r\n\r\n',
    );
    expect(headerValues(message, 'Route')).toEqual(['<sip:a>, <sip:b>', '<sip:c>']);
  });

  test('a start line that is not three words with single blanks is refused with 400', () => {
    for (const line of [
      'INVITE',
      'INVITE sip:a@b',
      'INVITE  sip:a@b  SIP/2.0',
      'INVITE sip:a@b; lr SIP/2.0',
      'INVITE sip:a@b SIP/2.0 ',
      'INV"ITE sip:a@b SIP/2.0',
      'INVITE sip:a@b HTTP/1.1',
      'SIP/2.0 4294967301 better not break the receiver',
      'SIP/2.0 99 x',
      'SIP/2.0 700 x',
      'SIP/2.0 20 OK',
      'SIP/2.0',
      '',
    ]) {
      expect([line, status(() => parseStartLine(line))]).toEqual([line, 400]);
    }
  });

  test('another version is refused with 505', () => {
    expect(status(() => parseSipMessage('OPTIONS sip:a@b SIP/7.0\r\n\r\n'))).toBe(505);
    expect(status(() => parseSipMessage('SIP/3.0 200 OK\r\n\r\n'))).toBe(505);
  });

  test('a line that is no header is refused with 400, and the scan goes on past it', () => {
    for (const line of ['no colon here', ': empty name', 'bad name: x', 'A: lone\rreturn']) {
      const text = `OPTIONS sip:a@b SIP/2.0\r\n${line}\r\nTo: <sip:a@b>\r\n\r\n`;
      expect([line, status(() => parseSipMessage(text))]).toEqual([line, 400]);
      expect(scanSipMessage(text).headers.map(({ key }) => key)).toEqual(['to']);
    }
  });

  test('a header section at its limits is read, one beyond is refused with 513', () => {
    const fields = 'A: b\r\n'.repeat(sipHeaderLimits.fieldsMax);
    expect(parseSipMessage(`OPTIONS sip:a@b SIP/2.0\r\n${fields}\r\n`).headers).toHaveLength(sipHeaderLimits.fieldsMax);
    expect(status(() => parseSipMessage(`OPTIONS sip:a@b SIP/2.0\r\n${fields}A: b\r\n\r\n`))).toBe(513);
    const start = 'OPTIONS sip:a@b SIP/2.0\r\nA: ';
    const filler = 'x'.repeat(sipHeaderLimits.charactersMax - start.length - 2);
    expect(status(() => parseSipMessage(`${start}${filler}\r\n\r\n`))).toBe(0);
    expect(status(() => parseSipMessage(`${start}${filler}x\r\n\r\n`))).toBe(513);
  });

  test('truncated at every byte it is read or refused, never anything else', () => {
    for (let length = 0; length <= invite.length; length += 1) {
      expect([0, 400, 505]).toContain(status(() => parseSipMessage(invite.slice(0, length))));
    }
  });

  test('the scan tells where each header stands, so that one can be replaced in place', () => {
    const scan = scanSipMessage(invite);
    const from = scan.headers.find(({ key }) => key === 'from');
    expect(invite.slice(from?.start, from?.end)).toBe('From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n');
    expect(invite.slice(scan.bodyStart)).toBe('hello');
    expect(scan.tidy).toBe(true);
    expect(scanSipMessage('OPTIONS sip:a@b SIP/2.0\r\nt: <sip:a@b>\r\n\r\n').tidy).toBe(false);
    expect(scanSipMessage('OPTIONS sip:a@b SIP/2.0\nTo: <sip:a@b>\r\n\r\n').tidy).toBe(false);
  });
});

describe('writing a message', () => {
  const message: SipMessage = {
    kind: 'response',
    status: 200,
    reason: 'OK',
    headers: [
      { name: 'Via', value: 'SIP/2.0/UDP a' },
      { name: 'content-length', value: '99' },
    ],
    body: 'grüß 𝄞',
  };

  test('Content-Length counts octets: UTF-8 or latin1', () => {
    expect(header(parseSipMessage(writeSipMessage(message)), 'content-length')).toBe('11');
    expect(writeSipMessage({ ...message, body: 'gr\u00fc\u00df' }, 'latin1')).toContain('Content-Length: 4\r\n');
    expect(writeSipMessage({ ...message, body: '\ud834' })).toContain('Content-Length: 3\r\n');
  });

  test('what was written reads the same', () => {
    const text = writeSipMessage(parseSipMessage(invite));
    expect(writeSipMessage(parseSipMessage(text))).toBe(text);
    expect(text).toBe(invite);
  });

  test('a line end within a value is our own mistake', () => {
    const injected = { ...message, headers: [{ name: 'Subject', value: 'x\r\nRoute: <sip:evil>' }] };
    expect(() => writeSipMessage(injected)).toThrow('one line');
    expect(() => writeSipMessage({ ...message, reason: 'OK\r\nX: y' })).toThrow('one line');
  });
});
