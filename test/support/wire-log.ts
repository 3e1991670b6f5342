import { header, type SipMessage, type SipRequest, type SipResponse } from '../../src/wire/sip-message.ts';
import { patienceMs, WaitTimeout } from './wait.ts';

/** One message as a user agent sent or received it. `owner` is the user agent's name. */
export type WireEntry = {
  readonly owner: string;
  readonly direction: 'sent' | 'received';
  /** The other side as `host:port`. */
  readonly peer: string;
  readonly message: SipMessage;
};

type Waiter = { readonly matches: (entry: WireEntry) => boolean; readonly found: (entry: WireEntry) => void };

/** Everything that user agents sent and received, in order; the ladder of a test. Tests wait on it, nobody sleeps. */
export class WireLog {
  readonly #entries: WireEntry[] = [];
  readonly #waiters = new Set<Waiter>();

  get entries(): readonly WireEntry[] {
    return this.#entries;
  }

  add(entry: WireEntry): void {
    this.#entries.push(entry);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.matches(entry)) continue;
      this.#waiters.delete(waiter);
      waiter.found(entry);
    }
  }

  /** The first entry, past or to come, that matches. Rejects with WaitTimeout naming `what`. */
  waitFor(what: string, matches: (entry: WireEntry) => boolean, timeoutMs: number = patienceMs): Promise<WireEntry> {
    const past = this.#entries.find(matches);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new WaitTimeout(`waited ${timeoutMs} ms in vain for ${what}; seen:\n${this.toString()}`));
      }, timeoutMs);
      const found = (entry: WireEntry): void => {
        clearTimeout(timer);
        resolve(entry);
      };
      const waiter: Waiter = { matches, found };
      this.#waiters.add(waiter);
    });
  }

  /** Requests of `method` that `owner` received, in order of arrival, retransmissions left out. */
  requests(owner: string, method: string): readonly SipRequest[] {
    const seen = new Set<string>();
    const found: SipRequest[] = [];
    for (const { owner: whose, direction, message } of this.#entries) {
      if (whose !== owner || direction !== 'received' || message.kind !== 'request' || message.method !== method)
        continue;
      const key = header(message, 'Via') ?? '';
      if (!seen.has(key)) found.push(message);
      seen.add(key);
    }
    return found;
  }

  /** One line per message: `alice received 200 OK (INVITE) from 127.0.0.1:5060`. */
  toString(): string {
    return this.#entries.map(describeEntry).join('\n');
  }
}

function describeEntry({ owner, direction, message, peer }: WireEntry): string {
  return `${owner} ${direction} ${describeMessage(message)} ${direction === 'sent' ? 'to' : 'from'} ${peer}`;
}

/** `INVITE sip:bob@host` or `200 OK (INVITE)`. */
export function describeMessage(message: SipMessage): string {
  if (message.kind === 'request') return `${message.method} ${message.uri}`;
  return `${message.status} ${message.reason} (${methodOf(message)})`;
}

/** The method of a request, or the one a response answers. */
export function methodOf(message: SipMessage): string {
  if (message.kind === 'request') return message.method;
  return (header(message, 'CSeq') ?? '').split(/\s+/)[1] ?? '';
}

/** Predicate: a request of `method` that `owner` received. */
export function receivedRequest(owner: string, method: string): (entry: WireEntry) => boolean {
  return ({ owner: whose, direction, message }) =>
    whose === owner && direction === 'received' && message.kind === 'request' && message.method === method;
}

/** Predicate: a response with `status` to `method` that `owner` received. */
export function receivedResponse(owner: string, status: number, method: string): (entry: WireEntry) => boolean {
  return ({ owner: whose, direction, message }) =>
    whose === owner && direction === 'received' && isResponse(message, status) && methodOf(message) === method;
}

function isResponse(message: SipMessage, status: number): message is SipResponse {
  return message.kind === 'response' && message.status === status;
}
