import { type Static, Type } from 'typebox';
import type {
  DialAttemptRow,
  Disconnection,
  EndpointRow,
  ListEntryRow,
  ParticipantRow,
  ReplacesValue,
  SipCause,
} from '../core/rows.ts';
import {
  closed,
  iso,
  isoOrNull,
  named,
  nullableInteger,
  nullableObject,
  nullableText,
  nullableTime,
  oneOf,
  pageOf,
  time,
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

const sipCause = (description: string) =>
  nullableObject(
    {
      status: Type.Integer({ description: 'SIP status.' }),
      reason: Type.String({ description: 'Its reason phrase.' }),
    },
    { description },
  );

const replaces = (description: string) =>
  nullableObject(
    {
      call_id: Type.String(),
      to_tag: Type.String(),
      from_tag: Type.String(),
      early_only: Type.Boolean(),
    },
    { description },
  );

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
    replaces: replaces('The dialog its invitation was to take over.'),
    muted: Type.Boolean({ description: 'Its messages are not passed on.' }),
    joined_at: nullableTime({ description: 'When it was first connected.' }),
    left_at: nullableTime({ description: 'When it left.' }),
    disconnection,
    in_roster: Type.Boolean({ description: 'Whether watchers still see it; who left is kept here longer.' }),
    endpoints: Type.Array(named(Endpoint), { description: 'Its dialogs with the focus.' }),
    list_entry: nullableObject(
      {
        raw: Type.String({ description: 'The URI as it arrived.' }),
        uri: nullableText({ description: 'The URI that was dialled; null when it could not be read.' }),
        quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read it.' }),
        position: Type.Integer({ description: 'Place in the list, from 0.' }),
      },
      { description: 'The entry of the recipient list, and how it was read.' },
    ),
    attempts: Type.Array(
      Type.Object(
        {
          at: time({ description: 'When the INVITE went out.' }),
          replaces: replaces('The Replaces it bore.'),
          outcome: sipCause('The final answer; null while there is none.'),
        },
        closed,
      ),
      { description: 'Every INVITE that was sent for it, in order.' },
    ),
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
          },
        ],
        list_entry: { raw: 'sip:bob@example.com', uri: 'sip:bob@example.com', quirks: [], position: 0 },
        attempts: [
          {
            at: '2026-03-01T09:30:00.020Z',
            replaces: { call_id: 'a84b4c76e66710', to_tag: '314159', from_tag: '1928301774', early_only: false },
            outcome: { status: 200, reason: 'OK' },
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
    list_entry: listEntryJson(row.listEntry),
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
  };
}

function dialAttemptJson(row: DialAttemptRow) {
  return { at: iso(row.at), replaces: replacesJson(row.replaces), outcome: causeJson(row.outcome) };
}

function listEntryJson(row: ListEntryRow | null) {
  return row === null ? null : { raw: row.raw, uri: row.uri, quirks: [...row.quirks], position: row.position };
}

function replacesJson(value: ReplacesValue | null) {
  if (value === null) return null;
  return { call_id: value.callId, to_tag: value.toTag, from_tag: value.fromTag, early_only: value.earlyOnly };
}

function disconnectionJson(value: Disconnection | null) {
  return value === null ? null : { method: value.method, sip_status: value.sipStatus, reason: value.reason };
}

function causeJson(cause: SipCause | null) {
  return cause === null ? null : { status: cause.status, reason: cause.reason };
}
