import type { ChatPolicy, EndPolicy } from './rows.ts';

/** By its name in headers (RFC 7616 3.3). */
export type DigestAlgorithm = 'SHA-256' | 'MD5';

/** What stands in our MSRP paths and SDP. */
export type MsrpSelf = {
  readonly host: string;
  /** Of plain TCP. */
  readonly port: number;
  /** Of the other transports; null: off. */
  readonly tlsPort: number | null;
  readonly wsPort: number | null;
  readonly wssPort: number | null;
  /** Octets of a whole message. */
  readonly maxSize: number;
  /** What may change while the service runs; asked whenever a session is described. */
  readonly present: () => MsrpPresent;
};

export type MsrpPresent = {
  /** RFC 8122 5: of our certificate, as in a=fingerprint; null: there is none. */
  readonly fingerprint: string | null;
  /** RFC 4976 5.1: the relays that lead to us, in the order of a=path. */
  readonly relays: readonly string[];
};

/** What the operator decided, as far as the core must know it. */
export type Settings = {
  /** NODE_ID: owner of the rows of running conferences. */
  readonly node: string;
  readonly lenient: boolean;
  /** `open`: whoever calls is who From says. */
  readonly auth: 'open' | 'digest';
  readonly factoryUser: string;
  /** Domains and addresses whose identities are ours, lower case. */
  readonly ownHosts: ReadonlySet<string>;
  /** `host` or `host:port` of new conference URIs. */
  readonly conferenceAuthority: string;
  readonly msrp: MsrpSelf;
  readonly audio: 'off' | 'inactive';
  readonly privateTargets: 'allow' | 'refuse';
  /** Digest realm, and the secret that signs its nonces. */
  readonly realm: string;
  readonly nonceSecret: string;
  /** Those that are offered, the preferred one first; no other is taken. */
  readonly digestAlgorithms: readonly DigestAlgorithm[];
  /** `on`: nobody is invited by a list unless known to have agreed (RFC 5360). */
  readonly consent: 'on' | 'off';
  /** Conferences one user may make in a minute; 0: no limit. */
  readonly creationsPerMinute: number;
  /** When ad-hoc conferences end. */
  readonly endPolicy: EndPolicy;
  readonly idleSeconds: number;
  /** What holds of messages where neither a group nor an operator says anything else. */
  readonly chat: ChatPolicy;
  /** RFC 4575 3.9: milliseconds between two NOTIFYs to one subscriber, at least; 0: no limit. */
  readonly notifyMinIntervalMs: number;
  /** RFC 4028: seconds of the interval we ask for, and the least we accept. */
  readonly sessionExpires: number;
  readonly minSe: number;
};
