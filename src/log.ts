import { destination, type Logger, pino } from 'pino';

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
  // Each write costs as much as making ten lines: they go together. At the process's end the rest is written at once.
  if (!pretty) return pino(options, destination({ dest: 1, sync: false, minLength: 4_096, periodicFlush: 100 }));
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } },
  });
}
