import type { Page, PageRequest } from '../core/ports.ts';
import { type Place, readCursor, writeCursor } from './cursor.ts';

/** One list in one order, as pages of it are asked for. */
export type Listing<Row> = {
  /** Name of the list with its order; cursors bear it. */
  readonly name: string;
  /** The greatest sort key a row can have; that of a time unless said. */
  readonly keyMax?: number;
  readonly placeOf: (row: Row) => Place;
  /** Up to `count` rows after `place`, in order. */
  readonly rowsAfter: (place: Place | null, count: number) => Promise<readonly Row[]>;
  readonly total: () => Promise<number>;
};

/** One page: one query, and one more when the total is asked for. Rejects with BadCursor. */
export async function pageOf<Row>(listing: Listing<Row>, request: PageRequest): Promise<Page<Row>> {
  const place = request.cursor === null ? null : readCursor(listing.name, request.cursor, listing.keyMax);
  // One row more than asked for tells whether there is a next page.
  const found = await listing.rowsAfter(place, request.limit + 1);
  const rows = found.slice(0, request.limit);
  const last = rows.at(-1);
  const more = found.length > rows.length && last !== undefined;
  return {
    rows,
    nextCursor: more ? writeCursor(listing.name, listing.placeOf(last)) : null,
    total: request.count ? await listing.total() : null,
  };
}
