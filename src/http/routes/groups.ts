import type { Static } from 'typebox';
import type { GroupRow } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { addDefinition, changeStanding, etagOf, removeStanding } from '../definition-changes.ts';
import { invalid } from '../errors.ts';
import { Group, GroupChange, GroupPage, groupJson, NewGroup } from '../group-json.ts';
import { membersOf, standingGroup } from '../group-members.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { policyOf } from '../policy-json.ts';
import { etagHeader, IfMatch } from '../preconditions.ts';
import { problems } from '../problem.ts';
import { DefinitionQuery, GroupPath, jsonResponse, locationHeader } from '../schemas.ts';

const tags = ['Groups'];

/** Pre-arranged groups: list, define, read, change, remove. */
export function groupRoutes(api: Api, context: RouteContext): void {
  listGroups(api, context);
  defineGroup(api, context);
  readGroup(api, context);
  changeGroup(api, context);
  removeGroup(api, context);
}

function listGroups(api: Api, { groups }: RouteContext): void {
  api.get(
    '/groups',
    {
      schema: {
        tags,
        operationId: 'listGroups',
        summary: 'List groups',
        description: 'All groups with their members, the newest first.',
        querystring: DefinitionQuery,
        response: { 200: jsonResponse('Groups.', GroupPage), ...problems(400, 401, 403, 500) },
      },
    },
    async ({ query }) => {
      const found = await groups.list({ q: query.q ?? null }, pageRequest(query));
      return pageJson(found, query.limit, groupJson);
    },
  );
}

function defineGroup(api: Api, context: RouteContext): void {
  api.post(
    '/groups',
    {
      schema: {
        tags,
        operationId: 'defineGroup',
        summary: 'Define a group',
        description:
          'From now on a call to its URI starts a session and invites the members; later calls join the running one.',
        body: NewGroup,
        response: {
          201: { ...jsonResponse('The group.', Group), headers: { ...locationHeader('the group'), ...etagHeader } },
          ...problems(400, 401, 403, 409, 413, 415, 500, 503),
        },
      },
    },
    async ({ body }, reply) => {
      const row = newGroup(body, context);
      await addDefinition(context.groups, row);
      return reply
        .code(201)
        .headers({ location: `/v1/groups/${row.id}`, etag: etagOf(row) })
        .send(groupJson(row));
    },
  );
}

function readGroup(api: Api, context: RouteContext): void {
  api.get(
    '/groups/:id',
    {
      schema: {
        tags,
        operationId: 'getGroup',
        summary: 'Read a group',
        description: 'One group with its members.',
        params: GroupPath,
        response: {
          200: { ...jsonResponse('The group.', Group), headers: etagHeader },
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params }, reply) => {
      const row = await standingGroup(context, params.id, {}).find();
      return reply.header('etag', etagOf(row)).send(groupJson(row));
    },
  );
}

function changeGroup(api: Api, context: RouteContext): void {
  api.patch(
    '/groups/:id',
    {
      schema: {
        tags,
        operationId: 'changeGroup',
        summary: 'Change a group',
        description:
          'Holds for who comes next, also to a running session; nobody is invited or sent away by it. What the policy says of messages holds from the next session on. The URI stays: another URI is another group.',
        params: GroupPath,
        headers: IfMatch,
        body: GroupChange,
        response: {
          200: { ...jsonResponse('The group as it is now.', Group), headers: etagHeader },
          ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
        },
      },
    },
    async ({ params, headers, body }, reply) => {
      const row = await changeStanding(standingGroup(context, params.id, headers), (before) =>
        changedGroup(before, body, context),
      );
      return reply.header('etag', etagOf(row)).send(groupJson(row));
    },
  );
}

function removeGroup(api: Api, context: RouteContext): void {
  api.delete(
    '/groups/:id',
    {
      schema: {
        tags,
        operationId: 'removeGroup',
        summary: 'Remove a group',
        description: 'Nobody can call it any more; a session that runs goes on until it ends by itself.',
        params: GroupPath,
        headers: IfMatch,
        response: {
          204: { type: 'null', description: 'Removed.' },
          ...problems(400, 401, 403, 404, 409, 412, 500, 503),
        },
      },
    },
    async ({ params, headers }, reply) => {
      await removeStanding(standingGroup(context, params.id, headers));
      return reply.code(204).send(null);
    },
  );
}

function newGroup(body: Static<typeof NewGroup>, context: RouteContext): GroupRow {
  const name = context.groupUri(body.uri);
  if (!name.ok) throw invalid([{ in: 'body', pointer: '#/uri', detail: name.detail }]);
  const now = context.clock.now();
  return {
    id: context.ids.row(),
    uri: name.uri,
    subject: body.subject ?? null,
    members: membersOf(body.members ?? [], { name: name.uri, context }),
    policy: { ...context.groupPolicy, ...wantedPolicy(body, context) },
    maxParticipants: body.max_participants ?? null,
    labels: body.labels ?? {},
    createdAt: now,
    updatedAt: now,
    revision: 1,
  };
}

function changedGroup(row: GroupRow, body: Static<typeof GroupChange>, context: RouteContext): GroupRow {
  return {
    ...row,
    subject: body.subject === undefined ? row.subject : body.subject,
    members: body.members === undefined ? row.members : membersOf(body.members, { name: row.uri, context }),
    policy: { ...row.policy, ...wantedPolicy(body, context) },
    maxParticipants: body.max_participants === undefined ? row.maxParticipants : body.max_participants,
    labels: body.labels ?? row.labels,
    updatedAt: context.clock.now(),
    revision: row.revision + 1,
  };
}

/** What the body says of the policy. What it does not say may be what is no longer possible here. */
function wantedPolicy({ policy = {} }: Static<typeof GroupChange>, { policyRefused }: RouteContext) {
  const wanted = policyOf(policy);
  const detail = policyRefused(wanted);
  if (detail !== null) throw invalid([{ in: 'body', pointer: '#/policy/transport', detail }]);
  return wanted;
}
