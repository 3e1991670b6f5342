import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { canonicalIp } from '../../wire/ip-address.ts';
import { type DaemonWays, type SipdMode, waysWith } from '../daemon-ways.ts';
import { type AdviserOption, readHandlers } from '../handlers/request-handlers.ts';
import type { LogLevel } from '../output.ts';
import { trustedSources } from '../transport/trusted.ts';
import { logLevels } from './levels.ts';

/** The secret that drachtio's own configuration file has, and everybody knows. */
export const defaultSecret = 'cymru';

/** Every variable of sipd alone, with its default and meaning; `--help` and the page in docs print it. */
export const sipdVariables = [
  {
    name: 'SIP_HOST',
    default: '127.0.0.1',
    meaning: 'addresses to listen on, comma separated, IPv4 and IPv6; the first is the main one',
  },
  { name: 'SIP_PORT', default: '5060', meaning: 'port for UDP and TCP; `0` picks a free one, as for every port' },
  {
    name: 'SIP_PUBLIC_HOST',
    default: '`SIP_HOST`',
    meaning: 'what goes into Via and Contact when it differs; demanded when `SIP_HOST` is a wildcard',
  },
  { name: 'SIP_TLS_PORT', default: 'off', meaning: 'port for TLS' },
  { name: 'SIP_WS_PORT', default: 'off', meaning: 'port for WebSocket' },
  { name: 'SIP_WSS_PORT', default: 'off', meaning: 'port for secure WebSocket' },
  {
    name: 'TLS_CERT',
    default: 'none',
    meaning:
      'file of the certificate and its chain, PEM, read again when it changes; demanded with a port that needs it',
  },
  { name: 'TLS_KEY', default: 'none', meaning: 'file of its private key' },
  {
    name: 'SIP_TRUSTED_PEERS',
    default: '`127.0.0.0/8,::1` on loopback, else none',
    meaning: 'addresses and networks (`10.0.0.0/8`) that the limits per source spare, comma separated',
  },
  {
    name: 'SIP_OUTBOUND_PROXY',
    default: 'none',
    meaning: 'URI of the next hop of every request outside a dialog that names none itself',
  },
  {
    name: 'SIPD_HANDLERS',
    default: 'none',
    meaning: 'whom to ask about new requests, `method=URL` or `method=POST URL`, comma separated; `*` is any method',
  },
  { name: 'SIPD_MODE', default: 'free', meaning: '`strict` copies the limits of the real drachtio server' },
  {
    name: 'SIPD_SWITCHES',
    default: 'none',
    meaning: 'single ways of the real server: `name` adds one to the mode, `-name` leaves one out',
  },
  { name: 'SIPD_CDRS', default: 'off', meaning: '`on` sends call records to applications that ask for them' },
  { name: 'DRACHTIO_HOST', default: '127.0.0.1', meaning: 'address of the control port, for applications' },
  { name: 'DRACHTIO_PORT', default: '9022', meaning: 'the control port' },
  { name: 'DRACHTIO_TLS_PORT', default: 'off', meaning: 'the control port over TLS' },
  { name: 'DRACHTIO_SECRET', default: defaultSecret, meaning: 'what applications must know' },
  { name: 'LOG_LEVEL', default: 'info', meaning: '`debug`, `info`, `warn`, `error` or `silent`' },
] as const;

export type Env = Readonly<Record<string, string | undefined>>;

/** What sipd alone is started with. */
export type SipdSettings = {
  readonly hosts: readonly [string, ...string[]];
  readonly port: number;
  readonly publicHost: string | null;
  /** null: off. */
  readonly tlsPort: number | null;
  readonly wsPort: number | null;
  readonly wssPort: number | null;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  readonly trustedPeers: readonly string[];
  readonly outboundProxy: string | null;
  readonly handlers: readonly AdviserOption[];
  readonly mode: SipdMode;
  readonly ways: DaemonWays;
  readonly cdrs: boolean;
  readonly control: {
    readonly host: string;
    readonly port: number;
    readonly tlsPort: number | null;
    readonly secret: string;
  };
  /** null: silent. */
  readonly leastLevel: LogLevel | null;
};

type Name = (typeof sipdVariables)[number]['name'];

/** A variable that cannot be used; the message is the one sentence the start ends with. */
export class BadVariable extends Error {}

/** Reads and checks the environment. Throws BadVariable naming the variable. */
export function readSettings(env: Env): SipdSettings {
  const given = new Given(env);
  const hosts = given.hosts();
  const ports = {
    tlsPort: given.portOrOff('SIP_TLS_PORT'),
    wsPort: given.portOrOff('SIP_WS_PORT'),
    wssPort: given.portOrOff('SIP_WSS_PORT'),
  };
  const port = given.port('SIP_PORT') ?? 5060;
  const controlPort = given.port('DRACHTIO_PORT') ?? 9022;
  const controlTlsPort = given.portOrOff('DRACHTIO_TLS_PORT');
  checkDistinct({
    SIP_PORT: port,
    SIP_TLS_PORT: ports.tlsPort,
    SIP_WS_PORT: ports.wsPort,
    SIP_WSS_PORT: ports.wssPort,
  });
  checkDistinct({ DRACHTIO_PORT: controlPort, DRACHTIO_TLS_PORT: controlTlsPort });
  const mode = given.oneOf('SIPD_MODE', ['free', 'strict']) ?? 'free';
  const level = given.oneOf('LOG_LEVEL', [...logLevels, 'silent']) ?? 'info';
  return {
    hosts,
    port,
    publicHost: given.publicHost(hosts),
    ...ports,
    certificate: given.certificate({
      SIP_TLS_PORT: ports.tlsPort,
      SIP_WSS_PORT: ports.wssPort,
      DRACHTIO_TLS_PORT: controlTlsPort,
    }),
    trustedPeers: given.trustedPeers(hosts),
    outboundProxy: given.uri('SIP_OUTBOUND_PROXY'),
    handlers: given.handlers(),
    mode,
    ways: given.ways(mode),
    cdrs: given.oneOf('SIPD_CDRS', ['off', 'on']) === 'on',
    control: {
      host: given.host('DRACHTIO_HOST') ?? '127.0.0.1',
      port: controlPort,
      tlsPort: controlTlsPort,
      secret: given.text('DRACHTIO_SECRET') ?? defaultSecret,
    },
    leastLevel: level === 'silent' ? null : level,
  };
}

/** The environment, each variable read as what it must be. An empty one is one that is not set. */
class Given {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  text(name: Name): string | null {
    const value = this.#env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  list(name: Name): readonly string[] {
    const items = this.text(name)?.split(',') ?? [];
    return items.map((item) => item.trim()).filter((item) => item !== '');
  }

  oneOf<Word extends string>(name: Name, words: readonly Word[]): Word | null {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return null;
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw new BadVariable(`${name} must be one of ${words.join(', ')}, not "${value}".`);
    return word;
  }

  portOrOff(name: Name): number | null {
    return this.text(name)?.toLowerCase() === 'off' ? null : this.port(name);
  }

  port(name: Name): number | null {
    const value = this.text(name);
    if (value === null) return null;
    if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535)
      throw new BadVariable(`${name} must be a port from 0 to 65535, not "${value}".`);
    return Number(value);
  }

  hosts(): readonly [string, ...string[]] {
    const [first = '127.0.0.1', ...others] = this.list('SIP_HOST').map((host) => canonicalIp(host) ?? host);
    const hosts = [first, ...others] as const;
    for (const [index, host] of hosts.entries()) {
      if (isIP(host) === 0) throw new BadVariable(`SIP_HOST must be IP addresses, comma separated; "${host}" is none.`);
      if (hosts.indexOf(host) < index) throw new BadVariable(`SIP_HOST has ${host} twice.`);
    }
    return hosts;
  }

  host(name: Name): string | null {
    const host = this.text(name);
    if (host !== null && !isHost(host)) throw new BadVariable(`${name} must be an address, not "${host}".`);
    return host;
  }

  publicHost(hosts: readonly string[]): string | null {
    const host = this.text('SIP_PUBLIC_HOST');
    const wildcard = hosts.find(isWildcard);
    if (host === null && wildcard !== undefined)
      throw new BadVariable(`SIP_PUBLIC_HOST must be set when SIP_HOST is ${wildcard}.`);
    if (host !== null && (isWildcard(host) || !isHost(host)))
      throw new BadVariable(`SIP_PUBLIC_HOST must be an address that others can reach, not "${host}".`);
    return host;
  }

  /** `ports`: those that cannot do without. */
  certificate(ports: Readonly<Record<string, number | null>>): SipdSettings['certificate'] {
    const demanding = Object.entries(ports).find(([, port]) => port !== null);
    if (demanding === undefined) return null;
    return { certFile: this.#file('TLS_CERT', demanding[0]), keyFile: this.#file('TLS_KEY', demanding[0]) };
  }

  trustedPeers(hosts: readonly string[]): readonly string[] {
    const peers = this.list('SIP_TRUSTED_PEERS');
    if (peers.length === 0) return hosts.every(isLoopback) ? ['127.0.0.0/8', '::1'] : [];
    for (const peer of peers) {
      try {
        trustedSources([peer]);
      } catch {
        throw new BadVariable(
          `SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "${peer}" is neither.`,
        );
      }
    }
    return peers;
  }

  uri(name: Name): string | null {
    const uri = this.text(name);
    if (uri !== null && !/^sips?:[^\s<>]+$/i.test(uri))
      throw new BadVariable(`${name} must be a SIP URI, not "${uri}".`);
    return uri;
  }

  handlers(): readonly AdviserOption[] {
    const handlers = this.list('SIPD_HANDLERS').map((item) => {
      const [, method = '', verb = 'GET', url = ''] = /^([^=\s]+)=(?:(GET|POST)\s+)?(\S+)$/i.exec(item) ?? [];
      const adviser = { method, url, verb: verb.toUpperCase() === 'POST' ? 'POST' : 'GET' } as const;
      try {
        readHandlers([adviser]);
      } catch {
        throw new BadVariable(
          `SIPD_HANDLERS must be methods with http, https, tcp or tls URLs, comma separated; "${item}" is none.`,
        );
      }
      return adviser;
    });
    const methods = handlers.map(({ method }) => method.toUpperCase());
    const twice = methods.find((method, index) => methods.indexOf(method) < index);
    if (twice !== undefined) throw new BadVariable(`SIPD_HANDLERS has ${twice} twice.`);
    return handlers;
  }

  ways(mode: SipdMode): DaemonWays {
    try {
      return waysWith(mode, this.list('SIPD_SWITCHES'));
    } catch (error) {
      throw new BadVariable(error instanceof Error ? error.message : String(error));
    }
  }

  #file(name: Name, forPort: string): string {
    const path = this.text(name);
    if (path === null) throw new BadVariable(`${name} must be set when ${forPort} is.`);
    try {
      readFileSync(path);
    } catch {
      throw new BadVariable(`${name} must be a file that can be read, not "${path}".`);
    }
    return path;
  }
}

/** Throws when two of these ports, which share their addresses, are one; 0 takes a free one each time. */
function checkDistinct(ports: Readonly<Record<string, number | null>>): void {
  const names = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (port === null || port === 0) continue;
    const other = names.get(port);
    if (other !== undefined) throw new BadVariable(`${name} must differ from ${other}, and both are ${port}.`);
    names.set(port, name);
  }
}

/** Whether `host` stands for all addresses of this machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || canonicalIp(host) === '::';
}

/** Whether `host` only ever reaches this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || canonicalIp(host) === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** An address or a plain host name. */
function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text);
}
