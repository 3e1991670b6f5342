import type { InviteReceived } from '../../src/core/input.ts';
import type { GroupMember, GroupRow, Role, UserRow } from '../../src/core/rows.ts';
import type { Settings } from '../../src/core/settings.ts';
import { addressOf, inviteFrom } from './fixtures.ts';
import { groupRow, userRow } from './stored-rows.ts';
import { World } from './world.ts';

/** A pre-arranged group and who calls it. */

export const teamUri = 'sip:team@conf.example.com';

/** A member by name, or by the URI itself. */
export function member(name: string, role: Role = 'participant'): GroupMember {
  return { uri: addressOf[name] ?? name, displayName: null, role };
}

/** The team: Alice, who leads it, Bob and Ted. */
export function team(changes: Partial<GroupRow> = {}): GroupRow {
  return groupRow({ id: 'team', members: [member('alice', 'chair'), member('bob'), member('ted')], ...changes });
}

/** What differs of a group's policy from what is usual. */
export function policy(changes: Partial<GroupRow['policy']>): Pick<GroupRow, 'policy'> {
  return { policy: { ...team().policy, ...changes } };
}

/** A world in which the team is defined. */
export function teamWorld(changes: Partial<GroupRow> = {}, settings: Partial<Settings> = {}): World {
  const world = new World(settings);
  world.happens({ type: 'group-defined', group: team(changes) });
  return world;
}

export function callsTeam(world: World, name: string, changes: Partial<InviteReceived> = {}): InviteReceived {
  const input = inviteFrom(name, teamUri, changes);
  world.ladder.add(name, 'focus', `INVITE ${teamUri}`);
  world.happens(input);
  return input;
}

/** Something is said of somebody. */
export function defineUser(world: World, name: string, changes: Partial<UserRow>): void {
  world.happens({ type: 'user-defined', user: userRow({ id: name, uri: addressOf[name] ?? name, ...changes }) });
}
