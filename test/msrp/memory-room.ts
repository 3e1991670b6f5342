import { createHash } from 'node:crypto';
import type { MsrpNotice, MsrpOpen } from '../../src/core/effect.ts';
import { limits } from '../../src/core/limits.ts';
import type { MsrpRoute, RouteMember } from '../../src/core/messaging/switch.ts';
import type { SwitchedMessage } from '../../src/core/messaging/switched.ts';
import type { MessageRow } from '../../src/core/rows.ts';
import { Connection } from '../../src/msrp/connection.ts';
import { Inboxes } from '../../src/msrp/inboxes.ts';
import { Reception } from '../../src/msrp/reception.ts';
import { Session } from '../../src/msrp/session.ts';
import { Sessions } from '../../src/msrp/sessions.ts';
import { Switchboard } from '../../src/msrp/switchboard.ts';
import type { Switched } from '../../src/msrp/tally.ts';
import {
  type MsrpFlag,
  type MsrpHeader,
  type MsrpRequest,
  type MsrpResponse,
  msrpHeader,
  responseTo,
  wantsResponse,
  writeMsrpRequest,
  writeMsrpResponse,
} from '../../src/wire/msrp.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { parseMsrpUri } from '../../src/wire/msrp-uri.ts';
import { ArrivingMessages } from '../support/arriving-messages.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryCarrier, settled } from './memory-carrier.ts';
import { roomUri, uriOf } from './switch-room.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** A content, or what tells a long one from all others. */
export function shortOf(content: Buffer): string {
  if (content.length < 500) return content.toString('latin1');
  return `${content.length} octets: ${createHash('sha1').update(content).digest('hex')}`;
}

/** One chunk as a member sends it. */
export type MemberChunk = {
  readonly messageId: string;
  readonly body: Buffer | null;
  /** The value of Byte-Range; absent: none. */
  readonly range?: string;
  /** `$` when absent. */
  readonly flag?: MsrpFlag;
  readonly headers?: readonly MsrpHeader[];
  readonly contentType?: string;
};

/** The switch of one conference: the shell's own parts, on connections that are no sockets and by a clock that stands. */
export class MemoryRoom {
  readonly clock = new ManualClock(1_000_000);
  readonly sessions = new Sessions();
  readonly switchboard: Switchboard;
  readonly reported: Switched[] = [];
  readonly lost: string[] = [];
  readonly #inboxes: Inboxes;
  readonly #reception: Reception;
  #idCount = 0;
  #version = 0;

  constructor({ maxSize = 1_000_000 } = {}) {
    const ids = { transaction: () => this.#id('tx'), messageId: () => this.#id('message') };
    const { clock, sessions } = this;
    this.switchboard = new Switchboard({
      sessions,
      clock,
      ids,
      report: (_, switched) => this.reported.push(switched),
      onRouted: (session) => this.#inboxes.routed(session),
    });
    this.#inboxes = new Inboxes({ switchboard: this.switchboard, clock, ids, maxSize });
    this.#reception = new Reception({
      sessions,
      inboxes: this.#inboxes,
      log,
      sessionMatch: 'uri',
      bind: (session, connection) => {
        this.sessions.attach(session, connection);
        return true;
      },
      onNickname: () => undefined,
      onLost: (session) => this.close(session),
    });
  }

  /** What is told of messages by now. */
  get told(): readonly SwitchedMessage[] {
    return this.reported.flatMap(({ messages }) => messages);
  }

  /** A member whose session is open; `relay` goes before its own path. */
  join(name: string, relay: string | null = null): Member {
    const { session, open } = this.#session(name, relay);
    const { clock } = this;
    const carrier: MemoryCarrier = new MemoryCarrier(name, (octets) => member.read(octets));
    const connection = new Connection({
      carrier,
      clock,
      log,
      onFrames: (from, frames) => this.#reception.receive(from, frames),
      onClose: (closed) => {
        for (const each of this.sessions.ofConnection(closed)) this.close(each);
      },
    });
    const { remotePath: path, localPath: peerPath } = open;
    const member = new Member(carrier, { path, peerPath, connection });
    session.complete(open);
    member.chunk({ messageId: 'greeting', body: null });
    return member;
  }

  /** One whose session is open on the connection of another, as behind one relay, and who is heard and answers there. */
  joinBeside({ carrier, connection }: Member, name: string): Member {
    const { session, open } = this.#session(name, null);
    const { remotePath: path, localPath: peerPath } = open;
    const member = new Member(carrier, { path, peerPath, connection });
    session.complete(open);
    member.chunk({ messageId: 'greeting', body: null });
    return member;
  }

  #session(name: string, relay: string | null): { readonly session: Session; readonly open: MsrpOpen } {
    const open: MsrpOpen = {
      type: 'msrp.open',
      conferenceId: 'conf-1',
      endpointId: name,
      sessionId: `session-of-${name}`,
      localPath: `msrp://127.0.0.1:2855/session-of-${name};tcp`,
      remotePath: [...(relay === null ? [] : [relay]), `msrp://127.0.0.1:9/${name};tcp`],
      role: 'passive',
      relays: [],
      connectTo: null,
      fingerprints: [],
    };
    const local = parseMsrpUri(open.localPath);
    const session = new Session(open, local, { clock: this.clock, onStalled: (stalled) => this.close(stalled) });
    this.sessions.add(session);
    return { session, open };
  }

  /** Publishes a route of exactly these, all of which take text. */
  route(names: readonly string[], change: Partial<MsrpRoute> = {}, member: Partial<RouteMember> = {}): void {
    this.#version += 1;
    const members = names.map((name) => ({
      endpointId: name,
      uri: uriOf(name),
      acceptsWrapped: ['text/*'],
      privateMessages: true,
      ...member,
    }));
    this.switchboard.route({
      conferenceId: 'conf-1',
      conferenceUri: roomUri,
      version: this.#version,
      members,
      privateMessages: true,
      keeps: 'facts',
      ...change,
    });
  }

  notice(text: string, to: readonly string[] | null, kept?: MessageRow): void {
    const notice: MsrpNotice = {
      type: 'msrp.notice',
      conferenceId: 'conf-1',
      messageId: 'notice-1',
      to,
      contentType: 'text/plain',
      text,
      sentAt: this.clock.now(),
      ...(kept && { kept }),
    };
    this.switchboard.notice(notice);
  }

  /** The session is over, whoever ended it. */
  close(session: Session | undefined): void {
    if (session === undefined || session.state === 'closed') return;
    this.lost.push(session.endpointId);
    this.#inboxes.close(session);
    this.sessions.remove(session);
    session.close('lost');
  }

  /** Until all that is counted has been reported. */
  report(): void {
    this.clock.turn(limits.messagesSwitchedIntervalMs);
  }

  #id(prefix: string): string {
    this.#idCount += 1;
    return `${prefix}-${this.#idCount}`;
  }
}

/** One member's client at the other end of its connection. */
export class Member {
  readonly carrier: MemoryCarrier;
  readonly path: readonly string[];
  /** Ours at the service. */
  readonly peerPath: string;
  readonly connection: Connection;
  /** All that came, in order. */
  readonly requests: MsrpRequest[] = [];
  /** What came whole, as `shortOf` says it. */
  readonly messages: string[] = [];
  /** Message-IDs of those that were given up. */
  readonly aborted: string[] = [];
  /** Status by transaction. */
  readonly answers = new Map<string, number>();
  readonly responses: MsrpResponse[] = [];
  /** What a SEND is answered. */
  answer: (request: MsrpRequest) => number | 'none' = () => 200;
  /** How that leaves. */
  say: (octets: Buffer) => void = (octets) => this.carrier.say(octets);
  readonly #reader = new MsrpReader({ wholeBytesMax: 1024 * 1024 });
  readonly #arriving = new ArrivingMessages();
  #chunkCount = 0;

  constructor(
    carrier: MemoryCarrier,
    {
      path,
      peerPath,
      connection,
    }: { readonly path: readonly string[]; readonly peerPath: string; readonly connection: Connection },
  ) {
    this.carrier = carrier;
    this.path = path;
    this.peerPath = peerPath;
    this.connection = connection;
  }

  /** Sends a chunk, in one segment; gives its transaction. */
  chunk(chunk: MemberChunk): string {
    const { transactionId, octets } = this.written(chunk);
    this.carrier.say(octets);
    return transactionId;
  }

  /** Sends these octets of `content`, from 1: its end if the last one is among them. */
  part(
    content: Buffer,
    [from, to]: readonly [number, number],
    { flag, range = `${from}-${to}/${content.length}` }: { readonly flag?: MsrpFlag; readonly range?: string } = {},
  ): string {
    const body = content.subarray(from - 1, to);
    return this.chunk({ messageId: 'long', body, range, flag: flag ?? (to === content.length ? '$' : '+') });
  }

  /** A chunk as octets, not sent. */
  written(chunk: MemberChunk): { readonly transactionId: string; readonly octets: Buffer } {
    const { messageId, body, range, flag = '$', headers = [], contentType = 'message/cpim' } = chunk;
    this.#chunkCount += 1;
    const transactionId = `chunk-${this.#chunkCount}`;
    const own = [
      { name: 'Message-ID', value: messageId },
      ...(range === undefined ? [] : [{ name: 'Byte-Range', value: range }]),
      ...headers,
      ...(body === null ? [] : [{ name: 'Content-Type', value: contentType }]),
    ];
    const paths = { toPath: [this.peerPath], fromPath: this.path };
    const octets = writeMsrpRequest({ transactionId, method: 'SEND', ...paths, headers: own, body, flag });
    return { transactionId, octets };
  }

  /** Sends a REPORT about a message of the service’s. */
  report(messageId: string, status: string, { toPath = this.peerPath, range = '1-1/2' } = {}): void {
    const headers = [
      { name: 'Message-ID', value: messageId },
      { name: 'Byte-Range', value: range },
      { name: 'Status', value: status },
    ];
    const paths = { toPath: [toPath], fromPath: this.path };
    const request = { transactionId: 'report', method: 'REPORT', ...paths, headers, body: null, flag: '$' } as const;
    this.carrier.say(writeMsrpRequest(request));
  }

  /** Messages of which something has come, and neither the rest nor their end. */
  get unfinishedCount(): number {
    return this.#arriving.unfinishedCount;
  }

  /** The REPORTs that came. */
  get reports(): readonly MsrpRequest[] {
    return this.requests.filter(({ method }) => method === 'REPORT');
  }

  /** The SENDs that came. */
  get sends(): readonly MsrpRequest[] {
    return this.requests.filter(({ method }) => method === 'SEND');
  }

  /** What they said of their place in the message. */
  get ranges(): readonly (string | undefined)[] {
    return this.sends.map((request) => msrpHeader(request, 'Byte-Range'));
  }

  read(octets: Buffer): void {
    for (const frame of this.#reader.push(octets)) {
      if (frame.kind === 'response') {
        this.answers.set(frame.transactionId, frame.status);
        this.responses.push(frame);
      } else if (frame.kind === 'request') this.#receive(frame);
      else throw new Error(`the service sent ${frame.kind}`);
    }
  }

  #receive(request: MsrpRequest): void {
    this.requests.push(request);
    if (request.method !== 'SEND') return;
    const status = this.answer(request);
    if (status !== 'none' && wantsResponse(request, status))
      this.say(writeMsrpResponse(responseTo(request, status, null)));
    if (request.flag === '#') this.aborted.push(msrpHeader(request, 'Message-ID') ?? '');
    const content = this.#arriving.add(request);
    if (content !== null) this.messages.push(shortOf(content));
  }
}

/** Alice and Bob, whom the route names. */
export async function aliceAndBob(): Promise<{ room: MemoryRoom; alice: Member; bob: Member }> {
  const room = new MemoryRoom();
  const [alice, bob] = [room.join('alice'), room.join('bob')];
  room.route(['alice', 'bob']);
  await settled();
  return { room, alice, bob };
}
