import { Type } from 'typebox';
import type { Api, RouteContext } from '../api.ts';
import { actorOf } from '../auth.ts';
import { assureConference, perform } from '../commands.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { NewParticipant, replacesOf } from '../new-participant.ts';
import { Participant, ParticipantPage, participantJson } from '../participant-json.ts';
import { problems, Refused } from '../problem.ts';
import { readableUri } from '../readable-uri.ts';
import {
  ConferencePath,
  closed,
  jsonResponse,
  locationHeader,
  PageQuery,
  ParticipantPath,
  printable,
} from '../schemas.ts';

const tags = ['Participants'];

const RemovalQuery = Type.Object(
  {
    reason: Type.Optional(
      printable({ maxLength: 200, description: 'A word for the participant; goes out with the BYE.' }),
    ),
  },
  closed,
);

/** Participants of a conference: list, read, dial out, remove. */
export function participantRoutes(api: Api, context: RouteContext): void {
  listParticipants(api, context);
  readParticipant(api, context);
  dialOut(api, context);
  removeParticipant(api, context);
}

function listParticipants(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/participants',
    {
      schema: {
        tags,
        operationId: 'listParticipants',
        summary: 'List participants',
        description:
          'Everybody who is, was or should have been in it, in order of arrival: who could not be reached is here too, with the cause.',
        params: ConferencePath,
        querystring: PageQuery,
        response: {
          200: jsonResponse('Participants.', ParticipantPage),
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params, query }) => {
      const found = await context.reads.participants(params.id, pageRequest(query));
      if (found.rows.length === 0) await assureConference(context, params.id);
      return pageJson(found, query.limit, participantJson);
    },
  );
}

function readParticipant(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/participants/:pid',
    {
      schema: {
        tags,
        operationId: 'getParticipant',
        summary: 'Read a participant',
        description: 'One participant with its endpoints, every dial attempt and the last error.',
        params: ParticipantPath,
        response: { 200: jsonResponse('The participant.', Participant), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async ({ params }) => {
      const row = await context.reads.participant(params.id, params.pid);
      if (row === undefined) {
        await assureConference(context, params.id);
        throw new Refused({ code: 'no-such-participant' });
      }
      return participantJson(row);
    },
  );
}

function dialOut(api: Api, context: RouteContext): void {
  api.post(
    '/conferences/:id/participants',
    {
      schema: {
        tags,
        operationId: 'addParticipant',
        summary: 'Dial out to a participant',
        description:
          'The invitation is on its way when this is answered; read the participant, or watch the roster, to see what becomes of it.',
        params: ConferencePath,
        body: NewParticipant,
        response: {
          202: {
            ...jsonResponse('The participant, being dialled.', Participant),
            headers: locationHeader('the participant'),
          },
          ...problems(400, 401, 403, 404, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const uri = readableUri(body.uri, { in: 'body', pointer: '#/uri' }, context);
      const { participant } = await perform(context, 'participant-dialled', {
        type: 'participant-requested',
        actor: actorOf(request),
        conferenceId: params.id,
        uri,
        raw: body.uri,
        displayName: body.display_name ?? null,
        role: body.role ?? null,
        replaces: replacesOf(body),
      });
      const location = `/v1/conferences/${participant.conferenceId}/participants/${participant.id}`;
      return reply.code(202).header('location', location).send(participantJson(participant));
    },
  );
}

function removeParticipant(api: Api, context: RouteContext): void {
  api.delete(
    '/conferences/:id/participants/:pid',
    {
      schema: {
        tags,
        operationId: 'removeParticipant',
        summary: 'Remove a participant',
        description: 'It is sent a BYE, or its invitation is cancelled; the roster says `booted`.',
        params: ParticipantPath,
        querystring: RemovalQuery,
        response: {
          204: { type: 'null', description: 'Removed.' },
          ...problems(400, 401, 403, 404, 409, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      await perform(context, 'participant-removed', {
        type: 'removal-requested',
        actor: actorOf(request),
        conferenceId: params.id,
        participantId: params.pid,
        reason: query.reason ?? null,
      });
      return reply.code(204).send(null);
    },
  );
}
