import type { DigestCredentials } from '../wire/digest.ts';
import type { RecipientEntry } from '../wire/resource-lists.ts';
import type { SessionDescription } from '../wire/sdp.ts';
import type { SipHeader } from '../wire/sip-message.ts';
import type { SipUri } from '../wire/sip-uri.ts';
import type { DeliveryLoss, SwitchedMessage } from './messaging/switched.ts';
import type { RefusalCode } from './refusal.ts';
import type { ConferencePolicy, ConferenceRow, GroupRow, ReplacesValue, Role, SipCause, UserRow } from './rows.ts';

/**
 * All that can happen to the service, in the past tense and in domain words. Inputs that ask something carry `reply`,
 * an opaque token; exactly one `reply` effect answers it. Inputs without `reply` are facts.
 */
export type Input = RequestInput | ChatInput | FactInput | CommandInput;

export type ReplyTo = string;

/** Who asks, as far as it is believed. `aor` is canonical: no parameters, no headers. */
export type Caller = {
  readonly aor: string;
  readonly displayName: string | null;
  /** Privacy: id, user or header was asked for. */
  readonly private: boolean;
};

/** What every SIP request says about itself. */
export type SipRequestFacts = {
  readonly reply: ReplyTo;
  readonly method: string;
  readonly target: SipUri;
  /** The Request-URI as it came. */
  readonly requestUri: string;
  /** Where the packet came from. */
  readonly sourceAddress: string;
  /** null: neither trusted nor, so far, authenticated. */
  readonly caller: Caller | null;
  /** Who From says it is, to be believed once `credentials` prove it; where `caller` is known, the same. */
  readonly claimed: Caller;
  readonly credentials: readonly DigestCredentials[];
  readonly callId: string;
  readonly fromTag: string;
  readonly cseq: number;
  /** The dialog's id as drachtio names it: `<Call-ID>;from-tag=<tag of the request that made the dialog>`. */
  readonly dialogId: string;
  /** Option tags of Require. */
  readonly requires: readonly string[];
  /** Option tags of Supported and Require, lower case. */
  readonly supports: readonly string[];
  /** Media types of Accept, lower case; null when there is no Accept header. */
  readonly accepts: readonly string[] | null;
  /** Quirks that reading the request needed. */
  readonly quirks: readonly string[];
  /** The request, shortened, for the attempts log. */
  readonly received: string;
};

export type RequestInput =
  | InviteReceived
  | ReinviteReceived
  | SubscribeReceived
  | SubscriptionRefreshed
  | ReferReceived
  | ReferralRefreshed
  | OptionsReceived
  | RequestRefused;

/** What a request says of RFC 4028: the interval in seconds, who shall refresh, the least it accepts. */
export type SessionTimerAsk = {
  readonly expires: number | null;
  readonly refresher: 'uac' | 'uas' | null;
  readonly minSe: number | null;
};

/** What a 2xx to a request of ours says of RFC 4028. */
export type SessionTimerAnswer = { readonly expires: number; readonly refresher: 'uac' | 'uas' };

/** Referred-By (RFC 3892): the URI it names, and the header's value and token, to be passed on as they came. */
export type ReferredBy = {
  readonly uri: SipUri;
  readonly value: string;
  readonly token: { readonly contentId: string; readonly headers: readonly SipHeader[]; readonly body: string } | null;
};

/** What an INVITE, or the 2xx to one, says of its sender beside the name. */
export type Particulars = {
  /** Language tags of Accept-Language, the best first. */
  readonly languages: readonly string[];
  /** Tel URIs that a trusted peer asserts (RFC 3325), canonical. */
  readonly associatedAors: readonly string[];
};

/** An INVITE outside any dialog: to the factory, a conference URI, or anything else. */
export type InviteReceived = SipRequestFacts &
  Particulars & {
    readonly type: 'invite-received';
    readonly contact: string;
    readonly subject: string | null;
    readonly maxForwards: number;
    /** null: late offer. */
    readonly offer: SessionDescription | null;
    /** Flattened entries of all recipient lists; null when no list part came. */
    readonly list: readonly RecipientEntry[] | null;
    /** The dialog to take over (RFC 3891), or to join (RFC 3911); never both. Tags as the receiver sees them. */
    readonly replaces: ReplacesValue | null;
    readonly join: ReplacesValue | null;
    readonly referredBy: ReferredBy | null;
    readonly sessionTimer: SessionTimerAsk;
    /** Contact says isfocus: another focus calls (RFC 4579 5.4). */
    readonly fromFocus: boolean;
  };

/** An INVITE or an UPDATE within a session. */
export type ReinviteReceived = SipRequestFacts & {
  readonly type: 'reinvite-received';
  readonly endpointId: string;
  readonly offer: SessionDescription | null;
  readonly carriesList: boolean;
  readonly sessionTimer: SessionTimerAsk;
  /** Another INVITE or UPDATE of the peer in this session still waits for our answer. */
  readonly overlaps: boolean;
};

/** A REFER within a session of ours, or outside any dialog. */
export type ReferReceived = SipRequestFacts & {
  readonly type: 'refer-received';
  /** The session it came in; null: none. */
  readonly endpointId: string | null;
  /** Whether its dialog has taken a REFER before (RFC 3515 2.4.6). */
  readonly further: boolean;
  readonly contact: string;
  readonly maxForwards: number;
  /** What Refer-To asks of whom: one URI, or those of the list it points at (RFC 5368). */
  readonly targets: readonly RecipientEntry[];
  readonly viaList: boolean;
  /** RFC 4488: false when Refer-Sub is false. */
  readonly wantsSubscription: boolean;
  readonly referredBy: ReferredBy | null;
  /** RFC 4538: another dialog of its sender, tags as we see them. */
  readonly targetDialog: ReplacesValue | null;
};

/** A SUBSCRIBE within a REFER's dialog: it asks for more time, or with 0 for no more NOTIFYs (RFC 3515 2.4.4). */
export type ReferralRefreshed = SipRequestFacts & {
  readonly type: 'referral-refreshed';
  readonly referralId: string;
  readonly expires: number | null;
};

export type SubscribeReceived = SipRequestFacts & {
  readonly type: 'subscribe-received';
  readonly event: string | null;
  /** Seconds; null when there is no Expires header. */
  readonly expires: number | null;
  /** Last-Notify-Version: the version of the last document that the subscriber has; null: it does not say. */
  readonly lastNotifyVersion: number | null;
};

/** A SUBSCRIBE within a subscription's dialog. */
export type SubscriptionRefreshed = SipRequestFacts & {
  readonly type: 'subscription-refreshed';
  readonly subscriptionId: string;
  readonly event: string | null;
  readonly expires: number | null;
  readonly lastNotifyVersion: number | null;
};

export type OptionsReceived = SipRequestFacts & { readonly type: 'options-received' };

/** The edge could not read the request, or refuses it by itself; kept in the attempts log and answered. */
export type RequestRefused = {
  readonly type: 'request-refused';
  readonly reply: ReplyTo;
  readonly method: string;
  readonly target: string;
  readonly caller: Caller | null;
  readonly callId: string | null;
  readonly code: RefusalCode;
  /** What exactly was wrong, for Warning and for the attempts log. */
  readonly detail: string;
  readonly quirks: readonly string[];
  readonly received: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it says of itself, when nobody trusted says who sent it: there where credentials could prove that. */
  readonly facts?: SipRequestFacts;
};

export type FactInput =
  /** CANCEL of an INVITE we were about to answer, or an answer that could not be sent: the peer never saw our 200. */
  | { readonly type: 'invite-cancelled'; readonly dialogId: string }
  /** ACK of our 200; `answer` when the offer was ours. */
  | {
      readonly type: 'ack-received';
      readonly endpointId: string;
      readonly answer: SessionDescription | null | 'unreadable';
    }
  /** BYE from the peer (already answered), or the SIP server gave the dialog up (no ACK, lost connection). */
  | {
      readonly type: 'dialog-ended';
      readonly endpointId: string;
      readonly by: 'peer' | 'server';
      readonly reason: string | null;
    }
  /** 18x to an INVITE of ours; `remoteTag` is null when To bears none. */
  | { readonly type: 'endpoint-alerting'; readonly endpointId: string; readonly remoteTag: string | null }
  /** 2xx to an INVITE of ours, already acknowledged; `answer` is null when it had no readable body. */
  | (Particulars & {
      readonly type: 'endpoint-answered';
      readonly endpointId: string;
      readonly dialogId: string;
      readonly contact: string | null;
      readonly remoteTag: string;
      readonly displayName: string | null;
      /** It asks for privacy (RFC 3323). */
      readonly private: boolean;
      readonly answer: SessionDescription | null;
      readonly sessionTimer: SessionTimerAnswer | null;
    })
  /** Final answer of 300 or more to an INVITE of ours, or none at all (408, 503 made up by the SIP server). */
  | {
      readonly type: 'endpoint-failed';
      readonly endpointId: string;
      readonly cause: SipCause;
      readonly unsupported: readonly string[];
      /** Value of Reason (RFC 3326). */
      readonly reasonHeader: string | null;
      /** Min-SE of a 422, in seconds. */
      readonly minSe: number | null;
      /** RFC 5318 4: who is behind the URI, in the P-Refused-URI-List of a 403. */
      readonly members: readonly RecipientEntry[] | null;
    }
  /** 2xx to an INVITE of ours within a dialog, already acknowledged; `answer` is null when it had no readable body. */
  | {
      readonly type: 'reinvite-answered';
      readonly endpointId: string;
      readonly answer: SessionDescription | null;
      readonly sessionTimer: SessionTimerAnswer | null;
    }
  /** It was refused, or the SIP server says that no answer came; null: the SIP server has never told its end. */
  | { readonly type: 'reinvite-failed'; readonly endpointId: string; readonly cause: SipCause | null }
  /** Final answer to a NOTIFY of ours. */
  | { readonly type: 'notify-answered'; readonly subscriptionId: string; readonly status: number }
  /** Final answer to a NOTIFY of ours that tells of a REFER. */
  | { readonly type: 'referral-notify-answered'; readonly referralId: string; readonly status: number }
  /** Final answer to a REFER of ours; `target` counts the referral's targets from 0. */
  | {
      readonly type: 'refer-answered';
      readonly referralId: string;
      readonly target: number;
      readonly cause: SipCause;
    }
  /** All dialogs are gone: the connection to the SIP server was lost. Of all conferences, or of the one named. */
  | { readonly type: 'sip-server-lost'; readonly conferenceId: string | null }
  /**
   * The MSRP session is over at its peer's end. `lost`: its connection failed or closed, or was never made; `stalled`: the
   * peer does not read or does not answer, and would not in another session either.
   */
  | {
      readonly type: 'msrp-closed';
      readonly conferenceId: string;
      readonly endpointId: string;
      readonly sessionId: string;
      readonly cause: 'lost' | 'stalled';
      readonly reason: string;
    }
  /** Messages accepted since the last report of this kind, those whose fate is to be kept, and what receivers lost. */
  | {
      readonly type: 'messages-switched';
      readonly conferenceId: string;
      readonly count: number;
      readonly messages: readonly SwitchedMessage[];
      readonly losses: readonly DeliveryLoss[];
    }
  | { readonly type: 'timer-fired'; readonly timer: string }
  | DefinitionInput;

/** What a participant asks over its message session. */
export type ChatInput = NicknameAsked;

/** NICKNAME (RFC 7701 7). */
export type NicknameAsked = {
  readonly type: 'nickname-asked';
  readonly reply: ReplyTo;
  readonly conferenceId: string;
  readonly endpointId: string;
  /** Unquoted, at most 1,023 octets; null: the name is given up (RFC 7701 7.3). */
  readonly nickname: string | null;
};

/** What stands in the store of groups and users, told at the start and after each change there. */
export type DefinitionInput =
  | { readonly type: 'group-defined'; readonly group: GroupRow }
  | { readonly type: 'group-removed'; readonly groupId: string }
  | { readonly type: 'user-defined'; readonly user: UserRow }
  | { readonly type: 'user-removed'; readonly userId: string };

/** A command of one type. */
export type Command<Type extends CommandInput['type']> = Extract<CommandInput, { readonly type: Type }>;

/** Who asked over REST, e.g. `key:01J…`. */
export type Actor = string;

/** One participant asked in over REST. */
export type InvitationOrder = {
  readonly uri: SipUri;
  readonly raw: string;
  /** null, as for the role: nothing is said; who was in before has those of then. */
  readonly displayName: string | null;
  readonly role: Role | null;
  readonly replaces: ReplacesValue | null;
};

/** One participant of a conference that is asked for: its URI is read as that of a list's entry. */
export type ListedOrder = Omit<InvitationOrder, 'uri'>;

export type CommandInput =
  /** A conference made by the operator; with `dryRun` only judged. Policy and URI reading as at the factory. */
  | {
      readonly type: 'conference-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly subject: string | null;
      readonly participants: readonly ListedOrder[];
      /** What differs from the service's own policy. */
      readonly policy: Partial<ConferencePolicy>;
      readonly maxParticipants: number | null;
      readonly locked: boolean;
      readonly labels: Readonly<Record<string, string>>;
      readonly dryRun: boolean;
    }
  /** What is absent stays. */
  | {
      readonly type: 'change-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      readonly subject?: string | null;
      readonly locked?: boolean;
      readonly maxParticipants?: number | null;
      readonly labels?: Readonly<Record<string, string>>;
      /** The state it is for: nothing is changed in another one. */
      readonly asKnown?: Pick<ConferenceRow, 'version' | 'labels'>;
    }
  | (InvitationOrder & {
      readonly type: 'participant-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
    })
  | {
      readonly type: 'removal-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      readonly participantId: string;
      readonly reason: string | null;
    }
  /** A message of the focus to all, or to some, who are in the conference. */
  | {
      readonly type: 'notice-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      /** Media type of the text, without parameters. */
      readonly contentType: string;
      readonly text: string;
      readonly participantIds: readonly string[] | null;
    }
  | {
      readonly type: 'end-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      readonly reason: string | null;
    }
  /** The process stops: no new conferences, running ones end, subscriptions end `deactivated`. */
  | { readonly type: 'shutdown-requested'; readonly reply: ReplyTo; readonly actor: Actor };
