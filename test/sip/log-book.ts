import type { Log } from '../../src/sip/sip-log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** A log that is kept for the test to read. */
export class LogBook {
  readonly #lines: { readonly level: Level; readonly text: string }[] = [];

  readonly log: Log = {
    debug: this.#line('debug'),
    info: this.#line('info'),
    warn: this.#line('warn'),
    error: this.#line('error'),
  };

  texts(level: Level): string[] {
    return this.#lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  #line(level: Level): (...parts: readonly unknown[]) => void {
    return (...parts) => {
      this.#lines.push({ level, text: String(parts.at(-1)) });
    };
  }
}
