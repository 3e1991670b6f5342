import { Type } from 'typebox';
import { Refused } from './problem.ts';

/** The header by which a change is asked for only if nobody else has changed the thing meanwhile. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ maxLength: 1024, description: '`ETag` of what you have read: 412 when it has changed since.' }),
  ),
});

export type Conditional = { readonly 'if-match'?: string };

/** What an answer's ETag is for, in the document. */
export const etagHeader = {
  etag: { type: 'string', description: 'Tells this state from others; send it as `If-Match` with a change.' },
} as const;

/** Throws a refusal when the request wants another state than `etag` names (RFC 9110 13.1.1). */
export function assureMatch(headers: Conditional, etag: string): void {
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted.trim() === '*') return;
  // RFC 9110 8.8.3.2: compared strongly, by which a weak tag matches nothing.
  const tags: readonly string[] = wanted.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
  if (!tags.includes(etag)) throw new Refused({ code: 'changed-meanwhile', detail: `It is ${etag} now` });
}
