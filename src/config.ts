import { BlockList, isIP, isIPv6 } from 'node:net';
import { usualChat } from './core/chat-policy.ts';
import type { ChatPolicy } from './core/rows.ts';
import type { DigestAlgorithm } from './core/settings.ts';
import {
  BadConfig,
  canonical,
  checkDistinct,
  type Env,
  file,
  isHost,
  isWildcard,
  list,
  oneOf,
  onOrOff,
  port,
  portOrOff,
  publicHost,
  text,
  whole,
} from './environment.ts';
import { type MsrpConfig, msrpConfig } from './msrp-config.ts';

type Address = { readonly host: string; readonly port: number };

/** What the embedded SIP server listens on. */
type SipListeners = {
  /** Addresses, the main one first. */
  readonly hosts: readonly [string, ...string[]];
  /** UDP and TCP. */
  readonly port: number;
  /** null: off. */
  readonly tlsPort: number | null;
  readonly wsPort: number | null;
  readonly wssPort: number | null;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  /** null: the addresses themselves. */
  readonly publicHost: string | null;
};

export type Config = {
  readonly http: Address;
  readonly apiKey: string | null;
  readonly sip: SipListeners;
  /** null: the embedded SIP server. */
  readonly drachtio: (Address & { readonly secret: string }) | null;
  readonly sipdThread: 'main' | 'worker';
  readonly sipdMode: 'free' | 'strict';
  /** As written; sipd knows which there are. */
  readonly sipdSwitches: readonly string[];
  /** Own domains, lower case, the first one used in new URIs. */
  readonly domains: readonly string[];
  readonly factoryUser: string;
  readonly auth: 'open' | 'digest';
  readonly digestAlgorithms: readonly DigestAlgorithm[];
  readonly trustedPeers: readonly string[];
  readonly sipCore: string | null;
  readonly audio: 'off' | 'inactive';
  readonly privateTargets: 'allow' | 'refuse';
  readonly consent: 'on' | 'off';
  readonly creationsPerMinute: number;
  readonly endPolicy: 'creator-leaves' | 'last-leaves' | 'idle';
  readonly idleSeconds: number;
  readonly chat: ChatPolicy;
  /** Seconds. */
  readonly notifyMinInterval: number;
  readonly sessionExpires: number;
  readonly minSe: number;
  readonly nodeId: string | null;
  readonly lenient: boolean;
  readonly msrp: MsrpConfig;
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly logFormat: 'pretty' | 'json' | 'auto';
};

/** Reads and checks the environment. Throws BadConfig naming the variable. Source: docs table of the README. */
export function readConfig(env: Env): Config {
  const drachtioHost = text(env, 'DRACHTIO_HOST');
  const sip = sipListeners(env, drachtioHost !== null);
  const onLoopback = drachtioHost === null && sip.hosts.every(isLoopback);
  const [chat, msrp] = [chatPolicy(env), msrpConfig(env)];
  if (chat.transport === 'tls') checkTls(msrp);
  return Object.freeze({
    http: { host: text(env, 'HTTP_HOST') ?? '127.0.0.1', port: port(env, 'HTTP_PORT', 8080) },
    apiKey: apiKey(env),
    sip,
    drachtio:
      drachtioHost === null
        ? null
        : {
            host: drachtioHost,
            port: port(env, 'DRACHTIO_PORT', 9022),
            secret: text(env, 'DRACHTIO_SECRET') ?? 'cymru',
          },
    sipdThread: oneOf(env, 'SIPD_THREAD', ['main', 'worker']) ?? 'main',
    sipdMode: oneOf(env, 'SIPD_MODE', ['free', 'strict']) ?? 'free',
    sipdSwitches: list(env, 'SIPD_SWITCHES'),
    domains: domains(env, { sipHosts: sip.hosts, drachtio: drachtioHost !== null }),
    factoryUser: factoryUser(env),
    auth: oneOf(env, 'SIP_AUTH', ['open', 'digest']) ?? (onLoopback ? 'open' : 'digest'),
    digestAlgorithms: digestAlgorithms(env),
    trustedPeers: trustedPeers(env, onLoopback),
    sipCore: sipCore(env),
    audio: oneOf(env, 'AUDIO', ['off', 'inactive']) ?? 'off',
    privateTargets: oneOf(env, 'PRIVATE_TARGETS', ['allow', 'refuse']) ?? (onLoopback ? 'allow' : 'refuse'),
    consent: oneOf(env, 'CONSENT', ['on', 'off']) ?? 'off',
    creationsPerMinute: whole(env, 'CREATIONS_PER_MINUTE', { least: 0, fallback: 60 }),
    endPolicy: oneOf(env, 'END_POLICY', ['creator-leaves', 'last-leaves', 'idle']) ?? 'creator-leaves',
    idleSeconds: whole(env, 'IDLE_SECONDS', { least: 1, fallback: 300 }),
    chat,
    notifyMinInterval: whole(env, 'NOTIFY_MIN_INTERVAL', { least: 0, fallback: 5 }),
    ...sessionTimer(env),
    nodeId: nodeId(env),
    lenient: (oneOf(env, 'LENIENT', ['true', 'false']) ?? 'true') === 'true',
    msrp,
    databaseUrl: databaseUrl(env),
    dataDir: text(env, 'DATA_DIR') ?? './data',
    logLevel: oneOf(env, 'LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) ?? 'info',
    logFormat: oneOf(env, 'LOG_FORMAT', ['pretty', 'json']) ?? 'auto',
  });
}

/** Whether `host` only ever reaches this machine. */
function isLoopback(host: string): boolean {
  return canonical(host) === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function sipListeners(env: Env, drachtio: boolean): SipListeners {
  const [first = '127.0.0.1', ...others] = list(env, 'SIP_HOST').map(canonical);
  const hosts = [first, ...others] as const;
  for (const [index, host] of hosts.entries()) {
    if (isIP(host) === 0) throw new BadConfig(`SIP_HOST must be IP addresses, comma separated; "${host}" is none.`);
    if (hosts.indexOf(host) < index) throw new BadConfig(`SIP_HOST has ${host} twice.`);
  }
  const plain = port(env, 'SIP_PORT', 5060);
  const ports = {
    tlsPort: portOrOff(env, 'SIP_TLS_PORT'),
    wsPort: portOrOff(env, 'SIP_WS_PORT'),
    wssPort: portOrOff(env, 'SIP_WSS_PORT'),
  };
  checkDistinct({
    SIP_PORT: plain,
    SIP_TLS_PORT: ports.tlsPort,
    SIP_WS_PORT: ports.wsPort,
    SIP_WSS_PORT: ports.wssPort,
  });
  return {
    hosts,
    port: plain,
    ...ports,
    certificate: certificate(env, ports),
    publicHost: publicHost(env, { name: 'SIP_PUBLIC_HOST', bound: hosts, wildcardOk: drachtio }),
  };
}

function certificate(env: Env, ports: { tlsPort: number | null; wssPort: number | null }): SipListeners['certificate'] {
  const { tlsPort, wssPort } = ports;
  if (tlsPort === null && wssPort === null) return null;
  const forPort = tlsPort === null ? 'SIP_WSS_PORT' : 'SIP_TLS_PORT';
  return { certFile: file(env, 'TLS_CERT', forPort), keyFile: file(env, 'TLS_KEY', forPort) };
}

function chatPolicy(env: Env): ChatPolicy {
  return {
    nicknames: onOrOff(env, 'NICKNAMES', usualChat.nicknames),
    privateMessages: onOrOff(env, 'PRIVATE_MESSAGES', usualChat.privateMessages),
    history: oneOf(env, 'HISTORY', ['off', 'facts', 'content']) ?? usualChat.history,
    historyDays: whole(env, 'HISTORY_DAYS', { least: 1, most: 365, fallback: usualChat.historyDays }),
    greeting: onOrOff(env, 'GREETING', usualChat.greeting),
    announcements: onOrOff(env, 'ANNOUNCEMENTS', usualChat.announcements),
    transport: oneOf(env, 'MSRP_TRANSPORT', ['any', 'tls']) ?? usualChat.transport,
  };
}

/** Throws unless messages can come over TLS, on every hop. */
function checkTls({ tlsPort, relay }: MsrpConfig): void {
  if (tlsPort === null) throw new BadConfig('MSRP_TLS_PORT must be set when MSRP_TRANSPORT is tls.');
  if (relay !== null && !/^msrps:/i.test(relay.uri))
    throw new BadConfig('MSRP_RELAY must be of msrps when MSRP_TRANSPORT is tls.');
}

/** RFC 4028 4, 5: no interval is under 90 seconds, and none under the least we accept. */
function sessionTimer(env: Env): { sessionExpires: number; minSe: number } {
  const minSe = whole(env, 'MIN_SE', { least: 90, fallback: 90 });
  const sessionExpires = whole(env, 'SESSION_EXPIRES', { least: 90, fallback: Math.max(1_800, minSe) });
  if (sessionExpires < minSe) throw new BadConfig(`SESSION_EXPIRES must not be less than MIN_SE, which is ${minSe}.`);
  return { sessionExpires, minSe };
}

function apiKey(env: Env): string | null {
  const key = text(env, 'API_KEY');
  if (key !== null && key.length < 24) throw new BadConfig('API_KEY must have at least 24 characters.');
  return key;
}

function domains(env: Env, how: { sipHosts: readonly string[]; drachtio: boolean }): readonly string[] {
  const given = text(env, 'SIP_DOMAINS');
  if (given === null) {
    if (how.drachtio) throw new BadConfig('SIP_DOMAINS must be set when DRACHTIO_HOST is.');
    const wildcard = how.sipHosts.find(isWildcard);
    if (wildcard !== undefined) throw new BadConfig(`SIP_DOMAINS must be set when SIP_HOST is ${wildcard}.`);
    return how.sipHosts.map((host) => bracketed(host.toLowerCase()));
  }
  const names = given.split(',').map((domain) => domain.trim().toLowerCase());
  for (const domain of names) {
    if (!isHost(domain)) {
      throw new BadConfig(`SIP_DOMAINS must be domain names or addresses, comma separated; "${domain}" is neither.`);
    }
  }
  const [first = ''] = names;
  // It replaces `localhost` in Contact and From by its own address, which is no domain of ours.
  if (how.drachtio && first.includes('localhost')) {
    throw new BadConfig(
      `SIP_DOMAINS must begin with a domain without "localhost" when DRACHTIO_HOST is set, not "${first}".`,
    );
  }
  return names.map(bracketed);
}

/** An IPv6 address as it stands in a URI. */
function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function factoryUser(env: Env): string {
  const user = text(env, 'FACTORY_USER') ?? 'conf-fact';
  if (!/^[A-Za-z0-9._~-]+$/.test(user))
    throw new BadConfig(`FACTORY_USER must be a plain SIP user part, not "${user}".`);
  return user;
}

function digestAlgorithms(env: Env): readonly DigestAlgorithm[] {
  const known: readonly DigestAlgorithm[] = ['SHA-256', 'MD5'];
  const given = list(env, 'SIP_DIGEST').map((name) => {
    const algorithm = known.find((one) => one === name.toUpperCase());
    if (algorithm === undefined)
      throw new BadConfig(`SIP_DIGEST must be SHA-256, MD5 or both, comma separated; "${name}" is neither.`);
    return algorithm;
  });
  return given.length === 0 ? known : [...new Set(given)];
}

function trustedPeers(env: Env, onLoopback: boolean): readonly string[] {
  const given = text(env, 'SIP_TRUSTED_PEERS');
  if (given === null) return onLoopback ? ['127.0.0.0/8', '::1'] : [];
  const peers = given.split(',').map((peer) => peer.trim());
  addresses(peers);
  return peers;
}

/** Addresses whose place inside or outside a list is remembered. */
const addressesKeptMax = 1_000;

/** A test for "does this address belong to `list`", each entry an address or a network in CIDR form. Throws BadConfig. */
export function addresses(list: readonly string[]): (address: string) => boolean {
  const block = new BlockList();
  for (const entry of list) {
    const [address = '', prefix, ...more] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const bitsMax = family === 'ipv6' ? 128 : 32;
    const bits = prefix === undefined ? bitsMax : Number(prefix);
    const isPrefix = prefix === undefined || /^\d{1,3}$/.test(prefix);
    if (isIP(address) === 0 || !isPrefix || bits > bitsMax || more.length > 0) {
      throw new BadConfig(`SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "${entry}" is neither.`);
    }
    block.addSubnet(address, bits, family);
  }
  // Asked of every request, mostly of the same few: what was found is kept, a bounded number of times.
  const found = new Map<string, boolean>();
  return (address) => {
    const known = found.get(address);
    if (known !== undefined) return known;
    const listed = block.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    if (found.size >= addressesKeptMax) found.clear();
    found.set(address, listed);
    return listed;
  };
}

function sipCore(env: Env): string | null {
  const uri = text(env, 'SIP_CORE');
  if (uri !== null && !/^sips?:[^\s<>]+$/i.test(uri)) throw new BadConfig(`SIP_CORE must be a SIP URI, not "${uri}".`);
  return uri;
}

function nodeId(env: Env): string | null {
  const id = text(env, 'NODE_ID');
  if (id !== null && !/^[A-Za-z0-9._-]{1,64}$/.test(id))
    throw new BadConfig('NODE_ID must be 1 to 64 letters, digits, dots, dashes or underscores.');
  return id;
}

function databaseUrl(env: Env): string | null {
  const url = text(env, 'DATABASE_URL');
  if (url !== null && !/^postgres(ql)?:\/\//.test(url))
    throw new BadConfig('DATABASE_URL must begin with postgres:// or postgresql://.');
  return url;
}
