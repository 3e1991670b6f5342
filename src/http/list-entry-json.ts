import { type Static, Type } from 'typebox';
import type { ListEntryRow } from '../core/rows.ts';
import { nullableText, oneOf } from './schemas.ts';

/** The fields of a list's entry and of how it was read. */
export const listEntryFields = {
  raw: Type.String({ description: 'The URI as it arrived, but for a password.' }),
  uri: nullableText({ description: 'The URI that is dialled; null when it could not be read.' }),
  quirks: Type.Array(Type.String(), { description: 'Quirks that were needed to read it.' }),
  position: Type.Integer({ description: 'Place in the list, from 0.' }),
  copy_control: oneOf(['to', 'cc', 'bcc'], { description: 'Whether the others may learn of it (RFC 5364).' }),
  anonymize: Type.Boolean({ description: 'The others learn that there is somebody, not who.' }),
  ignored_headers: Type.Array(Type.String(), { description: 'Headers of the URI that were not heeded.' }),
};

const ListEntry = Type.Object(listEntryFields);

/** The entry as the API shows it. */
export function listEntryJson(row: ListEntryRow): Static<typeof ListEntry> {
  return {
    raw: row.raw,
    uri: row.uri,
    quirks: [...row.quirks],
    position: row.position,
    copy_control: row.copyControl,
    anonymize: row.anonymize,
    ignored_headers: [...row.ignoredHeaders],
  };
}
