/** What a request is answered before anybody asks who receives it: form, method, wholeness. Pure. */

import { limits } from '../core/limits.ts';
import { isMessageId, type MsrpRequest, msrpHeader, parseByteRange } from '../wire/msrp.ts';
import type { MsrpBegin, MsrpOversize } from '../wire/msrp-reader.ts';
import { RemoteError } from '../wire/remote-error.ts';
import type { Answer } from './connection.ts';
import type { Message } from './session.ts';

/** The answer to a request whatever session it names, or null when its session decides. */
export function screenMethod(method: string): Answer | null {
  if (method === 'SEND' || method === 'NICKNAME') return null;
  // RFC 4975 10.9. AUTH (RFC 4976) is for relays, which this is not.
  return { status: 501, comment: 'Method not understood' };
}

/** The answer to a request of a session, or the whole message that it carries. */
export function screen(request: MsrpRequest | MsrpBegin | MsrpOversize): Answer | Message {
  if (request.kind !== 'request') {
    return { status: 413, comment: `At most ${limits.messageBytesMax} octets are taken` };
  }
  const { body, flag } = request;
  // RFC 4975 7.1: a bodiless SEND is traffic, not a message. An aborted message has nothing more to say either.
  if (body === null || flag === '#') return { status: 200, comment: 'OK' };
  try {
    return screenMessage({ ...request, body });
  } catch (error) {
    if (error instanceof RemoteError) return { status: 400, comment: error.message };
    throw error;
  }
}

function screenMessage(message: Message): Answer | Message {
  const byteRange = msrpHeader(message, 'Byte-Range');
  const start = byteRange === undefined ? 1 : parseByteRange(byteRange).start;
  // RFC 4975 7.3.1: `$` and a range from octet 1 make a whole message. 10.5: 413 stops the sender of any other.
  if (message.flag !== '$' || start !== 1) return { status: 413, comment: 'Only whole messages are taken' };
  if (!isMessageId(msrpHeader(message, 'Message-ID') ?? '')) {
    return { status: 400, comment: 'The Message-ID is missing or malformed' };
  }
  // The content goes on with its type; with two of them receivers might not agree what it is.
  const types = message.headers.filter((header) => header.name.toLowerCase() === 'content-type');
  return types.length > 1 ? { status: 400, comment: 'There are several Content-Types' } : message;
}
