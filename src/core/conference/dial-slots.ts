import { limits } from '../limits.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** RFC 5363 5.2: no flood, least of all of one host. Who has which of the places for INVITEs under way at once. */
export class DialSlots {
  /** Endpoint to host. */
  readonly #taken: TurnMap<string, string>;
  readonly #perHost: TurnMap<string, number>;

  constructor(turns: Turns) {
    this.#taken = new TurnMap(turns);
    this.#perHost = new TurnMap(turns);
  }

  /** Whether no place is left for any host. */
  get full(): boolean {
    return this.#taken.size >= limits.parallelInvitesMax;
  }

  /** Whether there is a place for one more INVITE to `host`. */
  free(host: string): boolean {
    return !this.full && (this.#perHost.get(host) ?? 0) < limits.parallelInvitesPerHostMax;
  }

  /** The endpoint takes a place, be it free or not; one it has already it keeps. */
  take(endpointId: string, host: string): void {
    this.give(endpointId);
    this.#taken.set(endpointId, host);
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
  }

  /** The endpoint's place is free again, if it had one. */
  give(endpointId: string): void {
    const host = this.#taken.get(endpointId);
    if (host === undefined) return;
    this.#taken.delete(endpointId);
    const left = (this.#perHost.get(host) ?? 0) - 1;
    if (left > 0) this.#perHost.set(host, left);
    else this.#perHost.delete(host);
  }
}
