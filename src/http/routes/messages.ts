import type { FastifyRequest } from 'fastify';
import type { Api, RouteContext } from '../api.ts';
import { actorOf } from '../auth.ts';
import { assureConference, perform } from '../commands.ts';
import { pageJson, pageRequest } from '../listing.ts';
import {
  MessageDetails,
  MessagePage,
  messageDetailsJson,
  messageJson,
  NewNotice,
  type Seeing,
} from '../message-json.ts';
import { problems, Refused } from '../problem.ts';
import { ConferencePath, jsonResponse, locationHeader, MessagePath, PageQuery } from '../schemas.ts';
import { hasScope, opensTo } from '../scopes.ts';

const tags = ['Messages'];

/** Messages of a conference: list, read, and what the focus itself shall say. */
export function messageRoutes(api: Api, context: RouteContext): void {
  listMessages(api, context);
  readMessage(api, context);
  postNotice(api, context);
}

function listMessages(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/messages',
    {
      config: opensTo('messages:read'),
      schema: {
        tags,
        operationId: 'listMessages',
        summary: 'List messages',
        description:
          'What was sent in a conference whose policy keeps a history, in its order, until its time there is over: a message of a participant appears once it is known what became of it, a notice at once.',
        params: ConferencePath,
        querystring: PageQuery,
        response: { 200: jsonResponse('Messages.', MessagePage), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request) => {
      const { params, query } = request;
      const found = await context.reads.messages(params.id, pageRequest(query));
      if (found.rows.length === 0) await assureConference(context, params.id);
      const seeing = seen(request);
      return pageJson(found, query.limit, (row) => messageJson(row, seeing));
    },
  );
}

function readMessage(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/messages/:mid',
    {
      config: opensTo('messages:read'),
      schema: {
        tags,
        operationId: 'getMessage',
        summary: 'Read a message',
        description: 'One message, and what became of it at each endpoint.',
        params: MessagePath,
        response: { 200: jsonResponse('The message.', MessageDetails), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request) => {
      const { params } = request;
      const row = await context.reads.message(params.id, params.mid);
      if (row === undefined) {
        await assureConference(context, params.id);
        throw new Refused({ code: 'no-such-message' });
      }
      return messageDetailsJson(row, seen(request));
    },
  );
}

function postNotice(api: Api, context: RouteContext): void {
  api.post(
    '/conferences/:id/messages',
    {
      config: opensTo('conferences:write'),
      schema: {
        tags,
        operationId: 'postNotice',
        summary: 'Say something in a conference',
        description:
          'The focus sends it, from the conference URI, to everybody or to some. It is on its way when this is answered. Where a history is kept, what becomes of it is read later at its `Location`; where none is, there is no such header. Refused, it was sent to nobody, unless the detail says that it may still take effect.',
        params: ConferencePath,
        body: NewNotice,
        response: {
          202: { ...jsonResponse('The message, being sent.', MessageDetails), headers: locationHeader('the message') },
          ...problems(400, 401, 403, 404, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const { message, isKept } = await perform(context, 'notice-sent', {
        type: 'notice-requested',
        actor: actorOf(request),
        conferenceId: params.id,
        contentType: body.content_type ?? 'text/plain',
        text: body.text,
        participantIds: body.participants ?? null,
      });
      if (isKept) reply.header('location', `/v1/conferences/${message.conferenceId}/messages/${message.id}`);
      return reply.code(202).send(messageDetailsJson(message, seen(request)));
    },
  );
}

function seen(request: FastifyRequest): Seeing {
  return { content: hasScope(request, 'messages:read_content'), deliveries: hasScope(request, 'messages:read') };
}
