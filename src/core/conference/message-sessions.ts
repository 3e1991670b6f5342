import type { SessionDescription } from '../../wire/sdp.ts';
import type { Ids } from '../ids.ts';
import type { RouteMember } from '../messaging/switch.ts';
import type { Settings } from '../settings.ts';
import { type AnsweredFiles, answerFiles, type FileSession, withFiles } from './file-lines.ts';
import type { Ledger } from './ledger.ts';
import { describedPath, type LocalMedia, withPath } from './local-media.ts';
import {
  type Agreement,
  type Answer,
  agreementFrom,
  answerTo,
  type Described,
  describe,
  offeredAgain,
  offerOf,
} from './negotiation.ts';
import { isPresent, rosterEntity } from './participant.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** The message session of one endpoint: our side from the start, the peer's once agreed. */
type MessageSession = {
  readonly sessionId: string;
  readonly local: LocalMedia;
  /** The lines we last described, and how often they have changed. */
  readonly described: Described | null;
  readonly agreement: Agreement | null;
  /** What the endpoint sends beside its messages. */
  readonly files: readonly FileSession[];
  /** As the switch was last told of it; null: it is not in the route. */
  readonly member: RouteMember | null;
};

const noFiles: AnsweredFiles = { lines: new Map(), sessions: [] };

type AgreedPeer = Omit<NonNullable<Agreement['msrp']>, 'acceptsWrapped' | 'privateMessages'>;

/** The media side of a conference: who has which message session, and the route the switch follows. */
export class MessageSessions {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #sessions: TurnMap<string, MessageSession>;
  /** Endpoints whose agreement the turn has changed. */
  readonly #renegotiated = new Set<string>();
  /** A member has been dropped. */
  #memberLost = false;

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; turns: Turns }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#sessions = new TurnMap(parts.turns);
  }

  /** Our answer to a peer's offer, or null when it holds nothing usable. The session exists only when it does. */
  answer(endpointId: string, offer: SessionDescription): (Answer & { readonly sdp: string }) | null {
    const known = this.#asOfNow(this.#sessionOf(endpointId));
    const wanted = answerTo(offer, known.local);
    if (wanted === null) return null;
    // RFC 4975 8.4: another path is another session, and RFC 4975 14.1: its id is its own.
    const session = isOtherSession(known.agreement, wanted) ? this.#renewed(known) : known;
    const answer = session === known ? wanted : (answerTo(offer, session.local) ?? wanted);
    const files = answer.msrp === null ? noFiles : this.#answerFiles(offer, session);
    const lines = answer.lines.map((line, index) => files.lines.get(index) ?? line);
    const described = describe(session.local, lines, session.described);
    this.#agree(endpointId, { ...session, described }, answer);
    this.#sendFiles(endpointId, files.sessions);
    return { ...answer, media: withFiles(answer.media, lines, null), sdp: described.sdp };
  }

  /** Our offer; the session waits for the peer from now on. */
  offer(endpointId: string, withAudio: boolean): string {
    const session = this.#sessionOf(endpointId);
    const described = describe(session.local, offerOf(session.local, withAudio), session.described);
    const offered = { ...session, described };
    this.#sessions.set(endpointId, offered);
    this.#open(endpointId, offered, { role: 'passive', remotePath: [], connectTo: null, fingerprints: [] });
    return described.sdp;
  }

  /** What we offer within a running session (RFC 3261 14.2: a re-INVITE without an offer), or null without a session. */
  offerAgain(endpointId: string): string | null {
    const session = this.#sessions.get(endpointId);
    if (session === undefined || session.described === null) return null;
    const now = this.#asOfNow(session);
    return this.#describe(endpointId, now, offeredAgain(now.described?.lines ?? []));
  }

  /**
   * What we have described last, to be offered as it stands, but for the path of a session that was lost. RFC 3264 8: the same text keeps its version; RFC 4975 8.4:
   * the same path is the same session.
   */
  description(endpointId: string): string | null {
    const session = this.#sessions.get(endpointId);
    if (session === undefined || session.described === null) return null;
    return this.#describe(endpointId, session, session.described.lines);
  }

  /** The peer's answer to our offer; null when it took nothing of it. */
  complete(endpointId: string, answer: SessionDescription): Agreement | null {
    const session = this.#sessions.get(endpointId);
    const agreement = session === undefined ? null : agreementFrom(answer, session.described?.lines ?? []);
    if (session === undefined || agreement === null) return null;
    this.#agree(endpointId, session, agreement);
    return whole(agreement, session, answer);
  }

  /** The peer's answer to our `description`; null when it took nothing of it. */
  confirm(endpointId: string, answer: SessionDescription): Agreement | null {
    const session = this.#sessions.get(endpointId);
    const agreement = session === undefined ? null : agreementFrom(answer, session.described?.lines ?? []);
    if (session === undefined || agreement === null) return null;
    const before = session.agreement?.msrp ?? null;
    const { msrp } = agreement;
    const isSame = msrp !== null && before !== null && !isOtherSession(session.agreement, agreement);
    // RFC 4975 8.4: the same path is the same session, whose connection stays, whoever made it.
    this.#agree(endpointId, session, isSame ? { ...agreement, msrp: { ...msrp, role: before.role } } : agreement);
    return whole(agreement, session, answer);
  }

  /**
   * The connection of the session with this id is gone; the endpoint keeps its dialog and may negotiate anew (RFC 4975
   * 5.4). Gives the ids of its media; null when the endpoint has another session, or lost this one before.
   */
  lose(endpointId: string, sessionId: string): readonly string[] | null {
    const session = this.#sessions.get(endpointId);
    if (session === undefined || session.sessionId !== sessionId) return null;
    const media = session.agreement?.media ?? [];
    this.#sessions.set(endpointId, this.#renewed(session));
    this.#renegotiated.add(endpointId);
    return media.flatMap(({ id, type }) => (type === 'message' ? [id] : []));
  }

  /** Turns are undone: what they had changed needs no look any more. */
  wentBack(): void {
    if (this.#renegotiated.size > 0) this.#renegotiated.clear();
    this.#memberLost = false;
  }

  drop(endpointId: string): void {
    const session = this.#sessions.get(endpointId);
    if (session === undefined) return;
    this.#sessions.delete(endpointId);
    if (session.member !== null) this.#memberLost = true;
    this.#ledger.ask({ type: 'msrp.close', endpointId });
  }

  /**
   * Publishes the route when its members differ from the last one; looks only at those whom the turn has changed. Gives the
   * endpoints that have come into it.
   */
  publishRoute(): readonly string[] {
    const arrived: string[] = [];
    let differs = this.#memberLost;
    for (const endpointId of this.#looked()) {
      const wasIn = (this.#sessions.get(endpointId)?.member ?? null) !== null;
      if (!this.#updateMember(endpointId)) continue;
      differs = true;
      if (!wasIn) arrived.push(endpointId);
    }
    this.wentBack();
    if (differs) this.#publish();
    return arrived;
  }

  /** The endpoints whose place may be another after this turn: of those who changed, as far as they have a session. */
  #looked(): readonly string[] {
    const endpointIds: string[] = [];
    for (const { endpoints } of this.#ledger.changedParticipants)
      for (const { id } of endpoints) if (this.#sessions.has(id)) endpointIds.push(id);
    for (const id of this.#renegotiated) endpointIds.push(id);
    return endpointIds;
  }

  /** The endpoints in the route as it was published last. */
  get memberIds(): readonly string[] {
    return this.#members.map(({ endpointId }) => endpointId);
  }

  get #members(): readonly RouteMember[] {
    const members: RouteMember[] = [];
    for (const { member } of this.#sessions.values()) if (member !== null) members.push(member);
    return members;
  }

  #publish(): void {
    const members = this.#members;
    const { id: conferenceId, uri: conferenceUri, version, policy } = this.#ledger.facts;
    const { privateMessages, history } = policy;
    const keeps = history === 'off' ? 'nothing' : history;
    const route = { conferenceId, conferenceUri, version, members, privateMessages, keeps } as const;
    this.#ledger.ask({ type: 'msrp.route', route });
  }

  close(): void {
    for (const endpointId of [...this.#sessions.keys()]) this.drop(endpointId);
    this.#ledger.ask({ type: 'msrp.unroute', conferenceId: this.#ledger.facts.id });
  }

  /** Whether the endpoint's place in the route is another than the switch was told. */
  #updateMember(endpointId: string): boolean {
    const session = this.#sessions.get(endpointId);
    if (session === undefined) return false;
    const member = this.#memberNow(endpointId, session);
    if (isSameMember(member, session.member)) return false;
    this.#sessions.set(endpointId, { ...session, member });
    return true;
  }

  #memberNow(endpointId: string, { agreement }: MessageSession): RouteMember | null {
    const msrp = agreement?.msrp ?? null;
    const place = msrp === null ? undefined : this.#ledger.participantOf(endpointId);
    if (msrp === null || place === undefined || !isPresent(place.endpoint.status)) return null;
    const { acceptsWrapped, privateMessages } = msrp;
    return { endpointId, uri: rosterEntity(place.participant), acceptsWrapped, privateMessages };
  }

  #answerFiles(offer: SessionDescription, { local, files }: MessageSession): AnsweredFiles {
    return answerFiles(offer, local, { known: files, newSessionId: () => this.#ids.msrpSession() });
  }

  /** The endpoint sends these files now, and no others. */
  #sendFiles(endpointId: string, files: readonly FileSession[]): void {
    const session = this.#sessions.get(endpointId);
    if (session === undefined) return;
    const before = session.agreement?.msrp === null ? [] : session.files;
    for (const file of before) {
      const { sessionId } = file.open;
      if (!files.includes(file)) this.#ledger.ask({ type: 'msrp.close', endpointId, sessionId });
    }
    for (const file of files) {
      if (before.includes(file)) continue;
      this.#ledger.ask({ type: 'msrp.open', conferenceId: this.#ledger.facts.id, endpointId, ...file.open });
    }
    if (files.length > 0 || session.files.length > 0) this.#sessions.set(endpointId, { ...session, files });
  }

  /** RFC 3264 8: o= counts the changes of what we describe; the same lines are the very same text. */
  #describe(endpointId: string, session: MessageSession, lines: Described['lines']): string {
    const described = describe(session.local, lines, session.described);
    this.#sessions.set(endpointId, { ...session, described });
    return described.sdp;
  }

  #agree(endpointId: string, before: MessageSession, { media, msrp }: Agreement): void {
    // Offered, or agreed before: nobody will use it.
    if (msrp === null) this.#ledger.ask({ type: 'msrp.close', endpointId });
    const session = { ...before, agreement: { media, msrp } };
    this.#sessions.set(endpointId, session);
    this.#renegotiated.add(endpointId);
    if (msrp !== null) this.#open(endpointId, session, msrp);
  }

  #open(endpointId: string, session: MessageSession, peer: AgreedPeer): void {
    const ours = describedPath(session.described?.lines ?? []);
    if (ours === null) return;
    const { role, remotePath, connectTo, fingerprints } = peer;
    this.#ledger.ask({
      type: 'msrp.open',
      conferenceId: this.#ledger.facts.id,
      endpointId,
      sessionId: session.sessionId,
      ...ours,
      remotePath,
      connectTo,
      fingerprints,
      role,
    });
  }

  #sessionOf(endpointId: string): MessageSession {
    return this.#sessions.get(endpointId) ?? this.#newSession();
  }

  #newSession(): MessageSession {
    const { msrp, audio, lenient } = this.#settings;
    const { nicknames, privateMessages, transport } = this.#ledger.facts.policy;
    const sessionId = this.#ids.msrpSession();
    // RFC 7701 8: `nickname` by its grammar, whatever its prose says.
    const chatroom = [...(nicknames ? ['nickname'] : []), ...(privateMessages ? ['private-messages'] : [])];
    const secureOnly = transport === 'tls';
    const { relays } = msrp.present();
    return {
      sessionId,
      local: { msrp, sessionId, relays, originId: this.#ids.sdpSession(), audio, lenient, chatroom, secureOnly },
      described: null,
      agreement: null,
      files: [],
      member: null,
    };
  }

  /** The next session of the same endpoint, in the same dialog, of which nothing is agreed: it has another path. */
  #renewed(before: MessageSession): MessageSession {
    const sessionId = this.#ids.msrpSession();
    return this.#asOfNow({ ...before, sessionId, local: { ...before.local, sessionId }, agreement: null });
  }

  /** A session of which nothing is agreed goes by the relays that there are now, if it has a way without those it had. */
  #asOfNow(session: MessageSession): MessageSession {
    const { local, described, agreement } = session;
    if (agreement !== null && agreement.msrp !== null) return session;
    const now = { ...local, relays: this.#settings.msrp.present().relays };
    if (described === null) return { ...session, local: now };
    const lines = withPath(described.lines, now);
    if (lines !== null) return { ...session, local: now, described: { ...described, lines } };
    return { ...session, described: { ...described, lines: withPath(described.lines, local) ?? described.lines } };
  }
}

/** What was agreed by the peer's answer, with the files that it goes on sending. */
function whole(agreement: Agreement, { described }: MessageSession, answer: SessionDescription): Agreement {
  return { ...agreement, media: withFiles(agreement.media, described?.lines ?? [], answer.media) };
}

/** Whether what is now agreed with the peer is about another session than what was. */
function isOtherSession(before: Agreement | null, { msrp: now }: Agreement): boolean {
  const msrp = before?.msrp ?? null;
  return msrp !== null && now !== null && msrp.remotePath.join(' ') !== now.remotePath.join(' ');
}

/** What is agreed stays the same value until something else is. */
function isSameMember(a: RouteMember | null, b: RouteMember | null): boolean {
  if (a === null || b === null) return a === b;
  return a.uri === b.uri && a.acceptsWrapped === b.acceptsWrapped && a.privateMessages === b.privateMessages;
}
