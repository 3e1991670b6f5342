import { expect, test } from 'vitest';
import { clientSdp } from '../support/fixtures.ts';
import { World } from '../support/world.ts';
import { type Part, readXmlTree } from '../support/xml-tree.ts';

/** The documents that somebody was sent, in their order, as their text is read by another reader than the service's. */
function documentsOf(world: World, name: string): readonly Part[] {
  return world.notifies(name).flatMap(({ body }) => (body === null ? [] : [readXmlTree(body).root]));
}

function partOf(part: Part | undefined, ...names: readonly string[]): Part | undefined {
  return names.reduce((at, name) => at?.parts.find((each) => each.name === name), part);
}

/** Bob watches, and has answered what he was told. */
function watched(): World {
  const world = new World({ notifyMinIntervalMs: 0 });
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.subscribes('bob');
  world.answersNotify('bob');
  return world;
}

test('CC-113 who comes in is told of by a partial root with partial users (RFC 4575 4.4)', () => {
  const world = watched();
  world.dialsIn('carol');
  const joined = documentsOf(world, 'bob').at(-1);
  const users = partOf(joined, 'users');
  expect(joined?.attributes.get('state')).toBe('partial');
  expect(users?.attributes.get('state')).toBe('partial');
  expect(users?.parts.map(({ attributes }) => attributes.get('entity'))).toEqual(['sip:carol@chicago.example.com']);
});

test('CC-114 nothing that is full holds what is partial or deleted (RFC 4575 4.4)', () => {
  const world = watched();
  world.answers('ted');
  world.answersNotify('bob');
  world.hangsUp('ted');
  world.answersNotify('bob');
  world.passes(30_000);
  const states = documentsOf(world, 'bob').map((root) => statesIn(root, 'full'));
  expect(states.flatMap(({ below }) => below)).toEqual([]);
  // What is looked for was there to be found.
  expect(new Set(states.flatMap(({ all }) => all))).toEqual(new Set(['full', 'partial', 'deleted']));
});

test('CC-117 the end of the conference is a deleted root without children (RFC 4575 4.6)', () => {
  const world = watched();
  world.hangsUp('alice');
  const last = documentsOf(world, 'bob').at(-1);
  expect(last?.attributes.get('state')).toBe('deleted');
  expect([last?.parts, last?.text]).toEqual([[], '']);
});

test('CC-120 the media of messages are called message, their status is the participant’s (RFC 4575 5.8)', () => {
  const world = watched();
  world.dialsIn('carol', { offer: clientSdp('carol', { direction: 'sendonly' }) });
  const media = partOf(documentsOf(world, 'bob').at(-1), 'users', 'user', 'endpoint', 'media');
  expect(partOf(media, 'type')?.text).toBe('message');
  expect(partOf(media, 'status')?.text).toBe('sendonly');
});

type States = { readonly all: readonly string[]; readonly below: readonly string[] };

/** Every state in a document, and those that are not full below one that is. */
function statesIn({ attributes, parts }: Part, parent: 'full' | 'other'): States {
  const state = attributes.get('state') ?? 'full';
  const isBelow = state !== 'full' && parent === 'full' && attributes.get('version') === undefined;
  const found = parts.map((part) => statesIn(part, state === 'full' ? 'full' : 'other'));
  return {
    all: [state, ...found.flatMap(({ all }) => all)],
    below: [...(isBelow ? [state] : []), ...found.flatMap(({ below }) => below)],
  };
}
