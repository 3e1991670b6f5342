/** What the body of a REFER means: recipient lists (RFC 5368 7), the token of its Referred-By (RFC 3892 4). */

import { type BodyPart, splitMultipart } from './multipart.ts';
import { RemoteError } from './remote-error.ts';
import { parseContentDisposition, parseMediaType } from './sip-headers.ts';
import { headerValues, type SipMessage } from './sip-message.ts';

export type ReferBody = {
  /** Every recipient list, in the order of the body. */
  readonly lists: readonly string[];
  /** Whether a list bears the Content-ID that Refer-To points at. */
  readonly hasPointedList: boolean;
  /** The part that Referred-By points at; null when it points at none, or there is none. */
  readonly token: BodyPart | null;
};

/** `listId`, `tokenId`: the Content-IDs that Refer-To and Referred-By point at. The bounds hold for all multiparts together. */
export type ReferBodyOptions = {
  readonly listId: string | null;
  readonly tokenId: string | null;
  readonly partsMax: number;
  readonly depthMax: number;
};

const listType = 'application/resource-lists+xml';

type Part = Pick<BodyPart, 'headers' | 'body'>;

/** Throws RemoteError 400 for a malformed body, 415 for a part that has to be understood and is not, or that is encoded. */
export function readReferBody(message: SipMessage, options: ReferBodyOptions): ReferBody {
  const found: Found = { lists: [], hasPointedList: false, token: null, partsLeft: options.partsMax, options };
  if (message.body !== '') {
    if (headerValues(message, 'Content-Type').length === 0) throw new RemoteError(400, 'The body has no Content-Type');
    walk(message, 0, found);
  }
  return { lists: found.lists, hasPointedList: found.hasPointedList, token: found.token };
}

type Found = {
  readonly lists: string[];
  hasPointedList: boolean;
  token: BodyPart | null;
  partsLeft: number;
  readonly options: ReferBodyOptions;
};

function walk(part: Part, depth: number, found: Found): void {
  const { type, params } = parseMediaType(only(part, 'Content-Type') ?? 'text/plain');
  const id = contentIdOf(part);
  // A token may be a multipart of its own, signed to the character: it is passed on as it is.
  if (id !== null && id === found.options.tokenId) {
    found.token = { headers: part.headers.filter(({ name }) => /^content-(?!length$)/i.test(name)), body: part.body };
    return;
  }
  if (headerValues(part, 'Content-Encoding').some((encoding) => encoding.trim().toLowerCase() !== 'identity'))
    throw new RemoteError(415, 'An encoded body is not supported');
  if (type.startsWith('multipart/')) {
    const boundary = params.find((param) => param.name === 'boundary')?.value ?? '';
    walkMultipart(part.body, { boundary, depth }, found);
  } else if (type === listType && isRecipientList(part, id, found.options)) {
    found.lists.push(part.body);
    found.hasPointedList ||= id !== null && id === found.options.listId;
  } else if (dispositionOf(part)?.handling !== 'optional') {
    throw new RemoteError(415, `A body of type ${type} is not supported here`);
  }
}

function walkMultipart(body: string, at: { readonly boundary: string; readonly depth: number }, found: Found): void {
  if (at.depth >= found.options.depthMax) throw new RemoteError(400, 'The multipart body is nested too deep');
  const parts = splitMultipart(body, at.boundary, { parts: found.partsLeft });
  found.partsLeft -= parts.length;
  for (const part of parts) walk(part, at.depth + 1, found);
}

/** RFC 5363 4.1: by its disposition; the part that Refer-To points at can be nothing else. */
function isRecipientList(part: Part, id: string | null, options: ReferBodyOptions): boolean {
  const disposition = dispositionOf(part);
  if (disposition === null) return id !== null && id === options.listId;
  return disposition.type === 'recipient-list';
}

function dispositionOf(part: Part): ReturnType<typeof parseContentDisposition> | null {
  const value = only(part, 'Content-Disposition');
  return value === undefined ? null : parseContentDisposition(value);
}

/** RFC 2045 7: a msg-id, compared without its angle brackets. */
function contentIdOf(part: Part): string | null {
  const value = only(part, 'Content-ID')?.trim();
  return value === undefined ? null : value.replace(/^<(.*)>$/, '$1');
}

function only(part: Part, name: string): string | undefined {
  const [first, ...others] = headerValues(part, name);
  if (others.length > 0) throw new RemoteError(400, `There are several ${name} headers`);
  return first;
}
