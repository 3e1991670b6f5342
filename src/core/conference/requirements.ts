import type { SipRequestFacts } from '../input.ts';
import type { RefusalCode } from '../refusal.ts';

/** Why a request is refused: the reason's code, the sentence for this case, and headers the status demands. */
export type Refused = {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stale?: boolean;
  readonly body?: { readonly contentId: string; readonly type: string; readonly text: string };
};

const sdpType = 'application/sdp';
const conferenceInfoType = 'application/conference-info+xml';

/** RFC 3261 8.2.2.3: `options` are all we do not support here. */
export function extensionRefused(options: readonly string[]): Refused | null {
  if (options.length === 0) return null;
  const names = options.join(', ');
  return { code: 'unknown-extension', detail: names, headers: { Unsupported: names } };
}

/** RFC 3261 20.1: an Accept header without application/sdp leaves nothing to answer an INVITE with. */
export function sdpNotAcceptable(facts: SipRequestFacts): Refused | null {
  return accepts(facts, sdpType) ? null : { code: 'not-acceptable', detail: `Accept lacks ${sdpType}` };
}

/** RFC 4575 3.4: Accept, when present, includes the package's type. */
export function conferenceInfoNotAcceptable(facts: SipRequestFacts): Refused | null {
  return accepts(facts, conferenceInfoType)
    ? null
    : { code: 'not-acceptable', detail: `Accept lacks ${conferenceInfoType}` };
}

function accepts(facts: SipRequestFacts, type: string): boolean {
  const range = `${type.slice(0, type.indexOf('/'))}/*`;
  return facts.accepts === null || facts.accepts.some((one) => one === type || one === range || one === '*/*');
}
