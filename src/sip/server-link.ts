/** The control connection to the SIP server: made at start, kept by the library, watched here. */
import { once } from 'node:events';
import type { Clock } from '../core/ports.ts';
import { bounds } from './bounds.ts';
import { Gate } from './gate.ts';
import type { Log } from './sip-log.ts';
import { createSrf, type SrfAgent } from './srf.ts';

export type ServerAddress = { readonly host: string; readonly port: number; readonly secret: string };

export type LinkEvents = {
  /** Registers what the library shall call; once, before the first connection. */
  readonly prepare: (agent: SrfAgent) => void;
  readonly connected: () => void;
  readonly lost: () => void;
};

/** One link for the life of the process: `connected` and `lost` alternate, however often the library connects. */
export class ServerLink {
  readonly #server: ServerAddress;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: LinkEvents;
  #agent: SrfAgent | null = null;
  #connected = false;
  #closed = false;
  #lastError: Error | null = null;

  constructor(server: ServerAddress, parts: { readonly clock: Clock; readonly log: Log; readonly events: LinkEvents }) {
    this.#server = server;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#events = parts.events;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The library while it is connected, else null. */
  get agent(): SrfAgent | null {
    return this.#connected ? this.#agent : null;
  }

  /** Resolves when the SIP server has let us in; rejects with one sentence when it does not within ten seconds. */
  async open(): Promise<void> {
    const { host, port, secret } = this.#server;
    const agent = createSrf();
    this.#agent = agent;
    this.#events.prepare(agent);
    agent.on('error', (error) => {
      this.#lastError = error;
      this.#log.debug({ err: error }, 'SIP server not reached');
    });
    agent.on('close', () => this.#gone());
    const entered = this.#firstEntry(agent);
    agent.connect({ host, port, secret, reconnect: { retryMaxDelay: bounds.reconnectDelayMaxMs } });
    // Before the library's login is answered: from here on the gate sees every frame but that one.
    agent.app.client.wp.on('connect', (socket) => {
      if (this.#closed) socket.destroy();
      else new Gate(socket, { clock: this.#clock, log: this.#log }).install();
    });
    try {
      await entered;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends the connection for good; what was written before still goes out. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#connected = false;
    const client = this.#agent?.app.client;
    if (client === undefined) return;
    client.wp.closing = true;
    clearTimeout(client.wp.reconnectVars.retryTimer ?? undefined);
    const sockets = [...client.mapServer.keys()].filter((socket) => !socket.destroyed);
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.destroySoon();
    await Promise.all(closed);
  }

  #firstEntry(agent: SrfAgent): Promise<void> {
    const where = `The SIP server at ${this.#server.host}:${this.#server.port}`;
    return new Promise((resolve, reject) => {
      const stopTimer = this.#clock.callAt(this.#clock.now() + bounds.connectTimeoutMs, () => {
        const why = this.#lastError === null ? '' : `: ${this.#lastError.message}`;
        reject(new Error(`${where} did not let us in within ${bounds.connectTimeoutMs / 1000} s${why}`));
      });
      agent.on('connect', (error) => {
        stopTimer();
        if (error) {
          this.#log.error({ err: error }, 'SIP server refuses the secret');
          reject(new Error(`${where} refuses the secret`));
          return;
        }
        this.#entered();
        resolve();
      });
    });
  }

  #entered(): void {
    if (this.#closed || this.#connected) return;
    this.#connected = true;
    this.#log.info({ host: this.#server.host, port: this.#server.port }, 'SIP server connected');
    this.#events.connected();
  }

  #gone(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#log.error('connection to the SIP server lost');
    this.#events.lost();
  }
}
