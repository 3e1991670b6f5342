/** What the body of an INVITE means: session description and recipient lists (RFC 5366 5, RFC 5363 4.1, RFC 3261 20.11). */

import { type BodyPart, splitMultipart } from './multipart.ts';
import { RemoteError } from './remote-error.ts';
import { parseContentDisposition, parseMediaType } from './sip-headers.ts';
import { headerValues, type SipMessage } from './sip-message.ts';

/** The first session description, every recipient list in order, and the quirks that finding them needed. */
export type InviteBody = {
  readonly sdp: string | null;
  readonly lists: readonly string[];
  readonly quirks: readonly string[];
};

/**
 * `partsMax` bounds the parts of all multiparts together, `depthMax` multiparts within multiparts. `expectList`: the
 * request requires recipient-list-invite, so that a list without Content-Disposition can be told as one.
 */
export type InviteBodyOptions = {
  readonly lenient: boolean;
  readonly partsMax: number;
  readonly depthMax: number;
  readonly expectList: boolean;
};

const sdpType = 'application/sdp';
const listType = 'application/resource-lists+xml';

/**
 * Finds the parts of an INVITE's body. Throws RemoteError 400 for a malformed body, 415 for a part that has to be
 * understood and is not, or that is encoded.
 */
export function readInviteBody(message: SipMessage, options: InviteBodyOptions): InviteBody {
  if (message.body === '') return { sdp: null, lists: [], quirks: [] };
  const types = headerValues(message, 'Content-Type');
  // RFC 3261 7.4.1, 20.15: a body without Content-Type cannot be told; RFC 4475 3.1.2.16: nor one with two.
  if (types.length === 0) throw new RemoteError(400, 'The body has no Content-Type');
  if (types.length > 1) return splitTwoTypes(message, types, options);
  const found: Found = { sdp: null, lists: [], understood: 0, partsLeft: options.partsMax, options };
  walk(message, { depth: 0, mayBeUnknown: false }, found);
  return { sdp: found.sdp, lists: found.lists, quirks: [] };
}

type Found = {
  sdp: string | null;
  readonly lists: string[];
  understood: number;
  partsLeft: number;
  readonly options: InviteBodyOptions;
};
type Place = { readonly depth: number; readonly mayBeUnknown: boolean };

/** QK-4: two bodies after one another under two Content-Types, and nothing but these two. QK-5: one disposition for both. */
function splitTwoTypes(message: SipMessage, types: readonly string[], options: InviteBodyOptions): InviteBody {
  const names = types.map((type) => type.trim().toLowerCase()).sort();
  const isQuirk = names.length === 2 && names[0] === listType && names[1] === sdpType;
  const start = message.body.search(/<\?xml|<resource-lists/);
  if (!isQuirk || !options.lenient || start === -1)
    throw new RemoteError(400, 'There are several Content-Type headers');
  checkEncoding(message);
  const disposition = dispositionOf(message);
  if (disposition !== null && disposition.type !== 'recipient-list') {
    throw new RemoteError(400, 'The Content-Disposition fits neither of two Content-Types');
  }
  const sdp = message.body.slice(0, start);
  return {
    sdp: sdp.trim() === '' ? null : sdp,
    lists: [message.body.slice(start)],
    quirks: disposition === null ? ['QK-4'] : ['QK-4', 'QK-5'],
  };
}

function walk(part: Pick<BodyPart, 'headers' | 'body'>, place: Place, found: Found): void {
  checkEncoding(part);
  // RFC 2046 5.1: a part without Content-Type is plain text.
  const { type, params } = parseMediaType(only(part, 'Content-Type') ?? 'text/plain');
  const disposition = dispositionOf(part);
  // QK-5 is no quirk of its own: on anything but a list this disposition would make a list of what is none.
  if (disposition?.type === 'recipient-list' && type !== listType) {
    throw new RemoteError(400, 'The Content-Disposition recipient-list stands on something else');
  }
  if (type.startsWith('multipart/')) {
    const boundary = params.find((param) => param.name === 'boundary')?.value ?? '';
    walkMultipart({ type, boundary, body: part.body }, place, found);
  } else if (type === sdpType && (disposition === null || disposition.type === 'session')) {
    found.sdp ??= part.body;
    found.understood += 1;
  } else if (type === listType && isRecipientList(disposition, found.options)) {
    found.lists.push(part.body);
    found.understood += 1;
  } else if (disposition?.handling !== 'optional' && !place.mayBeUnknown) {
    throw new RemoteError(415, `A body of type ${type} is not supported here`);
  }
}

function walkMultipart(
  multipart: { readonly type: string; readonly boundary: string; readonly body: string },
  place: Place,
  found: Found,
): void {
  if (place.depth >= found.options.depthMax) throw new RemoteError(400, 'The multipart body is nested too deep');
  const parts = splitMultipart(multipart.body, multipart.boundary, { parts: found.partsLeft });
  found.partsLeft -= parts.length;
  // RFC 2046 5.1.4: of alternatives one that is understood is enough.
  const isAlternative = multipart.type === 'multipart/alternative';
  const understoodBefore = found.understood;
  for (const part of parts) {
    walk(part, { depth: place.depth + 1, mayBeUnknown: place.mayBeUnknown || isAlternative }, found);
  }
  if (isAlternative && found.understood === understoodBefore && !place.mayBeUnknown) {
    throw new RemoteError(415, 'None of the alternative bodies is supported here');
  }
}

/** A list counts as the recipients' by its disposition, or, leniently, by what the request requires. */
function isRecipientList(disposition: Disposition | null, options: InviteBodyOptions): boolean {
  if (disposition === null) {
    if (options.expectList && !options.lenient)
      throw new RemoteError(400, 'The resource list has no Content-Disposition');
    return options.expectList;
  }
  // A list that may be passed over is one only where the request asks for it.
  return disposition.type === 'recipient-list' && (options.expectList || disposition.handling === 'required');
}

type Disposition = ReturnType<typeof parseContentDisposition>;

function dispositionOf(part: Pick<BodyPart, 'headers'>): Disposition | null {
  const value = only(part, 'Content-Disposition');
  return value === undefined ? null : parseContentDisposition(value);
}

function checkEncoding(part: Pick<BodyPart, 'headers'>): void {
  const encodings = headerValues(part, 'Content-Encoding');
  if (encodings.some((encoding) => encoding.trim().toLowerCase() !== 'identity')) {
    throw new RemoteError(415, 'An encoded body is not supported');
  }
}

function only(part: Pick<BodyPart, 'headers'>, name: string): string | undefined {
  const [first, ...others] = headerValues(part, name);
  if (others.length > 0) throw new RemoteError(400, `There are several ${name} headers`);
  return first;
}
