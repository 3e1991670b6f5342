/**
 * Who receives a message, and whether it may be sent at all (RFC 7701 6). The core publishes a route per roster
 * version; the MSRP shell applies it to every SEND by `judge`, without an input or an effect per delivery.
 */

export type RouteMember = {
  readonly endpointId: string;
  /** The participant's own URI as the roster shows it: the only From it may use. */
  readonly uri: string;
  /** Media types the endpoint takes inside message/cpim, lower case; `*` and `type/*` are wildcards. */
  readonly acceptsWrapped: readonly string[];
};

export type MsrpRoute = {
  readonly conferenceId: string;
  readonly conferenceUri: string;
  readonly version: number;
  readonly members: readonly RouteMember[];
};
