/** Connecting to a peer's path, which the peer chose: it may point where we must not go (RFC 4975 14.5). */

import { lookup as systemLookup } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { isPrivateHost } from '../wire/ip-address.ts';
import type { MsrpUri } from '../wire/msrp-uri.ts';
import type { Fingerprint } from '../wire/sdp.ts';
import { type Certificate, hasFingerprint } from './certificate.ts';
import { socketOptions } from './connection.ts';

/** Where to connect to, and whom to find there. */
export type DialTarget = {
  readonly uri: MsrpUri;
  /** RFC 6714 4: what is connected to in place of the host and port of `uri`; null: nothing else. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** RFC 8122 5: of the peer's certificate; empty: its host's authority vouches for it. */
  readonly fingerprints: readonly Fingerprint[];
  /** The operator named it, so that it may be private. */
  readonly isOurs?: boolean;
};

/** What is the same for every peer. */
export type DialManner = {
  readonly privateTargets: 'allow' | 'refuse';
  /** Name resolution; the system's when absent. */
  readonly lookup: LookupFunction | undefined;
  /** Shown to peers that want to see one; null: there is none. */
  readonly certificate: Certificate | null;
  /** PEM of the authorities that are believed; those of the system when absent. */
  readonly authorities: Buffer | undefined;
};

export type DialEvents = {
  /** `certificate` is the peer's, in DER; null without TLS. */
  readonly onConnected: (socket: Socket, certificate: Buffer | null) => void;
  /** Once, unless connected or cancelled. */
  readonly onFailed: (reason: string) => void;
};

/** Why `target` is not connected to; null when it may be. */
export function whyNotDial({ uri, address }: DialTarget, privateTargets: 'allow' | 'refuse'): string | null {
  // RFC 7977: a WebSocket client cannot be connected to.
  if (uri.transport !== 'tcp') return `the transport ${uri.transport} is not supported`;
  const { host, port } = address ?? uri;
  if (port === null) return "the peer's path has no port";
  // RFC 6135 4.2.1: who will connect by itself writes the discard port.
  if (port === 9) return "the peer's path has the discard port";
  if (privateTargets === 'refuse' && isPrivateHost(host)) return "the peer's path is a private address";
  return null;
}

/** Connects over TCP, or TLS as the URI demands, to a target that `whyNotDial` has nothing against; gives what cancels it. */
export function dial(target: DialTarget, manner: DialManner, { onConnected, onFailed }: DialEvents): () => void {
  const { secure } = target.uri;
  const socket = secure ? openTls(target, manner) : openTcp(target, manner);
  let isPending = true;
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    if (!isPending) return;
    isPending = false;
    const certificate = shownBy(socket);
    const { fingerprints } = target;
    if (!secure || fingerprints.length === 0 || hasFingerprint(certificate, fingerprints)) {
      return onConnected(socket, certificate);
    }
    socket.destroy();
    onFailed("the peer's certificate is not the one that its description tells of");
  });
  socket.on('error', (error) => {
    if (isPending) onFailed(reasonOf(error));
    isPending = false;
  });
  // A handshake that is broken off without a word.
  socket.on('close', () => {
    if (isPending) onFailed('the peer closed the connection');
    isPending = false;
  });
  return () => {
    if (isPending) socket.destroy();
    isPending = false;
  };
}

function openTcp(target: DialTarget, manner: DialManner): Socket {
  return connect(whereTo(target, manner));
}

// RFC 4975 14.2: the certificate is of the host of the URI, wherever CEMA leads, unless a fingerprint tells which it is.
function openTls(target: DialTarget, manner: DialManner): TLSSocket {
  const host = bare(target.uri.host);
  const own = manner.certificate?.current();
  return connectTls({
    ...whereTo(target, manner),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
    ...(manner.authorities === undefined ? {} : { ca: manner.authorities }),
    rejectUnauthorized: target.fingerprints.length === 0,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  });
}

function whereTo({ uri, address, isOurs }: DialTarget, { privateTargets, lookup = systemLookup }: DialManner) {
  const { host, port } = address ?? uri;
  return {
    host: bare(host),
    port: port ?? 0,
    ...socketOptions,
    lookup: privateTargets === 'refuse' && isOurs !== true ? publicOnly(lookup) : lookup,
  };
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function shownBy(socket: Socket | TLSSocket): Buffer | null {
  if (!('getPeerCertificate' in socket)) return null;
  return socket.getPeerCertificate().raw ?? null;
}

/** Several addresses that all failed come as one error without words of its own. */
function reasonOf(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : error.message;
}

/** A name says nothing about its address: resolution fails when any address behind it is private. */
function publicOnly(lookup: LookupFunction): LookupFunction {
  return (name, options, callback) => {
    lookup(name, options, (error, address, family) => {
      const addresses = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address);
      const isPrivate = addresses.some(isPrivateHost);
      callback(isPrivate ? new Error("the peer's path leads to a private address") : error, address, family);
    });
  };
}
