import { expect, test } from 'vitest';
import { type Delivery, KnownDocuments, newDelivery, type Told } from '../../../src/core/conference/deliveries.ts';
import { Turns } from '../../../src/core/conference/turn-map.ts';
import { limits } from '../../../src/core/limits.ts';

/** What is remembered of subscriptions that ended, for whoever subscribes again with Last-Notify-Version. */

const known = (): KnownDocuments => new KnownDocuments(new Turns());
const ended = (...told: Told[]): Delivery => ({ ...newDelivery('participant'), told });
const asks = (documents: KnownDocuments, subscriber: string, version: number | null): number | null =>
  documents.of(subscriber, { version, view: 'participant' });

test('whoever has a document goes on from the roster that it led to', () => {
  const documents = known();
  documents.remember('bob', ended({ version: 0, base: 5 }, { version: 1, base: 7 }));
  expect(asks(documents, 'bob', 1)).toBe(7);
});

test('it goes on once: a second device with the same document would miss what the first was told', () => {
  const documents = known();
  documents.remember('bob', ended({ version: 0, base: 5 }));
  expect([asks(documents, 'bob', 0), asks(documents, 'bob', 0)]).toEqual([5, null]);
});

test.each<[string, string, number | null]>([
  ['nobody', 'ted', 0],
  ['one that says nothing', 'bob', null],
  ['one with a document that it was never sent', 'bob', 9],
  ['one that was sent all but the last part of a roster', 'bob', 1],
])('%s is told everything', (_who, subscriber, version) => {
  const documents = known();
  documents.remember('bob', ended({ version: 0, base: 5 }, { version: 1, base: null }));
  expect(asks(documents, subscriber, version)).toBeNull();
  // What led nowhere has used up nothing.
  expect(asks(documents, 'bob', 0)).toBe(5);
});

test('what was told to another view leads nowhere', () => {
  const documents = known();
  documents.remember('bob', ended({ version: 0, base: 5 }));
  expect(documents.of('bob', { version: 0, view: 'chair' })).toBeNull();
});

test('a version that an earlier subscription reached too may be of either, and leads nowhere', () => {
  const documents = known();
  documents.remember('bob', ended({ version: 0, base: 2 }, { version: 1, base: 3 }));
  documents.remember('bob', ended({ version: 1, base: 8 }, { version: 2, base: 9 }));
  expect([asks(documents, 'bob', 1), asks(documents, 'bob', 2)]).toEqual([null, 9]);
});

test('only so many subscribers are remembered, those whose subscriptions ended last', () => {
  const documents = known();
  const names = Array.from({ length: limits.knownSubscribersMax }, (_, index) => `user${index}`);
  for (const name of names) documents.remember(name, ended({ version: 0, base: 5 }));
  // The first has been here again.
  documents.remember('user0', ended({ version: 1, base: 6 }));
  documents.remember('one more', ended({ version: 0, base: 5 }));
  expect(
    ['user0', 'user1', 'user2', 'one more'].map((name) => asks(documents, name, name === 'user0' ? 1 : 0)),
  ).toEqual([6, null, 5, 5]);
});

test('of each only the last documents are', () => {
  const documents = known();
  let told: readonly Told[] = [];
  for (let version = 0; version <= limits.knownDocumentsMax; version += 1)
    told = documents.added(told, { version, base: version + 10 });
  expect(told.map(({ version }) => version)).toEqual(
    Array.from({ length: limits.knownDocumentsMax }, (_, index) => index + 1),
  );
});

test('within a subscription whoever lacks the last document is told everything', () => {
  const documents = known();
  const delivery = ended({ version: 0, base: 5 }, { version: 1, base: 7 });
  expect([1, 0, 2, null].map((version) => documents.within(delivery, version))).toEqual([7, null, null, null]);
  expect(documents.within(newDelivery('participant'), null)).toBeNull();
});
