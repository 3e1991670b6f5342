import type { Disconnection, EndpointStatus, EndReason } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { isPresent } from './participant.ts';

/** Why and by whom a conference ends, the words its BYEs carry, and what its subscribers are told. */
export type Ending = {
  readonly reason: EndReason;
  readonly by: string | null;
  readonly text: string;
  readonly subscriptions: 'noresource' | 'deactivated';
};

/** The timer of a conference that stands empty. */
export const idleTimer = { kind: 'idle', item: '' } as const;

/**
 * When a conference ends by itself. Empty is one that nobody is in, and nobody is being asked into, any more; who is
 * only being cancelled does not count. `creator-leaves`: with the creator's last endpoint. `last-leaves`: when it is
 * empty. `idle`: when it has been empty for a while. One that nobody has ever been in waits that while for the first.
 */
export class Lifetime {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** How the running turn ends the conference, or null. */
  over(): Ending | null {
    if (!this.#ledger.rosterChanged) return null;
    return this.#ledger.facts.policy.end === 'creator-leaves' ? this.#creatorGone() : this.#lastGone();
  }

  /** Starts the timer of an empty conference that may stand so for a while, and stops it once somebody comes. */
  watch(): void {
    const { policy } = this.#ledger.facts;
    const { kind, item } = idleTimer;
    const waits = this.#isEmpty() && (policy.end === 'idle' || !this.#hasBegun());
    if (!waits) this.#ledger.stopTimer(kind, item);
    else if (!this.#ledger.isTimed(kind, item))
      this.#ledger.startTimer(kind, item, this.#ledger.now + policy.idleSeconds * 1_000);
  }

  /** The ending of a conference that stood empty for too long. */
  idle(): Ending {
    return ended('idle', null);
  }

  /** RFC 4579 5.12: a conference made by a factory is deleted when its creator, with the last endpoint, leaves. */
  #creatorGone(): Ending | null {
    const { createdBy } = this.#ledger.facts;
    const creator = this.#ledger.participantByUri(createdBy);
    if (creator === undefined || creator.joinedAt === null || isPresent(creator.status)) return null;
    const by = this.#ledger.actor ?? createdBy;
    return ended(creatorLeft(creator.disconnection, by), by);
  }

  #lastGone(): Ending | null {
    const { policy, createdBy } = this.#ledger.facts;
    if (this.#ledger.count(isPresent) > 0 || !this.#hasBegun()) return null;
    const creator = this.#ledger.participantByUri(createdBy);
    // RFC 3261 9.2: whoever began it took that back before anybody else had come; who is still being called is let go.
    if (this.#ledger.facts.peakParticipants === 1 && creator?.disconnection?.sipStatus === 487)
      return ended('cancelled', createdBy);
    if (policy.end !== 'last-leaves' || !this.#isEmpty()) return null;
    return ended('last-left', this.#ledger.actor);
  }

  #isEmpty(): boolean {
    return this.#ledger.count(isHereOrComing) === 0;
  }

  /** Whether anybody has ever been in it. */
  #hasBegun(): boolean {
    return this.#ledger.facts.peakParticipants > 0 || this.#ledger.count(isPresent) > 0;
  }
}

function ended(reason: EndReason, by: string | null): Ending {
  return { reason, by, text: 'Conference ended', subscriptions: 'noresource' };
}

function isHereOrComing(status: EndpointStatus): boolean {
  return status !== 'disconnecting' && status !== 'disconnected';
}

/** An operator may have removed the creator; a chair who removes one, himself too, makes the creator leave. */
function creatorLeft(how: Disconnection | null, by: string): EndReason {
  if (how?.sipStatus === 487) return 'cancelled';
  return how?.method === 'booted' && by.startsWith('key:') ? 'operator' : 'creator-left';
}
