/** What the SIP stack asks its shells for, in order. */

import type { Inquiry } from './handlers/question.ts';
import type { ApplicationAddress } from './handlers/request-handlers.ts';
import type { Peer } from './input.ts';
import type { Question } from './target/questions.ts';

export type LogFields = Readonly<Record<string, string | number | null>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type Output =
  /** `heed`: the sender wants to know (`peer-unreachable`) when nobody is there. */
  | { readonly kind: 'send'; readonly to: Peer; readonly text: string; readonly heed: boolean }
  | { readonly kind: 'close-connection'; readonly connection: number }
  | { readonly kind: 'frame'; readonly session: number; readonly payload: string }
  | { readonly kind: 'close-session'; readonly session: number }
  /** Replaces the one alarm; `at` is in milliseconds of the clock that gives `now`. */
  | { readonly kind: 'set-alarm'; readonly at: number }
  /** All questions are answered together, by `names-found`. */
  | { readonly kind: 'look-up'; readonly lookup: number; readonly questions: readonly Question[] }
  /** Answered by `handler-answered`, whatever comes of it. */
  | { readonly kind: 'ask-handler'; readonly errand: number; readonly question: Inquiry }
  /** A control connection to an application: `session-connected` or `session-not-connected` follows. */
  | { readonly kind: 'connect-session'; readonly errand: number; readonly address: ApplicationAddress }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: LogFields; readonly text: string };
