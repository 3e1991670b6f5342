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
  // Lines that come while one is being written go together; what is left at the end is written then.
  if (!pretty) return pino(options, destination({ dest: 1, sync: false }));
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } },
  });
}
