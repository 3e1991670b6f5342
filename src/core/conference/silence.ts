import type { Ids } from '../ids.ts';
import type { EndpointRow } from '../rows.ts';
import { after } from '../transition.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import { keptTimer } from './session-timer.ts';
import { type SilenceEvent, type SilenceState, silenceTransitions } from './silence-state.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/**
 * Callers who offered sound and were answered `inactive`. To a softphone that is a peer who has put it on hold, and
 * liblinphone then does not subscribe. So each is offered, once, what it was answered, by a re-INVITE: with its own
 * `inactive` it has agreed to silence, and liblinphone subscribes, though it goes on showing the call as held.
 */
export class Silence {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #sessions: MessageSessions;
  readonly #states: TurnMap<string, SilenceState>;
  /** Endpoints whose INVITE we have answered 200 and whose ACK has not come. */
  readonly #unacknowledged: TurnMap<string, true>;

  constructor(parts: { ids: Ids; ledger: Ledger; sessions: MessageSessions; turns: Turns }) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
    this.#states = new TurnMap(parts.turns);
    this.#unacknowledged = new TurnMap(parts.turns);
  }

  /** An INVITE of the endpoint is answered 200; `silenced`: it offered sound and gets none. */
  invited(endpointId: string, silenced: boolean): void {
    this.#unacknowledged.set(endpointId, true);
    this.offered(endpointId, silenced);
  }

  /** The same of an UPDATE, which has no ACK. */
  offered(endpointId: string, silenced: boolean): void {
    const state = this.#states.get(endpointId);
    if (state === undefined && silenced) this.#states.set(endpointId, 'due');
    else if (state !== undefined && !silenced) this.settle(endpointId);
  }

  acknowledged(endpoint: EndpointRow): void {
    this.#unacknowledged.delete(endpoint.id);
    this.#askIfFree(endpoint);
  }

  /** Whether an INVITE of ours is under way in the endpoint's dialog. */
  isAsking(endpointId: string): boolean {
    const state = this.#states.get(endpointId);
    return state === 'asking' || state === 'asking-again';
  }

  /** Our re-INVITE was answered 491. RFC 3261 14.1: whose Call-ID it is not waits up to 2 s. */
  pended(endpointId: string): void {
    if (this.#move(endpointId, 'pend') !== 'pausing') return;
    this.#ledger.startTimer('glare', endpointId, this.#ledger.now + this.#ids.glarePause());
  }

  /** The pause is over. */
  resume(endpoint: EndpointRow): void {
    if (this.#move(endpoint.id, 'resume') !== undefined) this.#askIfFree(endpoint);
  }

  /** Our re-INVITE has ended, or is needed no more. */
  settle(endpointId: string): void {
    if (this.#move(endpointId, 'settle') !== undefined) this.#ledger.stopTimer('glare', endpointId);
  }

  /** The endpoint is gone. */
  forget(endpointId: string): void {
    this.settle(endpointId);
    this.#states.delete(endpointId);
    this.#unacknowledged.delete(endpointId);
  }

  /** RFC 3261 14.1: no INVITE while one of the peer's is in progress. */
  #askIfFree({ id: endpointId, dialogId, sessionTimer }: EndpointRow): void {
    if (this.#unacknowledged.has(endpointId)) return;
    const sdp = this.#sessions.description(endpointId);
    if (sdp === null || this.#move(endpointId, 'ask') === undefined) return;
    this.#ledger.ask({
      type: 'sip.reinvite',
      endpointId,
      dialogId,
      conferenceUri: this.#ledger.conference.uri,
      sdp,
      sessionTimer: keptTimer(sessionTimer),
    });
  }

  #move(endpointId: string, event: SilenceEvent): SilenceState | undefined {
    const state = this.#states.get(endpointId);
    const next = state === undefined ? undefined : after(silenceTransitions, state, event);
    if (next !== undefined) this.#states.set(endpointId, next);
    return next;
  }
}
