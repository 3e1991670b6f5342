import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConferenceRecord } from '../../src/core/rows.ts';
import type { Database } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { type Migrations, readMigrations } from '../../src/store/migrations.ts';
import { openEmbedded } from '../../src/store/pglite/pglite.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openStore } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describePostgres, startPostgres } from '../support/postgres.ts';
import { changeOf, conferenceRow, endpointRow, noon, participantRow } from '../support/stored-rows.ts';
import { silentLog, testFolder } from '../support/test-store.ts';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

/** The migrations of the version before conference control. */
async function formerMigrations(): Promise<Migrations> {
  const { lock, steps } = await readMigrations();
  return { lock, steps: steps.slice(0, 1) };
}

/** The rows as this version reads them. Bob has dialled in and been dialled; the others differ in their list entries. */
const conference = conferenceRow({ id: 'conf-1', labels: { case: '4711' } });
const inThe = { conferenceId: conference.id };
const entry = { raw: 'bob@example.com', uri: 'sip:bob@example.com', quirks: ['QK-6'], position: 0 };
const attempt = { endpointId: 'out', at: noon, replaces: null, outcome: { status: 481, reason: 'No' } };
const said = { received: null, quirks: [] };
const migrated = [
  participantRow({
    ...inThe,
    id: 'bob',
    position: 0,
    endpoints: [
      endpointRow({ id: 'out', origin: { by: 'list', ...said } }),
      endpointRow({ id: 'in', joiningMethod: 'dialed-in', origin: { by: 'invite', ...said } }),
    ],
    attempts: [
      { ...attempt, change: null, endedAt: null, reasonHeader: null },
      { ...attempt, outcome: null, change: null, endedAt: null, reasonHeader: null },
    ],
    listEntry: { ...entry, copyControl: 'bcc', anonymize: false, ignoredHeaders: [] },
  }),
  participantRow({ ...inThe, id: 'sql-null', position: 1 }),
  participantRow({ ...inThe, id: 'json-null', position: 2 }),
];

/** The same as the former version wrote them. */
const formerRows = [
  `INSERT INTO conferences (id, node, uri, factory_uri, kind, status, locked, created_by, created_at, activated_at,
    participant_count, peak_participants, message_count, version, seq, labels)
  VALUES ('conf-1', 'node-1', '${conference.uri}', '${conference.factoryUri}', 'ad_hoc', 'active', false,
    '${conference.createdBy}', '2026-11-22T12:00:00.123Z', '2026-11-22T12:00:00.123Z', 0, 0, 0, 1, 0, '{"case": "4711"}')`,
  ...migrated.map((row) => formerParticipant(row.id, row.position)),
  `INSERT INTO api_keys VALUES ('key-1', 'first', '00', '["*"]', '2026-11-22T12:00:00.123Z')`,
];

function formerParticipant(id: string, position: number): string {
  const former = (endpoint: object) => {
    const { sessionTimer: _timer, origin: _origin, ...kept } = endpoint as Record<string, unknown>;
    return kept;
  };
  const endpoints = id === 'bob' ? migrated[0]?.endpoints.map(former) : [];
  const attempts = id === 'bob' ? [attempt, { ...attempt, outcome: null }] : [];
  const entries: Record<string, string> = { 'bob': `'${JSON.stringify(entry)}'`, 'json-null': "'null'" };
  return `
  INSERT INTO participants (id, conference_id, uri, private, role, status, joining_method, muted, joined_at, endpoints,
    list_entry, attempts, position, in_roster)
  VALUES ('${id}', 'conf-1', 'sip:bob@example.com', false, 'participant', 'connected', 'dialed-out', false,
    '2026-11-22T12:00:00.123Z', '${JSON.stringify(endpoints)}', ${entries[id] ?? 'NULL'}, '${JSON.stringify(attempts)}',
    ${position}, true)`;
}

async function asTheFormerLeftIt(database: Database): Promise<void> {
  await migrate(database.migrating, await formerMigrations());
  const connection = await database.adapter.connect();
  for (const sql of formerRows) await connection.executeRaw({ sql, args: [], argTypes: [] });
  await connection.dispose();
  await database.close();
}

/** Opens the database with this version: everything is there, in its shape, and can be written again. */
async function readByThis(databaseUrl: string | null): Promise<void> {
  const applied: unknown[] = [];
  const log = { ...silentLog, info: (fields: object) => void applied.push(fields) };
  const clock = new ManualClock(noon);
  await using store = await openStore({ databaseUrl, dataDir: folder.path, nodeId: 'node-1', log, clock });
  const names = ['conference_control', 'messages', 'endpoints'].map((name) => expect.stringContaining(name));
  expect(applied).toMatchObject([{ applied: names }]);
  const record: ConferenceRecord = { conference, participants: migrated, subscriptions: [] };
  expect(await store.record('conf-1')).toEqual(record);
  expect((await store.keyByHash('00'))?.name).toBe('first');
  expect((await store.groups.totals()).count).toBe(0);
  await store.save(changeOf({ conferences: [conference], participants: migrated }));
  expect(await store.record('conf-1')).toEqual(record);
}

test('an embedded database of the former version is read, and written, by this one', async () => {
  const migrations = await formerMigrations();
  const template = `${folder.path}/none`;
  await asTheFormerLeftIt(await openEmbedded({ dataDir: folder.path, template, migrations, onDeath: () => undefined }));
  await readByThis(null);
});

describePostgres('Postgres', () => {
  test('a database of the former version is read, and written, by this one', async () => {
    const postgres = await startPostgres();
    try {
      const databaseUrl = await postgres.createDatabase();
      await asTheFormerLeftIt(await openPostgres(databaseUrl, silentLog));
      await readByThis(databaseUrl);
    } finally {
      await postgres.stop();
    }
  });
});
