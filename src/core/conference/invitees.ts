import { isPrivateHost } from '../../wire/ip-address.ts';
import { writeRecipientHistory } from '../../wire/recipient-history.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import {
  aorOf,
  destinationHost,
  parseSipUri,
  type SipUri,
  sameUri,
  withoutPasswords,
  writeSipUri,
} from '../../wire/sip-uri.ts';
import { limits } from '../limits.ts';
import type { CopyControl, ListEntryRow, ReplacesValue, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';

/** Whom to invite, read from a resource list (RFC 4826 3, RFC 5366 4) and the URIs in it (RFC 3261 19.1.5). */
export type Invitee = {
  /** The roster's entity. */
  readonly aor: string;
  /** Request-URI; null when the entry is never dialled. */
  readonly target: SipUri | null;
  readonly displayName: string | null;
  readonly replaces: ReplacesValue | null;
  /** Value of Join (RFC 3911 7.1). */
  readonly join: string | null;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly listEntry: ListEntryRow;
  /** Why it is not dialled. */
  readonly failure: SipCause | null;
};

/** What the reading of a list must know besides the list. */
export type ListReading = {
  /** Who asks, and need not be invited; null: nobody who could be. */
  readonly creatorAor: string | null;
  readonly settings: Settings;
  /** Whether a URI names the factory or a conference of ours. */
  readonly isFocus: (uri: SipUri) => boolean;
  /** Whether the operator has barred whom this canonical address names. */
  readonly isBarred: (aor: string) => boolean;
};

/** The invitees of `entries`: duplicates once, without the creator and without the focus itself. */
export function inviteesOf(entries: readonly RecipientEntry[], reading: ListReading): readonly Invitee[] {
  const { creatorAor } = reading;
  const creator = creatorAor === null ? null : parseSipUri(creatorAor);
  const invitees: Invitee[] = [];
  // URIs that are equal have one address of record, so only those with the same one are compared.
  const byAor = new Map<string, number[]>();
  for (const entry of entries) {
    const invitee = inviteeOf(entry, reading);
    const { aor, target } = invitee;
    // An INVITE to the creator, to the factory or to a conference of ours would only come back.
    if (aor === creatorAor) continue;
    if (target !== null && ((creator !== null && sameUri(target, creator)) || reading.isFocus(target))) continue;
    const likely = byAor.get(aor) ?? [];
    const twin = likely.find((index) => isSame(invitees[index] as Invitee, invitee));
    if (twin === undefined) byAor.set(aor, [...likely, invitees.push(invitee) - 1]);
    else invitees[twin] = merged(invitees[twin] as Invitee, invitee);
  }
  return invitees;
}

/**
 * RFC 5366 5, RFC 5364 7: the recipient-list-history that tells the invitees of each other, one for all; null when
 * nobody is to be named. RFC 5364 4 lets us choose between leaving out all `bcc` and keeping each one's own: all.
 */
export function historyOf(invitees: readonly Invitee[]): string | null {
  const named = invitees.flatMap(({ target, listEntry: { copyControl, anonymize } }) =>
    // Whom nobody can reach is nobody to reply to.
    target === null || copyControl === 'bcc' ? [] : [{ target, copyControl, anonymize }],
  );
  // What a URI says to the focus alone is not told: method and headers, which are not in `target`, and a password.
  const uriOf = (target: SipUri): string => writeSipUri({ ...target, password: null });
  const history = writeRecipientHistory(
    named.map(({ target, copyControl, anonymize }) => ({ uri: anonymize ? null : uriOf(target), copyControl })),
  );
  // RFC 5366 5 says SHOULD: a history that is too long is left out, since half of one would be untrue.
  return history !== null && Buffer.byteLength(history) <= limits.historyBytesMax ? history : null;
}

function inviteeOf(entry: RecipientEntry, { settings, isBarred }: ListReading): Invitee {
  const { reading } = entry;
  const raw = withoutPasswords(entry.raw).slice(0, limits.uriCharactersMax);
  const listEntry = (uri: string | null): ListEntryRow => ({
    raw,
    uri,
    quirks: entry.quirks,
    position: entry.position,
    copyControl: entry.copyControl,
    anonymize: entry.anonymize,
    ignoredHeaders: reading.ok ? reading.ignoredHeaders : [],
  });
  const never = { target: null, replaces: null, join: null, extraHeaders: [], displayName: entry.displayName };
  if (!reading.ok) {
    const failure = { status: reading.status, reason: reading.reason };
    return { ...never, aor: raw, listEntry: listEntry(null), failure };
  }
  const { target } = reading;
  const aor = aorOf(target).slice(0, limits.uriCharactersMax);
  const failure = refusalOf(reading.method, target, settings) ?? (isBarred(aor) ? barred : null);
  if (failure !== null) return { ...never, aor, listEntry: listEntry(aor), failure };
  return {
    aor,
    target,
    displayName: entry.displayName,
    replaces: reading.replaces,
    join: reading.join,
    extraHeaders: reading.headers,
    listEntry: listEntry(aor),
    failure: null,
  };
}

const barred: SipCause = { status: 403, reason: 'The operator has barred this user' };

/** Why a readable entry is not dialled all the same. */
function refusalOf(method: string | null, target: SipUri, settings: Settings): SipCause | null {
  // RFC 3261 19.1.5: the request would have the URI's method. Our decision: a list makes INVITEs and nothing else.
  if (method !== null && method.toUpperCase() !== 'INVITE')
    return { status: 400, reason: `Method ${method.slice(0, limits.methodCharactersMax)} in a list entry` };
  if (writeSipUri(target).length > limits.uriCharactersMax) return { status: 414, reason: 'Request-URI Too Long' };
  return privateTargetRefusal(target, settings);
}

/** RFC 5363 5.2: a list may name victims. Loopback and private addresses are dialled only if the operator allows it. */
export function privateTargetRefusal(target: SipUri, settings: Settings): SipCause | null {
  if (settings.privateTargets === 'allow' || target.scheme === 'tel' || !isPrivateHost(destinationHost(target)))
    return null;
  return { status: 403, reason: 'Private or loopback address' };
}

function isSame(a: Invitee, b: Invitee): boolean {
  if (a.target === null || b.target === null) return a.aor === b.aor;
  return sameUri(a.target, b.target);
}

/** RFC 5363 4.1: a person listed twice is invited once. */
function merged(first: Invitee, second: Invitee): Invitee {
  const [base, other] = first.target === null && second.target !== null ? [second, first] : [first, second];
  const copyControl = disclosure.find((each) => [base, other].some((of) => of.listEntry.copyControl === each)) ?? 'bcc';
  // Our choice: whoever is to be hidden once is hidden.
  const anonymize = base.listEntry.anonymize || other.listEntry.anonymize;
  const call = oneCall(base, other);
  return { ...base, ...call, listEntry: { ...call.listEntry, copyControl, anonymize } };
}

// RFC 5364 4: of two the one that discloses more.
const disclosure: readonly CopyControl[] = ['to', 'cc', 'bcc'];

/** Which call is replaced or joined is our choice: the first that is named. Another one is not heeded. */
function oneCall(base: Invitee, other: Invitee): Pick<Invitee, 'replaces' | 'join' | 'listEntry'> {
  const { replaces, join, listEntry } = base;
  if (other.replaces === null && other.join === null) return { replaces, join, listEntry };
  if (replaces === null && join === null)
    return { replaces: other.replaces, join: other.join, listEntry: other.listEntry };
  const ignored = other.replaces === null ? 'Join' : 'Replaces';
  const isSameCall = JSON.stringify([replaces, join]) === JSON.stringify([other.replaces, other.join]);
  const ignoredHeaders = isSameCall ? listEntry.ignoredHeaders : [...listEntry.ignoredHeaders, ignored];
  return { replaces, join, listEntry: { ...listEntry, ignoredHeaders } };
}
