import { expect, test } from 'vitest';
import { RosterDocuments } from '../../../src/core/conference/roster-documents.ts';
import type { ConferenceRecord } from '../../../src/core/rows.ts';
import { World } from '../../support/world.ts';

/** The documents of a view on Alice's conference with Bob, and how often its rows were asked for. */
function documentsOf(world: World): { readonly documents: RosterDocuments; readonly asked: () => number } {
  let asked = 0;
  const record = (): ConferenceRecord => {
    asked += 1;
    const found = world.view(world.conference.id);
    if (found === undefined) throw new Error('there is no conference');
    return found;
  };
  const version = (): number => world.conference.version;
  return { documents: new RosterDocuments({ view: 'chair', source: { version, record } }), asked: () => asked };
}

test('a version is rendered once, whoever gets it, and its rows are read once', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  const { documents, asked } = documentsOf(world);
  const { version } = documents;
  const full = documents.full();
  expect(documents.full()).toBe(full);
  expect(asked()).toBe(1);
  world.answers('ted');
  const partial = documents.partial(version);
  expect(partial).toMatchObject({ owed: [] });
  expect(documents.partial(version)).toBe(partial);
  expect(documents.full()).not.toBe(full);
  expect(documents.full()).toBe(documents.full());
  expect(asked()).toBe(2);
});
