/**
 * Session timers (RFC 4028), run for applications that know nothing of them: what is agreed in the answer to an INVITE,
 * the refreshes in time where they are ours, and the end of a call that nobody refreshes.
 */

import type { SipHeader } from '../../wire/sip-message.ts';
import type { ClientCall } from '../client/client-call.ts';
import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Dialog, Dialogs } from '../dialog/dialog.ts';
import { type AppMessage, withHeader } from '../message/compose.ts';
import { firstValue, type IncomingRequest, type IncomingResponse } from '../message/incoming.ts';
import type { OwnResponse } from '../message/own-response.ts';
import type { PendingRequest, PendingRequests } from '../server/pending-requests.ts';
import { type SecondTimer, SecondTimers } from './second-timers.ts';
import {
  allowsUpdate,
  leastAccepted,
  leastInterval,
  type Refresher,
  requiresTimer,
  type SessionInterval,
  sessionExpired,
  sessionExpires,
  supportsTimer,
} from './session-interval.ts';

/** What the server sends in a dialog by itself; `answered` gets the final answer, null when none can come. */
export type OwnRequest = {
  readonly method: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
  readonly answered: (response: IncomingResponse | null) => void;
};

export type SessionsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  /** False when there is no way to the peer. */
  readonly send: (dialog: Dialog, request: OwnRequest) => boolean;
  readonly acknowledge: (dialog: Dialog, cseq: number) => void;
  readonly hangUp: (dialog: Dialog, text: string) => void;
};

/** What a 2xx agrees on; without `interval` the session does not expire. */
export type Agreement = {
  readonly message: AppMessage;
  readonly further: readonly SipHeader[];
  readonly interval: { readonly seconds: number; readonly refresher: Refresher } | null;
};

type Session = {
  seconds: number;
  refresher: 'us' | 'them';
  takesUpdate: boolean;
  /** The least the peer has let us have. */
  least: number;
  /** INVITEs and UPDATEs of applications that are under way. */
  sending: number;
  refresh: SecondTimer | null;
  expiry: SecondTimer | null;
};

type Terms = {
  readonly seconds: number;
  readonly refresher: Session['refresher'];
  readonly takesUpdate: boolean | null;
};

/** Seconds until it is tried again while another INVITE or UPDATE waits for its answer, or nobody owns the call. */
const busySeconds = 2;

/** The sessions that expire, of all dialogs. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #context: Context;
  readonly #timers: SecondTimers;
  readonly #sessions = new Map<Dialog, Session>();
  /** Dialogs with a re-INVITE of ours under way, and what waits for its answer. */
  readonly #inviting = new Map<Dialog, (() => void)[]>();
  /** The last session description of ours, where a refresh may need it. */
  readonly #described = new WeakMap<Dialog, string>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#timers = new SecondTimers(parts.context);
  }

  /** How a request is refused that crosses a refresh of ours, or whose interval is too small; null lets it pass. */
  refusal(request: IncomingRequest, dialog: Dialog | null): Omit<OwnResponse, 'toTag'> | null {
    if (!negotiates(request.method)) return null;
    if (dialog !== null && this.#crosses(request, dialog)) return { status: 491 };
    const asked = sessionExpires(request);
    if (asked === null || asked.seconds >= leastInterval) return null;
    const opens = dialog === null;
    if (opens && (asked.refresher === null || !supportsTimer(request))) return null;
    if (opens && this.#context.ways.has('raises-short-sessions')) return null;
    // RFC 4028 9: 422 with the least we accept.
    return { status: 422, headers: [{ name: 'Min-SE', value: String(leastInterval) }] };
  }

  /** What the application's 2xx to a request says of the session (RFC 4028 9). */
  agree(pending: PendingRequest, message: AppMessage): Agreement {
    const { request, dialog } = pending;
    const none = { message, further: [], interval: null };
    if (!negotiates(request.method) || (request.method === 'UPDATE' && dialog?.confirmed !== true)) return none;
    const asked = sessionExpires(request);
    const chosen = sessionExpires(message);
    const knowsTimer = supportsTimer(request);
    const interval = chosen === null ? this.#taken(pending, asked) : completed(chosen, asked, knowsTimer);
    if (interval === null) return none;
    const bare = this.#context.ways.has('bare-session-expires');
    const value = `${interval.seconds};refresher=${interval.refresher}`;
    const further: SipHeader[] = [];
    if (chosen === null && !(bare && pending.inDialog)) further.push({ name: 'Session-Expires', value });
    // RFC 4028 9: a UAC that is to refresh must know it, one that can should.
    const required = (knowsTimer || interval.refresher === 'uac') && !requiresTimer(message);
    if (!bare && required) further.push({ name: 'Require', value: 'timer' });
    const rewritten = chosen !== null && !bare ? withHeader(message, 'Session-Expires', value) : message;
    return { message: rewritten, further, interval };
  }

  /** A 2xx to the peer's INVITE or UPDATE has been sent. */
  answered(pending: PendingRequest, { message, interval }: Agreement): void {
    const { request, dialog } = pending;
    if (dialog === null || !negotiates(request.method)) return;
    this.described(dialog, message.body);
    if (!dialog.confirmed) return;
    const refresher = interval?.refresher === 'uac' ? 'them' : 'us';
    this.#settle(
      dialog,
      interval === null ? null : { seconds: interval.seconds, refresher, takesUpdate: allowsUpdate(request) },
    );
    this.described(dialog, message.body);
  }

  /** A session description of ours has gone out in the dialog. */
  described(dialog: Dialog, body: string): void {
    if (body.startsWith('v=0') && (this.#sessions.has(dialog) || !dialog.confirmed)) this.#described.set(dialog, body);
  }

  /**
   * RFC 3261 14.1: an INVITE of an application, or an UPDATE that offers, waits while a re-INVITE of ours is under way.
   * False: it need not.
   */
  holdsBack(dialog: Dialog, { method, body }: { method: string; body: string }, goOn: () => void): boolean {
    const waiting =
      method === 'INVITE' || (method === 'UPDATE' && body !== '') ? this.#inviting.get(dialog) : undefined;
    waiting?.push(goOn);
    return waiting !== undefined;
  }

  /** An application's request in a dialog, with what the running session wants said (RFC 4028 7.4). */
  complete(dialog: Dialog, method: string, message: AppMessage): AppMessage {
    const session = negotiates(method) ? this.#sessions.get(dialog) : undefined;
    if (session === undefined) return message;
    session.sending += 1;
    if (this.#context.ways.has('bare-session-expires') || sessionExpires(message) !== null) return message;
    const refresher = session.refresher === 'us' ? 'uac' : 'uas';
    const timed = withHeader(message, 'Session-Expires', `${session.seconds};refresher=${refresher}`);
    return supportsTimer(message) ? timed : withHeader(timed, 'Supported', 'timer');
  }

  /** A request of ours has its final answer; null when none can come. */
  concluded(call: ClientCall, response: IncomingResponse | null): void {
    const { dialog, identity, inDialog } = call;
    const session = dialog === null || !negotiates(identity.method) ? undefined : this.#sessions.get(dialog);
    if (session !== undefined && call.session !== null && inDialog) session.sending = Math.max(0, session.sending - 1);
    if (response !== null && response.status < 300) this.#accepted(call, response);
    call.answered?.(response);
  }

  /** A 2xx to our INVITE or UPDATE: what it says is agreed (RFC 4028 7.2). */
  #accepted(call: ClientCall, response: IncomingResponse): void {
    const { dialog, identity } = call;
    if (dialog === null || !negotiates(identity.method)) return;
    const interval = sessionExpires(response);
    // The peer may know nothing of timers: then the refreshes of the server go on, those of an application end.
    if (interval === null && call.session === null) return;
    if (interval === null) {
      this.#settle(dialog, null);
      return;
    }
    const seconds = Math.max(leastInterval, interval.seconds);
    const refresher = interval.refresher === 'uas' ? 'them' : 'us';
    this.#settle(dialog, { seconds, refresher, takesUpdate: allowsUpdate(response) });
    this.described(dialog, call.app?.body ?? '');
  }

  /** The call is over. */
  end(dialog: Dialog): void {
    const session = this.#sessions.get(dialog);
    if (session === undefined) return;
    this.#timers.stop(session.refresh);
    this.#timers.stop(session.expiry);
    this.#sessions.delete(dialog);
  }

  /** What we take of the interval a request asks for. Nobody named as refresher: as it was, or no session timer. */
  #taken(pending: PendingRequest, asked: SessionInterval | null): Agreement['interval'] {
    if (asked === null) return null;
    const short = asked.seconds < leastInterval;
    if (short && !this.#context.ways.has('raises-short-sessions')) return null;
    const before = pending.dialog === null ? undefined : this.#sessions.get(pending.dialog)?.refresher;
    const usual = before === undefined ? null : refresherOf(before);
    const refresher = asked.refresher ?? usual;
    return refresher === null ? null : { seconds: Math.max(leastInterval, asked.seconds), refresher };
  }

  /** RFC 3261 14.2, RFC 3311 5.2: glare with a re-INVITE that the application knows nothing of. */
  #crosses({ method, text }: IncomingRequest, dialog: Dialog): boolean {
    return this.#inviting.has(dialog) && (method === 'INVITE' || !text.endsWith('\r\n\r\n'));
  }

  /** Begins a session, begins it anew, or ends it. */
  #settle(dialog: Dialog, terms: Terms | null): void {
    const before = this.#sessions.get(dialog);
    this.end(dialog);
    // The answer to a refresh may come when the call is over.
    if (terms === null || !this.#parts.dialogs.has(dialog)) {
      this.#described.delete(dialog);
      return;
    }
    const { seconds, refresher } = terms;
    const takesUpdate = terms.takesUpdate ?? before?.takesUpdate ?? false;
    const least = before?.least ?? leastInterval;
    const sending = before?.sending ?? 0;
    const session: Session = { seconds, refresher, takesUpdate, least, sending, refresh: null, expiry: null };
    this.#sessions.set(dialog, session);
    const ours = refresher === 'us';
    if (ours) session.refresh = this.#timers.start(Math.floor(seconds / 2), () => this.#refresh(dialog, session));
    // RFC 4028 10: a little before the end. The daemon waits for the end, or for its own refresh to fail.
    const whole = this.#context.ways.has('session-to-the-end');
    if (ours && whole) return;
    const early = whole ? 0 : Math.min(32, Math.floor(seconds / 3));
    session.expiry = this.#timers.start(seconds - early, () => this.#expire(dialog, session));
  }

  #expire(dialog: Dialog, session: Session): void {
    // A refresh that has come is as good as its answer.
    if (this.#peerRefreshes(dialog)) session.expiry = this.#again(busySeconds, () => this.#expire(dialog, session));
    else this.#parts.hangUp(dialog, sessionExpired);
  }

  #again(seconds: number, act: () => void): SecondTimer {
    return this.#timers.start(seconds, act);
  }

  #peerRefreshes(dialog: Dialog): boolean {
    return this.#parts.pending.inDialog(dialog).some(({ request }) => negotiates(request.method));
  }

  /** RFC 4028 10: at half time, by UPDATE if the peer takes it, else by INVITE with what was described before. */
  #refresh(dialog: Dialog, session: Session): void {
    // Nothing is kept alive for nobody; the daemon does not mind.
    const deserted = !this.#context.ways.has('orphans-stay') && !this.#parts.apps.isOpen(dialog.owner);
    // RFC 3261 14.1: not while another INVITE is under way, in either direction.
    if (deserted || session.sending > 0 || this.#peerRefreshes(dialog)) {
      session.refresh = this.#again(busySeconds, () => this.#refresh(dialog, session));
      return;
    }
    const sdp = this.#described.get(dialog) ?? '';
    const update = sdp === '' || (session.takesUpdate && !this.#context.ways.has('refreshes-by-invite'));
    const method = update ? 'UPDATE' : 'INVITE';
    const headers = [
      { name: 'Session-Expires', value: `${session.seconds};refresher=uac` },
      { name: 'Min-SE', value: String(session.least) },
      { name: 'Supported', value: 'timer' },
    ];
    const answered = (response: IncomingResponse | null): void =>
      this.#concluding(dialog, () => this.#refreshed(dialog, { method, session }, response));
    const body = update ? '' : sdp;
    if (!update) this.#inviting.set(dialog, []);
    if (this.#parts.send(dialog, { method, headers, body, answered })) return;
    this.#concluding(dialog, () => this.#parts.hangUp(dialog, sessionExpired));
  }

  /** What waits for our re-INVITE goes on after its end, unless that leads to another. */
  #concluding(dialog: Dialog, conclude: () => void): void {
    const waiting = this.#inviting.get(dialog) ?? [];
    this.#inviting.delete(dialog);
    conclude();
    const further = this.#inviting.get(dialog);
    if (further !== undefined) further.push(...waiting);
    else for (const goOn of waiting) goOn();
  }

  #refreshed(
    dialog: Dialog,
    refresh: { readonly method: string; readonly session: Session },
    response: IncomingResponse | null,
  ): void {
    const { method, session } = refresh;
    const accepted = response !== null && response.status < 300;
    // RFC 3261 13.2.2.4: whatever has become of the call meanwhile.
    if (accepted && method === 'INVITE') this.#parts.acknowledge(dialog, response.cseq);
    // What the answer said is in force already, or another refresh was faster.
    if (this.#sessions.get(dialog) !== session) return;
    if (accepted) this.#settle(dialog, { ...session });
    else if (response === null) this.#parts.hangUp(dialog, sessionExpired);
    else this.#refused(dialog, refresh, response);
  }

  #refused(
    dialog: Dialog,
    { method, session }: { readonly method: string; readonly session: Session },
    response: IncomingResponse,
  ): void {
    const { status } = response;
    const strict = this.#context.ways.has('ends-unrefreshed');
    const again = (seconds: number): void => {
      session.refresh = this.#again(seconds, () => this.#refresh(dialog, session));
    };
    // RFC 4028 10: 408 and 481 end the call; after others it is tried again if that can help, else the call runs out.
    if (status === 408 || status === 481 || (strict && status !== 491)) this.#parts.hangUp(dialog, sessionExpired);
    else if (status === 491) again(strict ? Math.floor(session.seconds / 2) : this.#glareSeconds(dialog));
    else if (status === 422 && leastAccepted(response) > session.seconds) {
      session.seconds = leastAccepted(response);
      session.least = session.seconds;
      this.#refresh(dialog, session);
    } else if ((status === 405 || status === 501) && method === 'UPDATE' && this.#described.has(dialog)) {
      session.takesUpdate = false;
      this.#refresh(dialog, session);
    } else if (status === 500 || status === 503) {
      const seconds = Number.parseInt(firstValue(response, 'retry-after') ?? '', 10);
      if (seconds >= 0) again(Math.max(1, Math.min(seconds, session.seconds)));
    }
  }

  /** RFC 3261 14.1: 2.1 to 4 s for the side that chose the Call-ID, up to 2 s for the other. */
  #glareSeconds(dialog: Dialog): number {
    const calling = dialog.origin.transactionId === '';
    return (calling ? 3 : 1) + (this.#context.ids.random32() % 2);
  }
}

function negotiates(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE';
}

/** Who that is in a request of the peer. */
function refresherOf(refresher: Session['refresher']): Refresher {
  return refresher === 'us' ? 'uas' : 'uac';
}

/** An interval of the application; RFC 4028 9, table 2: whom it did not name as refresher. */
function completed(
  chosen: SessionInterval,
  asked: SessionInterval | null,
  knowsTimer: boolean,
): { readonly seconds: number; readonly refresher: Refresher } {
  const usual = knowsTimer ? 'uac' : 'uas';
  const refresher = chosen.refresher ?? asked?.refresher ?? usual;
  return { seconds: Math.max(leastInterval, chosen.seconds), refresher };
}
