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
  /** What stands in our MSRP paths and SDP. */
  readonly msrp: { readonly host: string; readonly port: number };
  readonly audio: 'off' | 'inactive';
  readonly privateTargets: 'allow' | 'refuse';
};
