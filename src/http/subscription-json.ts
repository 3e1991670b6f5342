import { type Static, Type } from 'typebox';
import type { SubscriptionRow } from '../core/rows.ts';
import { closed, iso, nullableText, oneOf, pageOf, time } from './schemas.ts';

export const Subscription = Type.Object(
  {
    id: Type.String({ description: 'Key of the subscription.' }),
    conference_id: Type.String({ description: 'The conference that is watched.' }),
    target: Type.String({ description: 'The URI that was subscribed to.' }),
    subscriber: Type.String({ description: 'Address of record of who watches.' }),
    event: Type.String({ description: 'The event package.' }),
    state: oneOf(['pending', 'active', 'terminated'], { description: 'RFC 6665’s state word.' }),
    expires_at: time({ description: 'When it ends unless refreshed.' }),
    last_version_sent: Type.Integer({ description: 'Version of the last document sent; -1 before the first.' }),
    role: oneOf(['notifier', 'forwarded'], { description: 'Whether we notify, or only pass on.' }),
    terminated_reason: nullableText({ description: 'Why it ended.' }),
  },
  {
    ...closed,
    $id: 'Subscription',
    description: 'Someone watching a conference’s roster.',
    examples: [
      {
        id: '01961f6e-0c00-7a44-9b1e-2f60d0b7a001',
        conference_id: '01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70',
        target: 'sip:h7Kx2mQ9sYpWd4Tz@127.0.0.1',
        subscriber: 'sip:alice@example.com',
        event: 'conference',
        state: 'active',
        expires_at: '2026-03-01T10:30:00.000Z',
        last_version_sent: 5,
        role: 'notifier',
        terminated_reason: null,
      },
    ],
  },
);

export const SubscriptionPage = pageOf('SubscriptionPage', Subscription);

/** The row as the API shows it; while it runs, with the version that it was sent since it was saved. */
export function subscriptionJson(
  row: SubscriptionRow,
  lastVersionSent = row.lastVersionSent,
): Static<typeof Subscription> {
  return {
    id: row.id,
    conference_id: row.conferenceId,
    target: row.target,
    subscriber: row.subscriber,
    event: row.event,
    state: row.state,
    expires_at: iso(row.expiresAt),
    last_version_sent: lastVersionSent,
    role: row.role,
    terminated_reason: row.terminatedReason,
  };
}
