/** The dialog that an INVITE names: one to take over (Replaces, RFC 3891), or one to join (Join, RFC 3911). */
import type { ReplacesValue } from '../../core/rows.ts';
import { RemoteError } from '../../wire/remote-error.ts';
import { parseReplaces } from '../../wire/sip-headers.ts';
import { headerValues, type SipMessage } from '../../wire/sip-message.ts';

export type DialogNames = {
  readonly replaces: ReplacesValue | null;
  readonly join: ReplacesValue | null;
  readonly quirks: readonly string[];
};

/** Reads both headers of an INVITE outside dialogs. RemoteError 400 for one that is malformed, and for more than one. */
export function dialogNamesOf(message: SipMessage): DialogNames {
  const [replaces, ...moreReplaces] = headerValues(message, 'Replaces');
  const [join, ...moreJoin] = headerValues(message, 'Join');
  // RFC 3891 3, RFC 3911 4: several of a kind, or headers that contradict each other, are refused.
  if (moreReplaces.length > 0) throw new RemoteError(400, 'There are several Replaces headers');
  if (moreJoin.length > 0) throw new RemoteError(400, 'There are several Join headers');
  if (replaces !== undefined && join !== undefined)
    throw new RemoteError(400, 'Replaces and Join contradict each other');
  const value = replaces ?? join;
  if (value === undefined) return { replaces: null, join: null, quirks: [] };
  const named = parseReplaces(value);
  // QK-10: legal (RFC 3261 25.1: EQUAL has white space around it), told so that such clients are seen.
  const quirks = /[ \t]=|=[ \t]/.test(value) ? ['QK-10'] : [];
  return { replaces: join === undefined ? named : null, join: join === undefined ? null : named, quirks };
}

/** The header of these two that stands where it must not, in anything but an INVITE that begins a dialog; null: none. */
export function misplacedDialogName(message: SipMessage): string | null {
  return ['Replaces', 'Join'].find((name) => headerValues(message, name).length > 0) ?? null;
}
