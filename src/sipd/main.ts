/** Runs the SIP server alone, as a drachtio server for any drachtio-srf application. */

import type { LogFields, LogLevel } from './output.ts';
import { levelsFrom } from './process/levels.ts';
import { BadVariable, readSettings, type SipdSettings } from './process/settings.ts';
import { helpText, sipdBanner, unknownArgument, warning } from './process/words.ts';
import { type SipdLog, startSipd } from './sipd.ts';

function logFrom(least: LogLevel | null): SipdLog {
  const wanted = least === null ? new Set<LogLevel>() : levelsFrom(least);
  const line = (level: LogLevel) => (fields: LogFields, text: string) => {
    if (wanted.has(level)) process.stderr.write(`${level}: ${text} ${JSON.stringify(fields)}\n`);
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

async function run(settings: SipdSettings): Promise<void> {
  const { hosts, publicHost, ways, leastLevel, ...options } = settings;
  const sipd = await startSipd({
    ...options,
    host: hosts,
    publicHost: publicHost ?? undefined,
    mode: ways,
    log: logFrom(leastLevel),
  });
  const end = (): void => {
    void sipd.close().then(() => process.exit(0), fail);
  };
  // Both may come twice: a terminal sends Ctrl-C to npm and to us, and npm passes its own on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  const warned = warning(settings);
  if (warned !== null) process.stderr.write(`${warned}\n`);
  process.stdout.write(`${sipdBanner(settings, sipd)}\n`);
}

/** A start that failed ends with one sentence, and the process with 1. */
function fail(error: unknown): void {
  process.exitCode = 1;
  process.stderr.write(`${sentenceOf(error)}\n`);
}

function sentenceOf(error: unknown): string {
  if (error instanceof BadVariable) return error.message;
  if (!(error instanceof Error)) return `sipd cannot start: ${String(error)}`;
  const { code, address, port }: Partial<NodeJS.ErrnoException & { address: string; port: number }> = error;
  if (code === 'EADDRINUSE') return `sipd cannot listen on ${address} port ${port}: the port is already in use.`;
  if (code === 'EADDRNOTAVAIL') return `sipd cannot listen on ${address}: it is no address of this machine.`;
  return `sipd cannot start: ${error.message}`;
}

try {
  const [argument] = process.argv.slice(2);
  if (argument === '--help') process.stdout.write(`${helpText()}\n`);
  else if (argument !== undefined) throw new BadVariable(unknownArgument(argument));
  else await run(readSettings(process.env));
} catch (error) {
  fail(error);
}
