import type { ReplacesValue, SipCause } from '../rows.ts';

/**
 * What follows when an invitee refuses our INVITE: our decision, no RFC says. The focus is no party to the call that
 * Replaces names, so it cannot know which tag is whose: it passes the value on verbatim first.
 */
export type DialForm = {
  readonly replaces: ReplacesValue | null;
  /** The tags were already exchanged (QK-9). */
  readonly exchanged: boolean;
  readonly withAudio: boolean;
};

export type DialRules = { readonly lenient: boolean; readonly audio: 'off' | 'inactive' };

/** The form of the next INVITE to the same invitee, or null when the refusal is final. */
export function nextForm(
  form: DialForm,
  refused: { cause: SipCause; unsupported: readonly string[] },
  rules: DialRules,
): DialForm | null {
  const { status } = refused.cause;
  if (status === 420 && form.replaces !== null && names(refused.unsupported, 'replaces')) {
    return { ...form, replaces: null };
  }
  if (status === 481 && form.replaces !== null && rules.lenient) {
    // RFC 3891 3: to-tag is the receiver's own; the source document prints the two the wrong way round (QK-9).
    return form.exchanged
      ? { ...form, replaces: null }
      : { ...form, replaces: exchanged(form.replaces), exchanged: true };
  }
  if (status === 488 && rules.audio === 'inactive' && !form.withAudio) return { ...form, withAudio: true };
  return null;
}

/** A 420 that names nothing is read as naming what we required. */
function names(unsupported: readonly string[], option: string): boolean {
  return unsupported.length === 0 || unsupported.some((tag) => tag.toLowerCase() === option);
}

function exchanged(replaces: ReplacesValue): ReplacesValue {
  return { ...replaces, toTag: replaces.fromTag, fromTag: replaces.toTag };
}
