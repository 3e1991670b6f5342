/** Multipart bodies (RFC 2046 5.1): parts cut out and put together to the character. */

import { strict as assert } from 'node:assert';
import { RemoteError } from './remote-error.ts';
import type { SipHeader } from './sip-message.ts';

/** One part; header names as they came, values unfolded and trimmed. */
export type BodyPart = { readonly headers: readonly SipHeader[]; readonly body: string };

// RFC 2046 5.1.1: bchars, at most 70, the last one no blank.
const boundaryPattern = /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/;

/**
 * The parts between the delimiters; preamble and epilogue fall away, a missing close delimiter ends the last part with
 * the body (QK-27). Throws RemoteError 400 when there is no delimiter at all, or more parts than `limits.parts`.
 */
export function splitMultipart(body: string, boundary: string, limits: { readonly parts: number }): BodyPart[] {
  if (!boundaryPattern.test(boundary)) throw new RemoteError(400, 'The boundary of the multipart body is malformed');
  // RFC 2046 5.1.1: a delimiter begins a line; the line end before it belongs to it, blanks may follow it.
  const delimiter = new RegExp(`(?:^|\\r?\\n)--${escaped(boundary)}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const parts: BodyPart[] = [];
  let start: number | null = null;
  let isClosed = false;
  for (const match of body.matchAll(delimiter)) {
    if (start !== null) parts.push(readPart(body.slice(start, match.index)));
    if (parts.length > limits.parts) throw new RemoteError(400, 'The multipart body has too many parts');
    start = match.index + match[0].length;
    isClosed = match[1] !== undefined;
    if (isClosed) break;
  }
  if (start === null) throw new RemoteError(400, 'The multipart body has no delimiter');
  if (!isClosed) parts.push(readPart(body.slice(start)));
  if (parts.length > limits.parts) throw new RemoteError(400, 'The multipart body has too many parts');
  return parts;
}

/** The text of a multipart body with CRLF line ends. No part may hold the delimiter: choose the boundary so. */
export function joinMultipart(parts: readonly BodyPart[], boundary: string): string {
  assert(boundaryPattern.test(boundary) && parts.length > 0, 'a multipart body has a boundary and parts');
  const texts = parts.map(({ headers, body }) => {
    assert(!`\n${body}`.includes(`\n--${boundary}`), 'a boundary does not occur in its parts');
    return `--${boundary}\r\n${headers.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}\r\n${body}\r\n`;
  });
  return `${texts.join('')}--${boundary}--\r\n`;
}

function escaped(boundary: string): string {
  return boundary.replace(/[()+.?]/g, '\\$&');
}

/** A part from after its delimiter to before the next: line end, headers, empty line, body. */
function readPart(text: string): BodyPart {
  const content = text.replace(/^\r?\n/, '');
  const bare = /^\r?\n/.exec(content);
  // RFC 2046 5.1: a part that begins with an empty line has no headers.
  if (bare !== null) return { headers: [], body: content.slice(bare[0].length) };
  // The line end before the next delimiter belongs to that, hence an empty body may leave but one after the headers.
  const end = /\r?\n(?:\r?\n|$)/.exec(content);
  if (end === null) return { headers: readHeaders(content), body: '' };
  return { headers: readHeaders(content.slice(0, end.index)), body: content.slice(end.index + end[0].length) };
}

function readHeaders(text: string): readonly SipHeader[] {
  if (text === '') return [];
  const unfolded = text.replace(/\r?\n[ \t]+/g, ' ');
  return unfolded.split(/\r?\n/).map((line) => {
    const match = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line);
    if (match?.[1] === undefined) throw new RemoteError(400, 'A header of a body part is malformed');
    return { name: match[1], value: (match[2] ?? '').trim() };
  });
}
