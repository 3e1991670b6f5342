import { PrismaPg } from '@prisma/adapter-pg';
import type { Database } from './database.ts';
import { codeOf, reasonOf, StartRefused } from './errors.ts';
import type { StoreLog } from './store-log.ts';

/** For what REST reads; batches are written over one of their own. */
const connectionsMax = 8;
const connectTimeoutMs = 5_000;
/** A statement that takes longer fails, so that no save waits for ever on a database that hangs. */
const statementTimeoutMs = 30_000;
/** The same when not even that failure arrives. */
const answerTimeoutMs = statementTimeoutMs + 5_000;

/** Reaches the database at `databaseUrl`. Throws StartRefused, with no secret in it, when it cannot be used. */
export async function openPostgres(databaseUrl: string, log: StoreLog): Promise<Database> {
  const url = readUrl(databaseUrl);
  // Without listeners a connection that breaks while idle would end the process.
  const onLost = (error: Error) => log.warn({ reason: reasonOf(error) }, 'database connection lost');
  const listeners = { onPoolError: onLost, onConnectionError: onLost };
  const config = {
    connectionString: url.href,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  };
  const timeouts = { statement_timeout: statementTimeoutMs, query_timeout: answerTimeoutMs };
  const adapter = new PrismaPg({ ...config, ...timeouts }, listeners);
  const probe = await adapter.connect();
  try {
    await probe.underlyingDriver().query('SELECT 1');
  } catch (error) {
    throw new StartRefused(`DATABASE_URL: ${nameOf(url)} cannot be used: ${whyNot(error)}.`);
  } finally {
    await probe.dispose();
  }
  // Prepared once: to read and to plan it takes the database longer than to write a batch.
  const prepared = { ...listeners, statementNameGenerator: () => 'isfocus-batch' };
  return {
    adapter,
    writing: new PrismaPg({ ...config, ...timeouts, max: 1 }, prepared),
    migrating: new PrismaPg(config, listeners),
    exclusive: false,
    close: async () => undefined,
  };
}

/** The URL, made to ask for times in UTC. Throws StartRefused when it is none of Postgres. */
function readUrl(databaseUrl: string): URL {
  let url: URL;
  try {
    // A user before an empty host, where a socket's folder follows as a parameter, is no URL, but usual.
    url = new URL(databaseUrl.replace('@/', '@localhost/'));
  } catch {
    throw new StartRefused('DATABASE_URL is not a URL of the form postgresql://user:password@host:port/database.');
  }
  if (!/^postgres(ql)?:$/.test(url.protocol))
    throw new StartRefused(`DATABASE_URL begins with ${url.protocol}// where postgresql:// is needed.`);
  const schema = url.searchParams.get('schema');
  if (schema !== null && schema !== 'public')
    throw new StartRefused('DATABASE_URL names a schema: isfocus needs a database of its own and uses schema public.');
  // Prisma's adapter writes and reads times without a zone, as UTC, whatever the server's zone is.
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', '-c timezone=UTC'].join(' ').trim());
  return url;
}

/** The address without user and password. */
function nameOf(url: URL): string {
  const host = url.searchParams.get('host') ?? (url.host || 'localhost');
  return `${decodeURIComponent(url.pathname.slice(1)) || 'the database'} on ${host}`;
}

const reasons: Readonly<Record<string, string>> = {
  'ECONNREFUSED': 'nobody listens there',
  'ENOENT': 'nobody listens there',
  'ENOTFOUND': 'the host is unknown',
  'EAI_AGAIN': 'the host is unknown at the moment',
  'ETIMEDOUT': 'the host does not answer',
  'EHOSTUNREACH': 'the host cannot be reached',
  'ENETUNREACH': 'the host cannot be reached',
  '28P01': 'user and password are not accepted',
  '28000': 'the user may not connect',
  '3D000': 'there is no such database',
  '42501': 'the user lacks permission',
  '53300': 'it has too many connections',
  '57P03': 'it is starting up or shutting down',
};

function whyNot(error: unknown): string {
  return reasons[codeOf(error) ?? ''] ?? reasonOf(error);
}
