/** Handing a response to the library, with the checks the SIP server needs. */
import { pacingBounds } from './bounds.ts';
import { frameBytes } from './outgoing.ts';
import type { Answer } from './responses.ts';
import type { Log } from './sip-log.ts';
import type { SrfResponse } from './srf.ts';

/** Sends `answer`; `failed` is called when the SIP server does not send it, never before this returns. */
export function sendAnswer(
  response: SrfResponse,
  answer: Answer,
  how: { readonly log: Log; readonly failed: () => void },
): void {
  const { log, failed } = how;
  const { headers } = response;
  const { status, reason, body } = answer;
  for (const [name, value] of answer.headers) addHeader(headers, name, value);
  if (answer.toTag !== null) addToTag(headers, answer.toTag);
  const bytes = frameBytes(Object.entries(headers).flat(), body ?? '');
  if (bytes > pacingBounds.unconfirmedBytesMax) {
    log.error({ status, bytes }, 'response too large for the SIP server, not sent');
    queueMicrotask(failed);
    return;
  }
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
  headers[key] = value.replace(/\p{Cc}+/gu, ' ');
}

/** Puts our tag into To, unless the request already bore one. A `tag` within the URI is none. */
function addToTag(headers: Record<string, string>, tag: string): void {
  const to = headers['to'];
  if (to === undefined) return;
  const params = to.replace(/"(?:[^"\\]|\\.)*"|<[^>]*>/g, '');
  if (!/;\s*tag\s*=/i.test(params)) headers['to'] = `${to};tag=${tag}`;
}
