import { expect, test } from 'vitest';
import { TurnMap, Turns } from '../../../src/core/conference/turn-map.ts';

function filled(turns = new Turns()): TurnMap<string, number> {
  const map = new TurnMap<string, number>(turns);
  map.set('a', 1);
  map.set('b', 2);
  return map;
}

test('a turn is undone whole: what was added, changed and taken away', () => {
  const turns = new Turns();
  const map = filled(turns);
  const back = turns.capture();
  map.set('a', 10);
  map.set('a', 11);
  map.delete('b');
  map.set('c', 3);
  map.delete('d');
  expect([...map]).toEqual([
    ['a', 11],
    ['c', 3],
  ]);
  back();
  expect(new Map(map)).toEqual(new Map(filled()));
});

test('with a turn all that came later are undone, and those before stay', () => {
  const turns = new Turns();
  const map = filled(turns);
  turns.capture();
  map.set('a', 10);
  const second = turns.capture();
  map.set('a', 20);
  map.set('c', 3);
  turns.capture();
  map.clear();
  map.set('b', 30);
  second();
  expect([...map].sort()).toEqual([
    ['a', 10],
    ['b', 2],
  ]);
});

test('after it was undone a turn that comes anew can be undone by itself, or with one before', () => {
  const turns = new Turns();
  const map = filled(turns);
  const first = turns.capture();
  map.set('a', 10);
  const second = turns.capture();
  map.set('a', 20);
  second();
  const third = turns.capture();
  map.set('a', 30);
  third();
  expect(map.get('a')).toBe(10);
  turns.capture();
  map.set('a', 40);
  first();
  expect(map.get('a')).toBe(1);
});
