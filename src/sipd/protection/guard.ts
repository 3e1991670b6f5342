/**
 * The door: who may have how much, and who is refused before anything is built. Requests of a source beyond its rate get
 * 503 with Retry-After (RFC 3261 21.5.4) while its budget of refusals lasts, then silence; under overload new requests
 * are refused so whoever sends them. None of these refusals makes a transaction, a timer or a control frame.
 */

import type { Counters } from '../counters.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { LogFields, LogLevel } from '../output.ts';
import { type Complaint, Complaints, complaints } from './complaints.ts';
import { isShedding, type Load, type LoadLimits, type LoadState, loadLevel, loadTable, tooMuch } from './load.ts';
import { type Source, type SourceLimits, Sources } from './sources.ts';
import { takeToken } from './token-bucket.ts';

/** What may be set; what is not given is as in `limits.protection`. */
export type ProtectionOptions = {
  /** Proxies and gateways of one's own, which the limits for single sources do not bind. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  readonly sources?: Partial<SourceLimits> | undefined;
  readonly load?: Partial<LoadLimits> | undefined;
};

/** What the guard needs of the stack it stands before. */
export type GuardedStack = {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly counters: Counters;
  readonly log: (level: LogLevel, fields: LogFields, text: string) => void;
};

/**
 * What becomes of a message before it is read: `refuse` if it is a new request; an ACK, a repetition, the BYE of a call and
 * the CANCEL of an INVITE pass even then.
 */
export type Admission = 'pass' | 'refuse' | 'drop';

/** RFC 3261 12.2, 15, 9, 3262, 3311, 6665: what belongs to something begun is never shed, nor what ends something. */
const neverShed: ReadonlySet<string> = new Set(['ACK', 'BYE', 'CANCEL', 'NOTIFY', 'PRACK', 'UPDATE']);

/** The protection of one stack. */
export class Guard {
  readonly #stack: GuardedStack;
  readonly #sources: Sources;
  readonly #loadLimits: LoadLimits;
  readonly #complaints = new Complaints(limits.complaintEveryMs);
  #load: LoadState = 'calm';

  constructor(stack: GuardedStack, options: ProtectionOptions) {
    this.#stack = stack;
    this.#sources = new Sources({
      limits: { ...limits.protection, ...options.sources },
      addressesMax: limits.sourceAddressesMax,
      isTrusted: options.isTrusted ?? (() => false),
    });
    this.#loadLimits = { ...limits.load, ...options.load };
  }

  /**
   * Judges a message by its source and its first letters. `awaitsAnswers` tells whether requests of ours to that peer are
   * open; it is asked only when the rate is exceeded.
   */
  admit(from: Peer, text: string, awaitsAnswers: (from: Peer) => boolean): Admission {
    const source = this.source(from.host);
    if (source.trusted) return 'pass';
    const { requests, refusals } = this.#sources.limits;
    const { now } = this.#stack;
    if (takeToken(source.requests, requests, now)) return 'pass';
    // What we have asked for ourselves is no burden of the sender's making.
    if (text.startsWith('SIP/2.0 ') && awaitsAnswers(from)) return 'pass';
    const isAck = text.startsWith('ACK ');
    // One answer may have many ACKs, and whoever floods could keep one waiting.
    if (isAck && source.unacknowledgedFinals > 0 && takeToken(source.acknowledgements, requests, now)) return 'pass';
    if (!isAck && !text.startsWith('SIP/') && takeToken(source.refusals, refusals, now)) return 'refuse';
    this.complain('droppedMessages', from);
    return 'drop';
  }

  /** The source an address belongs to; whoever counts something in it counts it down again. */
  source(address: string): Source {
    return this.#sources.of(address, this.#stack.now);
  }

  /** Whether the source may begin another transaction by that request, which is outside dialogs. */
  mayBegin(source: Source, request: { readonly method: string; readonly from: Peer }): boolean {
    const { openTransactions, unacknowledgedFinals } = this.#sources.limits;
    if (source.trusted || request.method === 'CANCEL') return true;
    const repeated = request.method === 'INVITE' && source.unacknowledgedFinals >= unacknowledgedFinals;
    if (!repeated && source.openTransactions < openTransactions) return true;
    this.complain('crowdedRequests', request.from);
    return false;
  }

  /** Whether a request that begins something new is to be refused because there is too much to do. */
  sheds(method: string): boolean {
    return isShedding(this.#load) && !neverShed.has(method);
  }

  /** The server has been looked at. */
  measured(load: Load): void {
    const before = this.#load;
    this.#load = loadTable[before][loadLevel(load, this.#loadLimits)] ?? before;
    if (isShedding(before) === isShedding(this.#load)) return;
    const why = tooMuch(load, this.#loadLimits).join(' ');
    if (isShedding(this.#load)) this.#stack.log('warn', { ...load, why }, 'overload: new requests are refused');
    else this.#stack.log('warn', load, 'overload is over');
  }

  /** Counts what was done to a message of that peer, and logs it now and then. */
  complain(complaint: Complaint, from: Peer, reason: string | null = null): void {
    this.#stack.counters.count(complaint);
    const count = this.#complaints.note(complaint, this.#stack.now);
    if (count === null) return;
    this.#stack.log('warn', { count, host: from.host, port: from.port, reason }, complaints[complaint]);
  }

  load(): LoadState {
    return this.#load;
  }
}
