import type { LogFields, LogLevel } from '../output.ts';
import type { Sipd, SipdOptions } from '../sipd.ts';
import type { StackCounts } from '../stack.ts';

/** What crosses between sipd on a thread of its own and the thread that started it. SIP never does: it has the control port. */

/** What a thread is started with: the options that can be cloned, and the least level of a log line that comes over. */
export type ThreadData = {
  readonly options: Omit<SipdOptions, 'log' | 'names'>;
  readonly leastLevel: LogLevel;
};

export type ToThread = { readonly type: 'count'; readonly id: number } | { readonly type: 'close' };

export type FromThread =
  | ({ readonly type: 'started' } & Pick<Sipd, 'addresses' | 'controlPort' | 'controlTlsPort'>)
  /** `details` are the error's own: the system's `code`, `address`, `port`. */
  | { readonly type: 'not-started'; readonly message: string; readonly details: Readonly<Record<string, unknown>> }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: LogFields; readonly text: string }
  | { readonly type: 'counted'; readonly id: number; readonly counts: StackCounts }
  | { readonly type: 'closed' };
