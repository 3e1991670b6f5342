/**
 * The relay whose client we are (RFC 4976 5.1): a connection to it that is kept, and leave to use it, asked for by AUTH and
 * asked for again before it ends. Peers reach us by the path that it gives; whatever goes wrong is tried again.
 */

import { answerDigest, parseDigestChallenge } from '../core/identity/digest-challenge.ts';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import { type MsrpHeader, type MsrpResponse, msrpHeader, writeMsrpRequest } from '../wire/msrp.ts';
import type { MsrpFrame } from '../wire/msrp-reader.ts';
import { parseMsrpUri } from '../wire/msrp-uri.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { type Connection, written } from './connection.ts';
import type { Connections } from './connections.ts';
import type { MsrpLog } from './msrp-log.ts';
import type { MsrpIds } from './outgoing-chunk.ts';

/** As the operator has it. */
export type RelayAccess = { readonly uri: string; readonly user: string; readonly password: string };

export type RelayParts = {
  readonly access: RelayAccess;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: MsrpLog;
  readonly ids: MsrpIds;
};

/** An AUTH that is under way. */
type Asked = {
  readonly transactionId: string;
  readonly headers: readonly MsrpHeader[];
  /** Credentials went with it. */
  readonly proven: boolean;
};

/** One relay; `start` once, `stop` for good. */
export class Relay {
  readonly #parts: RelayParts;
  #connection: Connection | null = null;
  #path: readonly string[] = [];
  #ownUri = '';
  #asked: Asked | null = null;
  #failure: string | null = 'not connected yet';
  #failures = 0;
  /** Of the attempt, of the next one, or of the refresh. */
  #stopTimer: () => void = () => undefined;
  #stopReaching: () => void = () => undefined;
  #whenTried: () => void = () => undefined;
  #isStopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** The relays that lead to us, in the order of a=path; empty while the relay gives us no leave. */
  get path(): readonly string[] {
    return this.#path;
  }

  /** What all goes over; null: there is none. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** Why it cannot be used; null: it can. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Tries for the first time; resolves when that has gone well, or not. `host` and `port` are what we listen on. */
  start({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    const scheme = this.#parts.access.uri.toLowerCase().startsWith('msrps') ? 'msrps' : 'msrp';
    const authority = host.includes(':') ? `[${host}]` : host;
    this.#ownUri = `${scheme}://${authority}:${port}/${this.#parts.ids.messageId()};tcp`;
    return new Promise((resolve) => {
      this.#whenTried = resolve;
      this.#try();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
    this.#stopReaching();
    this.#whenTried();
  }

  /** Finds the answers to AUTH among what has come. */
  hear(connection: Connection, frames: readonly MsrpFrame[]): void {
    if (connection !== this.#connection) return;
    for (const frame of frames) {
      if (frame.kind === 'response' && frame.transactionId === this.#asked?.transactionId) this.#answered(frame);
    }
  }

  closed(connection: Connection, reason: string): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    if (!this.#isStopped) this.#fail(reason);
  }

  #try(): void {
    const { access, connections, clock } = this.#parts;
    this.#stopTimer();
    this.#stopTimer = clock.callAt(clock.now() + limits.msrpRelayAnswerMs, () => {
      this.#stopReaching();
      const dead = this.#connection;
      this.#connection = null;
      dead?.destroy('the relay does not answer');
      this.#fail('it does not answer');
    });
    const target = { uri: parseMsrpUri(access.uri), address: null, fingerprints: [], isOurs: true };
    this.#stopReaching = connections.reach(target, {
      onFailed: (reason) => this.#fail(reason),
      onConnected: (connection) => {
        this.#connection = connection;
        this.#ask([], false);
      },
    });
  }

  // RFC 4976 5.1: AUTH to the relay, without credentials as long as no challenge is known.
  #ask(headers: readonly MsrpHeader[], proven: boolean): void {
    const { access, ids } = this.#parts;
    const transactionId = ids.transaction();
    this.#asked = { transactionId, headers, proven };
    const paths = { toPath: [access.uri], fromPath: [this.#ownUri] };
    const request = { transactionId, method: 'AUTH', ...paths, headers, body: null, flag: '$' } as const;
    this.#connection?.send(written({ start: '', content: writeMsrpRequest(request), end: '' }));
  }

  #answered(response: MsrpResponse): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked === null) return;
    if (response.status === 200) return this.#allowed(response);
    if (response.status === 401 && !asked.proven) return this.#prove(response, asked);
    const expires = response.status === 423 ? otherExpires(response, asked) : null;
    // RFC 4976 5.1: a lifetime that the relay can grant; its challenge is for once, hence asked for anew.
    if (expires !== null) return this.#ask([{ name: 'Expires', value: expires }], false);
    this.#fail(response.status === 401 ? 'it does not take our user and password' : `it answered ${response.status}`);
  }

  #prove(response: MsrpResponse, asked: Asked): void {
    const { access, ids } = this.#parts;
    const challenge = challengeIn(response);
    if (challenge === null) return this.#fail('its challenge cannot be answered');
    const { user, password, uri } = access;
    const value = answerDigest(challenge, { user, password, method: 'AUTH', uri, cnonce: ids.messageId() });
    this.#ask([...asked.headers, { name: 'Authorization', value }], true);
  }

  #allowed(response: MsrpResponse): void {
    const usePath = (msrpHeader(response, 'Use-Path') ?? '').split(' ').filter((uri) => uri !== '');
    if (usePath.length === 0 || !usePath.every(isReadable)) return this.#fail('it gave no path');
    const { access, clock, log } = this.#parts;
    // RFC 4976 5.1: the order of To-Path; a=path has the other one.
    const path = usePath.toReversed();
    // Sessions that run keep the one they have: what becomes of them, once it is another, is the relay's to say.
    if (path.join(' ') !== this.#path.join(' ')) log.info({ relay: access.uri, path }, 'MSRP relay in use');
    this.#path = path;
    this.#failure = null;
    this.#failures = 0;
    this.#stopTimer();
    const seconds = Number(msrpHeader(response, 'Expires') ?? limits.msrpRelayExpiresDefault);
    const until = Number.isSafeInteger(seconds) && seconds > 0 ? seconds : limits.msrpRelayExpiresDefault;
    this.#stopTimer = clock.callAt(clock.now() + until * refreshedAfter * 1_000, () => this.#try());
    this.#whenTried();
  }

  #fail(reason: string): void {
    const { access, clock, log } = this.#parts;
    log.warn({ relay: access.uri, reason }, 'MSRP relay not usable');
    this.#failure = reason;
    this.#path = [];
    this.#asked = null;
    const wait = Math.min(limits.msrpRelayRetryMs * 2 ** this.#failures, limits.msrpRelayRetryMaxMs);
    this.#failures += 1;
    this.#stopTimer();
    this.#stopTimer = clock.callAt(clock.now() + wait, () => this.#try());
    this.#whenTried();
  }
}

/** As a part of its lifetime. */
const refreshedAfter = 0.8;

/** What Expires must be for a relay that refused another one; null: it does not say, or was asked just that. */
function otherExpires(response: MsrpResponse, { headers }: Asked): string | null {
  const wanted = msrpHeader(response, 'Min-Expires') ?? msrpHeader(response, 'Max-Expires') ?? '';
  const isNew = !headers.some(({ name }) => name === 'Expires');
  return isNew && /^\d{1,9}$/.test(wanted) ? wanted : null;
}

/** The first challenge that we can answer, or null. */
function challengeIn(response: MsrpResponse): ReturnType<typeof parseDigestChallenge> {
  for (const { name, value } of response.headers) {
    const challenge = name.toLowerCase() === 'www-authenticate' ? readChallenge(value) : null;
    if (challenge !== null) return challenge;
  }
  return null;
}

function readChallenge(value: string): ReturnType<typeof parseDigestChallenge> {
  try {
    return parseDigestChallenge(value);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

function isReadable(uri: string): boolean {
  try {
    return parseMsrpUri(uri).port !== null;
  } catch (error) {
    if (error instanceof RemoteError) return false;
    throw error;
  }
}
