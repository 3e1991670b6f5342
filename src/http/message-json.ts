import { type Static, Type } from 'typebox';
import { limits } from '../core/limits.ts';
import type { DeliveryRow, MessageRow } from '../core/rows.ts';
import { closed, iso, named, nullableInteger, nullableText, oneOf, pageOf, rowId, time } from './schemas.ts';

const outcomes = ['delivered', 'failed', 'skipped', 'pending'] as const;

export const Delivery = Type.Object(
  {
    participant_id: nullableText({ description: 'Whose endpoint it is; null when that is forgotten.' }),
    uri: nullableText({ description: 'That participant as the roster names it.' }),
    endpoint_id: Type.String({ description: 'The endpoint, as the participant lists it.' }),
    outcome: oneOf(outcomes, {
      description:
        'It has the message; it does not; the message was not for it, as it takes no such content, or is on hold; or a notice is on its way to it (for good, where the service ended before it was told).',
    }),
    status: nullableInteger({ description: 'The MSRP status that told it, if one did.' }),
    reason: nullableText({ description: 'Why it does not have the message.' }),
  },
  {
    ...closed,
    $id: 'Delivery',
    description: 'What became of a message at one endpoint.',
    examples: [
      {
        participant_id: '01961f6e-0b1d-7000-8000-000000000002',
        uri: 'sip:bob@example.com',
        endpoint_id: '01961f6e-0b1d-7000-8000-000000000003',
        outcome: 'failed',
        status: 408,
        reason: 'no answer',
      },
    ],
  },
);

const count = (what: string) => Type.Integer({ description: `Endpoints that ${what}.` });

const fields = {
  id: Type.String({ description: 'Key of the message in this API.' }),
  conference_id: Type.String({ description: 'The conference it was sent in.' }),
  message_id: Type.String({ description: 'Its Message-ID, as the sender gave it.' }),
  from: Type.String({ description: 'The sender as the roster names it; the conference URI for what the focus says.' }),
  to: Type.Unsafe<string[] | null>({
    type: ['array', 'null'],
    items: { type: 'string' },
    description: 'Those it was for as the roster names them; null: everybody.',
  }),
  content_type: Type.String({ description: 'Media type of the content.' }),
  size: Type.Integer({
    description: 'Octets, those of the message/cpim around it included; of a notice that is on its way, of its text.',
  }),
  sent_at: time({ description: 'When it was sent.' }),
  expires_at: time({ description: 'Until when it is read here; it is erased soon after.' }),
  delivered: count('have it'),
  failed: count('do not'),
  skipped: count('take no such content, or are on hold'),
  pending: count('may have it or not: a notice is on its way to them'),
  content: Type.Optional(
    nullableText({
      description:
        'What it says; only with the scope `messages:read_content`. Null unless the policy keeps it, and it is text of bounded length.',
    }),
  ),
};

const example = {
  id: '01961f6e-0f11-7000-8000-000000000009',
  conference_id: '01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70',
  message_id: '87652491',
  from: 'sip:alice@example.com',
  to: null,
  content_type: 'text/plain',
  size: 324,
  sent_at: '2026-03-01T09:31:00.000Z',
  expires_at: '2026-03-31T09:31:00.000Z',
  delivered: 2,
  failed: 1,
  skipped: 0,
  pending: 0,
};

export const Message = Type.Object(fields, {
  ...closed,
  $id: 'Message',
  description: 'A message in a conference that keeps its history.',
  examples: [example],
});

export const MessagePage = pageOf('MessagePage', Message);

export const MessageDetails = Type.Object(
  {
    ...fields,
    deliveries: Type.Optional(
      Type.Array(named(Delivery), {
        description: 'One for each endpoint it was for; empty: nobody was there. Only with the scope `messages:read`.',
      }),
    ),
  },
  {
    ...closed,
    $id: 'MessageDetails',
    description: 'A message, and what became of it at each endpoint.',
    examples: [{ ...example, deliveries: [] }],
  },
);

export const NewNotice = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      maxLength: limits.noticeCharactersMax,
      pattern: '^(?:[^\\p{Cc}\\p{Cs}]|[\\t\\n\\r])*$',
      description: 'What is said.',
    }),
    content_type: Type.Optional(
      Type.String({
        pattern: '^text/[a-z0-9][a-z0-9.+-]{0,60}$',
        description: 'Media type of the text; `text/plain` unless said.',
      }),
    ),
    participants: Type.Optional(
      Type.Array(rowId('A participant.'), {
        minItems: 1,
        maxItems: limits.participantsPerConferenceMax,
        description: 'For whom it is, by their ids; for everybody unless said.',
      }),
    ),
  },
  { ...closed, description: 'What the focus shall say.', examples: [{ text: 'The line will be down at noon.' }] },
);

/** What of a message a key may see. */
export type Seeing = { readonly content: boolean; readonly deliveries: boolean };

/** The row as lists show it. */
export function messageJson(row: MessageRow, { content }: Pick<Seeing, 'content'>): Static<typeof Message> {
  return {
    id: row.id,
    conference_id: row.conferenceId,
    message_id: row.messageId,
    from: row.from,
    to: row.to === null ? null : [...row.to],
    content_type: row.contentType,
    size: row.size,
    sent_at: iso(row.sentAt),
    expires_at: iso(row.expiresAt),
    delivered: number(row, 'delivered'),
    failed: number(row, 'failed'),
    skipped: number(row, 'skipped'),
    pending: number(row, 'pending'),
    ...(content ? { content: row.content } : {}),
  };
}

/** The row with each delivery, which tell who is in the conference. */
export function messageDetailsJson(row: MessageRow, seeing: Seeing): Static<typeof MessageDetails> {
  const shown = messageJson(row, seeing);
  return seeing.deliveries ? { ...shown, deliveries: row.deliveries.map(deliveryJson) } : shown;
}

function number({ deliveries }: MessageRow, outcome: DeliveryRow['outcome']): number {
  return deliveries.filter((delivery) => delivery.outcome === outcome).length;
}

function deliveryJson(row: DeliveryRow): Static<typeof Delivery> {
  return {
    participant_id: row.participantId,
    uri: row.uri,
    endpoint_id: row.endpointId,
    outcome: row.outcome,
    status: row.status,
    reason: row.reason,
  };
}
