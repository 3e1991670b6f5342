import { type Error as DriverCause, isDriverAdapterError } from '@prisma/driver-adapter-utils';

/** Why the service cannot start; `message` is one whole sentence for a person, without secrets. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/** A change was not saved; nothing of it is in the store unless the connection broke while it was being committed. */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed';
}

/** The database did not write a batch. `state` is its SQLSTATE, undefined when it did not answer. */
export class BatchFailed extends Error {
  override readonly name = 'BatchFailed';
  readonly state: string | undefined;

  constructor(reason: string, { state, cause }: { state: string | undefined; cause: unknown }) {
    super(reason, { cause });
    this.state = state;
  }
}

/** What an error says about itself, in one line; a list of failures (all addresses of one host) says its first. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split('\n').map((line) => line.trim());
  // Prisma's first line tells which call it was, which is no reason.
  return lines.find((line) => line !== '' && !line.startsWith('Invalid `')) ?? 'unknown reason';
}

/** The word an operating system or a database gives an error: `ECONNREFUSED`, `28P01`; undefined without one. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What the database itself said, in the words of Prisma's adapters; undefined when it said nothing. */
export function databaseSaid(error: unknown): DriverCause | undefined {
  // Prisma's own test for it breaks on what is no object.
  return error instanceof Error && isDriverAdapterError(error) ? error.cause : undefined;
}
