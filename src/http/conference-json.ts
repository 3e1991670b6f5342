import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { ConferenceRow } from '../core/rows.ts';
import { Policy, policyJson, usualChatJson } from './policy-json.ts';
import {
  closed,
  iso,
  isoOrNull,
  named,
  nullableInteger,
  nullableOneOf,
  nullableText,
  nullableTime,
  oneOf,
  pageOf,
  printable,
  shownLabels,
  time,
} from './schemas.ts';

export const conferenceStatuses = ['creating', 'active', 'ending', 'ended'] as const;
export const conferenceKinds = ['ad_hoc', 'pre_arranged'] as const;
const endReasons = ['creator-left', 'last-left', 'idle', 'operator', 'restarted', 'cancelled', 'error'] as const;

export const Conference = Type.Object(
  {
    id: Type.String({ description: 'Key of the conference in this API.' }),
    uri: Type.String({ description: 'The conference URI: dial it to join, subscribe to it to watch.' }),
    factory_uri: nullableText({ description: 'The factory URI that was called to make it.' }),
    kind: oneOf(conferenceKinds, { description: 'Made on the spot, or from a standing group.' }),
    group_id: nullableText({ description: 'The group it belongs to.' }),
    status: oneOf(conferenceStatuses, { description: 'Where it is in its life.' }),
    subject: nullableText({ description: 'Subject, as the creator gave it.' }),
    locked: Type.Boolean({ description: 'Nobody new may join while locked.' }),
    max_participants: nullableInteger({ description: 'Bound on participants; null: the service’s own.' }),
    policy: named(Policy),
    created_by: Type.String({ description: 'Address of record of the creator, or `key:` and the id of an API key.' }),
    created_at: time({ description: 'When the creating request came.' }),
    activated_at: nullableTime({ description: 'When it became active, as a rule when it was made.' }),
    ended_at: nullableTime({ description: 'When it ended.' }),
    end_reason: nullableOneOf(endReasons, { description: 'Why it ended.' }),
    ended_by: nullableText({ description: 'Who ended it: an address of record, or `key:` and the id of an API key.' }),
    participant_count: Type.Integer({ description: 'Participants connected now.' }),
    peak_participants: Type.Integer({ description: 'The most that were ever connected at once.' }),
    message_count: Type.Integer({ description: 'Messages switched so far.' }),
    version: Type.Integer({ description: 'Version of the roster; rises by one with each change.' }),
    seq: Type.Integer({ description: 'Number of the last event in the conference’s log.' }),
    node: Type.String({ description: 'The node it runs, or ran, on.' }),
    labels: shownLabels,
  },
  {
    ...closed,
    $id: 'Conference',
    description: 'A conference, live or ended.',
    examples: [
      {
        id: '01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70',
        uri: 'sip:h7Kx2mQ9sYpWd4Tz@127.0.0.1',
        factory_uri: 'sip:conf-fact@127.0.0.1',
        kind: 'ad_hoc',
        group_id: null,
        status: 'active',
        subject: null,
        locked: false,
        max_participants: null,
        policy: {
          end: 'creator-leaves',
          idle_seconds: 300,
          join: 'anyone',
          subscribe: 'participants',
          invite: 'participants',
          ...usualChatJson,
        },
        created_by: 'sip:alice@example.com',
        created_at: '2026-03-01T09:30:00.000Z',
        activated_at: '2026-03-01T09:30:00.012Z',
        ended_at: null,
        end_reason: null,
        ended_by: null,
        participant_count: 3,
        peak_participants: 3,
        message_count: 12,
        version: 5,
        seq: 9,
        node: 'node-1',
        labels: {},
      },
    ],
  },
);

export const ConferencePage = pageOf('ConferencePage', Conference);

export const EndConference = Type.Object(
  {
    reason: Type.Optional(
      printable({ maxLength: 200, description: 'A word for the participants; goes out with each BYE.' }),
    ),
  },
  { ...closed, description: 'How to end it.', examples: [{ reason: 'maintenance' }] },
);

/** The row as the API shows it. */
export function conferenceJson(row: ConferenceRow): Static<typeof Conference> {
  return {
    id: row.id,
    uri: row.uri,
    factory_uri: row.factoryUri,
    kind: row.kind,
    group_id: row.groupId,
    status: row.status,
    subject: row.subject,
    locked: row.locked,
    max_participants: row.maxParticipants,
    policy: policyJson(row.policy),
    created_by: row.createdBy,
    created_at: iso(row.createdAt),
    activated_at: isoOrNull(row.activatedAt),
    ended_at: isoOrNull(row.endedAt),
    end_reason: row.endReason,
    ended_by: row.endedBy,
    participant_count: row.participantCount,
    peak_participants: row.peakParticipants,
    message_count: row.messageCount,
    version: row.version,
    seq: row.seq,
    node: row.node,
    labels: { ...row.labels },
  };
}

/**
 * The tag of a conference's state: the version of its roster, and what else may change. Messages do not change it, although
 * they are counted and stand in its log: a change would otherwise have to wait for silence.
 */
export function conferenceTag({ version, status, labels }: ConferenceState): string {
  // The store gives labels in an order of its own.
  const beside = JSON.stringify([status, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return `"${version}.${createHash('sha256').update(beside).digest('hex').slice(0, 8)}"`;
}

type ConferenceState = Pick<ConferenceRow, 'version' | 'status' | 'labels'>;
