import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartRefused } from '../../src/store/errors.ts';
import { askPostgres, describePostgres, sessionOn, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { changeOf, conferenceRow, messageRow, noon } from '../support/stored-rows.ts';
import { openTestStore } from '../support/test-store.ts';
import { waitFor } from '../support/wait.ts';

async function refusalOf(databaseUrl: string): Promise<string> {
  try {
    await (await openTestStore({ databaseUrl })).close();
    return 'started';
  } catch (error) {
    expect(error).toBeInstanceOf(StartRefused);
    return error instanceof Error ? error.message : '';
  }
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a DATABASE_URL that cannot be used is refused in one sentence without its password', () => {
  test('nobody listens there', async () => {
    const port = await unusedPort();
    expect(await refusalOf(`postgresql://user:secret@127.0.0.1:${port}/isfocus`)).toBe(
      `DATABASE_URL: isfocus on 127.0.0.1:${port} cannot be used: nobody listens there.`,
    );
  });

  test.each([
    ['no URL', 'DATABASE_URL is not a URL of the form postgresql://user:password@host:port/database.'],
    ['mysql://user:secret@127.0.0.1/isfocus', 'DATABASE_URL begins with mysql:// where postgresql:// is needed.'],
    [
      'postgresql://user:secret@127.0.0.1/isfocus?schema=other',
      'DATABASE_URL names a schema: isfocus needs a database of its own and uses schema public.',
    ],
  ])('%s', async (databaseUrl, sentence) => {
    expect(await refusalOf(databaseUrl)).toBe(sentence);
  });
});

describePostgres('a real Postgres', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test('a database that is not there is refused in one sentence', async () => {
    const url = new URL(await postgres.createDatabase());
    url.pathname = '/nowhere';
    expect(await refusalOf(url.href)).toMatch(
      /^DATABASE_URL: nowhere on .* cannot be used: there is no such database\.$/,
    );
  });

  test('a database that holds something else is refused in one sentence', async () => {
    const databaseUrl = await postgres.createDatabase();
    await askPostgres(databaseUrl, 'CREATE TABLE another (id text)');
    expect(await refusalOf(databaseUrl)).toMatch(
      /^The database cannot be migrated: The database schema is not empty\./,
    );
  });

  test('a migration that the database refuses is told in the database’s words', async () => {
    const databaseUrl = await postgres.createDatabase();
    expect(await refusalOf(databaseUrl)).toBe('started');
    await askPostgres(databaseUrl, 'DELETE FROM _prisma_migrations');
    await askPostgres(databaseUrl, "INSERT INTO _prisma_migrations VALUES ('1', '', now(), '0', NULL, NULL, now(), 1)");
    expect(await refusalOf(databaseUrl)).toBe('The database cannot be migrated: relation "nodes" already exists.');
  });

  test('a save while the database is away is rejected; when it is back, saves go on', async () => {
    const databaseUrl = await postgres.createDatabase();
    const name = new URL(databaseUrl).pathname.slice(1);
    const server = new URL(databaseUrl);
    server.pathname = '/postgres';
    const { store, close } = await openTestStore({ databaseUrl });
    const change = changeOf({ conferences: [conferenceRow({ id: 'conf-1' })] });
    await store.save(change);
    await askPostgres(server.href, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await askPostgres(server.href, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    await expect(store.save(change)).rejects.toThrow(
      /^The state could not be saved: .*(terminat|not currently accepting|EPIPE|ECONNRESET)/,
    );
    await expect(store.load('conf-1')).rejects.toThrow();
    await askPostgres(server.href, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    expect((await store.load('conf-1'))?.conference.id).toBe('conf-1');
    await store.save(change);
    await close();
  });

  test('what was not said after all is erased, also where its save comes to an end only now', async () => {
    const databaseUrl = await postgres.createDatabase();
    const { store, close } = await openTestStore({ databaseUrl });
    const early = messageRow({ id: 'early', conferenceId: 'conf-1' });
    await store.save(changeOf({ conferences: [conferenceRow({ id: 'conf-1' })], messages: [early] }));
    // A save as it is left at the server when the connection to it breaks.
    const session = await sessionOn(databaseUrl);
    await session.query('BEGIN');
    await session.query("SELECT FROM nodes WHERE id = 'node-1' FOR SHARE");
    await session.query(
      `INSERT INTO messages SELECT (jsonb_populate_record(m, '{"id": "late"}')).* FROM messages m WHERE id = 'early'`,
    );
    const order: string[] = [];
    const loaded = store.load('conf-1', ['late']).then(() => order.push('read'));
    const waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await waitFor('the look at the store', async () => {
      return order.length > 0 || (await askPostgres(databaseUrl, waits)).length > 0;
    });
    order.push('saved');
    await session.query('COMMIT');
    await session.end();
    await loaded;
    expect(order).toEqual(['saved', 'read']);
    expect(await store.message('conf-1', 'late')).toBeUndefined();
    expect(await store.message('conf-1', 'early')).toEqual(early);
    await close();
  });

  test('moments are kept and found in whatever zone the server lives', async () => {
    const databaseUrl = await postgres.createDatabase();
    const name = new URL(databaseUrl).pathname.slice(1);
    await askPostgres(databaseUrl, `ALTER DATABASE ${name} SET timezone TO 'America/St_Johns'`);
    const { store, close } = await openTestStore({ databaseUrl });
    await store.save(changeOf({ conferences: [conferenceRow({ id: 'conf-1' })] }));
    const key = { id: 'key-1', name: 'first', hash: '00', scopes: [], createdAt: noon };
    await store.addKey(key);
    expect((await store.conference('conf-1'))?.createdAt).toBe(noon);
    expect(await store.keyByHash('00')).toEqual(key);
    expect(await askPostgres(databaseUrl, 'SELECT created_at FROM api_keys')).toEqual([{ created_at: new Date(noon) }]);
    await close();
  });
});
