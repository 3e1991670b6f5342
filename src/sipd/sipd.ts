/** Starts and stops the embedded SIP server: joins the pure stack with sockets, clock, chance and name lookup. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { TimerValues } from './context.ts';
import { ControlPort } from './control/session.ts';
import { type SipdMode, waysOf } from './daemon-ways.ts';
import { makeIds } from './ids.ts';
import type { Input, Peer } from './input.ts';
import type { LogFields, Output } from './output.ts';
import { type OwnAddress, OwnAddresses } from './own-addresses.ts';
import { Stack, type StackCounts } from './stack.ts';
import { TcpTransport } from './transport/tcp.ts';
import { UdpTransport } from './transport/udp.ts';

export type SipdLog = {
  readonly debug: (fields: LogFields, text: string) => void;
  readonly info: (fields: LogFields, text: string) => void;
  readonly warn: (fields: LogFields, text: string) => void;
  readonly error: (fields: LogFields, text: string) => void;
};

export type SipdOptions = {
  /** IP address to bind; UDP and TCP get the same port, 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Host that goes into Via and Contact when it differs from `host`; needed when that is a wildcard. */
  readonly publicHost?: string | undefined;
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  readonly mode: SipdMode;
  readonly log: SipdLog;
  /** T1, T2, T4 of RFC 3261 appendix A in milliseconds; 500, 4000, 5000 when not given. */
  readonly timers?: TimerValues | undefined;
  /** Finds one address of a host name in the family of `host`; null when there is none. Default: the system's resolver. */
  readonly resolveHost?: ((host: string) => Promise<string | null>) | undefined;
};

export type SipdAddress = { readonly protocol: 'udp' | 'tcp'; readonly host: string; readonly port: number };

export type Sipd = {
  readonly addresses: readonly SipdAddress[];
  readonly controlPort: number;
  /** How much is going on; all zero when idle. */
  readonly counts: () => StackCounts;
  readonly close: () => Promise<void>;
};

/** How often a free port is sought that both UDP and TCP can have. */
const portAttemptsMax = 20;

/** Starts the server; rejects with the system's error when an address cannot be had. */
export async function startSipd(options: SipdOptions): Promise<Sipd> {
  const runner = new Runner(options);
  await runner.open();
  return runner.sipd();
}

class Runner {
  readonly #options: SipdOptions;
  #udp: UdpTransport | null = null;
  #tcp: TcpTransport | null = null;
  #control: ControlPort | null = null;
  #stack: Stack | null = null;
  #alarm: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SipdOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { host, publicHost, control, mode, timers } = this.#options;
    try {
      const port = await this.#openTransports();
      const shown = publicHost ?? host;
      this.#stack = new Stack({
        ways: waysOf(mode),
        timerValues: timers ?? { t1: 500, t2: 4_000, t4: 5_000 },
        own: new OwnAddresses(ownAddresses(host, shown, port), aliasesOf(host)),
        ids: makeIds(cryptographicChance()),
        // Inside sipd text is octets.
        secret: Buffer.from(control.secret, 'utf8').toString('latin1'),
      });
      this.#control = await ControlPort.open({
        host: control.host,
        port: control.port,
        ways: waysOf(mode),
        onOpened: (session) => this.#submit({ kind: 'session-opened', session }),
        onClosed: (session) => this.#submit({ kind: 'session-closed', session }),
        onFrame: (session, payload) => this.#submit({ kind: 'frame-received', session, payload }),
        onBroken: (session, reason) => this.#options.log.error({ session, reason }, 'control connection broken'),
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  sipd(): Sipd {
    const { host } = this.#options;
    const port = this.#tcp?.port ?? 0;
    return {
      addresses: [
        { protocol: 'udp', host, port },
        { protocol: 'tcp', host, port },
      ],
      controlPort: this.#control?.port ?? 0,
      counts: () => {
        if (this.#stack === null) throw new Error('sipd is closed');
        return this.#stack.counts();
      },
      close: () => this.close(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  // First the applications, then the sockets their last messages leave through.
  async #closeAll(): Promise<void> {
    await this.#control?.close();
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = null;
    await this.#tcp?.close();
    await this.#udp?.close();
  }

  /** TCP first: its port keeps other processes out, which a shared UDP port does not. */
  async #openTransports(): Promise<number> {
    const { host, port } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const tcp = await TcpTransport.open({
        host,
        port,
        onMessage: (from, text) => this.#submit({ kind: 'message-received', from, text }),
        onBroken: (from, text, reason) => this.#submit({ kind: 'stream-broken', from, text, reason }),
        onClosed: (peer) => this.#submit({ kind: 'connection-closed', peer }),
        onUnreachable: (peer, reason) => this.#submit({ kind: 'peer-unreachable', peer, reason }),
      });
      try {
        this.#udp = await UdpTransport.open({
          host,
          port: tcp.port,
          onMessage: (from, text) => this.#submit({ kind: 'message-received', from, text }),
          onUnreachable: (peer, reason) => this.#submit({ kind: 'peer-unreachable', peer, reason }),
        });
        this.#tcp = tcp;
        return tcp.port;
      } catch (error) {
        await tcp.close();
        if (port !== 0 || attempt >= portAttemptsMax) throw error;
      }
    }
  }

  #submit(input: Input): void {
    if (this.#stack === null || this.#closing !== null) return;
    for (const output of this.#stack.handle(input, now())) this.#perform(output);
  }

  #perform(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#send(output.to, output.text, output.heed);
        return;
      case 'close-connection':
        this.#tcp?.closeConnection(output.connection);
        return;
      case 'frame':
        this.#control?.send(output.session, output.payload);
        return;
      case 'close-session':
        this.#control?.closeSession(output.session);
        return;
      case 'set-alarm':
        if (this.#alarm !== null) clearTimeout(this.#alarm);
        this.#alarm = setTimeout(() => this.#submit({ kind: 'alarm-fired' }), Math.max(0, output.at - now()));
        return;
      case 'resolve-host':
        void this.#resolve(output.lookup, output.host);
        return;
      case 'log':
        this.#options.log[output.level](output.fields, output.text);
    }
  }

  #send(to: Peer, text: string, heed: boolean): void {
    if (to.protocol === 'udp') this.#udp?.send(to, text, heed);
    else this.#tcp?.send(to, text);
  }

  async #resolve(lookupId: number, host: string): Promise<void> {
    const resolve = this.#options.resolveHost ?? systemResolver(this.#options.host);
    const address = await resolve(host).catch(() => null);
    this.#submit({ kind: 'host-resolved', lookup: lookupId, address });
  }
}

function systemResolver(bindHost: string): (host: string) => Promise<string | null> {
  return async (host) => (await lookup(host, { family: isIP(bindHost) === 6 ? 6 : 4 })).address;
}

function ownAddresses(bound: string, shown: string, port: number): readonly OwnAddress[] {
  const host = isIP(shown) === 6 ? `[${shown}]` : shown;
  const family = isIP(bound) === 6 ? 6 : 4;
  const protocols = ['udp', 'tcp'] as const;
  return protocols.map((protocol, listener) => ({ listener, protocol, family, host, port, bound }));
}

/** Other names of our own address: loopback when everything is bound. */
function aliasesOf(host: string): readonly string[] {
  return host === '0.0.0.0' || host === '::' ? ['127.0.0.1', '::1'] : [];
}

/** Milliseconds since 1970 that never go back. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** 32-bit integers of the system's cryptographic source, drawn in bulk. */
function cryptographicChance(): () => number {
  const pool = new Uint32Array(1_024);
  let left = 0;
  return () => {
    if (left === 0) {
      crypto.getRandomValues(pool);
      left = pool.length;
    }
    left -= 1;
    return pool[left] ?? 0;
  };
}
