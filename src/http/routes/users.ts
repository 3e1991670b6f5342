import { type Static, Type } from 'typebox';
import { digestSecrets } from '../../core/identity/digest.ts';
import type { UserRow } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { addDefinition, changeStanding, etagOf, removeStanding, type Standing } from '../definition-changes.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { type Conditional, etagHeader, IfMatch } from '../preconditions.ts';
import { problems, Refused } from '../problem.ts';
import { readableUri } from '../readable-uri.ts';
import { closed, DefinitionQuery, jsonResponse, locationHeader, uriPart } from '../schemas.ts';
import { NewUser, User, UserChange, UserPage, userJson } from '../user-json.ts';

const tags = ['Users'];

const UserPath = Type.Object({ uri: uriPart('The user’s address of record, percent-encoded.') }, closed);

/** What the operator says of users: list, add, read, change, remove. */
export function userRoutes(api: Api, context: RouteContext): void {
  listUsers(api, context);
  addUser(api, context);
  readUser(api, context);
  changeUser(api, context);
  removeUser(api, context);
}

function listUsers(api: Api, { users, realm }: RouteContext): void {
  api.get(
    '/users',
    {
      schema: {
        tags,
        operationId: 'listUsers',
        summary: 'List users',
        description: 'Everybody of whom something is said, the newest first.',
        querystring: DefinitionQuery,
        response: { 200: jsonResponse('Users.', UserPage), ...problems(400, 401, 403, 500) },
      },
    },
    async ({ query }) => {
      const found = await users.list({ q: query.q ?? null }, pageRequest(query));
      return pageJson(found, query.limit, (row) => userJson(row, realm));
    },
  );
}

function addUser(api: Api, context: RouteContext): void {
  api.post(
    '/users',
    {
      schema: {
        tags,
        operationId: 'addUser',
        summary: 'Add a user',
        description:
          'Says something of a user: a password for digest, whether it is barred, may make conferences, has agreed to be invited by lists.',
        body: NewUser,
        response: {
          201: { ...jsonResponse('The user.', User), headers: { ...locationHeader('the user'), ...etagHeader } },
          ...problems(400, 401, 403, 409, 413, 415, 500, 503),
        },
      },
    },
    async ({ body }, reply) => {
      const row = newUser(body, context);
      await addDefinition(context.users, row);
      const location = `/v1/users/${encodeURIComponent(row.uri)}`;
      return reply
        .code(201)
        .headers({ location, etag: etagOf(row) })
        .send(userJson(row, context.realm));
    },
  );
}

function readUser(api: Api, context: RouteContext): void {
  api.get(
    '/users/:uri',
    {
      schema: {
        tags,
        operationId: 'getUser',
        summary: 'Read a user',
        description: 'What is said of one user.',
        params: UserPath,
        response: {
          200: { ...jsonResponse('The user.', User), headers: etagHeader },
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params }, reply) => {
      const row = await standingUser(context, params.uri, {}).find();
      return reply.header('etag', etagOf(row)).send(userJson(row, context.realm));
    },
  );
}

function changeUser(api: Api, context: RouteContext): void {
  api.patch(
    '/users/:uri',
    {
      schema: {
        tags,
        operationId: 'changeUser',
        summary: 'Change a user',
        description: 'Holds for what the user does next; conferences it is in already go on.',
        params: UserPath,
        headers: IfMatch,
        body: UserChange,
        response: {
          200: { ...jsonResponse('The user as it is now.', User), headers: etagHeader },
          ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
        },
      },
    },
    async ({ params, headers, body }, reply) => {
      const row = await changeStanding(standingUser(context, params.uri, headers), (before) =>
        changedUser(before, body, context),
      );
      return reply.header('etag', etagOf(row)).send(userJson(row, context.realm));
    },
  );
}

function removeUser(api: Api, context: RouteContext): void {
  api.delete(
    '/users/:uri',
    {
      schema: {
        tags,
        operationId: 'removeUser',
        summary: 'Remove a user',
        description: 'Takes back all that was said of the user, its password included.',
        params: UserPath,
        headers: IfMatch,
        response: {
          204: { type: 'null', description: 'Removed.' },
          ...problems(400, 401, 403, 404, 409, 412, 500, 503),
        },
      },
    },
    async ({ params, headers }, reply) => {
      await removeStanding(standingUser(context, params.uri, headers));
      return reply.code(204).send(null);
    },
  );
}

function standingUser(context: RouteContext, text: string, headers: Conditional): Standing<UserRow> {
  const uri = context.aorOf(readableUri(text, { in: 'path', pointer: '#/uri' }, context));
  const find = async (): Promise<UserRow> => {
    const row = await context.users.byUri(uri);
    if (row === undefined) throw new Refused({ code: 'no-such-user' });
    return row;
  };
  return { port: context.users, find, headers };
}

function newUser(body: Static<typeof NewUser>, context: RouteContext): UserRow {
  const now = context.clock.now();
  const uri = context.aorOf(readableUri(body.uri, { in: 'body', pointer: '#/uri' }, context));
  return {
    id: context.ids.row(),
    uri,
    displayName: body.display_name ?? null,
    secrets: secretsOf(uri, body.password ?? null, context),
    barred: body.barred ?? false,
    mayCreate: body.may_create ?? true,
    consents: body.consents ?? false,
    createdAt: now,
    updatedAt: now,
    revision: 1,
  };
}

function changedUser(row: UserRow, body: Static<typeof UserChange>, context: RouteContext): UserRow {
  return {
    ...row,
    displayName: body.display_name === undefined ? row.displayName : body.display_name,
    secrets: body.password === undefined ? row.secrets : secretsOf(row.uri, body.password, context),
    barred: body.barred ?? row.barred,
    mayCreate: body.may_create ?? row.mayCreate,
    consents: body.consents ?? row.consents,
    updatedAt: context.clock.now(),
    revision: row.revision + 1,
  };
}

function secretsOf(uri: string, password: string | null, { realm }: RouteContext): UserRow['secrets'] {
  return password === null ? null : digestSecrets(uri, realm, password);
}
