import { limits } from '../limits.ts';
import type { ReplacesValue, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';

/**
 * What follows when an invitee refuses our INVITE: our decision where no RFC is named. The focus is no party to the call
 * that Replaces names, so it cannot know which tag is whose: it passes the value on verbatim first. Each change is made
 * once, hence there is a last form.
 */
export type DialForm = {
  readonly replaces: ReplacesValue | null;
  /** Value of Join (RFC 3911 7.1). */
  readonly join: string | null;
  /** The tags were already exchanged (QK-9). */
  readonly exchanged: boolean;
  readonly withAudio: boolean;
  /** More stands in the body than the session description. */
  readonly multipart: boolean;
  /** What is asked for, in seconds; `minSe` is the least that the INVITE says it takes, null for the usual one. */
  readonly sessionTimer: { readonly expires: number; readonly minSe: number | null };
  /** The interval was already raised to what a 422 asked for. */
  readonly raised: boolean;
};

/** Another INVITE: how it looks, and what is new in it. */
export type Redial = {
  readonly form: DialForm;
  readonly change: string;
  /** It goes out under the Call-ID and From tag of the one before. */
  readonly sameCall: boolean;
  readonly quirk: string | null;
};

/** A final refusal, as far as it decides what follows; `minSe` in seconds. */
export type Refusal = {
  readonly cause: SipCause;
  readonly unsupported: readonly string[];
  readonly minSe: number | null;
};

export type DialRules = Pick<Settings, 'lenient' | 'audio'>;

/** The form of the first INVITE. */
export function firstForm(
  asked: Pick<DialForm, 'replaces' | 'join' | 'multipart'>,
  settings: Pick<Settings, 'sessionExpires' | 'minSe'>,
): DialForm {
  // RFC 4028 7.1: without Min-SE the least is 90 seconds.
  const minSe = settings.minSe > limits.sessionSecondsMin ? settings.minSe : null;
  const sessionTimer = { expires: settings.sessionExpires, minSe };
  return { ...asked, exchanged: false, withAudio: false, sessionTimer, raised: false };
}

/** The next INVITE to the same invitee, or null when the refusal is final. */
export function nextForm(form: DialForm, refusal: Refusal, rules: DialRules): Redial | null {
  switch (refusal.cause.status) {
    case 415:
      return form.multipart ? redial({ ...form, multipart: false }, 'session description only') : null;
    case 420:
      return form.replaces !== null && names(refusal.unsupported, 'replaces') ? withoutReplaces(form) : null;
    case 422:
      return withLongerSession(form, refusal.minSe);
    case 481:
      return rules.lenient ? withoutThatCall(form) : null;
    case 488:
      return rules.audio === 'inactive' && !form.withAudio ? redial({ ...form, withAudio: true }, 'audio only') : null;
    default:
      return null;
  }
}

/** The call to replace or to join is not where the INVITE came; the invitee is wanted all the same. */
function withoutThatCall(form: DialForm): Redial | null {
  if (form.join !== null) return redial({ ...form, join: null }, 'without Join');
  if (form.replaces === null) return null;
  // RFC 3891 3: to-tag is the receiver's own; the source document prints the two the wrong way round (QK-9).
  if (form.exchanged) return withoutReplaces(form);
  const swapped = { ...form, replaces: exchanged(form.replaces), exchanged: true };
  return { ...redial(swapped, 'QK-9'), quirk: 'QK-9' };
}

function withoutReplaces(form: DialForm): Redial {
  return redial({ ...form, replaces: null }, 'without Replaces');
}

/** RFC 4028 7.3, 7.4: no less than the 422 says, which Min-SE repeats, in the call that was refused. */
function withLongerSession(form: DialForm, minSe: number | null): Redial | null {
  if (form.raised || minSe === null || minSe > limits.sessionSecondsMax) return null;
  const expires = Math.max(form.sessionTimer.expires, minSe);
  const least = Math.max(form.sessionTimer.minSe ?? 0, minSe);
  const longer = { ...form, sessionTimer: { expires, minSe: least }, raised: true };
  return { ...redial(longer, `Session-Expires ${expires}`), sameCall: true };
}

/** An INVITE that is a request of its own, whatever came before. */
function redial(form: DialForm, change: string): Redial {
  return { form, change, sameCall: false, quirk: null };
}

/** A 420 that names nothing is read as naming what we required. */
function names(unsupported: readonly string[], option: string): boolean {
  return unsupported.length === 0 || unsupported.some((tag) => tag.toLowerCase() === option);
}

function exchanged(replaces: ReplacesValue): ReplacesValue {
  return { ...replaces, toTag: replaces.fromTag, fromTag: replaces.toTag };
}
