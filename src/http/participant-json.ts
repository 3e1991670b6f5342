import { type Static, Type } from 'typebox';
import type { Disconnection, EndpointRow, ParticipantRow } from '../core/rows.ts';
import { causeJson, DialAttempt, dialAttemptJson, replacesJson, replacesShown, sipCause } from './dial-json.ts';
import { listEntryFields, listEntryJson } from './list-entry-json.ts';
import {
  closed,
  isoOrNull,
  named,
  nullableInteger,
  nullableObject,
  nullableText,
  nullableTime,
  oneOf,
  pageOf,
} from './schemas.ts';

// RFC 4575 5.7: the status words of an endpoint.
const statuses = [
  'pending',
  'dialing-out',
  'dialing-in',
  'alerting',
  'on-hold',
  'connected',
  'muted-via-focus',
  'disconnecting',
  'disconnected',
] as const;
const joiningMethods = ['dialed-in', 'dialed-out', 'focus-owner'] as const;
export const roles = ['chair', 'participant', 'observer'] as const;

const disconnection = nullableObject(
  {
    method: oneOf(['departed', 'booted', 'failed', 'busy'], { description: 'RFC 4575’s word for how it ended.' }),
    sip_status: nullableInteger({ description: 'The SIP status, when one ended it.' }),
    reason: nullableText({ description: 'The reason in words.' }),
  },
  { description: 'How the participation ended; null while it lasts.' },
);

export const Endpoint = Type.Object(
  {
    id: Type.String({ description: 'Key of the endpoint.' }),
    entity: Type.String({ description: 'Its key in the roster.' }),
    contact: nullableText({ description: 'Contact URI, once known.' }),
    call_id: Type.String({ description: 'Call-ID of its dialog.' }),
    status: oneOf(statuses, { description: 'RFC 4575’s status word.' }),
    joining_method: oneOf(joiningMethods, { description: 'How it joined.' }),
    referred_by: nullableText({ description: 'Who asked for it.' }),
    joined_at: nullableTime({ description: 'When it was connected.' }),
    left_at: nullableTime({ description: 'When it was gone.' }),
    disconnection,
    media: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          type: Type.String({ description: 'SDP media name; `message` is MSRP.' }),
          status: oneOf(['sendrecv', 'sendonly', 'recvonly', 'inactive'], {
            description: 'Direction, seen from the participant.',
          }),
        },
        closed,
      ),
      { description: 'One entry per media line.' },
    ),
    session_timer: nullableObject(
      {
        expires: Type.Integer({ description: 'Seconds it lives without a refresh.' }),
        refresher: oneOf(['focus', 'peer'], { description: 'Who refreshes it.' }),
      },
      { description: 'The session timer (RFC 4028) that was agreed on; null: the session does not expire.' },
    ),
    languages: Type.Array(Type.String(), {
      description: 'Languages read there, as its Accept-Language has them, the best first.',
    }),
    associated_aors: Type.Array(Type.String(), {
      description: 'Further addresses of record of the user, e.g. a tel URI, as a trusted peer asserted them.',
    }),
    origin: Type.Object(
      {
        by: oneOf(['invite', 'list', 'group', 'refer', 'rest'], { description: 'What brought it in.' }),
        received: nullableText({ description: 'What came for it, shortened; null when nothing is known of that.' }),
        quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read that.' }),
      },
      { ...closed, description: 'The request that it is there for.' },
    ),
  },
  { ...closed, $id: 'Endpoint', description: 'One dialog of a participant with the focus.' },
);

export const Participant = Type.Object(
  {
    id: Type.String({ description: 'Key of the participant in this API.' }),
    conference_id: Type.String({ description: 'The conference it belongs to.' }),
    uri: Type.String({ description: 'Address of record; the roster’s entity.' }),
    display_name: nullableText({ description: 'Name for people to read.' }),
    nickname: nullableText({ description: 'Nickname in the chat.' }),
    private: Type.Boolean({ description: 'It asked for privacy: watchers see an anonymous user.' }),
    role: oneOf(roles, { description: 'What it may do.' }),
    status: oneOf(statuses, { description: 'RFC 4575’s status word, over all endpoints.' }),
    joining_method: oneOf(joiningMethods, { description: 'How it joined.' }),
    referred_by: nullableText({ description: 'Who asked for it.' }),
    replaces: replacesShown('The dialog its invitation was to take over.'),
    muted: Type.Boolean({ description: 'Its messages are not passed on.' }),
    joined_at: nullableTime({ description: 'When it was first connected.' }),
    left_at: nullableTime({ description: 'When it left.' }),
    disconnection,
    in_roster: Type.Boolean({ description: 'Whether watchers still see it; who left is kept here longer.' }),
    endpoints: Type.Array(named(Endpoint), { description: 'Its dialogs with the focus.' }),
    list_entry: nullableObject(listEntryFields, {
      description: 'The entry of the recipient list, and how it was read.',
    }),
    attempts: Type.Array(DialAttempt, { description: 'Every INVITE that was sent for it, in order.' }),
    last_error: sipCause('The last thing that went wrong for it.'),
  },
  {
    ...closed,
    $id: 'Participant',
    description: 'One user in a conference.',
    examples: [
      {
        id: '01961f6e-0b2a-7d11-8c02-5b1f0a7c9e11',
        conference_id: '01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70',
        uri: 'sip:bob@example.com',
        display_name: 'Bob',
        nickname: null,
        private: false,
        role: 'participant',
        status: 'connected',
        joining_method: 'dialed-out',
        referred_by: 'sip:alice@example.com',
        replaces: { call_id: 'a84b4c76e66710', to_tag: '314159', from_tag: '1928301774', early_only: false },
        muted: false,
        joined_at: '2026-03-01T09:30:01.250Z',
        left_at: null,
        disconnection: null,
        in_roster: true,
        endpoints: [
          {
            id: '01961f6e-0b2a-7d11-8c02-5b1f0a7c9e12',
            entity: 'sip:bob@192.0.2.17:5060',
            contact: 'sip:bob@192.0.2.17:5060',
            call_id: 'f81d4fae-7dec-11d0-a765',
            status: 'connected',
            joining_method: 'dialed-out',
            referred_by: 'sip:alice@example.com',
            joined_at: '2026-03-01T09:30:01.250Z',
            left_at: null,
            disconnection: null,
            media: [{ id: '1', type: 'message', status: 'sendrecv' }],
            session_timer: { expires: 1800, refresher: 'focus' },
            languages: ['en-GB', 'en'],
            associated_aors: ['tel:+14085264000'],
            origin: { by: 'list', received: 'sip:bob@example.com', quirks: [] },
          },
        ],
        list_entry: {
          raw: 'sip:bob@example.com',
          uri: 'sip:bob@example.com',
          quirks: [],
          position: 0,
          copy_control: 'to',
          anonymize: false,
          ignored_headers: [],
        },
        attempts: [
          {
            endpoint_id: '01961f6e-0b2a-7d11-8c02-5b1f0a7c9e12',
            at: '2026-03-01T09:30:00.020Z',
            replaces: { call_id: 'a84b4c76e66710', to_tag: '314159', from_tag: '1928301774', early_only: false },
            change: null,
            outcome: { status: 200, reason: 'OK' },
            ended_at: '2026-03-01T09:30:01.250Z',
            duration_ms: 1230,
            reason_header: null,
          },
        ],
        last_error: null,
      },
    ],
  },
);

export const ParticipantPage = pageOf('ParticipantPage', Participant);

/** The row as the API shows it: every attempt and every cause in full, since that is what a support desk asks for. */
export function participantJson(row: ParticipantRow): Static<typeof Participant> {
  return {
    id: row.id,
    conference_id: row.conferenceId,
    uri: row.uri,
    display_name: row.displayName,
    nickname: row.nickname,
    private: row.private,
    role: row.role,
    status: row.status,
    joining_method: row.joiningMethod,
    referred_by: row.referredBy,
    replaces: replacesJson(row.replaces),
    muted: row.muted,
    joined_at: isoOrNull(row.joinedAt),
    left_at: isoOrNull(row.leftAt),
    disconnection: disconnectionJson(row.disconnection),
    in_roster: row.inRoster,
    endpoints: row.endpoints.map(endpointJson),
    list_entry: row.listEntry === null ? null : listEntryJson(row.listEntry),
    attempts: row.attempts.map(dialAttemptJson),
    last_error: causeJson(row.lastError),
  };
}

function endpointJson(row: EndpointRow): Static<typeof Endpoint> {
  return {
    id: row.id,
    entity: row.entity,
    contact: row.contact,
    call_id: row.callId,
    status: row.status,
    joining_method: row.joiningMethod,
    referred_by: row.referredBy,
    joined_at: isoOrNull(row.joinedAt),
    left_at: isoOrNull(row.leftAt),
    disconnection: disconnectionJson(row.disconnection),
    media: row.media.map((line) => ({ id: line.id, type: line.type, status: line.status })),
    session_timer:
      row.sessionTimer === null ? null : { expires: row.sessionTimer.expires, refresher: row.sessionTimer.refresher },
    languages: [...(row.languages ?? [])],
    associated_aors: [...(row.associatedAors ?? [])],
    origin: { by: row.origin.by, received: row.origin.received, quirks: [...row.origin.quirks] },
  };
}

function disconnectionJson(value: Disconnection | null) {
  return value === null ? null : { method: value.method, sip_status: value.sipStatus, reason: value.reason };
}
