import type { FastifyBaseLogger } from 'fastify';
import { Type } from 'typebox';
import type { Api, RouteContext } from '../api.ts';
import { Liveness, Readiness, readinessJson } from '../health-json.ts';
import type { DependencyHealth } from '../http-options.ts';
import type { Metrics } from '../metrics.ts';
import { problems } from '../problem.ts';
import { jsonResponse } from '../schemas.ts';

const tags = ['Service'];
/** Nothing here is anybody’s secret, and probes have no key. */
const security = [] as const;

/** For probes and scrapers: alive, ready, metrics. */
export function healthRoutes(api: Api, context: RouteContext, metrics: Metrics): void {
  live(api);
  ready(api, context);
  scrape(api, metrics);
}

function live(api: Api): void {
  api.get(
    '/health/live',
    {
      schema: {
        tags,
        security,
        operationId: 'getLiveness',
        summary: 'Is the process alive?',
        description: 'Answers as long as the process does; looks at nothing else.',
        response: { 200: jsonResponse('It is.', Liveness) },
      },
    },
    async () => ({ status: 'live' as const }),
  );
}

function ready(api: Api, context: RouteContext): void {
  api.get(
    '/health/ready',
    {
      schema: {
        tags,
        security,
        operationId: 'getReadiness',
        summary: 'May new work come here?',
        description: 'Names each dependency. 503 while one of them is down or the service is stopping.',
        response: { 200: jsonResponse('It may.', Readiness), 503: jsonResponse('Not now.', Readiness) },
      },
    },
    async ({ log }, reply) => {
      const answer = readinessJson(await dependenciesOf(context, log));
      return reply.code(answer.status === 'ready' ? 200 : 503).send(answer);
    },
  );
}

function scrape(api: Api, metrics: Metrics): void {
  api.get(
    '/metrics',
    {
      schema: {
        tags,
        security,
        operationId: 'getMetrics',
        summary: 'Metrics for Prometheus',
        description:
          'Counts of conferences, SIP, messages, HTTP and the process itself, in the Prometheus text format.',
        response: {
          200: { description: 'The metrics.', content: { 'text/plain': { schema: Type.String() } } },
          ...problems(500),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.mediaType).send(await metrics.text()),
  );
}

async function dependenciesOf(context: RouteContext, log: FastifyBaseLogger): Promise<readonly DependencyHealth[]> {
  const stopping = context.stopping();
  const own = { name: 'service', ok: !stopping, detail: stopping ? 'stopping' : 'running' };
  try {
    return [own, ...(await context.health())];
  } catch (error) {
    // Probes need no key, hence the error's own words go to the log only.
    log.error({ err: error }, 'health check failed');
    return [own, { name: 'health checks', ok: false, detail: 'could not be made' }];
  }
}
