import type { Static } from 'typebox';
import type { GroupMember, GroupRow } from '../core/rows.ts';
import type { RouteContext } from './api.ts';
import type { Standing } from './definition-changes.ts';
import { invalid } from './errors.ts';
import type { MemberFields, NewGroup } from './group-json.ts';
import type { Conditional } from './preconditions.ts';
import { Refused } from './problem.ts';
import { readableUri } from './readable-uri.ts';

/** A group as it stands, to be read, changed or removed. */
export function standingGroup(context: RouteContext, id: string, headers: Conditional): Standing<GroupRow> {
  const find = async (): Promise<GroupRow> => {
    const row = await context.groups.byId(id);
    if (row === undefined) throw new Refused({ code: 'no-such-group' });
    return row;
  };
  return { port: context.groups, find, headers };
}

/** The members that a body lists, by their canonical addresses. Throws a refusal that points at one listed twice. */
export function membersOf(
  listed: NonNullable<Static<typeof NewGroup>['members']>,
  context: RouteContext,
): readonly GroupMember[] {
  const members = new Map<string, GroupMember>();
  for (const [index, fields] of listed.entries()) {
    const place = { in: 'body', pointer: `#/members/${index}/uri` } as const;
    const uri = context.aorOf(readableUri(fields.uri, place, context));
    if (members.has(uri)) throw invalid([{ ...place, detail: `names ${uri}, who is listed before` }]);
    members.set(uri, memberOf(uri, fields));
  }
  return [...members.values()];
}

/** The member with this address. */
export function memberOf(uri: string, { display_name, role }: Static<typeof MemberFields>): GroupMember {
  return { uri, displayName: display_name ?? null, role: role ?? 'participant' };
}
