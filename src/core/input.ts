import type { RecipientEntry } from '../wire/resource-lists.ts';
import type { SessionDescription } from '../wire/sdp.ts';
import type { SipUri } from '../wire/sip-uri.ts';
import type { RefusalCode } from './refusal.ts';
import type { ReplacesValue, Role, SipCause } from './rows.ts';

/**
 * All that can happen to the service, in the past tense and in domain words. Inputs that ask something carry `reply`,
 * an opaque token; exactly one `reply` effect answers it. Inputs without `reply` are facts.
 */
export type Input = RequestInput | FactInput | CommandInput;

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
  /** null: neither trusted nor authenticated. */
  readonly caller: Caller | null;
  readonly callId: string;
  readonly fromTag: string;
  /** The dialog's id as drachtio names it: `<Call-ID>;from-tag=<tag of the request that made the dialog>`. */
  readonly dialogId: string;
  /** Option tags of Require. */
  readonly requires: readonly string[];
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
  | OptionsReceived
  | RequestRefused;

/** An INVITE outside any dialog: to the factory, a conference URI, or anything else. */
export type InviteReceived = SipRequestFacts & {
  readonly type: 'invite-received';
  readonly contact: string;
  readonly subject: string | null;
  readonly maxForwards: number;
  /** null: late offer. */
  readonly offer: SessionDescription | null;
  /** Flattened entries of all recipient lists; null when no list part came. */
  readonly list: readonly RecipientEntry[] | null;
};

export type ReinviteReceived = SipRequestFacts & {
  readonly type: 'reinvite-received';
  readonly endpointId: string;
  readonly offer: SessionDescription | null;
  readonly carriesList: boolean;
};

export type SubscribeReceived = SipRequestFacts & {
  readonly type: 'subscribe-received';
  readonly event: string | null;
  /** Seconds; null when there is no Expires header. */
  readonly expires: number | null;
};

/** A SUBSCRIBE within a subscription's dialog. */
export type SubscriptionRefreshed = SipRequestFacts & {
  readonly type: 'subscription-refreshed';
  readonly subscriptionId: string;
  readonly event: string | null;
  readonly expires: number | null;
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
  /** 18x to an INVITE of ours. */
  | { readonly type: 'endpoint-alerting'; readonly endpointId: string }
  /** 2xx to an INVITE of ours, already acknowledged; `answer` is null when it had no readable body. */
  | {
      readonly type: 'endpoint-answered';
      readonly endpointId: string;
      readonly dialogId: string;
      readonly contact: string | null;
      readonly remoteTag: string;
      readonly displayName: string | null;
      readonly answer: SessionDescription | null;
    }
  /** Final answer of 300 or more to an INVITE of ours, or none at all (408, 503 made up by the SIP server). */
  | {
      readonly type: 'endpoint-failed';
      readonly endpointId: string;
      readonly cause: SipCause;
      readonly unsupported: readonly string[];
    }
  /** 2xx to an INVITE of ours within a dialog, already acknowledged; `answer` is null when it had no readable body. */
  | { readonly type: 'reinvite-answered'; readonly endpointId: string; readonly answer: SessionDescription | null }
  /** It was refused, or the SIP server says that no answer came; null: the SIP server has never told its end. */
  | { readonly type: 'reinvite-failed'; readonly endpointId: string; readonly cause: SipCause | null }
  /** Final answer to a NOTIFY of ours. */
  | { readonly type: 'notify-answered'; readonly subscriptionId: string; readonly status: number }
  /** All dialogs are gone: the connection to the SIP server was lost. Of all conferences, or of the one named. */
  | { readonly type: 'sip-server-lost'; readonly conferenceId: string | null }
  /** The MSRP session's connection failed or closed. */
  | {
      readonly type: 'msrp-closed';
      readonly conferenceId: string;
      readonly endpointId: string;
      readonly reason: string;
    }
  /** Messages switched since the last report of this kind. */
  | { readonly type: 'messages-switched'; readonly conferenceId: string; readonly count: number }
  | { readonly type: 'timer-fired'; readonly timer: string };

/** Who asked over REST, e.g. `key:01J…`. */
export type Actor = string;

export type CommandInput =
  | {
      readonly type: 'participant-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      readonly uri: SipUri;
      readonly raw: string;
      readonly displayName: string | null;
      readonly role: Role;
      readonly replaces: ReplacesValue | null;
    }
  | {
      readonly type: 'removal-requested';
      readonly reply: ReplyTo;
      readonly actor: Actor;
      readonly conferenceId: string;
      readonly participantId: string;
      readonly reason: string | null;
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
