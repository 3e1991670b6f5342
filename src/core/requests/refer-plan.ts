import { RemoteError } from '../../wire/remote-error.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { parseNameAddr } from '../../wire/sip-headers.ts';
import { aorOf, parseSipUri, type SipUri, withoutHeaders, withoutPasswords, writeSipUri } from '../../wire/sip-uri.ts';
import type { Conference } from '../conference/conference.ts';
import { listReading } from '../conference/invitation-list.ts';
import { type Invitee, inviteesOf, privateTargetRefusal } from '../conference/invitees.ts';
import { ownUriRefused } from '../conference/own-groups.ts';
import { isPresent, mayBringAnother, rosterEntity } from '../conference/participant.ts';
import { isFull, mayInvite, type Standing } from '../conference/policy.ts';
import type { Refused } from '../conference/requirements.ts';
import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import { refusal } from '../refusal.ts';
import type { ParticipantRow, ReferTargetRow, SipCause } from '../rows.ts';
import { barredRefused } from './permission.ts';

/** What one URI of a REFER asks for, and what is to be done about it. */
export type ReferPlan = { readonly row: ReferTargetRow; readonly what: Asked };

type Asked =
  | { readonly kind: 'invite'; readonly invitee: Invitee }
  | { readonly kind: 'remove'; readonly participant: ParticipantRow }
  | { readonly kind: 'call-in'; readonly callee: SipUri }
  /** Nothing: the outcome stands already, for the reason given, or because what is asked for is so already. */
  | { readonly kind: 'nothing'; readonly refused: Refused | null };

/** Where a REFER was sent, and who sent it. */
export type ReferScene = {
  readonly context: Context;
  readonly conference: Conference;
  readonly referrer: Standing;
  readonly maxForwards: number;
};

/**
 * What the URIs of a REFER ask for, or why it is refused as a whole: for a method we do not send, and for what its sender
 * may not have done (RFC 4579 5.5 to 5.11).
 */
export function planOf(entries: readonly RecipientEntry[], scene: ReferScene): readonly ReferPlan[] | Refused {
  const { conference, referrer } = scene;
  const plans = entries.map((entry) => ({ row: rowOf(entry), what: whatOf(entry, scene) }));
  const kinds = new Set(plans.map(({ what }) => what.kind));
  const strange = plans.find(({ row }) => !methods.has(row.method));
  if (strange !== undefined) return { code: 'method-refused', detail: `Method ${strange.row.method}` };
  const othersRemoved = plans.some(
    ({ what }) => what.kind === 'remove' && what.participant.id !== referrer.participant?.id,
  );
  // RFC 4579 5.11: removal needs authorization. Ours: whoever leads may remove, and everybody may leave.
  const isOthers = othersRemoved || plans.some(({ row, what }) => row.method === 'BYE' && what.kind === 'nothing');
  if (isOthers && referrer.participant?.role !== 'chair')
    return { code: 'not-a-chair', detail: 'Only chairs may remove others' };
  const asksIn = plans.some(({ row }) => row.method !== 'BYE');
  if (asksIn && !mayInvite(referrer)) return { code: 'not-a-chair', detail: 'Only chairs may invite' };
  if (!kinds.has('invite') && !kinds.has('call-in')) return plans;
  if (conference.row.locked) return { code: 'conference-locked', detail: 'Nobody can be added' };
  return isFull(conference.row) ? { code: 'conference-full', detail: 'Nobody more can be added' } : plans;
}

const methods: ReadonlySet<string> = new Set(['INVITE', 'BYE', 'REFER']);

/** Why nothing is done for a URI, as the answer to a request would say it. */
export function outcomeOf({ code }: Refused): SipCause {
  const { sip: status, text: reason } = refusal(code);
  return { status, reason };
}

function rowOf({ raw, quirks, reading }: RecipientEntry): ReferTargetRow {
  return {
    raw: withoutPasswords(raw).slice(0, limits.uriCharactersMax),
    uri: reading.ok ? withoutPasswords(writeSipUri(reading.target)).slice(0, limits.uriCharactersMax) : null,
    method: methodOf(reading),
    replaces: reading.ok ? reading.replaces : null,
    quirks,
    participantId: null,
    outcome: null,
  };
}

/** RFC 3261 19.1.5: INVITE where the URI names no method. */
function methodOf(reading: RecipientEntry['reading']): string {
  const method = (reading.ok ? reading.method : null) ?? 'INVITE';
  return method.toUpperCase().slice(0, limits.methodCharactersMax);
}

function whatOf(entry: RecipientEntry, scene: ReferScene): Asked {
  const { reading } = entry;
  if (!reading.ok) {
    const code = reading.status === 416 ? 'unsupported-scheme' : 'bad-request';
    return { kind: 'nothing', refused: { code, detail: reading.reason } };
  }
  const method = methodOf(reading);
  if (method === 'BYE') return removal(reading.target, scene.conference);
  const refused = targetRefused(reading.target, scene);
  if (refused !== null) return { kind: 'nothing', refused };
  if (method === 'REFER') return callIn(reading, scene);
  const [invitee] = inviteesOf([entry], { ...listReading(scene.context), isFocus: () => false });
  if (invitee === undefined) throw new Error('one entry has one invitee');
  const known = scene.conference.ledger.participantByUri(invitee.aor);
  // Our choice: whoever is in need not be called, unless for a call that is to become part of the conference.
  const isIn = known !== undefined && isPresent(known.status) && invitee.replaces === null;
  if (isIn) return { kind: 'nothing', refused: null };
  return known === undefined || mayBringAnother(known)
    ? { kind: 'invite', invitee }
    : { kind: 'nothing', refused: { code: 'conference-full', detail: 'Too many devices of one participant' } };
}

/** RFC 4579 5.11: known by the address, or by what the roster shows in its place. */
function removal(target: SipUri, { ledger }: Conference): Asked {
  const aor = aorOf(target);
  const participant = ledger.participants.find((each) => each.uri === aor || rosterEntity(each) === aor);
  if (participant !== undefined && participant.status !== 'disconnected') return { kind: 'remove', participant };
  return { kind: 'nothing', refused: { code: 'no-such-participant', detail: 'Nobody of that address is here' } };
}

/** Why a request to `target` would not be sent. */
function targetRefused(target: SipUri, { context, maxForwards }: ReferScene): Refused | null {
  const uri = writeSipUri(target);
  if (uri.length > limits.uriCharactersMax) return { code: 'uri-too-long', detail: 'Refer-To' };
  const own = ownUriRefused(context, target);
  if (own !== null) return own;
  if (privateTargetRefusal(target, context.settings) !== null) return { code: 'private-target', detail: uri };
  const barred = barredRefused(context, aorOf(target));
  if (barred !== null) return barred;
  // RFC 7332 5: Max-Forwards goes down through the focus too, so that two of them cannot refer to each other for ever.
  return maxForwards > 0 ? null : { code: 'too-many-hops', detail: 'Max-Forwards' };
}

/** RFC 4579 5.7: whoever is asked to call in is told the conference URI, and no other. */
function callIn(reading: Extract<RecipientEntry['reading'], { ok: true }>, scene: ReferScene): Asked {
  const named = reading.headers.filter(({ name }) => name === 'Refer-To');
  const foreign = named.some(({ value }) => !namesConference(value, scene));
  if (foreign)
    return { kind: 'nothing', refused: { code: 'not-allowed', detail: 'Only to call into this conference' } };
  return { kind: 'call-in', callee: withoutHeaders(reading.target) };
}

function namesConference(referTo: string, { context, conference }: ReferScene): boolean {
  try {
    const { uri } = parseNameAddr(referTo, { lenient: context.settings.lenient });
    const target = context.directory.target(parseSipUri(uri), context.now);
    return (target.kind === 'conference' || target.kind === 'group') && target.conference === conference;
  } catch (error) {
    if (error instanceof RemoteError) return false;
    throw error;
  }
}
