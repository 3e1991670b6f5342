import type { Groups } from '../definitions/groups.ts';
import { limits } from '../limits.ts';
import type {
  ConferencePolicy,
  ConferenceRow,
  GroupMember,
  GroupRow,
  ParticipantRow,
  Role,
  SipCause,
} from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { isPresent } from './participant.ts';
import type { Referrals } from './referrals.ts';
import type { Refused } from './requirements.ts';

/** Who somebody is to a conference. */
export type Standing = {
  readonly aor: string;
  readonly row: ConferenceRow;
  readonly participant: ParticipantRow | undefined;
  /** Somebody in the conference has had it asked to call in. */
  readonly askedIn: boolean;
  /** The group whose session it is, as it is defined now; undefined without one, and when it was removed. */
  readonly group: GroupRow | undefined;
};

/** The standing of `aor`, a canonical address. */
export function standingIn(
  conference: {
    readonly row: ConferenceRow;
    readonly ledger: Ledger;
    readonly referrals: Pick<Referrals, 'hasAskedIn'>;
  },
  { aor, groups }: { readonly aor: string; readonly groups: Groups },
): Standing {
  const { row, ledger, referrals } = conference;
  const group = row.groupId === null ? undefined : groups.byId(row.groupId);
  return { aor, row, participant: ledger.participantByUri(aor), askedIn: referrals.hasAskedIn(aor), group };
}

/** The member of `group` with this address. */
export function memberOf(group: GroupRow, aor: string): GroupMember | undefined {
  return group.members.find((member) => member.uri === aor);
}

/** Whether a group's session may be started, or entered, by `aor` as such. */
export function mayJoinGroup(group: GroupRow, aor: string): boolean {
  return group.policy.join === 'anyone' || memberOf(group, aor) !== undefined;
}

/**
 * The role of somebody who comes in: as the group says; the creator is chair, of a session only when its group names
 * no other.
 */
export function roleFor({ aor, row, group }: Pick<Standing, 'aor' | 'row' | 'group'>): Role {
  if (row.groupId === null) return aor === row.createdBy ? 'chair' : 'participant';
  if (group === undefined) return 'participant';
  const isLed = group.members.some((member) => member.role === 'chair');
  return !isLed && aor === row.createdBy ? 'chair' : (memberOf(group, aor)?.role ?? 'participant');
}

/** Why somebody who is not in it has no business in it, or null: that conferences can be closed is our decision. */
export function membershipRefused(standing: Standing): Refused | null {
  const { participant } = standing;
  if (participant !== undefined && isPresent(participant.status)) return null;
  if (policyOf(standing).join === 'anyone' || isMember(standing) || wasInvited(standing)) return null;
  return { code: 'not-a-member', detail: 'Only members and invitees may join' };
}

/**
 * Why nobody more may come in, or null. That conferences can be locked or full, and what is said then, is our decision; so
 * is that whoever is in may bring another device at any time, and whoever is being asked in may come to a locked one.
 */
export function entryRefused({ row, participant }: Standing): Refused | null {
  if (participant !== undefined && isPresent(participant.status)) return null;
  const isComing = participant !== undefined && participant.status !== 'disconnected';
  if (row.locked && !isComing) return { code: 'conference-locked', detail: 'Nobody can be added' };
  return isFull(row) ? { code: 'conference-full', detail: `At most ${capacityOf(row)} participants` } : null;
}

/** RFC 4575 3.5: participants may watch, unless the policy lets in more; who was removed may not, who left may. */
export function watchRefused(standing: Standing): Refused | null {
  const { aor, row, participant } = standing;
  const { subscribe } = policyOf(standing);
  const refused: Refused = { code: 'not-a-participant', detail: 'Only participants may watch' };
  if (participant?.disconnection?.method === 'booted') return refused;
  if (subscribe === 'anyone' || participant !== undefined || aor === row.createdBy) return null;
  return subscribe === 'members' && isMember(standing) ? null : refused;
}

/** Whether somebody who is in the conference may have others asked in. */
export function mayInvite(standing: Standing): boolean {
  return policyOf(standing).invite === 'participants' || standing.participant?.role === 'chair';
}

/** Whether nobody more can be in it, with so many `present`. */
export function isFull(row: ConferenceRow, present = row.participantCount): boolean {
  return present >= capacityOf(row);
}

/** What is said of an invitee who comes too late; not 486, for nobody is busy. */
export const conferenceFull: SipCause = { status: 403, reason: 'The conference is full' };

function capacityOf({ maxParticipants }: ConferenceRow): number {
  return Math.min(maxParticipants ?? limits.participantsPerConferenceMax, limits.participantsPerConferenceMax);
}

/** Who comes to a running session is judged by what its group says now. */
function policyOf({ row, group }: Standing): ConferencePolicy {
  return (group ?? row).policy;
}

function isMember({ aor, group }: Standing): boolean {
  return group !== undefined && memberOf(group, aor) !== undefined;
}

/** Whom somebody asked in by name and nobody has removed; a member of a group no longer defined was asked in by name. */
function wasInvited({ aor, row, participant, askedIn, group }: Standing): boolean {
  if (group === undefined && aor === row.createdBy) return true;
  if (participant?.disconnection?.method === 'booted') return false;
  if (participant === undefined || askedIn) return askedIn;
  const origins = participant.endpoints.map((endpoint) => endpoint.origin.by);
  const byName = origins.some((by) => by !== 'invite' && (by !== 'group' || group === undefined));
  return byName || participant.listEntry !== null;
}
