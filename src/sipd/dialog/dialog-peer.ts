/** Where requests of a dialog go when not simply to the URI of their next hop. */

import { isPrivateHost } from '../../wire/ip-address.ts';
import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { readHop } from '../target/next-hop.ts';
import { defaultPort, isSecure } from '../target/transports.ts';
import { type Dialog, dialogRoute } from './dialog.ts';

/**
 * The peer itself: over a stream its connection, as long as it is open; over UDP the source of its packets, when its
 * Contact cannot be the way back (NAT). Null: the URI decides.
 */
export function dialogPeer(context: Context, dialog: Dialog): Peer | null {
  const { flow } = dialog;
  if (dialog.secure && !isSecure(flow.protocol)) return null;
  if (flow.protocol !== 'udp') return flow.connection !== null && context.isOpen(flow) ? flow : null;
  const route = dialogRoute(dialog);
  if (route === null || dialog.routes.length > 0) return null;
  const reading = readHop(route.nextHop);
  // A Contact such as 0.0.0.0, of phones that do not know their own address, leads nowhere; the phone has been heard.
  if (reading.kind !== 'hop') return flow;
  if ((reading.hop.transport ?? 'udp') !== 'udp') return null;
  const { host } = reading.hop;
  const port = reading.hop.port ?? defaultPort('udp');
  // The daemon takes any difference for a NAT; the RFC follows the Contact. A private Contact of a public peer leads nowhere.
  const behindNat = context.ways.has('nat-by-any-difference')
    ? host !== flow.host || port !== flow.port
    : host !== flow.host && isPrivateHost(host) && !isPrivateHost(flow.host);
  return behindNat ? flow : null;
}
