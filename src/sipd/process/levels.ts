import type { LogLevel } from '../output.ts';

/** From the most talkative to the gravest. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** A level and those above it. */
export function levelsFrom(least: LogLevel): ReadonlySet<LogLevel> {
  return new Set(logLevels.slice(logLevels.indexOf(least)));
}
