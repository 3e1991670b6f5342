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

/** The last millisecond of the year 9999: no row has a greater key. */
const keyMaxOfAll = Date.UTC(10_000, 0) - 1;

/**
 * The place in `cursor`. Throws BadCursor unless it is one that `writeCursor` could have made for this list: its key
 * from 0 to `keyMax`, its id like ours, so that the database need not refuse it.
 */
export function readCursor(list: string, cursor: string, keyMax: number = keyMaxOfAll): Place {
  const place = cursor.length <= cursorLengthMax ? placeIn(cursor) : undefined;
  if (place === undefined || place.key < 0 || place.key > keyMax || writeCursor(list, place) !== cursor)
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
  return typeof key === 'number' && Number.isSafeInteger(key) && isId(id) ? { key, id } : undefined;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value);
}
