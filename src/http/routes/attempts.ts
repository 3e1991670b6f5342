import { Type } from 'typebox';
import { type RefusalCode, refusals } from '../../core/refusal.ts';
import type { Api, RouteContext } from '../api.ts';
import { AttemptPage, attemptJson } from '../attempt-json.ts';
import { canonical, pageJson, pageRequest } from '../listing.ts';
import { problems } from '../problem.ts';
import { closed, jsonResponse, oneOf, pageQuery, uriFilter } from '../schemas.ts';

const codes = Object.keys(refusals) as RefusalCode[];

const AttemptQuery = Type.Object(
  {
    ...pageQuery,
    code: Type.Optional(oneOf(codes, { description: 'Only those refused for this reason.' })),
    caller: uriFilter('Only those by this address of record, such as `sip:alice@example.com`, or by this API key.'),
  },
  closed,
);

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
          'Creations, joins and referrals that were refused or failed, newest first: who came, what was sent, how it was read, and why the answer was no. The oldest make room for new ones.',
        querystring: AttemptQuery,
        response: {
          200: jsonResponse('Attempts.', AttemptPage),
          ...problems(400, 401, 403, 500),
        },
      },
    },
    async ({ query }) => {
      const filter = { code: query.code ?? null, caller: canonical(query.caller, context) };
      const found = await context.reads.attempts(filter, pageRequest(query));
      return pageJson(found, query.limit, attemptJson);
    },
  );
}
