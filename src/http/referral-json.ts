import { type Static, Type } from 'typebox';
import type { ReferralRow, ReferTargetRow } from '../core/rows.ts';
import { causeJson, replacesJson, replacesShown, sipCause } from './dial-json.ts';
import {
  closed,
  iso,
  isoOrNull,
  nullableInteger,
  nullableObject,
  nullableText,
  nullableTime,
  oneOf,
  pageOf,
  time,
} from './schemas.ts';

const target = Type.Object(
  {
    raw: Type.String({ description: 'The URI as it arrived, but for a password.' }),
    uri: nullableText({ description: 'As it was read, without method and headers; null when it could not be.' }),
    method: Type.String({ description: 'What was asked for: INVITE, BYE or REFER.' }),
    replaces: replacesShown('The dialog that the invitation was to take over.'),
    quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read it.' }),
    participant_id: nullableText({ description: 'The participant whom it brought in or sent out.' }),
    outcome: sipCause('The last answer, provisional or final; null: none yet.'),
  },
  closed,
);

export const Referral = Type.Object(
  {
    id: Type.String({ description: 'Key of the referral.' }),
    conference_id: Type.String({ description: 'The conference it was about.' }),
    by: Type.String({ description: 'Address of record of who asked.' }),
    at: time({ description: 'When the REFER came.' }),
    ended_at: nullableTime({ description: 'When the last of what it asked for was settled.' }),
    state: oneOf(['trying', 'ended'], { description: 'Whether something of it is still under way.' }),
    targets: Type.Array(target, { description: 'Whom it asked for, in order; several by a list (RFC 5368).' }),
    subscription: nullableObject(
      { event_id: nullableInteger({ description: '`id` of its NOTIFYs; null for the first REFER of a dialog.' }) },
      { description: 'NOTIFYs tell its sender of the outcome; null when none were wanted (RFC 4488).' },
    ),
    quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read the request.' }),
    received: Type.String({ description: 'The request as it came, shortened.' }),
  },
  {
    ...closed,
    $id: 'Referral',
    description: 'A REFER that the focus accepted, and what came of it.',
    examples: [
      {
        id: '01961f6e-0e00-7c01-9a20-3e4f50617283',
        conference_id: '01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70',
        by: 'sip:alice@example.com',
        at: '2026-03-01T09:31:00.000Z',
        ended_at: '2026-03-01T09:31:02.400Z',
        state: 'ended',
        targets: [
          {
            raw: 'sip:carol@example.com',
            uri: 'sip:carol@example.com',
            method: 'INVITE',
            replaces: null,
            quirks: [],
            participant_id: '01961f6e-0e01-7b11-8c02-5b1f0a7c9e13',
            outcome: { status: 200, reason: 'OK' },
          },
        ],
        subscription: { event_id: null },
        quirks: [],
        received: 'REFER sip:conf-7f3a@127.0.0.1 SIP/2.0',
      },
    ],
  },
);

export const ReferralPage = pageOf('ReferralPage', Referral);

/** The row as the API shows it: all but its dialog, whose tags would let whoever reads them take it over. */
export function referralJson(row: ReferralRow): Static<typeof Referral> {
  return {
    id: row.id,
    conference_id: row.conferenceId,
    by: row.by,
    at: iso(row.at),
    ended_at: isoOrNull(row.endedAt),
    state: row.state,
    targets: row.targets.map(targetJson),
    subscription: row.subscription === null ? null : { event_id: row.subscription.eventId },
    quirks: [...row.quirks],
    received: row.received,
  };
}

function targetJson(row: ReferTargetRow): Static<typeof target> {
  return {
    raw: row.raw,
    uri: row.uri,
    method: row.method,
    replaces: replacesJson(row.replaces),
    quirks: [...row.quirks],
    participant_id: row.participantId,
    outcome: causeJson(row.outcome),
  };
}
