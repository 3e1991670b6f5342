import { expect, test } from 'vitest';
import { Groups } from '../../../src/core/definitions/groups.ts';
import { Users } from '../../../src/core/definitions/users.ts';
import { groupRow, userRow } from '../../support/stored-rows.ts';

/** What other processes save is told late, or twice, and not always in the order in which it was saved. */

test('what the store said of a group before changes nothing of what it says now', () => {
  const groups = new Groups();
  const now = groupRow({ id: 'team', subject: 'now', revision: 2 });
  groups.define(now);
  groups.define(groupRow({ id: 'team', subject: 'before', revision: 1 }));
  groups.define({ ...now, subject: 'the same again' });
  expect([groups.byId('team'), groups.byUser('team')]).toEqual([now, now]);
});

test('a group under another URI is found by that alone', () => {
  const groups = new Groups();
  groups.define(groupRow({ id: 'team', revision: 1 }));
  groups.define(groupRow({ id: 'team', uri: 'sip:night%20shift@conf.example.com', revision: 2 }));
  expect([groups.byUser('team'), groups.byUser('night shift')?.id]).toEqual([undefined, 'team']);
});

test('a URI that was given to another group before the end of the first was told stays with the other', () => {
  const groups = new Groups();
  groups.define(groupRow({ id: 'first', uri: 'sip:team@conf.example.com' }));
  groups.define(groupRow({ id: 'second', uri: 'sip:team@conf.example.com' }));
  groups.remove('first');
  groups.remove('first');
  expect([groups.byId('first'), groups.byUser('team')?.id]).toEqual([undefined, 'second']);
});

test('who was barred by a later word stays barred when an earlier one is told', () => {
  const users = new Users();
  users.define(userRow({ id: 'bob', barred: true, revision: 2 }));
  users.define(userRow({ id: 'bob', barred: false, revision: 1 }));
  users.define(userRow({ id: 'bob', barred: false, revision: 2 }));
  expect(users.isBarred('sip:bob@example.com')).toBe(true);
});

test('an AOR that was given to another user before the end of the first was told stays with the other', () => {
  const users = new Users();
  users.define(userRow({ id: 'first', uri: 'sip:bob@example.com' }));
  users.define(userRow({ id: 'second', uri: 'sip:bob@example.com', barred: true }));
  users.remove('first');
  users.remove('first');
  expect([users.byUri('sip:bob@example.com')?.id, users.isBarred('sip:bob@example.com')]).toEqual(['second', true]);
});
