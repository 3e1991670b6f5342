import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { aorOf, type SipUri, withoutPasswords } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import type { InvitationOrder, ReferredBy } from '../input.ts';
import { limits } from '../limits.ts';
import type { RefusalCode } from '../refusal.ts';
import type { DialAttemptRow, OriginRow, ParticipantRow, Role } from '../rows.ts';
import type { Settings } from '../settings.ts';
import type { Refusal } from './dial-plan.ts';
import type { Dialler, DialOrder } from './dialler.ts';
import { historyOf, type Invitee, inviteesOf, type ListReading } from './invitees.ts';
import type { Ledger } from './ledger.ts';
import { failedParticipant, mayBringAnother, type NewParticipant, newParticipant, shortened } from './participant.ts';

/** On whose behalf, and how, people are invited. */
export type Inviting = {
  readonly by: OriginRow['by'];
  /** null: nobody who may be named. */
  readonly referredBy: string | null;
  /** Referred-By of the REFER that asked for it. */
  readonly referral?: ReferredBy | null;
  /** RFC 5368 8: what is told of the others in the list of a REFER. */
  readonly history?: string | null;
  readonly maxForwards: number;
  /** The role of each, by address of record; participants, unless told. */
  readonly roleOf?: (aor: string) => Role;
};

type Order = Inviting & { readonly history: string | null; readonly listDepth: number };

/** What a final refusal says of an endpoint. */
export type RefusalFacts = Refusal &
  Pick<DialAttemptRow, 'reasonHeader'> & { readonly members: readonly RecipientEntry[] | null };

/** Who of those behind a URI may be invited. */
export type MemberRules = Pick<ListReading, 'isFocus' | 'isBarred'> & {
  /** Whether so many more may be asked in on behalf of `by`, an address of record; counts them. */
  readonly askIn: (by: string, invitations: number) => boolean;
  /** Whether no consent is needed, or it was given (RFC 5360). */
  readonly beInvited: (target: SipUri) => boolean;
};

/** Writes down whom the focus asks in, each with the entry it came from, and has them dialled. */
export class Invitations {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #dialler: Dialler;

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; dialler: Dialler }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#dialler = parts.dialler;
  }

  /** Every invitee of a list: dialled, or written down as failed with its reason. */
  inviteAll(invitees: readonly Invitee[], inviting: Inviting): void {
    // RFC 5366 5: what is told of each other concerns those whom one list invites; whoever is asked in later was in none.
    const history = inviting.by === 'list' ? historyOf(invitees) : null;
    for (const invitee of invitees) this.#invite(invitee, { ...inviting, history, listDepth: 0 });
  }

  /** One invitee, dialled or written down as failed. Who is known already and cannot be dialled stays as he is. */
  invite(invitee: Invitee, inviting: Inviting): ParticipantRow {
    return this.#invite(invitee, { ...inviting, history: inviting.history ?? null, listDepth: 0 });
  }

  /** One participant on an operator's behalf, or why not. */
  inviteOne(order: InvitationOrder): ParticipantRow | RefusalCode {
    const aor = aorOf(order.uri);
    const known = this.#ledger.participantByUri(aor);
    if (known !== undefined && known.status !== 'disconnected') return 'already-joined';
    if (this.#ledger.conference.participantCount >= limits.participantsPerConferenceMax) return 'conference-full';
    const facts = {
      ...this.#facts(aor, null),
      displayName: order.displayName,
      role: order.role ?? 'participant',
      replaces: order.replaces,
      listEntry: {
        raw: withoutPasswords(order.raw),
        uri: aor,
        quirks: [],
        position: 0,
        copyControl: 'bcc' as const,
        anonymize: false,
        ignoredHeaders: [],
      },
    };
    const participant = known === undefined ? newParticipant(facts) : askedAgain(known, order);
    return this.#dialler.enqueue(participant, {
      target: order.uri,
      replaces: order.replaces,
      join: null,
      extraHeaders: [],
      maxForwards: limits.maxForwards,
      referredBy: null,
      referral: null,
      history: null,
      listDepth: 0,
      origin: { by: 'rest', received: null, quirks: [] },
    });
  }

  /**
   * A final refusal. RFC 5318 4: a 403 that says who is behind the URI has them invited in its stead; the URI itself
   * stays refused.
   */
  refused(endpointId: string, facts: RefusalFacts, may: MemberRules): void {
    const found = this.#ledger.participantOf(endpointId);
    if (found === undefined) return;
    const { participant, endpoint } = found;
    // Whoever is being cancelled is wanted no more, nor is anybody in his stead.
    const order = endpoint.status === 'disconnecting' ? null : this.#dialler.orderOf(endpointId);
    this.#dialler.failed(participant, endpoint, facts);
    if (order === null || facts.cause.status !== 403 || facts.members === null) return;
    this.#inviteMembers(facts.members, { participantId: participant.id, order, may });
  }

  #inviteMembers(
    members: readonly RecipientEntry[],
    list: { participantId: string; order: DialOrder; may: MemberRules },
  ): void {
    const { participantId, order, may } = list;
    const { conference } = this.#ledger;
    const creatorAor = conference.createdBy.startsWith('key:') ? null : conference.createdBy;
    const reading = { ...may, creatorAor, settings: this.#settings };
    // A list that is too long is not even looked at.
    const strangers = (members.length > limits.listEntriesMax ? [] : inviteesOf(members, reading)).filter(
      ({ aor }) => this.#ledger.participantByUri(aor) === undefined,
    );
    // Our choice: all of them, or nobody. RFC 5363 5.3: one list must not lead to a flood, by whatever detour.
    const fits =
      order.listDepth < limits.refusedListDepthMax &&
      this.#dialler.membersDialled + strangers.length <= limits.listEntriesMax &&
      this.#ledger.participants.length + strangers.length <= limits.participantsPerConferenceMax;
    const dialled = strangers.filter(({ target }) => target !== null).length;
    const by = order.referredBy ?? creatorAor;
    const mayAskIn = fits && !conference.locked && (by === null || may.askIn(by, dialled));
    const invited = mayAskIn ? strangers.map(plainly) : [];
    this.#ledger.event('participant.list-refused', {
      participant_id: participantId,
      members: members.length,
      invited: invited.length,
    });
    const { referredBy, referral, maxForwards } = order;
    const inviting = { by: 'list', referredBy, referral, maxForwards, history: null } as const;
    for (const invitee of invited)
      this.#invite(consenting(invitee, may), { ...inviting, listDepth: order.listDepth + 1 });
  }

  #invite(invitee: Invitee, inviting: Order): ParticipantRow {
    const { displayName, replaces, join, listEntry, extraHeaders, target } = invitee;
    const { by, referredBy, referral = null, maxForwards, history, listDepth } = inviting;
    const role = inviting.roleOf?.(invitee.aor) ?? 'participant';
    // Members of a group stand in no list that came.
    const entry = by === 'group' ? null : listEntry;
    const facts = { ...this.#facts(invitee.aor, referredBy), displayName, role, replaces, listEntry: entry };
    // RFC 7332 5: Max-Forwards goes down through the focus too, so that two of them cannot invite each other for ever.
    const failure = maxForwards > 0 ? invitee.failure : { status: 483, reason: 'Too Many Hops' };
    const known = this.#ledger.participantByUri(invitee.aor);
    if (target === null || failure !== null) {
      // Another entry, or the creator, already stands for this person.
      if (known !== undefined) return known;
      const failed = failedParticipant(facts, failure ?? { status: 400, reason: 'Not a URI' });
      this.#ledger.putParticipant(failed);
      return failed;
    }
    if (known !== undefined && !mayBringAnother(known)) return known;
    const origin = { by, received: listEntry.raw, quirks: listEntry.quirks };
    const order = {
      target,
      replaces,
      join,
      extraHeaders,
      maxForwards,
      referredBy,
      referral,
      history,
      listDepth,
      origin,
    };
    return this.#dialler.enqueue(known ?? newParticipant(facts), order);
  }

  #facts(uri: string, referredBy: string | null): NewParticipant {
    return {
      id: this.#ids.row(),
      conferenceId: this.#ledger.conference.id,
      uri,
      displayName: null,
      private: false,
      role: 'participant',
      joiningMethod: 'dialed-out',
      referredBy,
      replaces: null,
      listEntry: null,
      position: this.#ledger.nextPosition,
    };
  }
}

/** Who left, or could not be reached, as the operator now wants him. */
function askedAgain(known: ParticipantRow, { displayName, role, replaces }: InvitationOrder): ParticipantRow {
  return {
    ...known,
    displayName: displayName === null ? known.displayName : shortened(displayName),
    role: role ?? known.role,
    replaces,
    lastError: null,
  };
}

/**
 * Our choice: of a list that a stranger made only the people count. RFC 3891 has a call replaced for whoever is named as
 * the referrer, who has asked for nothing of the kind.
 */
function plainly(invitee: Invitee): Invitee {
  const { replaces, join, extraHeaders, listEntry } = invitee;
  const names = [
    ...(replaces === null ? [] : ['Replaces']),
    ...(join === null ? [] : ['Join']),
    ...extraHeaders.map(({ name }) => name),
  ];
  if (names.length === 0) return invitee;
  const ignoredHeaders = [...listEntry.ignoredHeaders, ...names];
  return { ...invitee, replaces: null, join: null, extraHeaders: [], listEntry: { ...listEntry, ignoredHeaders } };
}

/** RFC 5363 5.2: nobody is invited without consent; members who have not given it are shown as failed. */
function consenting(invitee: Invitee, may: MemberRules): Invitee {
  if (invitee.target === null || may.beInvited(invitee.target)) return invitee;
  return { ...invitee, target: null, failure: { status: 470, reason: 'Consent Needed' } };
}
