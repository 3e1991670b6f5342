/** What comes on a connection: which session it belongs to, whether it may, and who goes on with it. */

import type { MsrpRequest, MsrpResponse } from '../wire/msrp.ts';
import type { MsrpBegin, MsrpEnd, MsrpFrame, MsrpOversize, MsrpPiece, MsrpUnreadable } from '../wire/msrp-reader.ts';
import { type MsrpUri, parseMsrpUri, sameMsrpSession, sameMsrpUri } from '../wire/msrp-uri.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { answers } from './answers.ts';
import type { Answer, Connection } from './connection.ts';
import type { Inboxes } from './inboxes.ts';
import type { MsrpLog } from './msrp-log.ts';
import { screenMethod } from './screen.ts';
import { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** A NICKNAME, its form not looked at. */
export type NicknameRequest = MsrpRequest | MsrpOversize;

export type ReceptionOptions = {
  readonly sessions: Sessions;
  readonly inboxes: Inboxes;
  readonly log: MsrpLog;
  /** What of a To-Path must be ours (RFC 4975 6.1): the whole URI, or its session id. */
  readonly sessionMatch: 'uri' | 'id';
  /** Makes a connection that of a session; false when it may not be. */
  readonly bind: (session: Session, connection: Connection) => boolean;
  readonly onNickname: (session: Session, request: NicknameRequest) => void;
  /** The peer says that the session is over. */
  readonly onLost: (session: Session, reason: string) => void;
};

/** Answers what it can by itself and hands on what is for a session. */
export class Reception {
  readonly #options: ReceptionOptions;
  /** The session of the SEND that is coming in pieces, if it has one. */
  readonly #sending = new WeakMap<Connection, Session>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  receive(connection: Connection, frames: readonly MsrpFrame[]): void {
    for (const frame of frames) {
      // One frame may have ended the connection: what follows it must bind no session to it.
      if (!connection.isOpen) return;
      if (frame.kind === 'response') this.#receiveResponse(connection, frame);
      else if (frame.kind === 'piece' || frame.kind === 'end') this.#receiveRest(connection, frame);
      else if (frame.kind === 'unreadable') this.#giveUp(connection, frame);
      else this.#receiveRequest(connection, frame);
    }
  }

  #giveUp(connection: Connection, { request, error }: MsrpUnreadable): void {
    this.#options.log.warn({ peer: connection.peer, reason: error.message }, 'MSRP cannot be read');
    // RFC 4975 7.1.2: a REPORT is never answered, not even this one.
    if (request !== null && request.method !== 'REPORT')
      connection.respond(request, { status: 400, comment: error.message });
    connection.end(`the peer sent what is not MSRP: ${error.message}`);
  }

  #receiveRest(connection: Connection, frame: MsrpPiece | MsrpEnd): void {
    const session = this.#sending.get(connection);
    if (session === undefined) return;
    const inbox = this.#options.inboxes.of(session);
    if (frame.kind === 'piece') return inbox.piece(frame.octets);
    this.#sending.delete(connection);
    inbox.end(frame.flag);
  }

  #receiveRequest(connection: Connection, request: MsrpRequest | MsrpBegin | MsrpOversize): void {
    if (request.method === 'REPORT') return this.#receiveReport(connection, request);
    const refusal = screenMethod(request.method);
    if (refusal !== null) return connection.respond(request, refusal);
    const session = this.#sessionOf(connection, request.toPath);
    if (!(session instanceof Session)) return connection.respond(request, session);
    if (request.method === 'NICKNAME') return this.#options.onNickname(session, request);
    // Only a SEND is read in pieces, and no SEND is too long for the reader.
    if (request.kind === 'oversize') return;
    const inbox = this.#options.inboxes.of(session);
    if (request.kind === 'request') return inbox.receive(request);
    this.#sending.set(connection, session);
    inbox.begin(request);
  }

  // RFC 4975 7.1.2: a REPORT is never answered. RFC 7701 6.3: nor is it passed on, as its sender did not write to us.
  #receiveReport(connection: Connection, report: MsrpRequest | MsrpBegin | MsrpOversize): void {
    const [path = ''] = report.toPath;
    const session = report.toPath.length === 1 ? this.#sessionNamed(path) : undefined;
    if (report.kind === 'request' && session?.connection === connection) session.reported(report);
  }

  /**
   * RFC 4975 7.3: To-Path has exactly one URI, of a session that is associated with this connection; 5.4: the first
   * request makes the association, unless another connection has it.
   */
  #sessionOf(connection: Connection, toPath: readonly string[]): Session | Answer {
    const session = toPath.length === 1 ? this.#sessionNamed(toPath[0] ?? '') : undefined;
    if (session === undefined) return answers.noSession;
    if (session.connection === null && !this.#options.bind(session, connection)) return answers.noSession;
    if (session.connection !== connection) return answers.otherConnection;
    session.confirm();
    return session;
  }

  #sessionNamed(text: string): Session | undefined {
    const known = this.#options.sessions.byPath(text);
    if (known !== undefined) return known;
    const uri = readUri(text);
    const session = uri === null ? undefined : this.#options.sessions.bySessionId(uri.sessionId);
    if (uri === null || session === undefined) return undefined;
    const isSame = this.#options.sessionMatch === 'uri' ? sameMsrpUri : sameMsrpSession;
    return isSame(uri, session.local) ? session : undefined;
  }

  #receiveResponse(connection: Connection, response: MsrpResponse): void {
    const session = this.#sessionNamed(response.toPath[0] ?? '');
    if (session === undefined || session.connection !== connection) return;
    // RFC 4975 10.8, 10.10: the session is over, or not this connection's.
    if (response.status === 481 || response.status === 506) {
      return this.#options.onLost(session, `the peer answered ${response.status}`);
    }
    if (session.isGreeting(response.transactionId)) session.confirm();
    session.answered(response);
    if (response.status === 200) return;
    const { endpointId, conferenceId } = session;
    this.#options.log.debug({ conferenceId, endpointId, status: response.status }, 'MSRP receiver refused');
  }
}

function readUri(text: string): MsrpUri | null {
  try {
    return parseMsrpUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
