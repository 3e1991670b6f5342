import type { Page, PageRequest } from '../core/ports.ts';
import type { HttpOptions } from './http-options.ts';

/** The query of a list, as its schema leaves it. */
export type PageParameters = { readonly limit: number; readonly cursor?: string; readonly count?: 'exact' };

/** The page that a query asks for. */
export function pageRequest(query: PageParameters): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null, count: query.count === 'exact' };
}

/** A page as the API shows it, each row by `json`. */
export function pageJson<Row, Json>(page: Page<Row>, limit: number, json: (row: Row) => Json) {
  const total = page.total === null ? {} : { total: page.total };
  return { data: page.rows.map(json), page: { next_cursor: page.nextCursor, limit, ...total } };
}

/** Rows keep canonical addresses; what cannot be read as a SIP URI (a list entry of another scheme) is sought as it is. */
export function canonical(
  text: string | undefined,
  { parseUri, aorOf }: Pick<HttpOptions, 'parseUri' | 'aorOf'>,
): string | null {
  if (text === undefined) return null;
  try {
    return aorOf(parseUri(text));
  } catch {
    return text;
  }
}
