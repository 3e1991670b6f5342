/** Applies the routes that the core publishes to the messages of their sessions: the data plane of all conferences. */

import type { MsrpNotice } from '../core/effect.ts';
import { limits } from '../core/limits.ts';
import {
  byWhatTheyTake,
  judge,
  type MessageFacts,
  type MsrpRoute,
  readMessage,
  type Verdict,
} from '../core/messaging/switch.ts';
import type { Clock } from '../core/ports.ts';
import { CpimUnfinished } from '../wire/cpim.ts';
import { type MsrpHeader, mediaTypeOf } from '../wire/msrp.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { answers } from './answers.ts';
import { CompletedMessages } from './completed-messages.ts';
import type { Answer } from './connection.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { Passage, type PassageFacts, type PassageOptions } from './passage.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { type Switched, Tally } from './tally.ts';
import { fileWrapper, noticeContent } from './wrapping.ts';

export type SwitchboardOptions = {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly ids: MsrpIds;
  /** What was switched in one conference since the last report. */
  readonly report: (conferenceId: string, switched: Switched) => void;
  /** The route names the endpoint of this session now: what waited for that may be judged. */
  readonly onRouted: (session: Session) => void;
};

/** A message that may be passed on. */
export type Accepted = {
  readonly route: MsrpRoute;
  readonly verdict: Verdict;
  readonly facts: MessageFacts;
  /** What is to stand before the content, which is a file, to make it a message/cpim; null: it is one. */
  readonly wrapper: Buffer | null;
};

/**
 * `later`: the route does not name the sender yet; `unfinished`: more of the content is wanted; an answer: it is refused.
 */
export type Consideration = 'later' | 'unfinished' | Answer | Accepted;

/** The switch: the routes as published last, by conference, and what they make of a message. */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #routes = new Map<string, MsrpRoute>();
  /** Sessions whose endpoint a route has named; whom it names no longer was removed. */
  readonly #routed = new WeakSet<Session>();
  readonly #completed = new CompletedMessages();
  readonly #tally: Tally;
  readonly #passageOptions: PassageOptions;

  constructor(options: SwitchboardOptions) {
    const { sessions, clock, ids, report } = options;
    this.#options = options;
    this.#tally = new Tally(clock, report);
    this.#passageOptions = { sessions, clock, ids, tally: this.#tally };
  }

  /** Copies of messages that a receiver did not get, since the start. */
  get lostCount(): number {
    return this.#tally.lostCount;
  }

  /** A conference's route from now on; messages that its new members sent too early are switched. */
  route(route: MsrpRoute): void {
    this.#routes.set(route.conferenceId, route);
    this.#completed.keepOnly(route.conferenceId, route.members);
    for (const { endpointId } of route.members) {
      for (const session of this.#options.sessions.ofEndpoint(endpointId)) {
        if (this.#routed.has(session)) continue;
        this.#routed.add(session);
        this.#options.onRouted(session);
      }
    }
  }

  /** The conference is over. */
  unroute(conferenceId: string): void {
    this.#routes.delete(conferenceId);
    this.#completed.forget(conferenceId);
    this.#tally.flush(conferenceId);
  }

  /** Reports what is still counted. */
  flush(): void {
    this.#tally.flushAll();
  }

  /** Judges what has come of the content of a message/cpim, or all of it; of a file, that it comes. */
  consider(session: Session, content: Buffer): Consideration {
    const route = this.#routes.get(session.conferenceId);
    if (!this.#isRouted(session, route)) return 'later';
    if (route === undefined) return answers.notInConference;
    if (session.file !== null) return this.#considerFile(session, session.file, route);
    const facts = factsOf(content);
    if (typeof facts === 'string') return facts === 'unfinished' ? facts : answers.unreadable;
    const verdict = judge(route, session.endpointId, facts);
    return verdict.status === 200 ? { route, verdict, facts, wrapper: null } : verdict;
  }

  /** Passes on what was accepted. */
  pass(accepted: Accepted, message: Pick<PassageFacts, 'messageId' | 'mime' | 'onRelieved'>): Passage {
    const { route, verdict, facts, wrapper } = accepted;
    const { recipients, skipped, to } = verdict;
    const from = verdict.from ?? '';
    const { wrappedType } = facts;
    const headerBytes = facts.headerBytes + (wrapper?.length ?? 0);
    const mime = wrapper === null ? message.mime : cpim;
    const { messageId, onRelieved } = message;
    return new Passage(
      { route, from, to, recipients, skipped, wrappedType, headerBytes, wrapper, messageId, mime, onRelieved },
      this.#passageOptions,
    );
  }

  /** All of a message has come and was accepted: it counts, and is not switched again. */
  completed(session: Session, messageId: string, length: number): void {
    this.#tally.count(session.conferenceId);
    this.#completed.add(session, messageId, length);
  }

  /** Whether all of this message has come before. */
  hasCompleted(session: Session, messageId: string): boolean {
    return this.completedLength(session, messageId) !== null;
  }

  /** Octets of this message, all of which have come; null: they have not. */
  completedLength(session: Session, messageId: string): number | null {
    return this.#completed.lengthOf(session, messageId);
  }

  /** A message of the focus itself. */
  notice(effect: MsrpNotice): void {
    const route = this.#routes.get(effect.conferenceId);
    if (route === undefined) return;
    const { messageId, contentType, to, kept } = effect;
    const meant = route.members.filter(({ endpointId }) => to === null || to.includes(endpointId));
    const users = new Set(meant.map(({ uri }) => uri));
    const [only = null] = users.size === 1 ? users : [];
    const body = noticeContent(effect, route.conferenceUri);
    const passage = new Passage(
      {
        route,
        messageId,
        from: route.conferenceUri,
        to: to === null ? null : only,
        // As of any message: who is on hold, or reads no HTML, is sent none.
        ...byWhatTheyTake(meant, contentType, null),
        wrappedType: contentType,
        headerBytes: body.length - Buffer.byteLength(effect.text),
        wrapper: null,
        mime: cpim,
        onRelieved: null,
        kept,
      },
      this.#passageOptions,
    );
    const { length: total } = body;
    for (let at = 0; at < total; at += limits.messagePartBytes) {
      const part = body.subarray(at, at + limits.messagePartBytes);
      passage.send({ body: part, start: at + 1, total, isLast: at + part.length === total });
    }
  }

  // RFC 5547 4: a file has no wrapper. In a conference nobody would know whose it is, so that we give it one.
  #considerFile(
    { endpointId }: Session,
    { name, type }: NonNullable<Session['file']>,
    route: MsrpRoute,
  ): Consideration {
    const member = route.members.find((each) => each.endpointId === endpointId);
    if (member === undefined) return answers.notInConference;
    const [from, to] = [[member.uri], [route.conferenceUri]];
    const wrappedType = type === null ? 'application/octet-stream' : mediaTypeOf(type);
    const facts = { from, to, cc: [], requires: [], wrappedType, headerBytes: 0 };
    const verdict = judge(route, endpointId, facts);
    if (verdict.status !== 200) return verdict;
    const way = { from: member.uri, to: route.conferenceUri, sentAt: this.#options.clock.now() };
    const wrapper = fileWrapper(way, { name, type: type ?? wrappedType });
    return { route, verdict, facts, wrapper };
  }

  // A peer may speak as soon as it has our answer or ACK, a moment before the route that names it has been saved and
  // published. Who was in a route and is no longer has been removed.
  #isRouted(session: Session, route: MsrpRoute | undefined): boolean {
    if (this.#routed.has(session)) return true;
    const isMember = route?.members.some(({ endpointId }) => endpointId === session.endpointId) ?? false;
    if (isMember) this.#routed.add(session);
    return isMember;
  }
}

const cpim: readonly MsrpHeader[] = [{ name: 'Content-Type', value: 'message/cpim' }];

function factsOf(content: Buffer): MessageFacts | 'unfinished' | 'unreadable' {
  try {
    return readMessage('message/cpim', content) ?? 'unreadable';
  } catch (error) {
    if (error instanceof CpimUnfinished) return 'unfinished';
    if (error instanceof RemoteError) return 'unreadable';
    throw error;
  }
}
