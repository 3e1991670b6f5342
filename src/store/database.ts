import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';

/** A database that is open and reachable, embedded or not. */
export type Database = {
  readonly adapter: SqlMigrationAwareDriverAdapterFactory;
  /** The same for the statement that writes batches, and no other. */
  readonly writing: SqlMigrationAwareDriverAdapterFactory;
  /** The same without a time limit for statements: a migration may take as long as it needs. */
  readonly migrating: SqlMigrationAwareDriverAdapterFactory;
  /** Whether only this process can be using it. */
  readonly exclusive: boolean;
  readonly close: () => Promise<void>;
};
