/** What the bodies of requests and answers hold. */
import { limits } from '../../core/limits.ts';
import { type InviteBody, readInviteBody } from '../../wire/invite-body.ts';
import { ipOctets } from '../../wire/ip-address.ts';
import { parseResourceList, type RecipientEntry } from '../../wire/resource-lists.ts';
import { parseSdp, type SessionDescription } from '../../wire/sdp.ts';
import { headerValues, type SipMessage } from '../../wire/sip-message.ts';
import { type Read, reading } from '../request-facts.ts';
import { type Asked, ok } from './reader.ts';

/** RFC 5366 6: the option tag of an INVITE with a recipient list. */
export const listTag = 'recipient-list-invite';
/** QK-2: the source document's name for it, which is the one of RFC 5367. */
const listTagOfQuirk = 'recipient-list-subscribe';

/** The description in an ACK or a response: null without a body, `unreadable` when it makes no sense. */
export function answerIn(message: SipMessage, lenient: boolean): SessionDescription | null | 'unreadable' {
  if (message.body === '') return null;
  const answer = reading('bad-sdp', () => {
    const { sdp } = readInviteBody(message, { ...bodyLimits, lenient, expectList: false });
    return sdp === null ? ('unreadable' as const) : parseSdp(sdp);
  });
  return answer.ok ? answer.value : 'unreadable';
}

/** Of all multiparts of a message together. */
export const bodyLimits = { partsMax: limits.multipartPartsMax, depthMax: limits.multipartDepthMax };

/** The parts of a request's body, told apart. */
export function bodyOf({ message, facts, lenient }: Asked): Read<InviteBody> {
  const { partsMax, depthMax } = bodyLimits;
  const expectList = facts.requires.includes(listTag) || (lenient && facts.requires.includes(listTagOfQuirk));
  const body = reading('bad-body', () => readInviteBody(message, { partsMax, depthMax, lenient, expectList }));
  if (body.ok || body.code !== 'unsupported-body') return body;
  const encoded = /^Content-Encoding[ \t]*:[ \t]*(?!identity\b)/im.test(`${contentEncodings(message)}${message.body}`);
  return encoded ? { ...body, code: 'unsupported-encoding' } : body;
}

function contentEncodings(message: SipMessage): string {
  return headerValues(message, 'Content-Encoding')
    .map((value) => `Content-Encoding: ${value}\n`)
    .join('');
}

/** Its session description, null when there is none, and what is odd in it. */
export function descriptionIn(
  body: InviteBody,
): Read<{ readonly description: SessionDescription | null; readonly quirks: readonly string[] }> {
  const { sdp } = body;
  if (sdp === null) return ok({ description: null, quirks: [] });
  const read = reading('bad-sdp', () => parseSdp(sdp));
  // QK-35: a description without v=, o=, s= or t= is none.
  if (!read.ok) return read.code === 'media-not-acceptable' ? { ...read, quirks: ['QK-35'] } : read;
  const { value: description } = read;
  // QK-36: legal (RFC 8866 5.7), told so that such clients are seen.
  const hosts = [description.connection, ...description.media.map(({ connection }) => connection)];
  const isNamed = hosts.some((host) => host !== null && ipOctets(host) === null);
  return ok({ description, quirks: isNamed ? ['QK-36'] : [] });
}

/** RFC 5363 4.1: several lists are one, their union in order. null when there is none. */
export function entriesOf(
  lists: readonly string[],
  lenient: boolean,
  purpose: 'list' | 'refer' = 'list',
): { readonly entries: readonly RecipientEntry[]; readonly quirks: readonly string[] } | null {
  if (lists.length === 0) return null;
  const read = lists.map((text) =>
    parseResourceList(text, {
      lenient,
      purpose,
      bytesMax: limits.bodyBytesMax,
      elementsMax: limits.listElementsMax,
      depthMax: limits.listDepthMax,
    }),
  );
  const entries = read.flatMap((list) => list.entries).map((entry, position) => ({ ...entry, position }));
  return { entries, quirks: read.flatMap((list) => list.quirks) };
}
