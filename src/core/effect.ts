import type { ReplyTo } from './input.ts';
import type { MsrpRoute } from './messaging/switch.ts';
import type { RefusalCode } from './refusal.ts';
import type { Change, ConferenceRow, Instant, ParticipantRow, ReplacesValue } from './rows.ts';

/**
 * All that the core may ask for, imperative, prefixed by the part that performs it. A list of effects is ordered;
 * nothing after a `store.save` of a conference leaves the process before that save has returned.
 */
export type Effect =
  | { readonly type: 'store.save'; readonly change: Change }
  | { readonly type: 'reply'; readonly to: ReplyTo; readonly outcome: Outcome }
  | SipInvite
  | SipReinvite
  | { readonly type: 'sip.cancel'; readonly endpointId: string }
  | { readonly type: 'sip.bye'; readonly endpointId: string; readonly dialogId: string; readonly reason: string }
  | SipNotify
  /** Forget a subscription's dialog at the SIP server after its peer refused a NOTIFY. */
  | { readonly type: 'sip.release'; readonly subscriptionId: string; readonly dialogId: string }
  | MsrpOpen
  | { readonly type: 'msrp.close'; readonly endpointId: string }
  | { readonly type: 'msrp.route'; readonly route: MsrpRoute }
  /** The conference is over: no route, no session of it remains. */
  | { readonly type: 'msrp.unroute'; readonly conferenceId: string }
  | { readonly type: 'timer.start'; readonly id: string; readonly at: Instant }
  | { readonly type: 'timer.stop'; readonly id: string };

/** INVITE of the focus to an invitee. Call-ID and From tag are chosen by the core, hence the dialog id too. */
export type SipInvite = {
  readonly type: 'sip.invite';
  readonly endpointId: string;
  readonly dialogId: string;
  /** Request-URI: no method parameter, no headers. */
  readonly target: string;
  readonly displayName: string | null;
  readonly conferenceUri: string;
  readonly callId: string;
  readonly fromTag: string;
  readonly maxForwards: number;
  readonly referredBy: string | null;
  readonly subject: string | null;
  readonly replaces: ReplacesValue | null;
  /** Further allow-listed headers of the entry's URI, e.g. Priority. */
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly sdp: string;
};

/** INVITE of the focus within an endpoint's dialog. */
export type SipReinvite = {
  readonly type: 'sip.reinvite';
  readonly endpointId: string;
  readonly dialogId: string;
  readonly conferenceUri: string;
  readonly sdp: string;
};

export type SipNotify = {
  readonly type: 'sip.notify';
  readonly subscriptionId: string;
  readonly dialogId: string;
  readonly conferenceUri: string;
  /** `active`, `pending`, or terminated with its reason. */
  readonly state:
    | { readonly name: 'active' | 'pending'; readonly expires: number }
    | { readonly name: 'terminated'; readonly reason: string };
  /** application/conference-info+xml, or null. */
  readonly body: string | null;
};

/** The MSRP session of one endpoint: expect its connection (passive) or make it (active). */
export type MsrpOpen = {
  readonly type: 'msrp.open';
  readonly conferenceId: string;
  readonly endpointId: string;
  /** The session id in our path. */
  readonly sessionId: string;
  readonly localPath: string;
  /** The peer's path, leftmost first; empty while only offered (late offer or dial-out), then opened again with it. */
  readonly remotePath: readonly string[];
  readonly role: 'active' | 'passive';
};

/** The one answer to a request, whatever protocol it came by. */
export type Outcome =
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly detail: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** 200 to an INVITE. `contact` is the conference URI. */
  | {
      readonly kind: 'session-accepted';
      readonly endpointId: string;
      readonly contact: string;
      readonly toTag: string;
      readonly sdp: string;
      readonly at: 'factory' | 'conference';
    }
  | {
      readonly kind: 'subscription-accepted';
      readonly subscriptionId: string;
      readonly contact: string;
      readonly toTag: string | null;
      readonly expires: number;
    }
  | { readonly kind: 'capabilities'; readonly at: 'factory' | 'conference' | 'server'; readonly contact: string | null }
  /** REST. */
  | { readonly kind: 'participant-dialled'; readonly participant: ParticipantRow }
  | { readonly kind: 'participant-removed' }
  | { readonly kind: 'conference-ended'; readonly conference: ConferenceRow }
  | { readonly kind: 'shut-down' };
