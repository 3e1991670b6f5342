/** Applies the routes that the core publishes to the messages of their sessions: the data plane of all conferences. */

import type { MsrpNotice } from '../core/effect.ts';
import { limits } from '../core/limits.ts';
import { judge, type MessageFacts, type MsrpRoute, type RouteMember, readMessage } from '../core/messaging/switch.ts';
import type { Clock } from '../core/ports.ts';
import { writeCpim } from '../wire/cpim.ts';
import { msrpHeader } from '../wire/msrp.ts';
import { RemoteError } from '../wire/remote-error.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import type { Message, Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { Tally } from './tally.ts';

export type SwitchboardOptions = {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly ids: MsrpIds;
  /** Messages switched in one conference since the last report. */
  readonly report: (conferenceId: string, count: number) => void;
};

const notInConference = { status: 403, comment: 'Not in the conference' };

/** The switch: the routes as published last, by conference, and what they make of a message. */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #routes = new Map<string, MsrpRoute>();
  readonly #tally: Tally;
  #droppedCount = 0;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#tally = new Tally(options.clock, options.report);
  }

  /** Copies of messages that could not be queued: no session, a full queue, or a closing connection. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** A conference's route from now on; messages that its new members sent too early are switched. */
  route(route: MsrpRoute): void {
    this.#routes.set(route.conferenceId, route);
    for (const { endpointId } of route.members) {
      const session = this.#options.sessions.byEndpointId(endpointId);
      if (session === undefined || session.isRouted) continue;
      for (const message of session.markRouted()) this.receive(session, message);
    }
  }

  /** The conference is over. */
  unroute(conferenceId: string): void {
    this.#routes.delete(conferenceId);
    this.#tally.flush(conferenceId);
  }

  /** Reports what is still counted. */
  flush(): void {
    this.#tally.flushAll();
  }

  /** Answers a whole message that came in `session`, and passes it on to whom the route names. */
  receive(session: Session, message: Message): void {
    const route = this.#routes.get(session.conferenceId);
    const isMember = route?.members.some((member) => member.endpointId === session.endpointId) ?? false;
    if (route === undefined || !isMember) return this.#keepOrRefuse(session, message);
    const facts = factsOf(message);
    const verdict = facts === 'unreadable' ? unreadable : judge(route, session.endpointId, facts);
    session.connection?.respond(message, verdict);
    if (verdict.status !== 200) return;
    this.#tally.add(route.conferenceId);
    this.#deliver(message, verdict.recipients);
  }

  /** A message of the focus itself. */
  notice(effect: MsrpNotice): void {
    const route = this.#routes.get(effect.conferenceId);
    if (route === undefined) return;
    const { to } = effect;
    const receivers = route.members.filter(({ endpointId }) => to === null || to.includes(endpointId));
    const body = noticeContent(effect, route.conferenceUri);
    this.#deliver({ body, headers: [{ name: 'Content-Type', value: 'message/cpim' }] }, receivers);
  }

  #deliver({ body, headers }: Pick<Message, 'body' | 'headers'>, recipients: readonly RouteMember[]): void {
    if (recipients.length === 0) return;
    const { sessions, ids, clock } = this.#options;
    const message = new OutgoingMessage({
      mime: headers.filter(({ name }) => name.toLowerCase().startsWith('content-')),
      // A member without a session has none yet, or just lost it; the core is about to hear of that.
      receivers: recipients.map(({ endpointId }) => ({ endpointId, session: sessions.byEndpointId(endpointId) })),
      ids,
      clock,
      onSettled: (deliveries) => {
        this.#droppedCount += deliveries.filter(({ outcome }) => outcome === 'failed').length;
      },
    });
    message.send({ body, start: 1, total: body.length, isLast: true });
  }

  // A peer may speak as soon as it has our answer or ACK, a moment before the route that names it has been saved and
  // published. Who was in a route and is no longer has been removed.
  #keepOrRefuse(session: Session, message: Message): void {
    const { clock } = this.#options;
    const refuseAll = (): void => {
      for (const early of session.takeEarly()) session.connection?.respond(early, notInConference);
    };
    const deadline = (): (() => void) => clock.callAt(clock.now() + limits.msrpEarlyMs, refuseAll);
    if (session.isRouted || !session.keepEarly(message, deadline))
      session.connection?.respond(message, notInConference);
  }
}

/** RFC 3862: what the focus says, from the conference to the conference. */
function noticeContent({ contentType, text, sentAt }: MsrpNotice, conferenceUri: string): Buffer {
  return writeCpim({
    headers: [
      { name: 'From', params: [], value: `<${conferenceUri}>` },
      { name: 'To', params: [], value: `<${conferenceUri}>` },
      { name: 'DateTime', params: [], value: new Date(sentAt).toISOString() },
    ],
    contentHeaders: [{ name: 'Content-Type', value: contentType }],
    body: Buffer.from(text),
  });
}

const unreadable = { status: 400, comment: 'The message/cpim cannot be read', recipients: [] };

function factsOf(message: Message): MessageFacts | null | 'unreadable' {
  try {
    return readMessage(msrpHeader(message, 'Content-Type') ?? null, message.body);
  } catch (error) {
    if (error instanceof RemoteError) return 'unreadable';
    throw error;
  }
}
