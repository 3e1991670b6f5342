import type { Api, RouteContext } from '../api.ts';
import { problems } from '../problem.ts';
import { jsonResponse } from '../schemas.ts';
import { Stats, statsJson } from '../stats-json.ts';

/** The node at a glance. */
export function statsRoutes(api: Api, context: RouteContext): void {
  api.get(
    '/stats',
    {
      schema: {
        tags: ['Service'],
        operationId: 'getStats',
        summary: 'Read this node at a glance',
        description: 'Version, addresses, time up and present counts of the process that answers.',
        response: {
          200: jsonResponse('The node.', Stats),
          ...problems(400, 401, 403, 500),
        },
      },
    },
    async () => statsJson(context.stats(), context.clock.now()),
  );
}
