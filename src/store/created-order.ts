import type { Place } from './cursor.ts';

type Moment = { readonly gt: Date } | { readonly lt: Date } | Date;

/** What comes after `place` in a list sorted by creation, and by id within one millisecond. */
export function createdPast(
  place: Place,
  order: 'asc' | 'desc',
): { readonly createdAt: Moment; readonly id?: { readonly gt: string } | { readonly lt: string } }[] {
  const createdAt = new Date(place.key);
  return order === 'asc'
    ? [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: place.id } }]
    : [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: place.id } }];
}
