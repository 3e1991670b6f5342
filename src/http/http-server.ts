import type { IncomingMessage } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyReply,
  type FastifyRequest,
  type InjectOptions,
  type LightMyRequestResponse,
  LogController,
} from 'fastify';
import type { HttpPort } from '../core/ports.ts';
import type { Api, RouteContext } from './api.ts';
import { Attempt, AttemptPage } from './attempt-json.ts';
import { ACTOR, actorOf, authenticator } from './auth.ts';
import { clientErrorAnswerer } from './client-errors.ts';
import { Conference, ConferencePage } from './conference-json.ts';
import { answerError, pathOf } from './errors.ts';
import { Group, GroupPage, Member } from './group-json.ts';
import { Liveness, Readiness } from './health-json.ts';
import { httpLimits } from './http-limits.ts';
import type { HttpOptions } from './http-options.ts';
import { Delivery, Message, MessageDetails, MessagePage } from './message-json.ts';
import { buildMetrics, type Metrics } from './metrics.ts';
import { docsOptions, documentOptions, setProblemsAside } from './openapi.ts';
import { otherMethods } from './other-methods.ts';
import { Endpoint, Participant, ParticipantPage } from './participant-json.ts';
import { Plan } from './plan-json.ts';
import { Policy } from './policy-json.ts';
import { Problem, Refused } from './problem.ts';
import { Referral, ReferralPage } from './referral-json.ts';
import { ReplyDesk } from './reply-desk.ts';
import { attemptRoutes } from './routes/attempts.ts';
import { conferenceChangeRoutes } from './routes/conference-changes.ts';
import { conferenceRoutes } from './routes/conferences.ts';
import { documentRoutes } from './routes/documents.ts';
import { groupMemberRoutes } from './routes/group-members.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { messageRoutes } from './routes/messages.ts';
import { participantRoutes } from './routes/participants.ts';
import { referralRoutes } from './routes/referrals.ts';
import { statsRoutes } from './routes/stats.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { userRoutes } from './routes/users.ts';
import { NoQuery, PageInfo } from './schemas.ts';
import { assureScope, SCOPES } from './scopes.ts';
import { Stats } from './stats-json.ts';
import { Subscription, SubscriptionPage } from './subscription-json.ts';
import { User, UserPage } from './user-json.ts';

/** The REST shell: `reply` settles commands, the rest is the server's life. */
export type HttpShell = HttpPort & {
  /** Resolves with the address that is bound; port 0 picks a free one. */
  readonly listen: (host: string, port: number) => Promise<{ readonly host: string; readonly port: number }>;
  /** A request without a socket, for tests. */
  readonly inject: (request: InjectOptions) => Promise<LightMyRequestResponse>;
  /** The OpenAPI document of the routes as they run. */
  readonly document: () => Promise<object>;
  /** Answers all who wait that the service stops, lets running requests end, closes the socket. */
  readonly close: () => Promise<void>;
};

/** Builds the REST shell; nothing listens yet. */
export function buildHttp(options: HttpOptions): HttpShell {
  const desk = new ReplyDesk({ clock: options.clock, newToken: options.ids.reply });
  const metrics = buildMetrics({ stats: options.stats, readings: options.readings });
  const api = bareServer(options);
  for (const schema of components) api.addSchema(schema);
  addManners(api, metrics);
  api.addHook('onRoute', setProblemsAside);
  api.register(swagger, documentOptions);
  api.register(swaggerUi, docsOptions);
  const context = { ...options, desk };
  api.register(async (open: Api) => openRoutes(open, context, metrics));
  api.register(async (v1: Api) => keyedRoutes(v1, context), { prefix: '/v1' });
  return {
    reply: desk.reply,
    listen: async (host, port) => {
      await api.listen({ host, port });
      return boundAddress(api);
    },
    inject: (request) => api.inject(request),
    document: async () => {
      await api.ready();
      return api.swagger();
    },
    close: async () => {
      desk.close();
      await api.close();
    },
  };
}

function boundAddress(api: Api): { host: string; port: number } {
  const [bound] = api.addresses();
  if (bound === undefined || typeof bound === 'string') throw new TypeError('fastify listens on TCP');
  return { host: bound.address, port: bound.port };
}

const components = [
  PageInfo,
  Problem,
  Policy,
  Conference,
  ConferencePage,
  Plan,
  Endpoint,
  Participant,
  ParticipantPage,
  Subscription,
  SubscriptionPage,
  Referral,
  ReferralPage,
  Delivery,
  Message,
  MessagePage,
  MessageDetails,
  Attempt,
  AttemptPage,
  Member,
  Group,
  GroupPage,
  User,
  UserPage,
  Stats,
  Liveness,
  Readiness,
];

function bareServer(options: HttpOptions): Api {
  return Fastify({
    ...(options.log === null ? { logger: false } : { loggerInstance: options.log }),
    // One line per answer is written below instead of fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => requestId(request, options.ids.request),
    bodyLimit: httpLimits.bodyBytesMax,
    routerOptions: { maxParamLength: httpLimits.pathPartCharsMax },
    requestTimeout: httpLimits.requestTimeoutMs,
    // Nothing is coerced or dropped in silence: a wrong type or a misspelt word is an error that names its place.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    frameworkErrors: answerError,
    clientErrorHandler: clientErrorAnswerer(options.ids.request),
    // What comes on open connections while the server closes is answered by the routes, as a problem like any other.
    return503OnClosing: false,
  }).withTypeProvider<TypeBoxTypeProvider>();
}

/** A caller's own request id is kept when it is harmless, so that logs on both sides agree. */
function requestId(request: IncomingMessage, make: () => string): string {
  const given = request.headers['x-request-id'];
  const harmless = typeof given === 'string' && given.length <= httpLimits.requestIdCharsMax && /^[\w.-]+$/.test(given);
  return harmless ? given : make();
}

/** What holds for every request: ids, headers, JSON only, problems, one number and one log line per answer. */
function addManners(api: Api, metrics: Metrics): void {
  api.decorateRequest(ACTOR, '');
  api.decorateRequest(SCOPES, null);
  api.removeContentTypeParser('text/plain');
  acceptEmptyJson(api);
  api.setErrorHandler(answerError);
  api.setNotFoundHandler(answerUnknown);
  api.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' });
  });
  api.addHook('preValidation', numberLimit);
  api.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method, id } = request;
    const actor = actorOf(request);
    const status = reply.statusCode;
    metrics.answered({ method, route, status, seconds: reply.elapsedTime / 1000 });
    const facts = { requestId: id, actor, method, path: pathOf(request), status, ms: Math.round(reply.elapsedTime) };
    // Probes, scrapes and pages of the documentation are not worth a line a day.
    if (route.startsWith('/v1')) request.log.info(facts, 'request answered');
    else request.log.debug(facts, 'request answered');
  });
}

/** Many clients name JSON as the type of a body they do not send; that is no body, not a bad one. */
function acceptEmptyJson(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeContentTypeParser('application/json');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) =>
    body === '' ? done(null, undefined) : parse(request, body, done),
  );
}

/** Queries arrive as text, and bodies are not coerced; `limit` is the one number a query may hold. */
async function numberLimit({ query }: FastifyRequest): Promise<void> {
  if (typeof query !== 'object' || query === null || !('limit' in query)) return;
  const { limit } = query;
  if (typeof limit === 'string' && /^\d{1,9}$/.test(limit)) query.limit = Number(limit);
}

function answerUnknown(request: FastifyRequest, reply: FastifyReply): void {
  const detail = `Nothing is at ${pathOf(request)}; see /docs`;
  answerError(new Refused({ code: 'no-such-resource', detail }), request, reply);
}

function openRoutes(api: Api, context: RouteContext, metrics: Metrics): void {
  const others = otherMethods(api);
  documentRoutes(api);
  healthRoutes(api, context, metrics);
  others.refuse();
}

function keyedRoutes(api: Api, context: RouteContext): void {
  const authenticate = authenticator({ keys: context.keys, clock: context.clock });
  api.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const { actor, scopes } = await authenticate(request.headers.authorization);
    request.setDecorator(ACTOR, actor);
    request.setDecorator(SCOPES, scopes);
    assureScope(request);
  });
  // Again here, so that the hook above comes first: without a key one does not learn what exists.
  api.setNotFoundHandler(answerUnknown);
  api.addHook('onRoute', (route) => {
    if (route.schema !== undefined) route.schema.querystring ??= NoQuery;
  });
  const others = otherMethods(api);
  conferenceRoutes(api, context);
  conferenceChangeRoutes(api, context);
  participantRoutes(api, context);
  subscriptionRoutes(api, context);
  referralRoutes(api, context);
  messageRoutes(api, context);
  attemptRoutes(api, context);
  groupRoutes(api, context);
  groupMemberRoutes(api, context);
  userRoutes(api, context);
  statsRoutes(api, context);
  others.refuse();
}
