import { type Static, Type } from 'typebox';
import type { AttemptRow } from '../core/rows.ts';
import { closed, iso, nullableText, pageOf, time } from './schemas.ts';

export const Attempt = Type.Object(
  {
    id: Type.String({ description: 'Key of the attempt.' }),
    node: Type.String({ description: 'The node it came to.' }),
    at: time({ description: 'When it came.' }),
    method: Type.String({ description: 'SIP method; `POST` for what was asked for over REST.' }),
    target: Type.String({ description: 'What was addressed.' }),
    caller: nullableText({ description: 'Who asked, as far as it was believed; `key:` and the id of an API key.' }),
    call_id: nullableText({ description: 'Call-ID of the request.' }),
    code: Type.String({ description: 'The stable word for why it was refused.' }),
    status: Type.Integer({ description: 'The status it was answered with.' }),
    reason: Type.String({ description: 'What exactly was wrong.' }),
    quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read it.' }),
    received: Type.String({ description: 'The request as it came, shortened, without credentials and passwords.' }),
  },
  {
    ...closed,
    $id: 'Attempt',
    description: 'A refused or failed creation, join or referral.',
    examples: [
      {
        id: '01961f6e-0d00-7b32-8a10-1d2c3b4a5f60',
        node: 'node-1',
        at: '2026-03-01T09:29:58.100Z',
        method: 'INVITE',
        target: 'sip:conf-fact@127.0.0.1',
        caller: 'sip:alice@example.com',
        call_id: '3848276298220188511@alice.example.com',
        code: 'bad-list',
        status: 400,
        reason: 'The resource list is not well-formed XML',
        quirks: [],
        received: 'INVITE sip:conf-fact@127.0.0.1 SIP/2.0',
      },
    ],
  },
);

export const AttemptPage = pageOf('AttemptPage', Attempt);

/** The row as the API shows it. */
export function attemptJson(row: AttemptRow): Static<typeof Attempt> {
  return {
    id: row.id,
    node: row.node,
    at: iso(row.at),
    method: row.method,
    target: row.target,
    caller: row.caller,
    call_id: row.callId,
    code: row.code,
    status: row.status,
    reason: row.reason,
    quirks: [...row.quirks],
    received: row.received,
  };
}
