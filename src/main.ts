import { readFileSync } from 'node:fs';
import { startApp } from './app.ts';
import { banner } from './banner.ts';
import { type Config, readConfig } from './config.ts';
import { BadConfig } from './environment.ts';
import { type Logger, makeLogger } from './log.ts';
import { StartRefused } from './store/errors.ts';

// The SIP library reads the environment once per header line; a plain object is read twice as fast as the real one.
process.env = { ...process.env };

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

/** A start that failed ends with one sentence, and the process with 1. */
function fail(error: unknown): void {
  const known = error instanceof BadConfig || error instanceof StartRefused;
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
  process.stderr.write(`${known ? message : `isfocus cannot start: ${message}`}\n`);
  process.exitCode = 1;
}

const stopDeadlineMs = 9_500;

/** Everything is closed. The migration engine leaves a timer of ten seconds behind, which nobody needs to wait for. */
function gone(log: Logger): void {
  log.info({}, 'stopped');
  process.exit();
}

/** The orderly stop did not end in time; a start after it takes over as after a crash. */
function giveUp(log: Logger): void {
  log.error({}, 'the stop took too long, the process ends');
  process.exit(1);
}

async function run(config: Config): Promise<void> {
  const log = makeLogger(config, process.stdout.isTTY);
  let stop: (() => Promise<void>) | undefined;
  let ended = false;
  const end = (why: string): void => {
    if (ended) return;
    ended = true;
    log.info({ why }, 'stopping');
    stop?.()
      .catch(fail)
      .then(() => gone(log), fail);
    // A database that hangs must not keep the process: what was promised is ten seconds.
    setTimeout(() => giveUp(log), stopDeadlineMs).unref();
  };
  const onLost = (sentence: string): void => {
    log.fatal({}, sentence);
    process.exitCode = 1;
    end('a part was lost');
  };
  const { addresses, factoryUri, madeKey, stop: stopApp } = await startApp({ config, log, version, onLost });
  stop = stopApp;
  // A part may have been lost while the other parts were still starting.
  if (ended) return await stopApp();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
  process.stdout.write(`${banner({ version, addresses, factoryUri, config, madeKey })}\n`);
}

try {
  await run(readConfig(process.env));
} catch (error) {
  fail(error);
}
