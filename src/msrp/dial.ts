/** Connecting to a peer's path, which the peer chose: it may point where we must not go (RFC 4975 14.5). */

import { lookup as systemLookup } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { isPrivateHost } from '../wire/ip-address.ts';
import type { MsrpUri } from '../wire/msrp-uri.ts';
import { socketOptions } from './connection.ts';

export type DialOptions = {
  readonly privateTargets: 'allow' | 'refuse';
  /** Name resolution; the system's when absent. */
  readonly lookup: LookupFunction | undefined;
  readonly onConnected: (socket: Socket) => void;
  /** Once, unless connected or cancelled. */
  readonly onFailed: (reason: string) => void;
};

/** Why `target`, the first URI of a peer's path, is not connected to; null when it may be. */
export function whyNotDial(target: MsrpUri, privateTargets: 'allow' | 'refuse'): string | null {
  if (target.secure) return 'the peer wants TLS, which is not offered';
  if (target.transport !== 'tcp') return `the transport ${target.transport} is not supported`;
  if (target.port === null) return "the peer's path has no port";
  // RFC 6135 4.2.1: who will connect by itself writes the discard port.
  if (target.port === 9) return "the peer's path has the discard port";
  if (privateTargets === 'refuse' && isPrivateHost(target.host)) return "the peer's path is a private address";
  return null;
}

/** Connects over TCP to a target that `whyNotDial` has nothing against; the function given back cancels it. */
export function dial(target: MsrpUri, options: DialOptions): () => void {
  const { privateTargets, lookup = systemLookup, onConnected, onFailed } = options;
  const socket = connect({
    host: target.host.replace(/^\[(.*)\]$/, '$1'),
    port: target.port ?? 0,
    ...socketOptions,
    lookup: privateTargets === 'refuse' ? publicOnly(lookup) : lookup,
  });
  let isPending = true;
  socket.once('connect', () => {
    if (!isPending) return;
    isPending = false;
    onConnected(socket);
  });
  socket.on('error', (error) => {
    if (isPending) onFailed(reasonOf(error));
    isPending = false;
  });
  return () => {
    if (isPending) socket.destroy();
    isPending = false;
  };
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
