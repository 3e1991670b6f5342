/** Handing a response to the library, with the checks the SIP server needs. */
import { limits } from '../core/limits.ts';
import { pacingBounds } from './bounds.ts';
import { frameBytes, headerBytes, inOneLine } from './outgoing.ts';
import type { Answer } from './responses.ts';
import type { Log } from './sip-log.ts';
import type { SrfResponse } from './srf.ts';

/**
 * Sends `answer`, or a bare 500 in place of one that is too long for the SIP server: a request is always answered.
 * `failed` is called when `answer` is not sent, never before this returns.
 */
export function sendAnswer(
  response: SrfResponse,
  answer: Answer,
  how: { readonly log: Log; readonly failed: () => void },
): void {
  const { headers } = response;
  const { toTag, body } = answer;
  const bytes = frameBytes(Object.entries(headers), body ?? '') + headerBytes(answer.headers) + (toTag?.length ?? 0);
  if (bytes <= pacingBounds.unconfirmedBytesMax) {
    for (const [name, value] of answer.headers) addHeader(headers, name, value);
    if (toTag !== null) addToTag(headers, toTag);
    send(response, answer, how);
    return;
  }
  how.log.error({ status: answer.status, bytes }, 'response too large for the SIP server, 500 sent in its place');
  // Of what the library has copied from the request; the SIP server knows it by itself.
  for (const [name, value] of Object.entries(headers)) if (value.length > limits.uriCharactersMax) delete headers[name];
  send(response, { status: 500, reason: 'Server Internal Error', body: null }, { ...how, failed: () => undefined });
  queueMicrotask(how.failed);
}

function send(
  response: SrfResponse,
  { status, reason, body }: Pick<Answer, 'status' | 'reason' | 'body'>,
  { log, failed }: { readonly log: Log; readonly failed: () => void },
): void {
  try {
    response.send(status, reason, body === null ? {} : { body }, (error) => {
      if (!error) return;
      log.warn({ err: error, status }, 'response not sent by the SIP server');
      queueMicrotask(failed);
    });
  } catch (error) {
    log.warn({ err: error, status }, 'response not sent');
    queueMicrotask(failed);
  }
}

/**
 * RFC 3261 7.3.1: challenges may not be joined by commas, but the library keeps one value per name. It keeps names
 * apart that differ in case, and to SIP they are the same.
 */
function addHeader(headers: Record<string, string>, name: string, value: string): void {
  const key = Object.hasOwn(headers, name) ? name.toLowerCase() : name;
  headers[key] = inOneLine(value);
}

/** Puts our tag into To, unless the request already bore one. A `tag` within the URI is none. */
function addToTag(headers: Record<string, string>, tag: string): void {
  const to = headers['to'];
  if (to === undefined) return;
  const params = to.replace(/"(?:[^"\\]|\\.)*"|<[^>]*>/g, '');
  if (!/;\s*tag\s*=/i.test(params)) headers['to'] = `${to};tag=${tag}`;
}
