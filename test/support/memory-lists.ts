import type { Page, PageRequest } from '../../src/core/ports.ts';
import type { Place } from '../../src/store/cursor.ts';
import { type Listing, pageOf } from '../../src/store/paging.ts';

type Ordered<Row> = Pick<Listing<Row>, 'name' | 'keyMax' | 'placeOf'> & { readonly descending: boolean };

/** A page of rows in memory, with the cursors of a database's list. */
export function inOrder<Row>(rows: readonly Row[], ordered: Ordered<Row>, request: PageRequest): Promise<Page<Row>> {
  const { descending, ...listing } = ordered;
  const { placeOf } = listing;
  const sign = descending ? -1 : 1;
  const order = (a: Place, b: Place) => sign * (a.key - b.key || compare(a.id, b.id));
  const sorted = [...rows].sort((a, b) => order(placeOf(a), placeOf(b)));
  const rowsAfter = async (place: Place | null, count: number) =>
    sorted.filter((row) => place === null || order(placeOf(row), place) > 0).slice(0, count);
  return pageOf({ ...listing, rowsAfter, total: async () => rows.length }, request);
}

/** As the database sorts ids. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
