import type { Api, RouteContext } from '../api.ts';
import { assureConference } from '../commands.ts';
import { pageJson, pageRequest } from '../listing.ts';
import { problems, Refused } from '../problem.ts';
import { Referral, ReferralPage, referralJson } from '../referral-json.ts';
import { ConferencePath, jsonResponse, PageQuery, ReferralPath } from '../schemas.ts';

const tags = ['Referrals'];

/** What came of the REFERs of a conference: list, read. */
export function referralRoutes(api: Api, context: RouteContext): void {
  listReferrals(api, context);
  readReferral(api, context);
}

function listReferrals(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/referrals',
    {
      schema: {
        tags,
        operationId: 'listReferrals',
        summary: 'List referrals',
        description:
          'Each REFER that the focus accepted for this conference, in order: who asked, for what, and what came of it.',
        params: ConferencePath,
        querystring: PageQuery,
        response: { 200: jsonResponse('Referrals.', ReferralPage), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async ({ params, query }) => {
      const found = await context.reads.referrals(params.id, pageRequest(query));
      if (found.rows.length === 0) await assureConference(context, params.id);
      return pageJson(found, query.limit, referralJson);
    },
  );
}

function readReferral(api: Api, context: RouteContext): void {
  api.get(
    '/conferences/:id/referrals/:rid',
    {
      schema: {
        tags,
        operationId: 'getReferral',
        summary: 'Read a referral',
        description: 'One REFER with everybody it asked for.',
        params: ReferralPath,
        response: { 200: jsonResponse('The referral.', Referral), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async ({ params }) => {
      const row = await context.reads.referral(params.id, params.rid);
      if (row === undefined) {
        await assureConference(context, params.id);
        throw new Refused({ code: 'no-such-referral' });
      }
      return referralJson(row);
    },
  );
}
