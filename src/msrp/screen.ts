/** What a request is answered before anybody asks who receives it: its method, and the form of a chunk. Pure. */

import {
  isMessageId,
  isNamed,
  type MsrpHead,
  type MsrpHeader,
  mediaTypeOf,
  msrpHeader,
  parseByteRange,
} from '../wire/msrp.ts';
import { ownText } from '../wire/own-text.ts';
import { RemoteError } from '../wire/remote-error.ts';
import type { Answer } from './connection.ts';

/** What a SEND with a body says about itself, whatever comes in it. */
export type Chunk = {
  readonly messageId: string;
  /** The place of its first octet, from 1. */
  readonly start: number;
  /** Octets of the whole message, if it says so. */
  readonly total: number | null;
  readonly contentType: string | null;
  /** Content- headers, which go on with the message. */
  readonly mime: readonly MsrpHeader[];
  /** RFC 4975 7.1.3: the sender wants to be told that all of it has come. */
  readonly wantsSuccessReport: boolean;
};

/** The answer to a request whatever session it names, or null when its session decides. */
export function screenMethod(method: string): Answer | null {
  if (method === 'SEND' || method === 'NICKNAME') return null;
  // RFC 4975 10.9. AUTH (RFC 4976) is for relays, which this is not.
  return { status: 501, comment: 'Method not understood' };
}

/** The chunk that a SEND with a body is, or its answer. */
export function screenChunk(send: MsrpHead): Answer | Chunk {
  try {
    return readChunk(send);
  } catch (error) {
    if (error instanceof RemoteError) return { status: 400, comment: error.message };
    throw error;
  }
}

function readChunk(send: MsrpHead): Chunk {
  const messageId = msrpHeader(send, 'Message-ID') ?? '';
  if (!isMessageId(messageId)) throw new RemoteError(400, 'The Message-ID is missing or malformed');
  // RFC 4975 7.3.1: without a Byte-Range the chunk begins the message.
  const byteRange = msrpHeader(send, 'Byte-Range');
  const { start, total } = byteRange === undefined ? { start: 1, total: null } : parseByteRange(byteRange);
  const mime: MsrpHeader[] = [];
  let contentType: string | null = null;
  for (const header of send.headers) {
    if (!/^content-/i.test(header.name)) continue;
    mime.push(header);
    if (!isNamed(header, 'content-type')) continue;
    // The content goes on with its type; with two of them receivers might not agree what it is.
    if (contentType !== null) throw new RemoteError(400, 'There are several Content-Types');
    contentType = header.value;
  }
  const wantsSuccessReport = msrpHeader(send, 'Success-Report')?.toLowerCase() === 'yes';
  return { messageId: ownText(messageId), start, total, contentType, mime, wantsSuccessReport };
}

/** RFC 7701 6.3: the one type of content that is switched. */
export function isCpim(contentType: string | null): boolean {
  return contentType !== null && mediaTypeOf(contentType) === 'message/cpim';
}
