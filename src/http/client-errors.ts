import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RefusalCode } from '../core/refusal.ts';
import { PROBLEM_MEDIA_TYPE, problemOf, Refused } from './problem.ts';

const codeByNodeCode: Readonly<Record<string, RefusalCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-too-slow',
};

/**
 * Answers what Node could not read as a request, for which there is no route and no reply, only the socket: with a
 * problem like any other, and the end of the connection. `newId` gives the request its id.
 */
export function clientErrorAnswerer(newId: () => string): (error: Error & { code: string }, socket: Duplex) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const refused = new Refused({ code: codeByNodeCode[error.code] ?? 'bad-request' });
    if (socket.writable) socket.write(answer(refused, newId()));
    socket.destroy(error);
  };
}

function answer(refused: Refused, id: string): string {
  // RFC 9457 3.1.5: what was asked for is not known; an empty reference names the request itself.
  const body = JSON.stringify(problemOf(refused, { path: '', id }));
  return [
    `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status] ?? ''}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
