/** What every part of the stack shares while it works on one input: the time, the identifiers, the list of outputs. */

import type { Ids } from './ids.ts';
import type { Peer, Protocol } from './input.ts';
import type { LogFields, LogLevel, Output } from './output.ts';
import { type TimerHandle, TimerLanes } from './timer-lanes.ts';

/** `free` behaves as the standards want; `strict` copies the limits of the real drachtio daemon. */
export type SipdMode = 'free' | 'strict';

/** RFC 3261 17.1.1.1, appendix A. Milliseconds. */
export type TimerValues = { readonly t1: number; readonly t2: number; readonly t4: number };

/** Our own address as it goes into Via and Contact, and the addresses under which others may name us. */
export type OwnAddress = { readonly host: string; readonly port: number; readonly aliases: readonly string[] };

export type ContextOptions = {
  readonly mode: SipdMode;
  readonly timerValues: TimerValues;
  readonly own: OwnAddress;
  readonly ids: Ids;
};

/** Handed to every part of one stack. Outputs collect here until the input has been worked off. */
export class Context {
  readonly mode: SipdMode;
  readonly timerValues: TimerValues;
  readonly own: OwnAddress;
  readonly ids: Ids;
  readonly #timers = new TimerLanes();
  readonly #openConnections = new Set<number>();
  #outputs: Output[] = [];
  #now = 0;
  #alarmAt: number | null = null;

  constructor(options: ContextOptions) {
    this.mode = options.mode;
    this.timerValues = options.timerValues;
    this.own = options.own;
    this.ids = options.ids;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  get strict(): boolean {
    return this.mode === 'strict';
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
    if (peer.connection !== null) this.#openConnections.add(peer.connection);
  }

  connectionClosed(peer: Peer): void {
    if (peer.connection !== null) this.#openConnections.delete(peer.connection);
  }

  /** Whether the peer can be sent to as it stands: it names no connection, or one that is open. */
  isOpen(peer: Peer): boolean {
    return peer.connection === null || this.#openConnections.has(peer.connection);
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

  resolveHost(lookup: number, host: string): void {
    this.#outputs.push({ kind: 'resolve-host', lookup, host });
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

/** `<sip:host:port>` of the transport, with `;transport=` when it is not UDP: what a Contact is when nobody gave one. */
export function bareContact(own: OwnAddress, protocol: Protocol): string {
  return `<sip:${own.host}:${own.port}${protocol === 'udp' ? '' : `;transport=${protocol}`}>`;
}

/** Whether host and port name this server. */
export function isOwnAddress(own: OwnAddress, host: string, port: number): boolean {
  return port === own.port && (host === own.host || own.aliases.includes(host));
}
