import { limits } from '../../core/limits.ts';
import type { GroupMember, GroupRow } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { changeStanding, etagOf } from '../definition-changes.ts';
import { Member, MemberFields, memberJson } from '../group-json.ts';
import { memberOf, memberUri, standingGroup } from '../group-members.ts';
import { etagHeader, IfMatch } from '../preconditions.ts';
import { problems, Refused } from '../problem.ts';
import { readableUri } from '../readable-uri.ts';
import { jsonResponse, MemberPath } from '../schemas.ts';

const tags = ['Groups'];

const uriPlace = { in: 'path', pointer: '#/uri' } as const;

/** Members of a group, one by one: read, put, remove. The tag is that of the group. */
export function groupMemberRoutes(api: Api, context: RouteContext): void {
  readMember(api, context);
  putMember(api, context);
  removeMember(api, context);
}

function readMember(api: Api, context: RouteContext): void {
  api.get(
    '/groups/:id/members/:uri',
    {
      schema: {
        tags,
        operationId: 'getMember',
        summary: 'Read a member',
        description: 'One member of a group.',
        params: MemberPath,
        response: {
          200: { ...jsonResponse('The member.', Member), headers: etagHeader },
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params }, reply) => {
      const uri = addressOf(params.uri, context);
      const group = await standingGroup(context, params.id, {}).find();
      const member = group.members.find((other) => other.uri === uri);
      if (member === undefined) throw new Refused({ code: 'no-such-member' });
      return reply.header('etag', etagOf(group)).send(memberJson(member));
    },
  );
}

function putMember(api: Api, context: RouteContext): void {
  api.put(
    '/groups/:id/members/:uri',
    {
      schema: {
        tags,
        operationId: 'putMember',
        summary: 'Put a member into a group',
        description: 'Adds the member, or says anew what is said of it. A session that runs does not call it.',
        params: MemberPath,
        headers: IfMatch,
        body: MemberFields,
        response: {
          200: { ...jsonResponse('The member, who was one before.', Member), headers: etagHeader },
          201: { ...jsonResponse('The new member.', Member), headers: etagHeader },
          ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
        },
      },
      // Nothing need be said of a member.
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async ({ params, headers, body }, reply) => {
      const member = memberOf(memberUri(params.uri, uriPlace, context), body);
      let isNew = true;
      const group = await changeStanding(standingGroup(context, params.id, headers), (row) => {
        isNew = row.members.every(({ uri }) => uri !== member.uri);
        return withMember(row, member, context);
      });
      return reply
        .code(isNew ? 201 : 200)
        .header('etag', etagOf(group))
        .send(memberJson(member));
    },
  );
}

function removeMember(api: Api, context: RouteContext): void {
  api.delete(
    '/groups/:id/members/:uri',
    {
      schema: {
        tags,
        operationId: 'removeMember',
        summary: 'Take a member out of a group',
        description: 'It is invited no more; where the group is closed it may not come in again. Nobody is sent away.',
        params: MemberPath,
        headers: IfMatch,
        response: {
          204: { type: 'null', description: 'Removed.' },
          ...problems(400, 401, 403, 404, 409, 412, 500, 503),
        },
      },
    },
    async ({ params, headers }, reply) => {
      const uri = addressOf(params.uri, context);
      await changeStanding(standingGroup(context, params.id, headers), (row) => {
        const members = row.members.filter((member) => member.uri !== uri);
        if (members.length === row.members.length) throw new Refused({ code: 'no-such-member' });
        return withMembers(row, members, context);
      });
      return reply.code(204).send(null);
    },
  );
}

function addressOf(text: string, context: RouteContext): string {
  return context.aorOf(readableUri(text, uriPlace, context));
}

/** The group with `member` in its place, or at the end. */
function withMember(row: GroupRow, member: GroupMember, context: RouteContext): GroupRow {
  const members = new Map(row.members.map((other) => [other.uri, other]));
  members.set(member.uri, member);
  if (members.size > limits.groupMembersMax)
    throw new Refused({
      code: 'too-many-definitions',
      detail: `A group has at most ${limits.groupMembersMax} members`,
    });
  return withMembers(row, [...members.values()], context);
}

function withMembers(row: GroupRow, members: readonly GroupMember[], { clock }: RouteContext): GroupRow {
  return { ...row, members, updatedAt: clock.now(), revision: row.revision + 1 };
}
