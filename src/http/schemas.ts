import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { limits } from '../core/limits.ts';
import type { Instant } from '../core/rows.ts';
import { httpLimits } from './http-limits.ts';

/**
 * The words all schemas of the API are made of. Nullable things are written as a type list, not as `anyOf`: the
 * serializer then branches on the value's type instead of validating it.
 */

type Notes = { readonly description: string; readonly examples?: readonly unknown[] };

/** A reference to a schema with an `$id`: typed as that schema, written as `$ref`, shown as a named component. */
export function named<T extends TSchema>(schema: T) {
  if (!('$id' in schema)) throw new TypeError('only a schema with an $id can be referred to');
  return Type.Unsafe<Static<T>>({ $ref: `${String(schema.$id)}#` });
}

/** Text or null. */
export function nullableText(notes: Notes) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...notes });
}

/** A whole number or null. */
export function nullableInteger(notes: Notes) {
  return Type.Unsafe<number | null>({ type: ['integer', 'null'], ...notes });
}

/** One of `words`, typed as their union. */
export function oneOf<const Word extends string>(words: readonly Word[], notes: Notes) {
  return Type.Unsafe<Word>({ type: 'string', enum: [...words], ...notes });
}

/** One of `words` or null. */
export function nullableOneOf<const Word extends string>(words: readonly Word[], notes: Notes) {
  return Type.Unsafe<Word | null>({ type: ['string', 'null'], enum: [...words, null], ...notes });
}

/** A moment as `iso` writes it (RFC 3339, UTC). */
export function time(notes: Notes) {
  return Type.String({ format: 'date-time', examples: ['2026-03-01T09:30:00.000Z'], ...notes });
}

/** A moment, or null while it has not come. */
export function nullableTime(notes: Notes) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', ...notes });
}

/** An object that may be null: all properties of it are there when it is not. */
export function nullableObject<T extends TProperties>(properties: T, notes: Notes) {
  const object = Type.Object(properties, closed);
  return Type.Unsafe<Static<typeof object> | null>({ ...object, type: ['object', 'null'], ...notes });
}

/** No property but the named ones: a misspelt word is an error, not a silent nothing. */
export const closed = { additionalProperties: false } as const;

/**
 * Text without control characters, lone surrogates and the two code points XML cannot hold: what passes here may go
 * into SIP headers, into the roster and into the database.
 */
export const printablePattern = '^[^\\p{Cc}\\p{Cs}\\uFFFE\\uFFFF]*$';

/** Text of `printablePattern`; lengths in characters. */
export function printable(options: { maxLength: number; minLength?: number } & Notes) {
  return Type.String({ pattern: printablePattern, ...options });
}

/** Text of `printablePattern`, or null. */
export function nullablePrintable(options: { maxLength: number } & Notes) {
  return Type.Unsafe<string | null>({ ...printable(options), type: ['string', 'null'] });
}

/** What people read, as a body gives it. */
export const personName = printable({ maxLength: 200, description: 'Name for people to read.' });
export const subject = nullablePrintable({ maxLength: 200, description: 'What it is about.' });

/** Bound on participants, as a body gives it. */
export const maxParticipants = Type.Unsafe<number | null>({
  type: ['integer', 'null'],
  minimum: 1,
  maximum: limits.participantsPerConferenceMax,
  description: 'Bound on participants; null: the service’s own.',
});

const aboutLabels = 'Labels of the operator’s own.';

/** Labels as they are shown, and as a body gives them. */
export const shownLabels = Type.Record(Type.String(), Type.String(), { description: aboutLabels });
export const labels = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: 20,
  propertyNames: { minLength: 1, maxLength: 64, pattern: printablePattern },
  additionalProperties: printable({ maxLength: 200, description: 'What it says.' }),
  description: aboutLabels,
});

/** A query parameter that names somebody. */
export function uriFilter(description: string) {
  return Type.Optional(printable({ minLength: 1, maxLength: 1024, description }));
}

/** A key of a row. */
export function rowId(description: string) {
  return Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: '^[A-Za-z0-9._-]+$',
    description,
    examples: ['01961f6e-0b1c-7c3a-9d54-3a5f3c1e8b70'],
  });
}

export const ConferencePath = Type.Object({ id: rowId('The conference.') }, closed);

export const ParticipantPath = Type.Object(
  { id: rowId('The conference.'), pid: rowId('The participant, within this conference.') },
  closed,
);

export const ReferralPath = Type.Object(
  { id: rowId('The conference.'), rid: rowId('The referral, within this conference.') },
  closed,
);

export const MessagePath = Type.Object(
  { id: rowId('The conference.'), mid: rowId('The message, within this conference.') },
  closed,
);

export const GroupPath = Type.Object({ id: rowId('The group.') }, closed);

/** An address of record as a part of a path. */
export function uriPart(description: string) {
  return printable({ minLength: 1, maxLength: 1024, description, examples: ['sip%3Aalice%40example.com'] });
}

export const MemberPath = Type.Object(
  { id: rowId('The group.'), uri: uriPart('The member’s address of record, percent-encoded.') },
  closed,
);

/** The query parameters every list takes. */
export const pageQuery = {
  limit: Type.Integer({
    minimum: 1,
    maximum: httpLimits.pageRowsMax,
    default: httpLimits.pageRowsDefault,
    description: 'How many rows at most.',
  }),
  cursor: Type.Optional(
    Type.String({
      maxLength: 1024,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'Where to go on: `next_cursor` of the page before, as it came.',
    }),
  ),
  count: Type.Optional(
    oneOf(['exact'], { description: '`exact` adds the total to the answer; it costs a further query.' }),
  ),
};

export const PageQuery = Type.Object(pageQuery, closed);

/** The query of a list of what the operator has defined. */
export const DefinitionQuery = Type.Object(
  {
    ...pageQuery,
    q: Type.Optional(
      printable({ minLength: 1, maxLength: 200, description: 'Only those whose URI or name has this in it.' }),
    ),
  },
  closed,
);

/** For routes that take no query: a parameter that would do nothing is an error rather than a false hope. */
export const NoQuery = Type.Object({}, closed);

export const PageInfo = Type.Object(
  {
    next_cursor: nullableText({ description: 'Cursor of the next page; null on the last one.' }),
    limit: Type.Integer({ description: 'The limit that was used.' }),
    total: Type.Optional(Type.Integer({ description: 'How many rows there are in all; only with `count=exact`.' })),
  },
  { ...closed, $id: 'PageInfo', description: 'Where this page stands in its list.' },
);

/** One page of a list of `item`, as a named component. */
export function pageOf<T extends TSchema>(id: string, item: T) {
  return Type.Object(
    { data: Type.Array(named(item)), page: named(PageInfo) },
    { ...closed, $id: id, description: 'One page of a list.' },
  );
}

/** A response of JSON: its own description, and a named component as its schema. */
export function jsonResponse(description: string, schema: TSchema) {
  return { description, content: { 'application/json': { schema: named(schema) } } };
}

/** The header of an answer that says where to read what it is about. */
export function locationHeader(what: string) {
  return { location: { type: 'string', description: `Where to read ${what}.` } } as const;
}

/** RFC 3339 in UTC with milliseconds, from milliseconds since 1970. */
export function iso(instant: Instant): string {
  return new Date(instant).toISOString();
}

/** `iso`, and null for null. */
export function isoOrNull(instant: Instant | null): string | null {
  return instant === null ? null : iso(instant);
}
