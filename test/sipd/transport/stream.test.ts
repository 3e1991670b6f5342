import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { type StreamEvent, StreamReader } from '../../../src/sipd/transport/stream.ts';
import { sipHeaderLimits } from '../../../src/wire/sip-message.ts';

const first = 'OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\n\r\n\r\n';
const second = 'SIP/2.0 200 OK\r\nl: 0\r\n\r\n';

function read(...chunks: string[]): StreamEvent[] {
  const reader = new StreamReader();
  return chunks.flatMap((chunk) => reader.push(chunk));
}

describe('cutting a stream into messages (RFC 3261 18.3)', () => {
  const stream = `\r\n${first}\r\n\r\n${second}${first}`;
  const whole: StreamEvent[] = [
    { kind: 'message', text: first },
    { kind: 'ping' },
    { kind: 'message', text: second },
    { kind: 'message', text: first },
  ];

  test('split at every byte the messages and keep-alives are the same', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      expect([at, read(stream.slice(0, at), stream.slice(at))]).toEqual([at, whole]);
    }
    expect(read(...stream)).toEqual(whole);
  });

  test('bare line feeds end headers too', () => {
    const text = 'OPTIONS sip:a@b SIP/2.0\nContent-Length: 2\n\nhi';
    expect(read(text)).toEqual([{ kind: 'message', text }]);
    expect(read(...text)).toEqual([{ kind: 'message', text }]);
  });

  test('it tells whether a message has begun', () => {
    const reader = new StreamReader();
    expect(reader.partial).toBe(false);
    reader.push('\r\n');
    expect(reader.partial).toBe(false);
    reader.push('OPTIONS');
    expect(reader.partial).toBe(true);
    reader.push(first.slice('OPTIONS'.length));
    expect(reader.partial).toBe(false);
  });

  test.each([
    ['no Content-Length', 'OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n', 'Missing Content-Length'],
    ['two Content-Lengths', 'OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\nx', 'Invalid Content-Length'],
    ['a negative one', 'OPTIONS sip:a@b SIP/2.0\r\nl: -1\r\n\r\n', 'Invalid Content-Length'],
    ['too large a body', `OPTIONS sip:a@b SIP/2.0\r\nl: ${limits.streamMessageBytesMax}\r\n\r\n`, 'Message Too Large'],
  ])('%s breaks the stream, and what was read can be answered', (_, text, reason) => {
    const [event, ...others] = read(text, second);
    expect(event).toMatchObject({ kind: 'broken', reason });
    expect(event?.kind === 'broken' && event.text.startsWith('OPTIONS')).toBe(true);
    expect(others).toEqual([]);
  });

  test('a body at the limit is taken', () => {
    const head = 'OPTIONS sip:a@b SIP/2.0\r\nl: 1048522\r\n\r\n';
    const body = 'x'.repeat(1_048_522);
    const length = head.length + body.length;
    const fits = length <= limits.streamMessageBytesMax;
    expect(read(head + body)[0]?.kind).toBe(fits ? 'message' : 'broken');
    const exact = limits.streamMessageBytesMax - head.length;
    const full = head.replace('1048522', String(exact)) + 'x'.repeat(exact);
    expect(full.length).toBe(limits.streamMessageBytesMax);
    expect(read(full)).toEqual([{ kind: 'message', text: full }]);
  });

  test('what is no SIP, breaks it without an answer; a header section without end can be answered', () => {
    expect(read('GET / HTTP/1.1\r\n')).toEqual([{ kind: 'broken', text: '', reason: 'not SIP' }]);
    expect(read('GET / HTTP/1.1\r\n\r\n')).toEqual([{ kind: 'broken', text: '', reason: 'not SIP' }]);
    const endless = `OPTIONS sip:a@b SIP/2.0\r\nA: ${'x'.repeat(sipHeaderLimits.charactersMax)}`;
    expect(read(endless)).toEqual([{ kind: 'broken', text: endless, reason: 'Message Too Large' }]);
    expect(read('x'.repeat(sipHeaderLimits.charactersMax + 1))).toMatchObject([{ kind: 'broken', text: '' }]);
    const many = `OPTIONS sip:a@b SIP/2.0\r\n${'A: b\r\n'.repeat(600)}Content-Length: 0\r\n\r\n`;
    expect(read(many)).toMatchObject([{ kind: 'broken', reason: 'Message Too Large' }]);
  });
});
