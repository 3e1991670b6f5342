import type { Error as DriverCause, IsolationLevel, SqlQuery } from '@prisma/driver-adapter-utils';

/** What the main thread and the thread of the embedded database say to each other. All of it is structured-cloneable. */

/** How the database is opened; handed over with the thread's start. */
export type OpenOptions = {
  /** Folder of the database; made when missing. */
  readonly folder: string;
  /** Gzipped dump a new database starts from; null: made from nothing, which takes seconds. */
  readonly template: string | null;
};

/** `transaction` names the open transaction a query belongs to; null is none. */
export type Task =
  | { readonly type: 'query'; readonly transaction: number | null; readonly query: SqlQuery }
  | { readonly type: 'execute'; readonly transaction: number | null; readonly query: SqlQuery }
  | { readonly type: 'script'; readonly script: string }
  | { readonly type: 'begin'; readonly isolationLevel: IsolationLevel | null }
  | { readonly type: 'commit'; readonly transaction: number }
  | { readonly type: 'rollback'; readonly transaction: number }
  | { readonly type: 'dump' }
  | { readonly type: 'close' };

export type Request = { readonly id: number; readonly task: Task };

/** The first message of the thread: open, or why not. */
export type Opened = { readonly type: 'opened' } | { readonly type: 'not-opened'; readonly reason: string };

/** `cause` is there when the database itself refused, in Prisma's words. */
export type Failure = { readonly message: string; readonly cause: DriverCause | null };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };
