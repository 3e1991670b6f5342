import { describe, expect, test } from 'vitest';
import { BadCursor, type Definition, type DefinitionStore } from '../../src/core/ports.ts';
import type { GroupRow, UserRow } from '../../src/core/rows.ts';
import { groupRow, noon, userRow } from '../support/stored-rows.ts';

export type DefinitionStores = { readonly groups: DefinitionStore<GroupRow>; readonly users: DefinitionStore<UserRow> };

const all = { q: null };
const first = (limit: number) => ({ limit, cursor: null, count: false });
const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

/** The contract of groups and users, within that of the store that has them. `fresh` gives ids nobody else uses. */
export function definitionContract(stores: () => DefinitionStores, fresh: (prefix: string) => string): void {
  describe('groups', () => {
    definitions(() => stores().groups, {
      fresh,
      row: ({ title = null, ...part }) => groupRow({ ...part, subject: title }),
      whole: groupRow({
        id: 'whole-group',
        subject: 'Night “shift”',
        members: [
          { uri: 'sip:bob@example.com', displayName: 'Bob', role: 'chair' },
          { uri: 'tel:+4930123456', displayName: null, role: 'observer' },
        ],
        policy: {
          end: 'idle',
          idleSeconds: 60,
          join: 'anyone',
          subscribe: 'participants',
          invite: 'participants',
          nicknames: false,
          privateMessages: false,
          history: 'content',
          historyDays: 365,
          greeting: true,
          announcements: true,
          transport: 'tls',
        },
        maxParticipants: 12,
        labels: { site: 'north' },
        updatedAt: noon + 5,
        revision: 7,
      }),
    });

    test('the user part of a URI names one group, at whatever domain', async () => {
      const id = fresh('group');
      const other = groupRow({ id: fresh('group'), uri: `sip:${id}@other.example.com` });
      expect(await stores().groups.insert(groupRow({ id }))).toBe(true);
      expect(await stores().groups.insert(other)).toBe(false);
    });
  });

  describe('users', () => {
    definitions(() => stores().users, {
      fresh,
      row: ({ title = null, ...part }) => userRow({ ...part, displayName: title }),
      whole: userRow({
        id: 'whole-user',
        displayName: 'Alice “A.”',
        secrets: { realm: 'conf.example.com', md5: '0'.repeat(32), sha256: 'f'.repeat(64) },
        barred: true,
        mayCreate: false,
        consents: true,
        updatedAt: noon + 5,
        revision: 7,
      }),
    });

    test('one user part at two domains is two users', async () => {
      const id = fresh('user');
      const other = userRow({ id: fresh('user'), uri: `sip:${id}@other.example.com` });
      expect(await stores().users.insert(userRow({ id }))).toBe(true);
      expect(await stores().users.insert(other)).toBe(true);
    });

    test('a secret that is taken away is gone', async () => {
      const row = userRow({ id: fresh('user'), secrets: { realm: 'r', md5: 'a', sha256: 'b' } });
      await stores().users.insert(row);
      await stores().users.replace({ ...row, secrets: null, revision: 2 });
      expect(await stores().users.byId(row.id)).toEqual({ ...row, secrets: null, revision: 2 });
    });
  });
}

type Part = { readonly id: string; readonly title?: string; readonly createdAt?: number; readonly updatedAt?: number };

type Kind<Row extends Definition> = {
  readonly fresh: (prefix: string) => string;
  readonly row: (part: Part) => Row;
  /** A row with something in every field. */
  readonly whole: Row;
};

function definitions<Row extends Definition>(store: () => DefinitionStore<Row>, { fresh, row, whole }: Kind<Row>) {
  const added = async (part: Omit<Part, 'id'> = {}) => {
    const made = row({ id: fresh('def'), ...part });
    expect(await store().insert(made)).toBe(true);
    return made;
  };

  test('what was added is read back as it was, every field, by id and by URI', async () => {
    expect(await store().insert(whole)).toBe(true);
    expect(await store().byId(whole.id)).toEqual(whole);
    expect(await store().byUri(whole.uri)).toEqual(whole);
    expect(await store().byId('nobody')).toBeUndefined();
    expect(await store().byUri('sip:nobody@example.com')).toBeUndefined();
  });

  test('a URI that is taken is not taken again', async () => {
    const { uri } = await added();
    const other = { ...row({ id: fresh('def') }), uri };
    expect(await store().insert(other)).toBe(false);
    expect(await store().byId(other.id)).toBeUndefined();
  });

  test('only the next revision replaces a row, and only one of two', async () => {
    const one = await added();
    const next = { ...one, updatedAt: noon + 1, revision: 2 };
    expect(await Promise.all([store().replace(next), store().replace(next)])).toContain(false);
    expect(await store().byId(one.id)).toEqual(next);
    expect(await store().replace({ ...one, revision: 4 })).toBe(false);
    expect(await store().replace({ ...next, id: 'nobody', revision: 2 })).toBe(false);
  });

  test('a row is removed as it was seen, once', async () => {
    const { id } = await added();
    expect(await store().remove(id, 2)).toBe(false);
    expect(await store().remove(id, 1)).toBe(true);
    expect(await store().remove(id, 1)).toBe(false);
    expect(await store().byId(id)).toBeUndefined();
  });

  test('the list comes newest first, by id within one millisecond, in pages', async () => {
    const title = fresh('Listed');
    const rows = [];
    for (const createdAt of [noon, noon + 1, noon + 1, noon + 2]) rows.push(await added({ title, createdAt }));
    const [oldest, tied, tiedLater, newest] = idsOf(rows);
    const one = await store().list({ q: title }, { limit: 3, cursor: null, count: true });
    expect(idsOf(one.rows)).toEqual([newest, tiedLater, tied]);
    expect(one.total).toBe(4);
    await added({ title, createdAt: noon + 3 });
    const two = await store().list({ q: title }, { limit: 3, cursor: one.nextCursor, count: false });
    expect(idsOf(two.rows)).toEqual([oldest]);
    expect([two.nextCursor, two.total]).toEqual([null, null]);
    await expect(store().list(all, { limit: 1, cursor: 'x', count: false })).rejects.toBeInstanceOf(BadCursor);
  });

  test('text is sought in URI and name, without regard to case, and means nothing but itself', async () => {
    const word = fresh('q');
    const byName = await added({ title: `50%_ \\ ${word.toUpperCase()}` });
    const byUri = await added();
    const found = async (q: string) => idsOf((await store().list({ q }, first(10))).rows);
    expect(await found(word)).toEqual([byName.id]);
    expect(await found(`50%_ \\ ${word}`)).toEqual([byName.id]);
    expect(await found(`50__ \\ ${word}`)).toEqual([]);
    expect(await found(byUri.uri.slice(2).toUpperCase())).toEqual([byUri.id]);
    expect(idsOf((await store().list(all, first(200))).rows)).toContain(byUri.id);
  });

  test('what changed since a moment is told, and how much there is', async () => {
    const before = await store().totals();
    const late = noon + 1_000_000;
    const one = await added({ updatedAt: late });
    const two = await added({ updatedAt: late - 1 });
    await store().replace({ ...two, revision: 2 });
    expect(await store().updatedSince(late)).toEqual([one]);
    expect(await store().totals()).toEqual({ count: before.count + 2, revisions: before.revisions + 3 });
    const revisions = await store().revisions();
    expect(revisions).toContainEqual({ id: two.id, revision: 2 });
    expect(revisions).toHaveLength(before.count + 2);
  });

  test('all of them are read, however many', async () => {
    for (let index = 0; index < 25; index += 1) await added();
    expect((await store().updatedSince(0)).length).toBe((await store().totals()).count);
  });
}
