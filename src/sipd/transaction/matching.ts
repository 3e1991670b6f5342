/** Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3). */

import { type Via, viaParam } from '../../wire/via.ts';

const magicCookie = 'z9hG4bK';

export type MatchedRequest = {
  readonly method: string;
  readonly uri: string;
  readonly via: Via;
  readonly callId: string;
  readonly fromTag: string | null;
  readonly cseq: number;
};

/** RFC 3261 17.2.3: branch, sent-by and method, an ACK counting as its INVITE. `method` may be given for a CANCEL's INVITE. */
export function serverKey(request: MatchedRequest, method = request.method): string {
  const { via } = request;
  const matched = method === 'ACK' ? 'INVITE' : method;
  const branch = viaParam(via, 'branch');
  const sentBy = `${via.host}:${via.port ?? 5060}`;
  // RFC 4475 3.1.2.24: a branch that is only the cookie identifies nothing; such a request is matched the old way.
  if (typeof branch === 'string' && branch.startsWith(magicCookie) && branch.length > magicCookie.length) {
    return `${branch} ${sentBy} ${matched}`;
  }
  // RFC 3261 17.2.3, clients of RFC 2543. The To tag is left out: an ACK has one where its INVITE had none.
  return [branch ?? '', sentBy, matched, request.callId, request.fromTag ?? '', request.cseq, request.uri].join(' ');
}

/** What a request says that its answers repeat. */
export type Asked = {
  readonly callId: string;
  readonly cseq: number;
  readonly fromTag: string | null;
  /** Null or empty: it names no dialog yet. */
  readonly toTag: string | null;
};

/**
 * RFC 3261 8.2.6.2: an answer has the From, the Call-ID and the CSeq of its request, and its To tag if there was one; 7.3.1:
 * tags are the same in whatever case. One that has others is the answer to something else, whatever its branch says.
 */
export function answers(response: Asked, { callId, cseq, fromTag, toTag }: Asked): boolean {
  if (response.callId !== callId || response.cseq !== cseq || !isSameTag(response.fromTag, fromTag)) return false;
  return toTag === null || toTag === '' || isSameTag(response.toTag, toTag);
}

function isSameTag(one: string | null, other: string | null): boolean {
  return one === other || (one ?? '').toLowerCase() === (other ?? '').toLowerCase();
}

/** RFC 3261 17.1.3: branch of the top Via and method of the CSeq. */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}
