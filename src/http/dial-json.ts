import { type Static, Type } from 'typebox';
import type { DialAttemptRow, ReplacesValue, SipCause } from '../core/rows.ts';
import {
  closed,
  iso,
  isoOrNull,
  nullableInteger,
  nullableObject,
  nullableText,
  nullableTime,
  time,
} from './schemas.ts';

/** A SIP answer, or null. */
export function sipCause(description: string) {
  return nullableObject(
    {
      status: Type.Integer({ description: 'SIP status.' }),
      reason: Type.String({ description: 'Its reason phrase.' }),
    },
    { description },
  );
}

/** A dialog named for taking over (RFC 3891), or null. */
export function replacesShown(description: string) {
  return nullableObject(
    {
      call_id: Type.String(),
      to_tag: Type.String(),
      from_tag: Type.String(),
      early_only: Type.Boolean(),
    },
    { description },
  );
}

/** One INVITE and how it ended. */
export const DialAttempt = Type.Object(
  {
    endpoint_id: Type.String({ description: 'The endpoint it was for.' }),
    at: time({ description: 'When the INVITE went out.' }),
    replaces: replacesShown('The Replaces it bore.'),
    change: nullableText({
      description: 'What differs from the INVITE before it: a quirk by its name, or words; null for the first one.',
    }),
    outcome: sipCause('The final answer; null while there is none.'),
    ended_at: nullableTime({ description: 'When that came.' }),
    duration_ms: nullableInteger({ description: 'Milliseconds from the INVITE to it.' }),
    reason_header: nullableText({ description: 'Value of the Reason header (RFC 3326) of that answer.' }),
  },
  closed,
);

/** The row as the API shows it, with how long it took. */
export function dialAttemptJson(row: DialAttemptRow): Static<typeof DialAttempt> {
  return {
    endpoint_id: row.endpointId,
    at: iso(row.at),
    replaces: replacesJson(row.replaces),
    change: row.change,
    outcome: causeJson(row.outcome),
    ended_at: isoOrNull(row.endedAt),
    duration_ms: row.endedAt === null ? null : row.endedAt - row.at,
    reason_header: row.reasonHeader,
  };
}

/** The dialog in the words of a body that names one. */
export function replacesJson(value: ReplacesValue | null) {
  if (value === null) return null;
  return { call_id: value.callId, to_tag: value.toTag, from_tag: value.fromTag, early_only: value.earlyOnly };
}

/** The answer as the API shows it. */
export function causeJson(cause: SipCause | null) {
  return cause === null ? null : { status: cause.status, reason: cause.reason };
}
