import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger };

export type LogConfig = { readonly logLevel: string; readonly logFormat: 'pretty' | 'json' | 'auto' };

/** The root logger. Secrets never reach it; users' messages are logged nowhere. */
export function makeLogger(config: LogConfig, terminal: boolean): Logger {
  const options = {
    level: config.logLevel,
    redact: ['req.headers.authorization', '*.password', '*.secret'],
    base: null,
  };
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && terminal);
  if (!pretty) return pino(options, standardOutput());
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } },
  });
}

/** As much is handed to the stream at once: it measures and copies all that it holds with everything that it is given. */
const groupCharacters = 4_096;
const flushEveryMs = 100;

/** Each write costs as much as making ten lines: they go together. At the process's end the rest is written at once. */
function standardOutput(): DestinationStream {
  // More than a group has octets, so that the stream does not begin a write that the process's end would cut off.
  const out = destination({ dest: 1, sync: false, minLength: 4 * groupCharacters - 1 });
  let lines = '';
  const hand = (): void => {
    if (lines !== '') out.write(lines);
    lines = '';
  };
  // Before the stream's own listener, which writes what it holds.
  process.prependListener('exit', () => {
    out.flushSync();
    hand();
  });
  const flush = (): void => {
    hand();
    out.flush();
  };
  setInterval(flush, flushEveryMs).unref();
  return {
    write: (line) => {
      lines += line;
      if (lines.length >= groupCharacters) hand();
    },
  };
}
