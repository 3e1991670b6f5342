import type { SessionDescription } from '../../wire/sdp.ts';
import type { Ids } from '../ids.ts';
import type { RouteMember } from '../messaging/switch.ts';
import type { EndpointRow } from '../rows.ts';
import type { Settings } from '../settings.ts';
import type { Ledger } from './ledger.ts';
import { type Agreement, type Answer, agreementFrom, answerTo, type LocalMedia, offerOf } from './negotiation.ts';
import { isPresent, rosterEntity } from './participant.ts';

/** The message session of one endpoint: our side from the start, the peer's once agreed. */
type Leg = { readonly sessionId: string; readonly local: LocalMedia; agreement: Agreement | null };

/** The media side of a conference: who has which message session, and the route the switch follows. */
export class Legs {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #legs = new Map<string, Leg>();
  #routed = '';

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
  }

  /** Our answer to a peer's offer, or null when it holds nothing usable. The leg exists only when it does. */
  answer(endpointId: string, offer: SessionDescription): Answer | null {
    const leg = this.#legs.get(endpointId) ?? this.#newLeg();
    const answer = answerTo(offer, leg.local);
    if (answer === null) return null;
    this.#legs.set(endpointId, leg);
    this.#agree(endpointId, leg, answer);
    return answer;
  }

  /** Our offer; the session waits for the peer from now on. */
  offer(endpointId: string, withAudio: boolean): string {
    const leg = this.#legs.get(endpointId) ?? this.#newLeg();
    this.#legs.set(endpointId, leg);
    this.#open(endpointId, leg, { role: 'passive', remotePath: [] });
    return offerOf(leg.local, withAudio);
  }

  /** What we offer again within a running session (RFC 3261 14.2: a re-INVITE without an offer). */
  offerAgain(endpointId: string): string | null {
    const leg = this.#legs.get(endpointId);
    return leg === undefined ? null : offerOf(leg.local, false);
  }

  /** The peer's answer to our offer; null when it took nothing of it. */
  complete(endpointId: string, answer: SessionDescription): Agreement | null {
    const leg = this.#legs.get(endpointId);
    const agreement = leg === undefined ? null : agreementFrom(answer);
    if (leg === undefined || agreement === null) return null;
    this.#agree(endpointId, leg, agreement);
    return agreement;
  }

  /** The session's connection is gone; the endpoint keeps its dialog and may negotiate anew. */
  lose(endpointId: string): void {
    const leg = this.#legs.get(endpointId);
    if (leg !== undefined) leg.agreement = null;
  }

  drop(endpointId: string): void {
    if (this.#legs.delete(endpointId)) this.#ledger.ask({ type: 'msrp.close', endpointId });
  }

  /** Publishes the route when its members differ from the last one. */
  publishRoute(): void {
    const { conference, participants } = this.#ledger;
    const members = participants.flatMap((participant) =>
      participant.endpoints.flatMap((endpoint) => this.#member(rosterEntity(participant), endpoint)),
    );
    const summary = JSON.stringify(members);
    if (summary === this.#routed) return;
    this.#routed = summary;
    const route = { conferenceId: conference.id, conferenceUri: conference.uri, version: conference.version, members };
    this.#ledger.ask({ type: 'msrp.route', route });
  }

  close(): void {
    for (const endpointId of [...this.#legs.keys()]) this.drop(endpointId);
    this.#ledger.ask({ type: 'msrp.unroute', conferenceId: this.#ledger.conference.id });
  }

  #member(uri: string, endpoint: EndpointRow): RouteMember[] {
    const msrp = this.#legs.get(endpoint.id)?.agreement?.msrp;
    if (msrp === null || msrp === undefined || !isPresent(endpoint.status)) return [];
    return [{ endpointId: endpoint.id, uri, acceptsWrapped: msrp.acceptsWrapped }];
  }

  #agree(endpointId: string, leg: Leg, agreement: Agreement): void {
    leg.agreement = { media: agreement.media, msrp: agreement.msrp };
    if (agreement.msrp !== null) this.#open(endpointId, leg, agreement.msrp);
  }

  #open(endpointId: string, leg: Leg, peer: { role: 'active' | 'passive'; remotePath: readonly string[] }): void {
    this.#ledger.ask({
      type: 'msrp.open',
      conferenceId: this.#ledger.conference.id,
      endpointId,
      sessionId: leg.sessionId,
      localPath: leg.local.path,
      remotePath: peer.remotePath,
      role: peer.role,
    });
  }

  #newLeg(): Leg {
    const { host, port } = this.#settings.msrp;
    const sessionId = this.#ids.msrpSession();
    const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const path = `msrp://${authority}/${sessionId};tcp`;
    return {
      sessionId,
      local: { host, port, path, originId: this.#ids.sdpSession(), audio: this.#settings.audio },
      agreement: null,
    };
  }
}
