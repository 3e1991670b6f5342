/** Where requests of a dialog go when not simply to the URI of their next hop. */

import { isPrivateHost } from '../../wire/ip-address.ts';
import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import type { HopReading } from '../target/next-hop.ts';
import { defaultPort, isSecure } from '../target/transports.ts';
import type { Dialog } from './dialog.ts';

/** Over a stream the peer itself: its connection, as long as it is open. Null: the URI decides. */
export function connectedPeer(context: Context, { flow, secure }: Dialog): Peer | null {
  if (flow.connection === null || (secure && !isSecure(flow.protocol))) return null;
  return context.isOpen(flow) ? flow : null;
}

/**
 * Over UDP the source of the peer's packets, when its Contact, whose reading this is, cannot be the way back (NAT). Null:
 * the URI decides.
 */
export function peerBehindNat(context: Context, dialog: Dialog, contact: HopReading): Peer | null {
  const { flow } = dialog;
  if (flow.protocol !== 'udp' || dialog.secure || dialog.routes.length > 0) return null;
  // A Contact such as 0.0.0.0, of phones that do not know their own address, leads nowhere; the phone has been heard.
  if (contact.kind !== 'hop') return flow;
  const { host, port: given, transport } = contact.hop;
  if (transport !== null && transport !== 'udp') return null;
  const port = given ?? defaultPort('udp');
  // The daemon takes any difference for a NAT; the RFC follows the Contact. A private Contact of a public peer leads nowhere.
  const behindNat = context.ways.has('nat-by-any-difference')
    ? host !== flow.host || port !== flow.port
    : host !== flow.host && isPrivateHost(host) && !isPrivateHost(flow.host);
  return behindNat ? flow : null;
}
