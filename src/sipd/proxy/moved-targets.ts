/**
 * Phones of the calls we stay in that may have moved. The marks in our Record-Routes are bound to where the phones were
 * when the call began (route-marks.ts), and a route set never changes (RFC 3261 12.2); a Contact may, with every target
 * refresh request. So the Contacts of those are kept, the latest two of each side: one that was refused changes nothing.
 */

import { createHash } from 'node:crypto';
import { limits } from '../limits.ts';

/** At most `limits.movedTargetsMax`; the one that has been refreshed longest ago goes first. */
export class MovedTargets {
  readonly #places = new Map<string, readonly string[]>();

  /** The side of that tag has given a Contact that leads there. */
  note(callId: string, tag: string, place: string): void {
    const key = sideKey(callId, tag);
    const before = this.#places.get(key)?.filter((each) => each !== place) ?? [];
    this.#places.delete(key);
    if (this.#places.size >= limits.movedTargetsMax) this.#forgetOldest();
    this.#places.set(key, [...before.slice(-1), place]);
  }

  /** Whether the side of that tag is known to be there. */
  isAt(callId: string, tag: string, place: string): boolean {
    return place !== '' && this.#places.get(sideKey(callId, tag))?.includes(place) === true;
  }

  /** The call is over. */
  forget(callId: string, ...tags: readonly string[]): void {
    for (const tag of tags) this.#places.delete(sideKey(callId, tag));
  }

  count(): number {
    return this.#places.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#places.keys();
    if (oldest !== undefined) this.#places.delete(oldest);
  }
}

// Of fixed length, whatever a peer thinks of as its Call-ID. Neither that nor a tag has blanks.
function sideKey(callId: string, tag: string): string {
  return createHash('sha256').update(`${callId} ${tag}`, 'latin1').digest('base64');
}
