import { type SipUri, unescapeUser } from '../wire/sip-uri.ts';
import type { Conference } from './conference/conference.ts';
import type { Groups } from './definitions/groups.ts';
import type { Effect, SipNotify } from './effect.ts';
import { limits } from './limits.ts';
import { Memory } from './memory.ts';
import type { Change, EndpointRow, GroupRow, Instant, ReplacesValue } from './rows.ts';

/** What a Request-URI of ours names. */
export type Target =
  | { readonly kind: 'factory' }
  | { readonly kind: 'conference'; readonly conference: Conference }
  /** A pre-arranged group; `conference` is its session that runs. */
  | { readonly kind: 'group'; readonly group: GroupRow; readonly conference: Conference | null }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown' };

type Names = { readonly factoryUser: string; readonly ownHosts: ReadonlySet<string> };

/** Whose dialog it is. */
export type DialogOwner = { readonly conference: Conference; readonly endpointId: string };

/** Finds the running conferences: by id, by URI, by endpoint, by subscription, by dialog. Remembers the ended for a while. */
export class Directory {
  readonly #names: Names;
  readonly #groups: Groups;
  readonly #byId = new Map<string, Conference>();
  readonly #byUser = new Map<string, Conference>();
  readonly #byEndpoint = new Map<string, { readonly conference: Conference; readonly dialogId: string }>();
  readonly #bySubscription = new Map<string, Conference>();
  readonly #byDialog = new Map<string, DialogOwner>();
  readonly #byReferral = new Map<string, Conference>();
  /** The sessions of a group, the oldest first; nearly always one. */
  readonly #byGroup = new Map<string, readonly Conference[]>();
  /** User part of an ended conference's URI → when it ended; oldest first. */
  readonly #ended = new Memory(limits.endedMemoryMax);
  /** Ended conferences of which something may still be told, with the time; oldest first. */
  readonly #late = new Map<string, { readonly conference: Conference; readonly endedAt: Instant }>();
  /** Call-ID and tags of a dialog that is gone → when it went; oldest first. */
  readonly #gone = new Memory(limits.goneDialogsMax);

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
    this.#late.delete(conference.row.id);
    this.#byUser.set(userOf(conference), conference);
    this.#ended.delete(userOf(conference));
    const { groupId } = conference.row;
    // After a turn that is undone it may be older than one that was started since.
    if (groupId !== null) this.#byGroup.set(groupId, [...this.#leaveGroup(conference), conference].sort(byAge));
    const { participants, subscriptions } = conference.ledger.record();
    for (const endpoint of participants.flatMap((participant) => participant.endpoints)) {
      if (endpoint.status === 'disconnected') continue;
      this.#own(conference, endpoint);
      // After a turn that is undone.
      this.#gone.delete(nameOf(endpoint));
    }
    for (const row of subscriptions) this.#bySubscription.set(row.id, conference);
    for (const id of conference.referrals.openIds) this.#byReferral.set(id, conference);
  }

  byId(id: string): Conference | undefined {
    return this.#byId.get(id);
  }

  /** Also one that has ended a moment ago. */
  lately(id: string): Conference | undefined {
    return this.#byId.get(id) ?? this.#late.get(id)?.conference;
  }

  /** Nothing is told any more of one that has ended. */
  forgetLate(id: string): void {
    this.#late.delete(id);
  }

  byEndpoint(id: string): Conference | undefined {
    return this.#byEndpoint.get(id)?.conference;
  }

  bySubscription(id: string): Conference | undefined {
    return this.#bySubscription.get(id);
  }

  byReferral(id: string): Conference | undefined {
    return this.#byReferral.get(id);
  }

  byDialog(id: string): Conference | undefined {
    return this.#byDialog.get(id)?.conference;
  }

  /**
   * Whose dialog `named` means, as RFC 3891 3 compares: to-tag with our tag, from-tag with the peer's. `gone`: a dialog
   * that has ended not long ago. Undefined: none that we know, or one that is no call.
   */
  dialogNamed({ callId, toTag, fromTag }: ReplacesValue, now: Instant): DialogOwner | 'gone' | undefined {
    // RFC 3891 3: a tag of zero also means a peer of old that had none.
    const remoteTags = fromTag === '0' ? [fromTag, ''] : [fromTag];
    for (const remoteTag of remoteTags) {
      // The tag that the id of a dialog bears is that of whoever made it: the peer, or us.
      for (const tag of [remoteTag, toTag]) {
        const owner = this.#byDialog.get(`${callId};from-tag=${tag}`);
        const endpoint = owner?.conference.ledger.participantOf(owner.endpointId)?.endpoint;
        if (owner === undefined || endpoint?.callId !== callId || endpoint.localTag !== toTag) continue;
        const { dialler } = owner.conference;
        if (endpoint.remoteTag === remoteTag || dialler.hasEarlyDialog(endpoint.id, remoteTag)) return owner;
      }
      const goneAt = this.#gone.get(nameOf({ callId, localTag: toTag, remoteTag }));
      if (goneAt !== undefined && now - goneAt <= limits.goneDialogMemoryMs) return 'gone';
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
    if (group !== undefined) return { kind: 'group', group, conference: this.#sessionOf(group.id) };
    const endedAt = this.#ended.get(user);
    return endedAt !== undefined && now - endedAt <= limits.endedMemoryMs ? { kind: 'ended' } : { kind: 'unknown' };
  }

  /** Learns from a turn's effects which endpoints, subscriptions and dialogs are whose; lets go of an ended conference. */
  note(conference: Conference, effects: readonly Effect[], now: Instant): void {
    for (const effect of effects) this.#learn(conference, effect, now);
    if (conference.row.status === 'ended') this.#remove(conference, now);
  }

  /** Lets go of a conference, as if it had never been known. */
  drop(conference: Conference): void {
    this.#byId.delete(conference.row.id);
    this.#byUser.delete(userOf(conference));
    this.#leaveGroup(conference);
    const { participants, subscriptions } = conference.ledger.record();
    for (const endpoint of participants.flatMap((participant) => participant.endpoints)) this.#disown(endpoint.id);
    for (const row of subscriptions) this.#bySubscription.delete(row.id);
    // Also of those that a turn began which was undone.
    for (const [id, owner] of this.#byReferral) if (owner === conference) this.#byReferral.delete(id);
  }

  /** The session of a group: the latest that runs, should the end of one be undone once another has begun. */
  #sessionOf(groupId: string): Conference | null {
    const sessions = this.#byGroup.get(groupId) ?? [];
    return sessions.findLast(({ row }) => row.status === 'active') ?? sessions.at(-1) ?? null;
  }

  #leaveGroup(conference: Conference): readonly Conference[] {
    const { groupId } = conference.row;
    if (groupId === null) return [];
    const others = (this.#byGroup.get(groupId) ?? []).filter((other) => other !== conference);
    if (others.length === 0) this.#byGroup.delete(groupId);
    else this.#byGroup.set(groupId, others);
    return others;
  }

  #learn(conference: Conference, effect: Effect, now: Instant): void {
    if (effect.type === 'store.save') {
      this.#learnEndpoints(conference, effect.change, now);
      this.#learnReferrals(conference, effect.change);
    } else if (effect.type === 'sip.notify') this.#learnSubscription(conference, effect);
    // Given up without a last NOTIFY.
    else if (effect.type === 'sip.release') this.#bySubscription.delete(effect.subscriptionId);
  }

  /** Every referral that begins or ends stands in the turn's save. */
  #learnReferrals(conference: Conference, { referrals }: Change): void {
    for (const { id, state } of referrals) {
      if (state === 'ended') this.#byReferral.delete(id);
      else this.#byReferral.set(id, conference);
    }
  }

  /** Every endpoint that changes stands in the turn's save. */
  #learnEndpoints(conference: Conference, { participants }: Change, now: Instant): void {
    for (const { endpoints } of participants) {
      for (const endpoint of endpoints) {
        if (endpoint.status !== 'disconnected') this.#own(conference, endpoint);
        else if (this.#disown(endpoint.id)) this.#rememberGone(endpoint, now);
      }
    }
  }

  #learnSubscription(conference: Conference, { subscriptionId, state }: SipNotify): void {
    if (state.name === 'terminated') this.#bySubscription.delete(subscriptionId);
    else this.#bySubscription.set(subscriptionId, conference);
  }

  #own(conference: Conference, { id: endpointId, dialogId }: EndpointRow): void {
    const before = this.#byEndpoint.get(endpointId);
    if (before?.dialogId === dialogId) return;
    // Whoever is dialled again has a dialog of its own each time.
    if (before !== undefined) this.#byDialog.delete(before.dialogId);
    this.#byEndpoint.set(endpointId, { conference, dialogId });
    this.#byDialog.set(dialogId, { conference, endpointId });
  }

  /** An endpoint that is gone is nobody's any more. False: it was not before. */
  #disown(endpointId: string): boolean {
    const known = this.#byEndpoint.get(endpointId);
    if (known === undefined) return false;
    this.#byEndpoint.delete(endpointId);
    if (this.#byDialog.get(known.dialogId)?.endpointId === endpointId) this.#byDialog.delete(known.dialogId);
    return true;
  }

  #rememberGone(endpoint: EndpointRow, now: Instant): void {
    if (endpoint.remoteTag !== null) this.#gone.add(nameOf(endpoint), now);
  }

  #remove(conference: Conference, now: Instant): void {
    this.drop(conference);
    this.#ended.add(userOf(conference), now);
    for (const [id, { endedAt }] of this.#late) {
      if (now - endedAt <= limits.lateReportMs) break;
      this.#late.delete(id);
    }
    this.#late.set(conference.row.id, { conference, endedAt: now });
  }
}

/** What names a dialog (RFC 3261 12): Call-ID and both tags. */
function nameOf({ callId, localTag, remoteTag }: Pick<EndpointRow, 'callId' | 'localTag' | 'remoteTag'>): string {
  return `${callId} ${localTag} ${remoteTag ?? ''}`;
}

/** The user part of a conference URI; ours, so it holds no escapes. */
function userOf(conference: Conference): string {
  const { uri } = conference.row;
  return uri.slice(uri.indexOf(':') + 1, uri.indexOf('@'));
}

function byAge(a: Conference, b: Conference): number {
  return a.row.createdAt - b.row.createdAt;
}
