/** What the environment says of MSRP: where it listens, what it takes, and which relay stands before it. */

import {
  BadConfig,
  checkDistinct,
  type Env,
  file,
  oneOf,
  port,
  portOrOff,
  publicHost,
  text,
  whole,
} from './environment.ts';

export type MsrpConfig = {
  readonly host: string;
  /** Of plain TCP. */
  readonly port: number;
  /** null: off. */
  readonly tlsPort: number | null;
  readonly wsPort: number | null;
  readonly wssPort: number | null;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  readonly publicHost: string;
  /** Octets of a whole message. */
  readonly maxSize: number;
  /** What of a To-Path must be ours: the whole URI, or its session id. */
  readonly sessionMatch: 'uri' | 'id';
  /** The relay whose client we are; null: none. */
  readonly relay: MsrpRelayConfig | null;
};

export type MsrpRelayConfig = { readonly uri: string; readonly user: string; readonly password: string };

/** Reads and checks what concerns MSRP. Throws BadConfig naming the variable. */
export function msrpConfig(env: Env): MsrpConfig {
  const host = text(env, 'MSRP_HOST') ?? '127.0.0.1';
  const ports = {
    port: port(env, 'MSRP_PORT', 2855),
    tlsPort: portOrOff(env, 'MSRP_TLS_PORT'),
    wsPort: portOrOff(env, 'MSRP_WS_PORT'),
    wssPort: portOrOff(env, 'MSRP_WSS_PORT'),
  };
  checkDistinct({
    MSRP_PORT: ports.port,
    MSRP_TLS_PORT: ports.tlsPort,
    MSRP_WS_PORT: ports.wsPort,
    MSRP_WSS_PORT: ports.wssPort,
  });
  return {
    host,
    ...ports,
    certificate: certificate(env, ports),
    publicHost: publicHost(env, { name: 'MSRP_PUBLIC_HOST', bound: [host], wildcardOk: false }) ?? host,
    maxSize: whole(env, 'MSRP_MAX_SIZE', { least: 2_048, most: 1_073_741_824, fallback: 10_485_760 }),
    sessionMatch: oneOf(env, 'MSRP_SESSION_MATCH', ['uri', 'id']) ?? 'id',
    relay: relay(env),
  };
}

function certificate(
  env: Env,
  { tlsPort, wssPort }: { tlsPort: number | null; wssPort: number | null },
): MsrpConfig['certificate'] {
  if (tlsPort === null && wssPort === null) return null;
  const forPort = tlsPort === null ? 'MSRP_WSS_PORT' : 'MSRP_TLS_PORT';
  return { certFile: file(env, 'TLS_CERT', forPort), keyFile: file(env, 'TLS_KEY', forPort) };
}

function relay(env: Env): MsrpRelayConfig | null {
  const uri = text(env, 'MSRP_RELAY');
  if (uri === null) return null;
  // RFC 4975 6: no port is meant where none stands.
  if (!/^msrps?:\/\/(?:\[[\da-f:.]+\]|[\w.-]+):\d{1,5};tcp$/i.test(uri))
    throw new BadConfig(`MSRP_RELAY must be an MSRP URI such as msrps://relay.example.com:2855;tcp, not "${uri}".`);
  const user = text(env, 'MSRP_RELAY_USER');
  const password = text(env, 'MSRP_RELAY_PASSWORD');
  if (user === null || password === null)
    throw new BadConfig(`MSRP_RELAY_${user === null ? 'USER' : 'PASSWORD'} must be set when MSRP_RELAY is.`);
  return { uri, user, password };
}
