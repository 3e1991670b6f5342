/** What every part of the stack shares while it works on one input: the time, the identifiers, the list of outputs. */

import { Counters } from './counters.ts';
import type { DaemonWays } from './daemon-ways.ts';
import type { Inquiry } from './handlers/question.ts';
import type { ApplicationAddress } from './handlers/request-handlers.ts';
import type { Ids } from './ids.ts';
import type { Peer } from './input.ts';
import type { LogFields, LogLevel, Output } from './output.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { Guard, type ProtectionOptions } from './protection/guard.ts';
import type { Question } from './target/questions.ts';
import { type TimerHandle, TimerLanes } from './timer-lanes.ts';

/** RFC 3261 17.1.1.1, appendix A. Milliseconds. */
export type TimerValues = { readonly t1: number; readonly t2: number; readonly t4: number };

export type ContextOptions = {
  readonly ways: DaemonWays;
  readonly timerValues: TimerValues;
  readonly own: OwnAddresses;
  readonly ids: Ids;
  readonly protection?: ProtectionOptions | undefined;
  /** Where what happens is counted; in counters of its own when absent. */
  readonly counters?: Counters | undefined;
};

/** Handed to every part of one stack. Outputs collect here until the input has been worked off. */
export class Context {
  readonly ways: DaemonWays;
  readonly timerValues: TimerValues;
  readonly own: OwnAddresses;
  readonly ids: Ids;
  readonly counters: Counters;
  readonly guard: Guard;
  readonly #timers = new TimerLanes();
  readonly #openConnections = new Map<number, Peer>();
  #outputs: Output[] = [];
  #now = 0;
  #alarmAt: number | null = null;

  constructor(options: ContextOptions) {
    this.ways = options.ways;
    this.timerValues = options.timerValues;
    this.own = options.own;
    this.ids = options.ids;
    this.counters = options.counters ?? new Counters();
    this.guard = new Guard(this, options.protection ?? {});
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Works on one input: sets the time, runs `work`, returns what it put out and the alarm if it must be set anew. */
  during(now: number, work: () => void): Output[] {
    this.#now = now;
    work();
    this.#armAlarm();
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** A message came over this connection. */
  connectionSeen(peer: Peer): void {
    const { connection } = peer;
    if (connection !== null && !this.#openConnections.has(connection)) this.#openConnections.set(connection, peer);
  }

  connectionClosed(peer: Peer): void {
    if (peer.connection !== null) this.#openConnections.delete(peer.connection);
  }

  /** Whether the peer can be sent to as it stands: it names no connection, or one that is open. */
  isOpen(peer: Peer): boolean {
    return peer.connection === null || this.#openConnections.has(peer.connection);
  }

  /** The peer at the other end of a connection; null when it is not open. */
  peerOf(connection: number): Peer | null {
    return this.#openConnections.get(connection) ?? null;
  }

  /** The alarm has gone off: fires every timer that is due. */
  runTimers(): void {
    this.#alarmAt = null;
    this.#timers.run(this.#now);
  }

  after(delayMs: number, fire: () => void): TimerHandle {
    return this.#timers.start(this.#now, delayMs, fire);
  }

  stop(timer: TimerHandle | null): void {
    this.#timers.stop(timer);
  }

  timerCount(): number {
    return this.#timers.count();
  }

  send(to: Peer, text: string): void {
    this.#outputs.push({ kind: 'send', to, text, heed: false });
  }

  /** Sends a request; the shell tells when the peer cannot be reached. */
  sendRequest(to: Peer, text: string): void {
    this.#outputs.push({ kind: 'send', to, text, heed: true });
  }

  frame(session: number, payload: string): void {
    this.#outputs.push({ kind: 'frame', session, payload });
  }

  closeSession(session: number): void {
    this.#outputs.push({ kind: 'close-session', session });
  }

  closeConnection(connection: number): void {
    this.#outputs.push({ kind: 'close-connection', connection });
  }

  lookUp(lookup: number, questions: readonly Question[]): void {
    this.#outputs.push({ kind: 'look-up', lookup, questions });
  }

  askHandler(errand: number, question: Inquiry): void {
    this.#outputs.push({ kind: 'ask-handler', errand, question });
  }

  connectSession(errand: number, address: ApplicationAddress): void {
    this.#outputs.push({ kind: 'connect-session', errand, address });
  }

  log(level: LogLevel, fields: LogFields, text: string): void {
    this.#outputs.push({ kind: 'log', level, fields, text });
  }

  // An alarm that is too early only wakes us for nothing; so it is moved only when something is due sooner.
  #armAlarm(): void {
    const next = this.#timers.next();
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    this.#outputs.push({ kind: 'set-alarm', at: next });
  }
}
