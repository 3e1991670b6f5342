import { type Static, Type } from 'typebox';
import type { ConferenceFilter } from '../../core/ports.ts';
import type { Instant } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { actorOf } from '../auth.ts';
import { notLive, perform } from '../commands.ts';
import {
  Conference,
  ConferencePage,
  conferenceJson,
  conferenceKinds,
  conferenceStatuses,
  conferenceTag,
  EndConference,
} from '../conference-json.ts';
import { badQuery } from '../errors.ts';
import { canonical, pageJson, pageRequest } from '../listing.ts';
import { etagHeader } from '../preconditions.ts';
import { problems, Refused } from '../problem.ts';
import { ConferencePath, closed, iso, jsonResponse, oneOf, pageQuery, uriFilter } from '../schemas.ts';

const tags = ['Conferences'];

const timeFilter = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

const ConferenceQuery = Type.Object(
  {
    ...pageQuery,
    status: Type.Optional(oneOf(conferenceStatuses, { description: 'Only those with this status.' })),
    kind: Type.Optional(oneOf(conferenceKinds, { description: 'Only those of this kind.' })),
    created_by: uriFilter('Only those made by this address of record, such as `sip:alice@example.com`.'),
    participant_uri: uriFilter('Only those this address of record takes, or took, part in.'),
    created_after: timeFilter('Only those made after this time, such as `2026-03-01T09:30:00Z`.'),
    created_before: timeFilter('Only those made before this time.'),
    sort: Type.Unsafe<'created_at' | '-created_at'>({
      type: 'string',
      enum: ['created_at', '-created_at'],
      default: '-created_at',
      description: 'Oldest first, or newest first.',
    }),
  },
  closed,
);

/** Conferences: list, read, roster document, end. */
export function conferenceRoutes(api: Api, context: RouteContext): void {
  listConferences(api, context);
  readConference(api, context);
  readConferenceInfo(api, context);
  endConference(api, context);
}

function listConferences(api: Api, context: RouteContext): void {
  api.get(
    '/conferences',
    {
      schema: {
        tags,
        operationId: 'listConferences',
        summary: 'List conferences',
        description: 'Live and ended ones in one list, newest first unless you sort otherwise.',
        querystring: ConferenceQuery,
        response: { 200: jsonResponse('Conferences.', ConferencePage), ...problems(400, 401, 403, 500) },
      },
    },
    async ({ query }) => {
      const found = await context.reads.conferences(filterOf(query, context), pageRequest(query));
      return pageJson(found, query.limit, conferenceJson);
    },
  );
}

function readConference(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id',
    {
      schema: {
        tags,
        operationId: 'getConference',
        summary: 'Read a conference',
        description: 'One conference, live or ended.',
        params: ConferencePath,
        response: {
          200: { ...jsonResponse('The conference.', Conference), headers: etagHeader },
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params }, reply) => {
      const row = await context.reads.conference(params.id);
      if (row === undefined) throw new Refused({ code: 'no-such-conference' });
      return reply.header('etag', conferenceTag(row)).send(conferenceJson(row));
    },
  );
}

function readConferenceInfo(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/conference-info',
    {
      schema: {
        tags,
        operationId: 'getConferenceInfo',
        summary: 'Read the roster document',
        description:
          'The full conference-info document (RFC 4575) as the chair who watches would see it now, of whatever length.',
        params: ConferencePath,
        response: {
          200: {
            description: 'The document.',
            content: { [CONFERENCE_INFO]: { schema: Type.String({ description: 'XML.' }) } },
          },
          ...problems(400, 401, 403, 404, 409, 500),
        },
      },
    },
    async ({ params }, reply) => {
      const document = await context.conferenceInfo(params.id);
      if (document === undefined) {
        throw (await notLive(context, params.id)) ?? new Refused({ code: 'no-such-conference' });
      }
      return reply.type(CONFERENCE_INFO).send(document);
    },
  );
}

function endConference(api: Api, context: RouteContext): void {
  api.post(
    '/conferences/:id/end',
    {
      schema: {
        tags,
        operationId: 'endConference',
        summary: 'End a conference',
        description: 'Everybody is sent a BYE, watchers are told, and the conference stays listed as ended.',
        params: ConferencePath,
        body: EndConference,
        response: {
          200: jsonResponse('The ended conference.', Conference),
          ...problems(400, 401, 403, 404, 409, 413, 415, 500, 503),
        },
      },
      // Nothing need be said to end a conference.
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const { params, body } = request;
      const { conference } = await perform(context, 'conference-ended', {
        type: 'end-requested',
        actor: actorOf(request),
        conferenceId: params.id,
        reason: body.reason ?? null,
      });
      return conferenceJson(conference);
    },
  );
}

const CONFERENCE_INFO = 'application/conference-info+xml';

function filterOf(query: Static<typeof ConferenceQuery>, context: RouteContext): ConferenceFilter {
  return {
    status: query.status ?? null,
    kind: query.kind ?? null,
    createdBy: canonical(query.created_by, context),
    participantUri: canonical(query.participant_uri, context),
    createdAfter: instant(query, 'created_after'),
    createdBefore: instant(query, 'created_before'),
    sort: query.sort,
  };
}

function instant(query: Static<typeof ConferenceQuery>, name: 'created_after' | 'created_before'): Instant | null {
  const text = query[name];
  if (text === undefined) return null;
  const parsed = Date.parse(text);
  // A leap second fits the format, yet has no place in our time; nor has the database the year 0, nor rows one after 9999.
  if (Number.isNaN(parsed) || !/^(?!0000)\d{4}-/.test(iso(parsed))) throw badQuery(name, 'is no time we can tell');
  return parsed;
}
