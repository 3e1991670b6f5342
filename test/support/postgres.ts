import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';

/** A Postgres for tests, in which each test file makes databases of its own. */
export type TestPostgres = {
  /** A new, empty database; answers with its URL. */
  readonly createDatabase: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

/**
 * Where a Postgres comes from: TEST_DATABASE_URL, whose user may create databases; else a throw-away one, started from
 * PG_BIN or Debian's versioned folder. Null when there is neither.
 */
const serverUrl = process.env['TEST_DATABASE_URL'];
const programs = process.env['PG_BIN'] ?? newestDebianPrograms();
const absence =
  serverUrl === undefined && programs === null
    ? 'no Postgres: neither TEST_DATABASE_URL nor initdb (Debian: postgresql) is there'
    : null;

/** Tests that need a real Postgres: without one they are skipped, with the reason; where CI is set they fail. */
export function describePostgres(name: string, body: () => void): void {
  if (absence === null) describe(name, body);
  else if (process.env['CI']) test(name, () => expect.fail(absence));
  else describe.skip(`${name} (${absence})`, body);
}

export async function startPostgres(): Promise<TestPostgres> {
  if (serverUrl !== undefined) return onServer(serverUrl, async () => undefined);
  if (programs === null) throw new Error(absence ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'isfocus-postgres-'));
  const data = join(folder, 'data');
  const asPostgres = (program: string, ...args: string[]) => run(join(programs, program), args);
  if (process.getuid?.() === 0) execFileSync('chown', ['postgres', folder]);
  asPostgres('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');
  const settings = '-c listen_addresses= -c fsync=off -c full_page_writes=off -c synchronous_commit=off';
  const log = join(folder, 'log');
  asPostgres('pg_ctl', '-D', data, '-w', '-l', log, '-o', `-k ${folder} ${settings}`, 'start');
  return onServer(`postgresql://postgres@localhost/postgres?host=${folder}`, async () => {
    asPostgres('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
    rmSync(folder, { recursive: true, force: true });
  });
}

/** A session on the database at `url` that holds its locks until it is ended. */
export async function sessionOn(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** One statement on the database at `url`, over a connection of its own; answers with the rows. */
export async function askPostgres(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = await sessionOn(url);
  try {
    return (await client.query(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

function onServer(url: string, stop: () => Promise<void>): TestPostgres {
  const made: string[] = [];
  return {
    createDatabase: async () => {
      const name = `isfocus_test_${process.pid}_${Date.now()}_${made.length}`;
      await askPostgres(url, `CREATE DATABASE ${name}`);
      made.push(name);
      const database = new URL(url);
      database.pathname = `/${name}`;
      return database.href;
    },
    stop: async () => {
      for (const name of made) await askPostgres(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await stop();
    },
  };
}

/** Postgres refuses to run as root: then as the user that its package makes. */
function run(program: string, args: readonly string[]): void {
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'pipe'], cwd: tmpdir() };
  if (process.getuid?.() === 0) execFileSync('runuser', ['-u', 'postgres', '--', program, ...args], options);
  else execFileSync(program, args, options);
}

function newestDebianPrograms(): string | null {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const found = readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'));
  return found.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}
