/**
 * The real server remembers the stream of a REGISTER or of a SUBSCRIBE that refreshes under user@host of its Contact,
 * without the port, and sends every request of any dialog to that user@host over it, be it open or not.
 */

import { parseSipUri } from '../../wire/sip-uri.ts';
import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';

type Remembered = { readonly peer: Peer; readonly until: number };

/** The memory of `connections-by-user`; empty without that way. */
export class ConnectionsByUser {
  readonly #context: Context;
  readonly #byUser = new Map<string, Remembered>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The application has accepted a REGISTER, or a SUBSCRIBE in a dialog; `expires` are the seconds it granted. */
  accepted(request: IncomingRequest, expires: number): void {
    const key = request.target === null ? null : userKey(request.target);
    if (key === null || request.from.protocol === 'udp' || !this.#context.ways.has('connections-by-user')) return;
    this.#byUser.delete(key);
    if (expires <= 0) return;
    for (const oldest of this.#byUser.keys()) {
      if (this.#byUser.size < limits.connectionsByUserMax) break;
      this.#byUser.delete(oldest);
    }
    this.#byUser.set(key, { peer: request.from, until: this.#context.now + expires * 1000 });
  }

  /** Where a request to this target goes by the daemon's memory; null: where it should. */
  of(target: string): Peer | null {
    if (this.#byUser.size === 0) return null;
    const key = userKey(target);
    const found = key === null ? undefined : this.#byUser.get(key);
    if (found === undefined || key === null) return null;
    if (found.until > this.#context.now) return found.peer;
    this.#byUser.delete(key);
    return null;
  }
}

/** Seconds a 2xx grants: of its Contact, else of its Expires header; 0 when it says nothing. */
export function grantedSeconds(response: Parameters<typeof firstValue>[0]): number {
  const contact = /;\s*expires\s*=\s*(\d{1,9})/i.exec(firstValue(response, 'contact') ?? '')?.[1];
  const seconds = Number(contact ?? firstValue(response, 'expires') ?? '0');
  return Number.isFinite(seconds) ? seconds : 0;
}

function userKey(uri: string): string | null {
  try {
    const { user, host } = parseSipUri(uri);
    return `${user ?? ''}@${host}`;
  } catch {
    return null;
  }
}
