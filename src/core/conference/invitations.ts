import { aorOf } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import type { InvitationOrder } from '../input.ts';
import { limits } from '../limits.ts';
import type { RefusalCode } from '../refusal.ts';
import type { ParticipantRow } from '../rows.ts';
import type { Dialler } from './dialler.ts';
import type { Invitee } from './invitees.ts';
import type { Ledger } from './ledger.ts';
import { failedParticipant, type NewParticipant, newParticipant } from './participant.ts';

/** Writes down whom the focus asks in, each with the entry it came from, and has them dialled. */
export class Invitations {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #dialler: Dialler;

  constructor(parts: { ids: Ids; ledger: Ledger; dialler: Dialler }) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#dialler = parts.dialler;
  }

  /** Every invitee of a list: dialled, or written down as failed with its reason. */
  inviteAll(invitees: readonly Invitee[], by: { referredBy: string | null; maxForwards: number }): void {
    for (const invitee of invitees) this.#invite(invitee, by);
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
      role: order.role,
      replaces: order.replaces,
      listEntry: {
        raw: order.raw,
        uri: aor,
        quirks: [],
        position: 0,
        copyControl: 'bcc' as const,
        anonymize: false,
        ignoredHeaders: [],
      },
    };
    const participant =
      known === undefined ? newParticipant(facts) : { ...known, replaces: order.replaces, lastError: null };
    return this.#dialler.enqueue(participant, {
      target: order.uri,
      extraHeaders: [],
      maxForwards: limits.maxForwards,
      origin: { by: 'rest', received: null, quirks: [] },
      form: { replaces: order.replaces, exchanged: false, withAudio: false },
    });
  }

  #invite(invitee: Invitee, by: { referredBy: string | null; maxForwards: number }): void {
    const { displayName, replaces, listEntry, extraHeaders, target } = invitee;
    const facts = { ...this.#facts(invitee.aor, by.referredBy), displayName, replaces, listEntry };
    // RFC 7332 5: Max-Forwards goes down through the focus too, so that two of them cannot invite each other for ever.
    const failure = by.maxForwards > 0 ? invitee.failure : { status: 483, reason: 'Too Many Hops' };
    const known = this.#ledger.participantByUri(invitee.aor);
    if (target === null || failure !== null) {
      // Another entry, or the creator, already stands for this person.
      if (known !== undefined) return;
      this.#ledger.putParticipant(failedParticipant(facts, failure ?? { status: 400, reason: 'Not a URI' }));
      return;
    }
    const form = { replaces, exchanged: false, withAudio: false };
    const origin = { by: 'list', received: listEntry.raw, quirks: listEntry.quirks } as const;
    const order = { target, extraHeaders, maxForwards: by.maxForwards, origin, form };
    this.#dialler.enqueue(known ?? newParticipant(facts), order);
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
