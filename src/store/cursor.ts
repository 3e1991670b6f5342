import { BadCursor } from '../core/ports.ts';

/** Longest cursor that is looked at. Ours are under 200 octets. */
const cursorLengthMax = 1_000;

/**
 * A place in a list: the sort key and id of the last row shown, and which list in which order it belongs to. Rows that
 * come and go elsewhere do not move it.
 */
export type Place = { readonly key: number; readonly id: string };

/** `list` names the list with its order, so that a cursor of another one is noticed. */
export function writeCursor(list: string, place: Place): string {
  return Buffer.from(JSON.stringify([list, place.key, place.id])).toString('base64url');
}

/** The place in `cursor`. Throws BadCursor unless it is exactly one that `writeCursor` made for this list. */
export function readCursor(list: string, cursor: string): Place {
  const place = cursor.length <= cursorLengthMax ? placeIn(cursor) : undefined;
  if (place === undefined || writeCursor(list, place) !== cursor)
    throw new BadCursor('The cursor is not of this list.');
  return place;
}

function placeIn(cursor: string): Place | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [, key, id]: unknown[] = value;
  return typeof key === 'number' && Number.isSafeInteger(key) && typeof id === 'string' ? { key, id } : undefined;
}
