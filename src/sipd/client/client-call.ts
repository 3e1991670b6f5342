/** A request on its way out: what it said, who waits for its answers, how far it is. */

import type { Dialog } from '../dialog/dialog.ts';
import type { Peer } from '../input.ts';
import { type AppMessage, givenContact, type RequestParts, writeRequest } from '../message/compose.ts';
import { bareContact, type OwnAddress } from '../own-addresses.ts';
import type { OwnRequest } from '../session-timer/sessions.ts';
import { isSips } from '../target/next-hop.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ClientTransaction } from '../transaction/client-transactions.ts';

/** What ACK and CANCEL must repeat of the request. */
export type RequestIdentity = {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly branch: string;
  /** Ours on the way it goes. */
  readonly own: OwnAddress;
  readonly routes: readonly string[];
  readonly from: string;
  readonly fromTag: string | null;
  readonly to: string;
  readonly toTag: string | null;
  readonly callId: string;
  readonly cseq: number;
};

export type ClientCall = {
  /** What the application calls it; of no meaning for the server's own requests. */
  readonly id: string;
  /** Who gets the answers; null: nobody (the server's own BYE). */
  readonly session: number | null;
  /** Of the attempt under way, or of the one that is thought of first. */
  identity: RequestIdentity;
  /** The request as it goes with this identity. */
  text: string;
  contact: string | null;
  /** Whose further headers and body go along. */
  readonly app: RequestParts['app'];
  /** Event value, and whether the request ends its subscription: the last NOTIFY, a SUBSCRIBE that lasts no time. */
  readonly event: string | undefined;
  readonly endsSubscription: boolean;
  /** The dialog it is sent in, or the one its answers make. */
  dialog: Dialog | null;
  readonly inDialog: boolean;
  /** null while nothing is under way: before the first attempt and between two. */
  transaction: ClientTransaction | null;
  /** Where it went, once that is known. */
  peer: Peer | null;
  progress: 'waiting' | 'provisional' | 'final';
  /** CANCEL: not wanted, held until a provisional answer (RFC 3261 9.1), sent; `expired`: the server sent it by itself. */
  cancel: { readonly kind: 'none' | 'sent' | 'expired' } | { readonly kind: 'held'; readonly app: AppMessage | null };
  /** The daemon loses the final answer to a re-INVITE that got an 18x. */
  deaf: boolean;
  /** Gives the call up: timer C, the wait for a cancelled call. */
  limit: TimerHandle | null;
  /** Who else gets the final answer; null when none can come. */
  readonly answered?: OwnRequest['answered'];
};

/** Writes the request anew for an attempt from this address (RFC 3263 4.3); the same address and branch change nothing. */
export function goBy(call: ClientCall, own: OwnAddress, branch: string): void {
  const { identity } = call;
  if (identity.own === own && identity.branch === branch) return;
  call.identity = { ...identity, own, branch, via: ownVia(own, branch) };
  // RFC 3261 8.1.1.8: where this peer can reach us. A dialog keeps its Contact, and UDP and TCP are one address.
  if (call.contact !== null && !call.inDialog && isOtherWay(own, identity.own)) {
    call.contact = (call.app === null ? null : givenContact(call.app, own)) ?? bareContact(own, isSips(identity.uri));
  }
  call.text = textOf(call.identity, call);
}

/** Whether two of our addresses are reached in ways that do not stand in for each other. */
function isOtherWay({ family, protocol }: OwnAddress, before: OwnAddress): boolean {
  if (family !== before.family) return true;
  const isPlain = protocol === 'udp' || protocol === 'tcp';
  return protocol !== before.protocol && !(isPlain && (before.protocol === 'udp' || before.protocol === 'tcp'));
}

/** The text of a request with this identity. */
export function textOf(identity: RequestIdentity, { contact, app }: Pick<ClientCall, 'contact' | 'app'>): string {
  return writeRequest({ ...identity, contact, app });
}

/** ACK of a final answer of 300 or more. RFC 3261 17.1.1.3: same branch, and the To of the answer. */
export function ackOfFailure(identity: RequestIdentity, to: string): string {
  return writeRequest({ ...identity, method: 'ACK', to, contact: null, app: null });
}

/** RFC 3261 9.1: everything of the INVITE but its method and further headers. */
export function cancelOf(identity: RequestIdentity, app: AppMessage | null): string {
  return writeRequest({ ...identity, method: 'CANCEL', contact: null, app });
}

/** The Via of a request of ours, asking for the source port (RFC 3581 3). */
export function ownVia(own: OwnAddress, branch: string): string {
  return `SIP/2.0/${own.protocol.toUpperCase()} ${own.host}:${own.port};branch=${branch};rport`;
}

/** A final answer nobody sent: what the application gets when none can come any more. */
export function madeUpResponse(
  identity: RequestIdentity,
  status: number,
  rest: { reason: string; tag: string },
): string {
  const to = /;\s*tag\s*=/i.test(identity.to) ? identity.to : `${identity.to};tag=${rest.tag}`;
  return (
    `SIP/2.0 ${status} ${rest.reason}\r\nVia: ${identity.via}\r\nFrom: ${identity.from}\r\nTo: ${to}\r\n` +
    `Call-ID: ${identity.callId}\r\nCSeq: ${identity.cseq} ${identity.method}\r\nContent-Length: 0\r\n\r\n`
  );
}
