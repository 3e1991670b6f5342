/** What the readers of SIP requests share: what they are given, and what they give. */
import type { RequestInput, SipRequestFacts } from '../../core/input.ts';
import type { RefusalCode } from '../../core/refusal.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import type { Dialog } from '../dialogs.ts';
import type { Read } from '../request-facts.ts';

/** A request that is being read. */
export type Asked = {
  readonly message: SipRequest;
  readonly facts: SipRequestFacts;
  /** The dialog it belongs to, if it is one of ours. */
  readonly dialog: Dialog | null;
  /** Methods of the requests of that dialog that are still to be answered. */
  readonly unanswered: readonly string[];
  /** It came from a trusted peer: what it asserts of its sender is believed (RFC 3325 5). */
  readonly trusted: boolean;
  readonly lenient: boolean;
};

/** Reads the requests of one method. Never throws for what the peer sent. */
export type Reader = (asked: Asked) => Read<RequestInput>;

/** What was read. */
export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** Why the request is refused, and the quirks by which that is known. */
export function no(
  code: RefusalCode,
  detail: string,
  quirks: readonly string[] = [],
): Extract<Read<never>, { readonly ok: false }> {
  return { ok: false, code, detail, quirks };
}

/** Of a list of quirks each once, for `filter`. */
export function once(quirk: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(quirk) === at;
}
