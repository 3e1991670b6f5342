/** The body of the focus's INVITE: a session description, and beside it what else the invitee may want to know. */
import type { SipInvite } from '../core/effect.ts';
import { type BodyPart, joinMultipart } from '../wire/multipart.ts';

export type OutgoingBody = { readonly contentType: string; readonly text: string };

/** The description alone, or with the history of its list and the token of its Referred-By as a multipart. */
export function inviteBody({ sdp, history, referral, fromTag }: SipInvite): OutgoingBody {
  const further = [...(history === null ? [] : [historyPart(history)]), ...tokenParts(referral?.token ?? null)];
  if (further.length === 0) return { contentType: 'application/sdp', text: sdp };
  const parts = [{ headers: [{ name: 'Content-Type', value: 'application/sdp' }], body: sdp }, ...further];
  return multipartOf(parts, fromTag);
}

/** A body of these parts; `seed` makes its boundary. */
export function multipartOf(parts: readonly BodyPart[], seed: string): OutgoingBody {
  const boundary = unusedBoundary(seed, parts);
  return { contentType: `multipart/mixed;boundary="${boundary}"`, text: joinMultipart(parts, boundary) };
}

function historyPart(history: string): BodyPart {
  return {
    headers: [
      { name: 'Content-Type', value: 'application/resource-lists+xml' },
      // RFC 5366 5: whoever does not know a history takes the INVITE all the same.
      { name: 'Content-Disposition', value: 'recipient-list-history; handling=optional' },
    ],
    body: history,
  };
}

type Token = NonNullable<NonNullable<SipInvite['referral']>['token']>;

/** RFC 3892 2.2: the token goes on unmodified, and Referred-By goes on pointing at it. */
export function tokenParts(token: Token | null): readonly BodyPart[] {
  if (token === null) return [];
  const isNamed = token.headers.some(({ name }) => name.toLowerCase() === 'content-id');
  const id = isNamed ? [] : [{ name: 'Content-ID', value: `<${token.contentId}>` }];
  return [{ headers: [...token.headers, ...id], body: token.body }];
}

/** RFC 2046 5.1.1: a boundary that no part holds; of the same INVITE always the same. */
function unusedBoundary(seed: string, parts: readonly BodyPart[]): string {
  const base = `isfocus-${seed.replace(/\W/g, '-').slice(0, 40)}`;
  for (let number = 0; ; number += 1) {
    const boundary = number === 0 ? base : `${base}-${number}`;
    if (!parts.some(({ body }) => body.includes(boundary))) return boundary;
  }
}
