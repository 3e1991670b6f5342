import type { Api, RouteContext } from '../api.ts';
import { AttemptPage, attemptJson } from '../attempt-json.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { problems } from '../problem.ts';
import { jsonResponse, PageQuery } from '../schemas.ts';

/** The log of what was refused. */
export function attemptRoutes(api: Api, context: RouteContext): void {
  api.get(
    '/attempts',
    {
      schema: {
        tags: ['Attempts'],
        operationId: 'listAttempts',
        summary: 'List refused attempts',
        description:
          'Creations and joins that were refused or failed, newest first: who came, what was sent, how it was read, and why the answer was no. The oldest make room for new ones.',
        querystring: PageQuery,
        response: {
          200: jsonResponse('Attempts.', AttemptPage),
          ...problems(400, 401, 403, 500),
        },
      },
    },
    async ({ query }) => {
      const found = await context.reads.attempts(pageRequest(query));
      return pageJson(found, query.limit, attemptJson);
    },
  );
}
