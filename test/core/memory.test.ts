import { expect, test } from 'vitest';
import { Memory } from '../../src/core/memory.ts';

test('the latest so many are remembered, one that ended again as the latest', () => {
  const memory = new Memory(3);
  for (const [at, key] of ['a', 'b', 'c', 'a'].entries()) memory.add(key, at);
  memory.add('d', 4);
  expect(['a', 'b', 'c', 'd'].map((key) => memory.get(key))).toEqual([3, undefined, 2, 4]);
  memory.add('e', 5);
  memory.add('f', 6);
  expect(['a', 'c', 'd', 'e', 'f'].map((key) => memory.get(key))).toEqual([undefined, undefined, 4, 5, 6]);
});

test('what was forgotten on request makes room', () => {
  const memory = new Memory(2);
  for (const [at, key] of ['a', 'b', 'c'].entries()) memory.add(key, at);
  memory.delete('b');
  memory.add('d', 3);
  expect(['b', 'c', 'd'].map((key) => memory.get(key))).toEqual([undefined, 2, 3]);
});
