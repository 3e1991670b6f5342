import { Type } from 'typebox';
import type { ConferenceRow } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { actorOf } from '../auth.ts';
import { perform } from '../commands.ts';
import { Conference, conferenceJson, conferenceTag } from '../conference-json.ts';
import { ConferenceChange, changeWanted, conferenceWanted, NewConference } from '../new-conference.ts';
import { Plan, planJson } from '../plan-json.ts';
import { assureMatch, type Conditional, etagHeader, IfMatch } from '../preconditions.ts';
import { problems, Refused } from '../problem.ts';
import { ConferencePath, closed, jsonResponse, locationHeader, oneOf } from '../schemas.ts';

const tags = ['Conferences'];

const CreationQuery = Type.Object(
  {
    dry_run: Type.Optional(
      oneOf(['true', 'false'], {
        description: '`true`: nobody is called; the answer tells how each entry is read and what would become of it.',
      }),
    ),
  },
  closed,
);

/** Conferences made and changed by the operator. */
export function conferenceChangeRoutes(api: Api, context: RouteContext): void {
  createConference(api, context);
  changeConference(api, context);
}

function createConference(api: Api, context: RouteContext): void {
  api.post(
    '/conferences',
    {
      schema: {
        tags,
        operationId: 'createConference',
        summary: 'Make a conference',
        description:
          'What the factory does for a caller, asked for by the operator: the conference stands when this is answered, and the invitations are on their way. It ends when the last participant has left, unless its policy says otherwise.',
        querystring: CreationQuery,
        body: NewConference,
        response: {
          200: jsonResponse('How it would be made; with `dry_run=true`.', Plan),
          201: {
            ...jsonResponse('The conference.', Conference),
            headers: { ...locationHeader('the conference'), ...etagHeader },
          },
          ...problems(400, 401, 403, 409, 413, 415, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const wanted = { ...conferenceWanted(request.body), actor: actorOf(request) };
      if (request.query.dry_run === 'true') {
        const { plan } = await perform(context, 'conference-planned', { ...wanted, dryRun: true });
        return reply.code(200).send(planJson(plan));
      }
      const { conference } = await perform(context, 'conference-created', { ...wanted, dryRun: false });
      const headers = { location: `/v1/conferences/${conference.id}`, etag: conferenceTag(conference) };
      return reply.code(201).headers(headers).send(conferenceJson(conference));
    },
  );
}

function changeConference(api: Api, context: RouteContext): void {
  api.patch(
    '/conferences/:id',
    {
      schema: {
        tags,
        operationId: 'changeConference',
        summary: 'Change a conference',
        description:
          'Another subject, locked or open, another bound, other labels. Watchers are told; nobody is sent away.',
        params: ConferencePath,
        headers: IfMatch,
        body: ConferenceChange,
        response: {
          200: { ...jsonResponse('The conference as it is now.', Conference), headers: etagHeader },
          ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body, headers } = request;
      const asKnown = await stateMatching(context, params.id, headers);
      const { conference } = await perform(context, 'conference-changed', {
        type: 'change-requested',
        actor: actorOf(request),
        conferenceId: params.id,
        ...changeWanted(body),
        ...(asKnown === null ? {} : { asKnown }),
      });
      return reply.header('etag', conferenceTag(conference)).send(conferenceJson(conference));
    },
  );
}

/** The state that the request wants to change, when it wants a certain one and that is what stands; else a refusal. */
async function stateMatching(
  context: RouteContext,
  id: string,
  headers: Conditional,
): Promise<Pick<ConferenceRow, 'version' | 'labels'> | null> {
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted.trim() === '*') return null;
  const row = await context.reads.conference(id);
  if (row === undefined) throw new Refused({ code: 'no-such-conference' });
  if (row.status === 'ended') throw new Refused({ code: 'conference-ended' });
  assureMatch(headers, conferenceTag(row));
  return { version: row.version, labels: row.labels };
}
