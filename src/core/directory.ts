import { type SipUri, unescapeUser } from '../wire/sip-uri.ts';
import type { Conference } from './conference/conference.ts';
import type { Groups } from './definitions/groups.ts';
import type { Effect, SipNotify } from './effect.ts';
import { limits } from './limits.ts';
import type { EndpointRow, GroupRow, Instant, ReplacesValue } from './rows.ts';

/** What a Request-URI of ours names. */
export type Target =
  | { readonly kind: 'factory' }
  | { readonly kind: 'conference'; readonly conference: Conference }
  /** A pre-arranged group; `conference` is its session that runs. */
  | { readonly kind: 'group'; readonly group: GroupRow; readonly conference: Conference | null }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown' };

type Names = { readonly factoryUser: string; readonly ownHosts: ReadonlySet<string> };

/** Finds the running conferences: by id, by URI, by endpoint, by subscription, by dialog. Remembers the ended for a while. */
export class Directory {
  readonly #names: Names;
  readonly #groups: Groups;
  readonly #byId = new Map<string, Conference>();
  readonly #byUser = new Map<string, Conference>();
  readonly #byEndpoint = new Map<string, Conference>();
  readonly #bySubscription = new Map<string, Conference>();
  readonly #byDialog = new Map<string, Conference>();
  readonly #byReferral = new Map<string, Conference>();
  readonly #byGroup = new Map<string, Conference>();
  /** User part of an ended conference's URI → when it ended; oldest first. */
  readonly #ended = new Map<string, Instant>();

  constructor(names: Names, groups: Groups) {
    this.#names = names;
    this.#groups = groups;
  }

  get conferences(): readonly Conference[] {
    return [...this.#byId.values()];
  }

  get count(): number {
    return this.#byId.size;
  }

  add(conference: Conference): void {
    this.#byId.set(conference.row.id, conference);
    this.#byUser.set(userOf(conference), conference);
    this.#ended.delete(userOf(conference));
    if (conference.row.groupId !== null) this.#byGroup.set(conference.row.groupId, conference);
    const { participants, subscriptions } = conference.ledger.record();
    for (const endpoint of participants.flatMap((participant) => participant.endpoints)) {
      this.#byEndpoint.set(endpoint.id, conference);
      this.#byDialog.set(endpoint.dialogId, conference);
    }
    for (const row of subscriptions) this.#bySubscription.set(row.id, conference);
  }

  byId(id: string): Conference | undefined {
    return this.#byId.get(id);
  }

  byEndpoint(id: string): Conference | undefined {
    return this.#byEndpoint.get(id);
  }

  bySubscription(id: string): Conference | undefined {
    return this.#bySubscription.get(id);
  }

  byReferral(id: string): Conference | undefined {
    return this.#byReferral.get(id);
  }

  byDialog(id: string): Conference | undefined {
    return this.#byDialog.get(id);
  }

  /**
   * The conference with the endpoint whose dialog `named` means, as RFC 3891 3 compares: to-tag with our tag, from-tag
   * with the peer's. `gone`: a dialog that has ended not long ago.
   */
  dialogNamed(named: ReplacesValue): { conference: Conference; endpointId: string } | 'gone' | undefined {
    // The tag that the id of a dialog bears is that of whoever made it: the peer, or us.
    for (const tag of [named.fromTag, named.toTag]) {
      const conference = this.#byDialog.get(`${named.callId};from-tag=${tag}`);
      const endpoint = conference?.ledger.endpoints.find(
        ({ callId, localTag, remoteTag }) =>
          callId === named.callId && localTag === named.toTag && remoteTag === named.fromTag,
      );
      if (conference === undefined || endpoint === undefined) continue;
      return endpoint.status === 'disconnected' ? 'gone' : { conference, endpointId: endpoint.id };
    }
    return undefined;
  }

  /** What `uri` names; ports and parameters do not matter, since some clients drop the port of our Contact. */
  target(uri: SipUri, now: Instant): Target {
    if (uri.user === null || !this.#names.ownHosts.has(uri.host)) return { kind: 'unknown' };
    const user = unescapeUser(uri.user);
    if (user === this.#names.factoryUser) return { kind: 'factory' };
    const conference = this.#byUser.get(user);
    if (conference !== undefined) return { kind: 'conference', conference };
    const group = this.#groups.byUser(user);
    if (group !== undefined) return { kind: 'group', group, conference: this.#byGroup.get(group.id) ?? null };
    const endedAt = this.#ended.get(user);
    return endedAt !== undefined && now - endedAt <= limits.endedMemoryMs ? { kind: 'ended' } : { kind: 'unknown' };
  }

  /** Learns from a turn's effects which endpoints, subscriptions and dialogs are whose; lets go of an ended conference. */
  note(conference: Conference, effects: readonly Effect[], now: Instant): void {
    for (const effect of effects) this.#learn(conference, effect);
    if (effects.some((effect) => effect.type === 'msrp.close')) this.#letGo(conference);
    if (conference.row.status === 'ended') this.#remove(conference, now);
  }

  /** Lets go of a conference that was never saved. */
  drop(conference: Conference): void {
    this.#byId.delete(conference.row.id);
    this.#byUser.delete(userOf(conference));
    const { groupId } = conference.row;
    if (groupId !== null && this.#byGroup.get(groupId) === conference) this.#byGroup.delete(groupId);
    const { participants, subscriptions } = conference.ledger.record();
    for (const endpoint of participants.flatMap((participant) => participant.endpoints)) this.#forget(endpoint);
    for (const row of subscriptions) this.#bySubscription.delete(row.id);
  }

  #learn(conference: Conference, effect: Effect): void {
    if (effect.type === 'sip.invite') {
      this.#byEndpoint.set(effect.endpointId, conference);
      this.#byDialog.set(effect.dialogId, conference);
    } else if (effect.type === 'msrp.open') this.#byEndpoint.set(effect.endpointId, conference);
    else if (effect.type === 'sip.notify') this.#learnSubscription(conference, effect);
    else if (effect.type === 'reply' && effect.outcome.kind === 'referral-accepted') {
      this.#byReferral.set(effect.outcome.referralId, conference);
    } else if (effect.type === 'reply' && effect.outcome.kind === 'session-accepted') {
      const { endpointId } = effect.outcome;
      this.#byEndpoint.set(endpointId, conference);
      const dialogId = conference.ledger.participantOf(endpointId)?.endpoint.dialogId;
      if (dialogId !== undefined) this.#byDialog.set(dialogId, conference);
    }
  }

  #learnSubscription(conference: Conference, { subscriptionId, state }: SipNotify): void {
    if (state.name === 'terminated') this.#bySubscription.delete(subscriptionId);
    else this.#bySubscription.set(subscriptionId, conference);
  }

  /** An endpoint that is gone is nobody's any more. */
  #letGo(conference: Conference): void {
    for (const participant of conference.ledger.participants) {
      for (const endpoint of participant.endpoints) if (endpoint.status === 'disconnected') this.#forget(endpoint);
    }
  }

  #forget({ id, dialogId }: EndpointRow): void {
    this.#byEndpoint.delete(id);
    this.#byDialog.delete(dialogId);
  }

  #remove(conference: Conference, now: Instant): void {
    this.drop(conference);
    this.#ended.set(userOf(conference), now);
    const oldest = this.#ended.keys().next().value;
    if (this.#ended.size > limits.endedMemoryMax && oldest !== undefined) this.#ended.delete(oldest);
  }
}

/** The user part of a conference URI; ours, so it holds no escapes. */
function userOf(conference: Conference): string {
  const { uri } = conference.row;
  return uri.slice(uri.indexOf(':') + 1, uri.indexOf('@'));
}
