import type { SubscriptionRow } from '../../core/rows.ts';
import type { Api, RouteContext } from '../api.ts';
import { assureConference } from '../commands.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { problems } from '../problem.ts';
import { ConferencePath, jsonResponse, PageQuery } from '../schemas.ts';
import { SubscriptionPage, subscriptionJson } from '../subscription-json.ts';

const tags = ['Subscriptions'];

/** Who watches: one conference, or all. */
export function subscriptionRoutes(api: Api, context: RouteContext): void {
  listSubscriptions(api, context);
  listConferenceSubscriptions(api, context);
}

function listSubscriptions(api: Api, context: RouteContext): void {
  const shown = shownBy(context);
  api.get(
    '/subscriptions',
    {
      schema: {
        tags,
        operationId: 'listSubscriptions',
        summary: 'List subscriptions',
        description: 'Everybody who watches, or watched, the roster of any conference.',
        querystring: PageQuery,
        response: { 200: jsonResponse('Subscriptions.', SubscriptionPage), ...problems(400, 401, 403, 500) },
      },
    },
    async ({ query }) => {
      const found = await context.reads.subscriptions(null, pageRequest(query));
      return pageJson(found, query.limit, shown);
    },
  );
}

function listConferenceSubscriptions(api: Api, context: RouteContext): void {
  const shown = shownBy(context);
  api.get(
    '/conferences/:id/subscriptions',
    {
      schema: {
        tags,
        operationId: 'listConferenceSubscriptions',
        summary: 'List a conference’s subscriptions',
        description: 'Everybody who watches, or watched, this conference’s roster.',
        params: ConferencePath,
        querystring: PageQuery,
        response: { 200: jsonResponse('Subscriptions.', SubscriptionPage), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async ({ params, query }) => {
      const found = await context.reads.subscriptions(params.id, pageRequest(query));
      if (found.rows.length === 0) await assureConference(context, params.id);
      return pageJson(found, query.limit, shown);
    },
  );
}

function shownBy({ lastVersionSent }: RouteContext) {
  return (row: SubscriptionRow) => subscriptionJson(row, lastVersionSent(row.id));
}
