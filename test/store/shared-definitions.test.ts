import { expect, test } from 'vitest';
import type { DefinitionInput } from '../../src/core/input.ts';
import { definitionsOf, lookMs, type OurDefinitions } from '../../src/definitions.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describePostgres, startPostgres } from '../support/postgres.ts';
import { groupRow, noon, userRow } from '../support/stored-rows.ts';
import { openTestStore } from '../support/test-store.ts';
import { waitFor } from '../support/wait.ts';

describePostgres('two processes on one Postgres', () => {
  test('what one defines, changes and removes, the other one tells its core', async () => {
    const postgres = await startPostgres();
    const databaseUrl = await postgres.createDatabase();
    const clock = new ManualClock(noon);
    const told: string[] = [];
    const start = async (nodeId: string, tell: (input: DefinitionInput) => void) => {
      const { store, close } = await openTestStore({ databaseUrl, nodeId, clock });
      expect(store.shared).toBe(true);
      const definitions = definitionsOf(store, { clock, tell, onError: (error) => expect.fail(String(error)) });
      await definitions.load();
      definitions.watch();
      return { definitions, close };
    };
    const one = await start('node-1', () => undefined);
    const other = await start('node-2', (input) => told.push(described(input)));
    try {
      const { groups, users }: OurDefinitions = one.definitions;
      const group = groupRow({ id: 'team' });
      const alice = userRow({ id: 'alice', secrets: { realm: 'r', md5: 'a', sha256: 'b' } });
      expect([await groups.add(group), await users.add(alice)]).toEqual([null, null]);
      expect(await other.definitions.groups.add({ ...group, id: 'again' })).toBe('already-defined');
      clock.turn(lookMs);
      await waitFor('both to be told', () => told.length === 2);
      expect(await users.replace({ ...alice, barred: true, updatedAt: clock.now(), revision: 2 })).toBeNull();
      expect(await groups.remove(group)).toBeNull();
      expect(await other.definitions.users.replace({ ...alice, revision: 2 })).toBe('changed-meanwhile');
      await waitFor('the changes to be told', () => {
        clock.turn(lookMs);
        return told.length === 4;
      });
      expect(told.sort()).toEqual(['group-defined 1', 'group-removed', 'user-defined 1', 'user-defined 2 barred']);
    } finally {
      for (const { definitions, close } of [one, other]) {
        await definitions.close();
        await close();
      }
      await postgres.stop();
    }
  });
});

function described(input: DefinitionInput): string {
  if (input.type === 'group-defined') return `${input.type} ${input.group.revision}`;
  if (input.type === 'user-defined') return `${input.type} ${input.user.revision}${input.user.barred ? ' barred' : ''}`;
  return input.type;
}
