import type { Fingerprint } from '../wire/sdp.ts';
import type { ReferredBy, ReplyTo, SessionTimerAnswer } from './input.ts';
import type { MsrpRoute } from './messaging/switch.ts';
import type { RefusalCode } from './refusal.ts';
import type {
  Change,
  ConferenceRow,
  Instant,
  ListEntryRow,
  MessageRow,
  ParticipantRow,
  ReplacesValue,
  SipCause,
} from './rows.ts';

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
  | SipNotifyReferral
  | SipRefer
  /** Forget a referral's place in its dialog after its peer refused a NOTIFY. */
  | { readonly type: 'sip.release-referral'; readonly referralId: string; readonly dialogId: string }
  /** Forget a subscription's dialog at the SIP server after its peer refused a NOTIFY. */
  | { readonly type: 'sip.release'; readonly subscriptionId: string; readonly dialogId: string }
  | MsrpOpen
  /** All sessions of the endpoint, or only the one with this id. */
  | { readonly type: 'msrp.close'; readonly endpointId: string; readonly sessionId?: string }
  | { readonly type: 'msrp.route'; readonly route: MsrpRoute }
  /** The conference is over: no route, no session of it remains. */
  | { readonly type: 'msrp.unroute'; readonly conferenceId: string }
  | MsrpNotice
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
  /** Above 1: the INVITE with this Call-ID and From tag is sent again, changed (RFC 4028 7.3). */
  readonly cseq: number;
  readonly maxForwards: number;
  readonly referredBy: string | null;
  /** Referred-By that came in a REFER: it goes on as it is, in place of `referredBy`. */
  readonly referral: ReferredBy | null;
  readonly subject: string | null;
  readonly replaces: ReplacesValue | null;
  /** RFC 3911 7.1: value of Join, or null. */
  readonly join: string | null;
  /** RFC 4028 7.1, in seconds; null: no session timer is asked for. */
  readonly sessionTimer: { readonly expires: number; readonly minSe: number | null } | null;
  /** RFC 5366 5, RFC 5364 7: the recipient-list-history document, or null. */
  readonly history: string | null;
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
  /** RFC 4028 7.4: the session timer that runs, in seconds; null: none. */
  readonly sessionTimer: SessionTimerAnswer | null;
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

/** A NOTIFY of the refer package (RFC 3515 2.4.4): how the request that a REFER asked for goes. */
export type SipNotifyReferral = {
  readonly type: 'sip.notify-referral';
  readonly referralId: string;
  readonly dialogId: string;
  readonly conferenceUri: string;
  /** The `id` parameter of Event. */
  readonly eventId: number | null;
  readonly state:
    | { readonly name: 'active'; readonly expires: number }
    | { readonly name: 'terminated'; readonly reason: string };
  /** What the status line of its sipfrag says. */
  readonly cause: SipCause;
};

/** REFER of the focus to somebody, asking to call in (RFC 4579 5.7); it wants no NOTIFYs (RFC 4488). */
export type SipRefer = {
  readonly type: 'sip.refer';
  readonly referralId: string;
  /** Which of the referral's targets, from 0. */
  readonly target: number;
  readonly uri: string;
  readonly conferenceUri: string;
  readonly callId: string;
  readonly fromTag: string;
  readonly maxForwards: number;
  readonly referredBy: string | null;
  /** Referred-By that came in the REFER we answer: it goes on as it is, in place of `referredBy`. */
  readonly referral: ReferredBy | null;
};

/** The MSRP session of one endpoint: expect its connection (passive) or make it (active). */
export type MsrpOpen = {
  readonly type: 'msrp.open';
  readonly conferenceId: string;
  readonly endpointId: string;
  /** The session id in our path. */
  readonly sessionId: string;
  readonly localPath: string;
  /** RFC 4976: the relays that stand before it in our a=path, the one the peer connects to first. */
  readonly relays: readonly string[];
  /** The peer's path, leftmost first; empty while only offered (late offer or dial-out), then opened again with it. */
  readonly remotePath: readonly string[];
  /** RFC 6714 4: what to connect to in place of the first of `remotePath`; null: nothing else. */
  readonly connectTo: { readonly host: string; readonly port: number } | null;
  /** RFC 8122 5: one of them is that of the peer's certificate; empty: the peer said none. */
  readonly fingerprints: readonly Fingerprint[];
  readonly role: 'active' | 'passive';
  /** RFC 5547: a session of its own beside that of messages, in which the peer sends this file to the conference. */
  readonly file?: { readonly name: string | null; readonly type: string | null };
};

/** A message of the focus itself, from the conference URI to it, wrapped in message/cpim. */
export type MsrpNotice = {
  readonly type: 'msrp.notice';
  readonly conferenceId: string;
  readonly messageId: string;
  /** Endpoints that get it; null: every member of the route. Whose session is not open yet gets it when it is. */
  readonly to: readonly string[] | null;
  readonly contentType: string;
  readonly text: string;
  readonly sentAt: Instant;
  /** As the history keeps it; the switch gives it back with what became of it. */
  readonly kept?: MessageRow;
};

/** The one answer to a request, whatever protocol it came by. */
export type Outcome =
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly detail: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** RFC 7616 3.3: the credentials were right but for the age of their nonce. */
      readonly stale?: boolean;
      readonly body?: { readonly contentId: string; readonly type: string; readonly text: string };
      /** What was called, where that says what a body may be. */
      readonly at?: Place;
    }
  /** 200 to an INVITE or an UPDATE. `contact` is the conference URI. */
  | {
      readonly kind: 'session-accepted';
      readonly endpointId: string;
      readonly contact: string;
      readonly toTag: string;
      /** null: an UPDATE without an offer. */
      readonly sdp: string | null;
      readonly at: 'factory' | 'conference';
      /** RFC 4028 9; null: the session does not expire. */
      readonly sessionTimer: SessionTimerGrant | null;
    }
  /** 200 to a REFER; `toTag` when that makes a dialog. */
  | {
      readonly kind: 'referral-accepted';
      readonly referralId: string;
      readonly contact: string;
      readonly toTag: string | null;
      /** False: NOTIFYs follow no REFER (RFC 4488). */
      readonly subscribes: boolean;
    }
  /** 200 to a SUBSCRIBE within a REFER's dialog. */
  | {
      readonly kind: 'referral-refreshed';
      readonly referralId: string;
      readonly contact: string;
      readonly expires: number;
    }
  | {
      readonly kind: 'subscription-accepted';
      readonly subscriptionId: string;
      readonly contact: string;
      readonly toTag: string | null;
      readonly expires: number;
    }
  | { readonly kind: 'capabilities'; readonly at: Place; readonly contact: string | null }
  /** MSRP: the status of RFC 7701 7 for a NICKNAME, and its comment. */
  | { readonly kind: 'nickname-answered'; readonly status: number; readonly comment: string }
  /** REST. */
  | { readonly kind: 'conference-created'; readonly conference: ConferenceRow }
  | { readonly kind: 'conference-planned'; readonly plan: ConferencePlan }
  | { readonly kind: 'conference-changed'; readonly conference: ConferenceRow }
  | { readonly kind: 'participant-dialled'; readonly participant: ParticipantRow }
  | { readonly kind: 'participant-removed' }
  /** `isKept`: what becomes of it can be read. */
  | { readonly kind: 'notice-sent'; readonly message: MessageRow; readonly isKept: boolean }
  | { readonly kind: 'conference-ended'; readonly conference: ConferenceRow }
  | { readonly kind: 'shut-down' };

/** What our 2xx says of the session timer; `required`: Require: timer stands in it. */
export type SessionTimerGrant = {
  readonly expires: number;
  readonly refresher: 'uac' | 'uas';
  readonly required: boolean;
};

/** What a Request-URI of ours may name, as far as capabilities differ. */
export type Place = 'factory' | 'conference' | 'group' | 'server';

/** How a conference that was asked for would be made: each entry as it would be read, and why it would not be dialled. */
export type ConferencePlan = {
  readonly entries: readonly {
    readonly entry: ListEntryRow;
    readonly displayName: string | null;
    readonly replaces: ReplacesValue | null;
    /** `dial`, or `dropped` when it names the creator, the focus, or somebody listed before. */
    readonly verdict: 'dial' | 'dropped' | 'refused';
    readonly cause: SipCause | null;
  }[];
  /** Why the whole would be refused, or null. */
  readonly refused: { readonly code: RefusalCode; readonly detail: string } | null;
};
