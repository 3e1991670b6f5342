/**
 * Nonces that are not kept (RFC 7616 3.3): each says when and to which address it was given, and is signed. Kept is only
 * how often a nonce has been used by whoever authenticated with it.
 */
import { createHmac } from 'node:crypto';
import { ipOctets } from '../../wire/ip-address.ts';
import { limits } from '../limits.ts';
import type { Instant } from '../rows.ts';
import { type Proof, sameText } from './digest.ts';

/**
 * A nonce for a challenge to `sourceAddress`. The address does not bind it, since a user's requests may come over
 * several proxies; but who guesses with it is counted as who was given it, whatever address the guess pretends to come from.
 */
export function makeNonce(secret: string, asked: { readonly now: Instant; readonly sourceAddress: string }): string {
  const asker = sign(secret, `to ${network(asked.sourceAddress)}`).slice(0, 16);
  const told = `${asked.now.toString(36)}.${asker}`;
  return `${told}.${sign(secret, `nonce ${told}`)}`;
}

type Use = { readonly made: Instant; readonly count: number };

/** Judges the nonces of credentials, and remembers their counts. */
export class Nonces {
  readonly #secret: string;
  /** By nonce and username, latest use last. */
  readonly #uses = new Map<string, Use>();
  /** When the youngest nonce was made whose count is forgotten before its time. */
  #forgotten: Instant = 0;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Nonces whose counts are kept. */
  get size(): number {
    return this.#uses.size;
  }

  /** To whom `nonce` was given, as a mark of the address; null when it is not ours or too old. */
  askerOf(nonce: string, now: Instant): string | null {
    const [made = '', asker = '', signature = '', ...more] = nonce.split('.');
    if (more.length > 0 || !sameText(signature, sign(this.#secret, `nonce ${made}.${asker}`))) return null;
    return Math.abs(now - madeAt(nonce)) <= limits.nonceLifetimeMs ? asker : null;
  }

  /** RFC 7616 3.4: nc counts the requests with this nonce, so one that does not grow is a replay. */
  isReplayed(proof: Proof): boolean {
    const use = this.#uses.get(keyOf(proof));
    if (use !== undefined) return proof.count <= use.count;
    return proof.count < 1 || madeAt(proof.nonce) <= this.#forgotten;
  }

  /** Remembers the count of a nonce of ours that was used rightly. */
  use(proof: Proof, now: Instant): void {
    const key = keyOf(proof);
    this.#uses.delete(key);
    this.#uses.set(key, { made: madeAt(proof.nonce), count: proof.count });
    for (const [oldest, { made }] of this.#uses) {
      const inTime = now - made <= limits.nonceLifetimeMs;
      if (inTime && this.#uses.size <= limits.noncesMax) return;
      if (inTime) this.#forgotten = Math.max(this.#forgotten, made);
      this.#uses.delete(oldest);
    }
  }
}

function keyOf(proof: Proof): string {
  return `${proof.nonce} ${proof.username}`;
}

function madeAt(nonce: string): Instant {
  return Number.parseInt(nonce, 36);
}

/** An IPv6 user has a whole network to come from, at least a /64 (RFC 6177 2). */
function network(address: string): string {
  const octets = ipOctets(address.replace(/%.*$/, ''));
  return octets === null || octets.length === 4 ? address : octets.slice(0, 8).join('.');
}

function sign(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, 32);
}
