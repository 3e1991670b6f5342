import { type Static, Type } from 'typebox';
import type { UserRow } from '../core/rows.ts';
import { closed, iso, nullablePrintable, nullableText, pageOf, printable, time } from './schemas.ts';

const displayName = nullablePrintable({ maxLength: 200, description: 'Name for people to read.' });
const barred = Type.Boolean({ description: 'May neither make conferences nor join them.' });
const mayCreate = Type.Boolean({ description: 'May make conferences.' });
const consents = Type.Boolean({
  description: 'Has agreed to be invited by the lists of others (RFC 5360); asked for only with `CONSENT=on`.',
});
const password = (type: 'string' | readonly ['string', 'null'], description: string) =>
  Type.Unsafe<string | null>({ ...printable({ minLength: 1, maxLength: 128, description }), type, writeOnly: true });

export const User = Type.Object(
  {
    uri: Type.String({ description: 'Address of record; the key of the user in this API.' }),
    display_name: nullableText({ description: 'Name for people to read.' }),
    has_password: Type.Boolean({
      description: 'Whether the user can show by digest who it is. A password holds for the realm it was set in.',
    }),
    barred,
    may_create: mayCreate,
    consents,
    created_at: time({ description: 'When it was defined.' }),
    updated_at: time({ description: 'When it was last changed.' }),
    revision: Type.Integer({ description: 'Rises by one with each change; also its `ETag`.' }),
  },
  {
    ...closed,
    $id: 'User',
    description: 'What the operator says of one user, here or elsewhere. Who is not listed is a user like any other.',
    examples: [
      {
        uri: 'sip:alice@example.com',
        display_name: 'Alice',
        has_password: true,
        barred: false,
        may_create: true,
        consents: true,
        created_at: '2026-03-01T09:00:00.000Z',
        updated_at: '2026-03-01T09:00:00.000Z',
        revision: 1,
      },
    ],
  },
);

export const UserPage = pageOf('UserPage', User);

export const NewUser = Type.Object(
  {
    uri: printable({ minLength: 1, maxLength: 1024, description: 'The user: a sip:, sips: or tel: URI.' }),
    display_name: Type.Optional(displayName),
    password: Type.Optional(
      password('string', 'For digest. Only hashes of it are kept, and nothing of it is ever shown.'),
    ),
    barred: Type.Optional(barred),
    may_create: Type.Optional(mayCreate),
    consents: Type.Optional(consents),
  },
  {
    ...closed,
    description: 'A user; not barred, may make conferences, and has agreed to nothing, unless said.',
    examples: [{ uri: 'sip:alice@example.com', display_name: 'Alice', password: 'correct horse battery staple' }],
  },
);

export const UserChange = Type.Object(
  {
    display_name: Type.Optional(displayName),
    password: Type.Optional(password(['string', 'null'], 'Another password; null takes it away.')),
    barred: Type.Optional(barred),
    may_create: Type.Optional(mayCreate),
    consents: Type.Optional(consents),
  },
  { ...closed, minProperties: 1, description: 'What is absent stays.', examples: [{ barred: true }] },
);

/** The row as the API shows it; `realm`: that of our challenges, in which alone its secrets are good for anything. */
export function userJson(row: UserRow, realm: string): Static<typeof User> {
  return {
    uri: row.uri,
    display_name: row.displayName,
    has_password: row.secrets?.realm === realm,
    barred: row.barred,
    may_create: row.mayCreate,
    consents: row.consents,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    revision: row.revision,
  };
}
