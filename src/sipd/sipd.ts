/** Starts and stops the embedded SIP server: joins the pure stack with sockets, clock, chance and name lookup. */

import { isIP } from 'node:net';
import type { TimerValues } from './context.ts';
import { ControlPort } from './control/session.ts';
import { type CounterName, Counters, type CounterValues } from './counters.ts';
import { type DaemonWays, type SipdMode, waysOf } from './daemon-ways.ts';
import type { Inquiry } from './handlers/question.ts';
import { type AdviserOption, type ApplicationAddress, readHandlers } from './handlers/request-handlers.ts';
import { makeIds } from './ids.ts';
import type { Input, Protocol } from './input.ts';
import { limits } from './limits.ts';
import { KeptNames } from './names/kept-names.ts';
import type { Names } from './names/names.ts';
import { systemNames } from './names/system-names.ts';
import { ApplicationDialer } from './outbound/application-dialer.ts';
import { InquiryClient } from './outbound/inquiry-client.ts';
import type { LogFields, Output } from './output.ts';
import { type OwnAddress, OwnAddresses } from './own-addresses.ts';
import { LoadGauge } from './process/load-gauge.ts';
import type { ProtectionOptions } from './protection/guard.ts';
import { Stack, type StackCounts } from './stack.ts';
import type { Question } from './target/questions.ts';
import { Admission } from './transport/admission.ts';
import { Certificate, type CertificateFiles, readAuthorities } from './transport/certificate.ts';
import { Door } from './transport/door.ts';
import { rarely } from './transport/rarely.ts';
import { type Listening, Sockets } from './transport/sockets.ts';
import { trustedSources } from './transport/trusted.ts';

export type SipdLog = {
  readonly debug: (fields: LogFields, text: string) => void;
  readonly info: (fields: LogFields, text: string) => void;
  readonly warn: (fields: LogFields, text: string) => void;
  readonly error: (fields: LogFields, text: string) => void;
};

/** All of it can be cloned to another thread, but for `log` and functions. */
export type SipdOptions = {
  /** IP addresses to bind, each for every transport; an IPv6 one hears IPv6 only, hence `::` goes with `0.0.0.0`. */
  readonly host: string | readonly string[];
  /** Of UDP and TCP together; 0 takes a free one. */
  readonly port: number;
  /** Ports of TLS, WebSocket and secure WebSocket: 0 takes a free one, null opens none. */
  readonly tlsPort?: number | null | undefined;
  readonly wsPort?: number | null | undefined;
  readonly wssPort?: number | null | undefined;
  /** PEM files, demanded by every port that has TLS; read again when they change. */
  readonly certificate?: CertificateFiles | null | undefined;
  /** Servers we connect to with TLS. */
  readonly tls?: TlsTrust | undefined;
  /** Host that goes into Via and Contact when it differs from `host`; needed when that is a wildcard. */
  readonly publicHost?: string | undefined;
  readonly control: ControlOptions;
  /** A mode, or single ways of the real server. */
  readonly mode: SipdMode | DaemonWays;
  readonly log: SipdLog;
  /** T1, T2, T4 of RFC 3261 appendix A in milliseconds; 500, 4000, 5000 when not given. */
  readonly timers?: TimerValues | undefined;
  /** Addresses or CIDR blocks that the limits for single sources do not bind: proxies and gateways of one's own. Loopback when not given. */
  readonly trustedPeers?: readonly string[] | undefined;
  /** The limits for single sources and the marks of overload, where they shall differ from `limits.ts`. */
  readonly protection?: Omit<ProtectionOptions, 'isTrusted'> | undefined;
  /** URI of the next hop of every request outside dialogs, unless the application names another. */
  readonly outboundProxy?: string | null | undefined;
  /** Names in the URIs of requests outside dialogs lead to public addresses only, unless by a proxy; false when not given. */
  readonly publicNames?: boolean | undefined;
  /** Sends call records to the applications that ask for them; false when not given. */
  readonly cdrs?: boolean | undefined;
  /** Who is asked what becomes of new requests, by method (drachtio's outbound mode); nobody when not given. */
  readonly handlers?: readonly AdviserOption[] | undefined;
  /** DNS servers by their addresses, with a port or without; those of the system when not given. */
  readonly nameServers?: readonly string[] | undefined;
  /** Looks names up in place of DNS and the hosts file. */
  readonly names?: Names | undefined;
  /** Memory of `Counters` in which another thread reads them. */
  readonly counterMemory?: SharedArrayBuffer | undefined;
};

export type TlsTrust = {
  /** PEM files of authorities that are trusted in place of the well-known ones. */
  readonly caFiles?: readonly string[] | undefined;
  /** False lets any server pass for any domain; for tests. True when not given. */
  readonly verify?: boolean | undefined;
};

export type ControlOptions = {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** A second port, with TLS and the same certificate: 0 takes a free one, null opens none. */
  readonly tlsPort?: number | null | undefined;
};

export type SipdAddress = { readonly protocol: Protocol; readonly host: string; readonly port: number };

export type Sipd = {
  /** Every socket; UDP of the first host comes first. */
  readonly addresses: readonly SipdAddress[];
  readonly controlPort: number;
  /** Null: there is none. */
  readonly controlTlsPort: number | null;
  /** How much is going on; all zero when idle. */
  readonly counts: () => StackCounts;
  /** How often what has happened since the start; also once it is closed. */
  readonly counters: () => CounterValues;
  readonly close: () => Promise<void>;
};

/** Starts the server; rejects with the system's error when an address cannot be had, or with one sentence. */
export async function startSipd(options: SipdOptions): Promise<Sipd> {
  const runner = new Runner(options);
  await runner.open();
  return runner.sipd();
}

class Runner {
  readonly #options: SipdOptions;
  readonly #hosts: readonly string[];
  readonly #names: Names;
  readonly #keptNames: KeptNames;
  readonly #counters: Counters;
  #sockets: Sockets | null = null;
  #control: ControlPort | null = null;
  #secureControl: Door | null = null;
  #stack: Stack | null = null;
  #inquiryClient: InquiryClient | null = null;
  #dialer: ApplicationDialer | null = null;
  #alarm: NodeJS.Timeout | null = null;
  #gauge: LoadGauge | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SipdOptions) {
    this.#options = options;
    this.#hosts = typeof options.host === 'string' ? [options.host] : options.host;
    this.#names = options.names ?? systemNames(options.nameServers ?? null);
    this.#keptNames = new KeptNames({ names: this.#names, now });
    this.#counters = new Counters(options.counterMemory);
  }

  async open(): Promise<void> {
    const { publicHost, control, mode, timers } = this.#options;
    const ways = typeof mode === 'string' ? waysOf(mode) : mode;
    checkHosts(this.#hosts);
    const handlers = readHandlers(this.#options.handlers ?? []);
    const isTrusted = trustedSources(this.#options.trustedPeers ?? ['127.0.0.0/8', '::1']);
    const certificate = this.#certificate();
    try {
      this.#sockets = await this.#openSockets(certificate, isTrusted);
      this.#stack = new Stack({
        ways,
        timerValues: timers ?? { t1: 500, t2: 4_000, t4: 5_000 },
        own: new OwnAddresses(ownAddresses(this.#sockets.listening, publicHost), this.#hosts.flatMap(aliasesOf)),
        ids: makeIds(cryptographicChance()),
        // Inside sipd text is octets.
        secret: Buffer.from(control.secret, 'utf8').toString('latin1'),
        outboundProxy: this.#options.outboundProxy,
        publicNames: this.#options.publicNames,
        cdrs: this.#options.cdrs,
        handlers,
        protection: { ...this.#options.protection, isTrusted },
        counters: this.#counters,
      });
      if (handlers.size > 0) this.#openOutbound();
      await this.#openControl(ways, certificate);
      this.#gauge = new LoadGauge((delayMs) => this.#measured(delayMs));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  sipd(): Sipd {
    return {
      addresses: this.#sockets?.listening.map(({ protocol, host, port }) => ({ protocol, host, port })) ?? [],
      controlPort: this.#control?.port ?? 0,
      controlTlsPort: this.#secureControl?.port ?? null,
      counts: () => {
        if (this.#stack === null) throw new Error('sipd is closed');
        return this.#stack.counts();
      },
      counters: () => this.#counters.values(),
      close: () => this.close(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  // First the applications, then the sockets their last messages leave through.
  async #closeAll(): Promise<void> {
    this.#inquiryClient?.close();
    this.#dialer?.close();
    await Promise.all([this.#control?.close(), this.#secureControl?.close(limits.closeGraceMs)]);
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = null;
    this.#gauge?.close();
    this.#names.close?.();
    await this.#sockets?.close();
  }

  /** Throws one sentence when there is none where there must be, or it cannot be used. */
  #certificate(): Certificate | null {
    const { certificate, tlsPort, wssPort, control, log } = this.#options;
    if (certificate) return Certificate.read(certificate, (sentence) => log.error({}, sentence));
    const wanted = [tlsPort, wssPort, control.tlsPort].some((port) => port !== null && port !== undefined);
    if (wanted) throw new Error('A port for TLS or secure WebSocket needs a certificate.');
    return null;
  }

  #openSockets(certificate: Certificate | null, isTrusted: (address: string) => boolean): Promise<Sockets> {
    const { port, tlsPort = null, wsPort = null, wssPort = null, tls = {}, log } = this.#options;
    return Sockets.open({
      hosts: this.#hosts,
      ports: { plain: port, tls: tlsPort, ws: wsPort, wss: wssPort },
      certificate,
      tlsClient: trustOf(tls),
      admission: new Admission({
        connectionsMax: limits.streamConnectionsMax,
        perSourceMax: limits.streamConnectionsPerSourceMax,
        isTrusted,
      }),
      user: {
        onMessage: (from, text) => this.#submit({ kind: 'message-received', from, text }),
        onBroken: (from, text, reason) => this.#submit({ kind: 'stream-broken', from, text, reason }),
        onClosed: (peer) => this.#submit({ kind: 'connection-closed', peer }),
        onUnreachable: (peer, reason) => this.#submit({ kind: 'peer-unreachable', peer, reason }),
      },
      onTrouble: rarely((reason, count) => log.error({ reason, count }, 'no connection can be accepted')),
      onRefused: this.#counting(
        'refusedConnections',
        rarely((host, count) => log.warn({ host, count }, 'connections refused: there are too many')),
      ),
      onOverfull: this.#counting(
        'cutConnections',
        rarely((host, count) => log.warn({ host, count }, 'connections cut off: all together keep too much')),
      ),
    });
  }

  #counting(name: CounterName, tell: (host: string) => void): (host: string) => void {
    return (host) => {
      this.#counters.count(name);
      tell(host);
    };
  }

  async #openControl(ways: DaemonWays, certificate: Certificate | null): Promise<void> {
    const { control, log } = this.#options;
    const { host, port, tlsPort = null } = control;
    const onTrouble = rarely((reason, count) => log.error({ reason, count }, 'no control connection can be accepted'));
    const opened = await ControlPort.open({
      host,
      port,
      ways,
      onOpened: (session) => this.#submit({ kind: 'session-opened', session }),
      onClosed: (session) => this.#submit({ kind: 'session-closed', session }),
      onFrame: (session, payload) => this.#submit({ kind: 'frame-received', session, payload }),
      onBroken: (session, reason) => log.error({ session, reason }, 'control connection broken'),
      onTrouble,
    });
    this.#control = opened;
    if (tlsPort === null) return;
    this.#secureControl = await Door.open({
      host,
      port: tlsPort,
      admission: null,
      certificate,
      handshakeMs: limits.tlsHandshakeMs,
      onSocket: (socket) => opened.accept(socket),
      onTrouble,
      onRefused: () => undefined,
    });
  }

  #openOutbound(): void {
    const ways = { names: this.#keptNames, ...trustOf(this.#options.tls ?? {}) };
    this.#inquiryClient = new InquiryClient(ways);
    this.#dialer = new ApplicationDialer(ways);
  }

  #measured(delayMs: number): void {
    this.#submit({ kind: 'load-measured', delayMs, queuedBytes: this.#control?.queuedBytes() ?? 0 });
  }

  #submit(input: Input): void {
    if (this.#stack === null || this.#closing !== null) return;
    for (const output of this.#stack.handle(input, now())) this.#perform(output);
  }

  #perform(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#sockets?.send(output.to, output.text, output.heed);
        return;
      case 'close-connection':
        this.#sockets?.closeConnection(output.connection);
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
      case 'look-up':
        void this.#lookUp(output.lookup, output.questions);
        return;
      case 'ask-handler':
        void this.#askHandler(output.errand, output.question);
        return;
      case 'connect-session':
        void this.#connectSession(output.errand, output.address);
        return;
      case 'log':
        this.#options.log[output.level](output.fields, output.text);
    }
  }

  async #lookUp(lookup: number, questions: readonly Question[]): Promise<void> {
    this.#submit({ kind: 'names-found', lookup, answers: await this.#keptNames.answers(questions) });
  }

  async #askHandler(errand: number, question: Inquiry): Promise<void> {
    const reply = await this.#inquiryClient?.ask(question);
    if (reply !== undefined) this.#submit({ kind: 'handler-answered', errand, reply });
  }

  async #connectSession(errand: number, address: ApplicationAddress): Promise<void> {
    const dialed = await this.#dialer?.dial(address);
    if (dialed === undefined) return;
    const session = dialed.kind === 'connected' ? (this.#control?.take(dialed.socket) ?? null) : null;
    const reason = dialed.kind === 'failed' ? dialed.reason : 'there are too many connections';
    if (session !== null) this.#submit({ kind: 'session-connected', errand, session });
    else this.#submit({ kind: 'session-not-connected', errand, reason });
  }
}

/** Throws one sentence when the authorities cannot be used. */
function trustOf({ caFiles, verify = true }: TlsTrust): { authorities: readonly Buffer[] | null; verify: boolean } {
  return { authorities: caFiles?.map(readAuthorities) ?? null, verify };
}

function checkHosts(hosts: readonly string[]): void {
  if (hosts.length === 0) throw new Error('sipd needs an IP address to listen on.');
  const [wrong] = hosts.filter((host) => isIP(host) === 0);
  if (wrong !== undefined) throw new Error(`sipd listens on IP addresses, and "${wrong}" is none.`);
}

function ownAddresses(listening: readonly Listening[], publicHost: string | undefined): readonly OwnAddress[] {
  return listening.map(({ listener, protocol, host: bound, port }) => {
    const shown = shownHost(bound, publicHost);
    const host = isIP(shown) === 6 ? `[${shown}]` : shown;
    return { listener, protocol, family: isIP(bound) === 6 ? 6 : 4, host, port, bound };
  });
}

/** A public name stands for every address, a public address for those of its family, and for a wildcard anything does. */
function shownHost(bound: string, publicHost: string | undefined): string {
  if (publicHost === undefined) return bound;
  const family = isIP(publicHost);
  return family === 0 || family === isIP(bound) || isWildcard(bound) ? publicHost : bound;
}

/** Other names of our own address: loopback when everything is bound. */
function aliasesOf(host: string): readonly string[] {
  return isWildcard(host) ? ['127.0.0.1', '::1'] : [];
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
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
