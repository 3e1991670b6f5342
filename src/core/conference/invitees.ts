import { isPrivateHost } from '../../wire/ip-address.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { aorOf, parseSipUri, type SipUri, sameUri, writeSipUri } from '../../wire/sip-uri.ts';
import { limits } from '../limits.ts';
import type { ListEntryRow, ReplacesValue, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';

/** Whom to invite, read from a resource list (RFC 4826 3, RFC 5366 4) and the URIs in it (RFC 3261 19.1.5). */
export type Invitee = {
  /** The roster's entity. */
  readonly aor: string;
  /** Request-URI; null when the entry is never dialled. */
  readonly target: SipUri | null;
  readonly displayName: string | null;
  readonly replaces: ReplacesValue | null;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly listEntry: ListEntryRow;
  /** Why it is not dialled. */
  readonly failure: SipCause | null;
};

/** What the reading of a list must know besides the list. */
export type ListReading = {
  readonly creatorAor: string;
  readonly settings: Settings;
  /** Whether a URI names the factory or a conference of ours. */
  readonly isFocus: (uri: SipUri) => boolean;
};

/** The invitees of `entries`: duplicates once, without the creator and without the focus itself. */
export function inviteesOf(entries: readonly RecipientEntry[], reading: ListReading): readonly Invitee[] {
  const invitees: Invitee[] = [];
  for (const entry of entries) {
    const invitee = inviteeOf(entry, reading.settings);
    if (wouldComeBack(invitee, reading)) continue;
    const twin = invitees.findIndex((other) => isSame(other, invitee));
    if (twin === -1) invitees.push(invitee);
    else invitees[twin] = merged(invitees[twin] as Invitee, invitee);
  }
  return invitees;
}

/** An INVITE to the creator, to the factory or to a conference of ours would only come back; such entries are dropped. */
function wouldComeBack({ aor, target }: Invitee, { creatorAor, isFocus }: ListReading): boolean {
  if (aor === creatorAor) return true;
  return target !== null && (sameUri(target, parseSipUri(creatorAor)) || isFocus(target));
}

function inviteeOf(entry: RecipientEntry, settings: Settings): Invitee {
  const { reading } = entry;
  const listEntry = (uri: string | null): ListEntryRow => ({
    raw: entry.raw.slice(0, limits.uriCharactersMax),
    uri,
    quirks: entry.quirks,
    position: entry.position,
    copyControl: entry.copyControl,
    anonymize: entry.anonymize,
    ignoredHeaders: reading.ok ? reading.ignoredHeaders : [],
  });
  const never = { target: null, replaces: null, extraHeaders: [], displayName: entry.displayName };
  if (!reading.ok) {
    const failure = { status: reading.status, reason: reading.reason };
    return { ...never, aor: entry.raw.slice(0, limits.uriCharactersMax), listEntry: listEntry(null), failure };
  }
  const { target } = reading;
  const aor = aorOf(target).slice(0, limits.uriCharactersMax);
  const failure = refusalOf(reading.method, target, settings);
  if (failure !== null) return { ...never, aor, listEntry: listEntry(aor), failure };
  return {
    aor,
    target,
    displayName: entry.displayName,
    replaces: reading.replaces,
    extraHeaders: reading.headers,
    listEntry: listEntry(aor),
    failure: null,
  };
}

/** Why a readable entry is not dialled all the same. */
function refusalOf(method: string | null, target: SipUri, settings: Settings): SipCause | null {
  // RFC 3261 19.1.5: the request would have the URI's method. Our decision: a list makes INVITEs and nothing else.
  if (method !== null && method.toUpperCase() !== 'INVITE')
    return { status: 400, reason: `Method ${method} in a list entry` };
  if (writeSipUri(target).length > limits.uriCharactersMax) return { status: 414, reason: 'Request-URI Too Long' };
  return privateTargetRefusal(target, settings);
}

/** RFC 5363 5.2: a list may name victims. Loopback and private addresses are dialled only if the operator allows it. */
export function privateTargetRefusal(target: SipUri, settings: Settings): SipCause | null {
  if (settings.privateTargets === 'allow' || target.scheme === 'tel' || !isPrivateHost(target.host)) return null;
  return { status: 403, reason: 'Private or loopback address' };
}

function isSame(a: Invitee, b: Invitee): boolean {
  if (a.target === null || b.target === null) return a.aor === b.aor;
  return sameUri(a.target, b.target);
}

/** RFC 5363 4.1: a person listed twice is invited once. Which Replaces is kept is our choice: the first there is. */
function merged(first: Invitee, second: Invitee): Invitee {
  if (first.target === null && second.target !== null) return second;
  if (first.replaces !== null || second.replaces === null) return first;
  return { ...first, replaces: second.replaces, listEntry: second.listEntry };
}
