import type { Static } from 'typebox';
import type { GroupMember, GroupRow } from '../core/rows.ts';
import type { RouteContext } from './api.ts';
import type { Standing } from './definition-changes.ts';
import { invalid } from './errors.ts';
import type { MemberFields, NewGroup } from './group-json.ts';
import type { Conditional } from './preconditions.ts';
import { Refused } from './problem.ts';
import { readableUri, type UriPlace } from './readable-uri.ts';

/** A group as it stands, to be read, changed or removed. */
export function standingGroup(context: RouteContext, id: string, headers: Conditional): Standing<GroupRow> {
  const find = async (): Promise<GroupRow> => {
    const row = await context.groups.byId(id);
    if (row === undefined) throw new Refused({ code: 'no-such-group' });
    return row;
  };
  return { port: context.groups, find, headers };
}

/**
 * The members that a body lists for the group `name`, by their canonical addresses. Throws a refusal that points at one
 * listed twice, or at one that is ourselves.
 */
export function membersOf(
  listed: NonNullable<Static<typeof NewGroup>['members']>,
  { name, context }: { readonly name: string; readonly context: RouteContext },
): readonly GroupMember[] {
  const members = new Map<string, GroupMember>();
  for (const [index, fields] of listed.entries()) {
    const place = { in: 'body', pointer: `#/members/${index}/uri` } as const;
    const uri = memberUri(fields.uri, place, context);
    // Not defined yet, it is not known to be ours.
    if (isGroupCalled(name, uri, context)) throw ourselves(place);
    if (members.has(uri)) throw invalid([{ ...place, detail: `names ${uri}, who is listed before` }]);
    members.set(uri, memberOf(uri, fields));
  }
  return [...members.values()];
}

/** The canonical address of a member. Our rule: a call of the focus to itself would only come back. */
export function memberUri(text: string, place: UriPlace, context: RouteContext): string {
  const uri = readableUri(text, place, context);
  if (context.isOurs(uri)) throw ourselves(place);
  return context.aorOf(uri);
}

/** A group is found by the user part of its URI at every domain of ours. */
function isGroupCalled(name: string, uri: string, { groupUri }: RouteContext): boolean {
  const called = groupUri(uri);
  return called.ok && userOf(called.uri) === userOf(name);
}

function userOf(uri: string): string {
  return uri.slice(0, uri.lastIndexOf('@'));
}

function ourselves(place: UriPlace): Refused {
  const detail = 'names the factory, a conference or a group of this service';
  const sip = { status: 482, reason: 'Loop Detected' };
  return new Refused({ code: 'loop', detail, faults: [{ ...place, detail }], sip });
}

/** The member with this address. */
export function memberOf(uri: string, { display_name, role }: Static<typeof MemberFields>): GroupMember {
  return { uri, displayName: display_name ?? null, role: role ?? 'participant' };
}
