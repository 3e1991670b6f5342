/** A message that has been accepted, on its way through the switch; what became of it is told when that is known. */

import { limits } from '../core/limits.ts';
import type { MsrpRoute, RouteMember } from '../core/messaging/switch.ts';
import { isAboutMessages } from '../core/messaging/switch.ts';
import type { SwitchedDelivery, SwitchedMessage } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant, MessageRow } from '../core/rows.ts';
import type { MsrpHeader } from '../wire/msrp.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { type MessageOwner, type NextOctets, OutgoingMessage } from './outgoing-message.ts';
import type { Sessions } from './sessions.ts';
import type { Tally } from './tally.ts';

export type PassageFacts = {
  readonly route: MsrpRoute;
  readonly messageId: string;
  /** As the roster has it. */
  readonly from: string;
  /** URI of the one user it is for; null: everybody. */
  readonly to: string | null;
  readonly recipients: readonly RouteMember[];
  /** Who would get it if it could take the wrapped type. */
  readonly skipped: readonly RouteMember[];
  readonly wrappedType: string;
  /** Octets before what is wrapped. */
  readonly headerBytes: number;
  /** What stands before all that is sent; null: nothing. */
  readonly wrapper: Buffer | null;
  /** Content- headers, which go on as they came. */
  readonly mime: readonly MsrpHeader[];
  /** Receivers have caught up with what `isCongested` held up. */
  readonly onRelieved: (() => void) | null;
  /** A notice that the history keeps from the start, as it was kept. */
  readonly kept?: MessageRow | undefined;
};

export type PassageOptions = {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly ids: MsrpIds;
  readonly tally: Tally;
};

/** RFC 7701 6.1: goes to those who were in the route when it was accepted, whoever comes or leaves meanwhile. */
export class Passage implements MessageOwner {
  readonly #facts: PassageFacts;
  readonly #sentAt: Instant;
  readonly #tally: Tally;
  readonly #outgoing: OutgoingMessage;
  #size = 0;
  #content: string | null = null;

  constructor(facts: PassageFacts, { sessions, clock, ids, tally }: PassageOptions) {
    const { recipients, skipped, mime, wrappedType } = facts;
    this.#facts = facts;
    this.#sentAt = clock.now();
    this.#tally = tally;
    this.#outgoing = new OutgoingMessage({
      mime,
      // A member without a session has none yet, or just lost it; the core is about to hear of that.
      receivers: recipients.map(({ endpointId }) => ({ endpointId, session: sessions.byEndpointId(endpointId) })),
      skipped: skipped.map((member) => ({ endpointId: member.endpointId, reason: whyNot(member, wrappedType) })),
      ids,
      clock,
      wrappedType,
      owner: this,
    });
  }

  /** Whether more of it should wait until its receivers are relieved. */
  get isCongested(): boolean {
    return this.#outgoing.isCongested;
  }

  send(next: NextOctets): void {
    const octets = wrapped(next, this.#facts.wrapper);
    const { start, body, isLast } = octets;
    this.#size = Math.max(this.#size, start - 1 + body.length);
    if (start === 1 && isLast) this.#content = this.#keptOf(body);
    this.#outgoing.send(octets);
  }

  /** No more of it will come. */
  abort(reason: string): void {
    this.#outgoing.abort(reason);
  }

  /** What is wrapped, if the conference keeps it: only text that is short enough to have come in one. */
  #keptOf(body: Buffer): string | null {
    const { route, wrappedType, headerBytes } = this.#facts;
    if (route.keeps !== 'content' || !wrappedType.startsWith('text/')) return null;
    if (body.length - headerBytes > limits.keptContentBytesMax) return null;
    return body.toString('utf8', headerBytes);
  }

  relieved(): void {
    this.#facts.onRelieved?.();
  }

  settled(missed: Iterable<SwitchedDelivery>, deliveries: () => readonly SwitchedDelivery[]): void {
    const { route } = this.#facts;
    for (const { endpointId, outcome, reason } of missed)
      if (outcome === 'failed') this.#tally.lose(route.conferenceId, endpointId, reason ?? 'unknown');
    if (route.keeps === 'nothing' || isAboutMessages(this.#facts.wrappedType)) return;
    this.#tally.tell(route.conferenceId, this.#told(deliveries()));
  }

  #told(deliveries: readonly SwitchedDelivery[]): SwitchedMessage {
    const { messageId, from, to, wrappedType, kept } = this.#facts;
    return {
      messageId,
      from,
      to,
      contentType: wrappedType,
      size: this.#size,
      sentAt: this.#sentAt,
      content: this.#content,
      deliveries,
      ...(kept && { kept }),
    };
  }
}

/** Why a message is not sent to a member: who is on hold takes nothing at all. */
function whyNot({ acceptsWrapped }: RouteMember, wrappedType: string): string {
  return acceptsWrapped.length === 0 ? 'it is on hold' : `it takes no ${wrappedType}`;
}

/** The same octets of the same message with `wrapper` before its first. */
function wrapped(octets: NextOctets, wrapper: Buffer | null): NextOctets {
  if (wrapper === null) return octets;
  const { start, body } = octets;
  const total = octets.total === null ? null : octets.total + wrapper.length;
  if (start === 1) return { ...octets, body: Buffer.concat([wrapper, body]), total };
  return { ...octets, start: start + wrapper.length, total };
}
