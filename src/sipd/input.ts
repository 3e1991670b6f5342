/** What can happen to the SIP stack. SIP text is latin1: one character is one octet. */

import type { InquiryReply } from './handlers/question.ts';
import type { Answer } from './target/questions.ts';

export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Where a message came from or goes to. `connection` names one open stream, null lets the shell find or open one. */
export type Peer = {
  readonly protocol: Protocol;
  /** An IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly connection: number | null;
  /** Which of our sockets heard it (`OwnAddress.listener`); null: any that can reach it. */
  readonly listener: number | null;
  /** The host name this address was asked for: what its certificate must prove (RFC 5922 7.3) and a WebSocket asks for. */
  readonly name?: string;
};

export type Input =
  | { readonly kind: 'message-received'; readonly from: Peer; readonly text: string }
  /** The stream cannot be read on; `text` is what came last, empty if it cannot be answered. */
  | { readonly kind: 'stream-broken'; readonly from: Peer; readonly text: string; readonly reason: string }
  | { readonly kind: 'connection-closed'; readonly peer: Peer }
  /** ICMP error, connection refused or timed out. */
  | { readonly kind: 'peer-unreachable'; readonly peer: Peer; readonly reason: string }
  | { readonly kind: 'session-opened'; readonly session: number }
  /** As `session-opened`, of a connection that was asked for by `connect-session`. */
  | { readonly kind: 'session-connected'; readonly errand: number; readonly session: number }
  | { readonly kind: 'session-not-connected'; readonly errand: number; readonly reason: string }
  | { readonly kind: 'handler-answered'; readonly errand: number; readonly reply: InquiryReply }
  | { readonly kind: 'session-closed'; readonly session: number }
  | { readonly kind: 'frame-received'; readonly session: number; readonly payload: string }
  | { readonly kind: 'alarm-fired' }
  /** The shell has looked: how late the event loop is, and how much the slowest application has left unread. */
  | { readonly kind: 'load-measured'; readonly delayMs: number; readonly queuedBytes: number }
  /** What was found, an answer to each question of the `look-up`. */
  | { readonly kind: 'names-found'; readonly lookup: number; readonly answers: readonly Answer[] };
