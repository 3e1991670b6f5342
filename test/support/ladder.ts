import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * What went over the wire, one line per message, compared whole: an extra NOTIFY fails. `UPDATE_LADDERS=1` writes what
 * was seen into the test file instead; commit only what you understand.
 */
export class Ladder {
  readonly #lines: string[] = [];
  /** How many of them were looked at. */
  #taken = 0;

  /** Everything so far, whether looked at or not. */
  get whole(): string {
    return this.#lines.join('\n');
  }

  add(from: string, to: string, what: string): void {
    this.#lines.push(`${from.padEnd(5)} -> ${to.padEnd(5)} : ${what}`);
  }

  /** Compares everything since the last call with `expected`; indentation does not matter. */
  matches(expected: string): void {
    const seen = this.take();
    const wanted = expected
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (process.env['UPDATE_LADDERS'] === '1' && seen.join('\n') !== wanted.join('\n')) rewrite(expected, seen);
    else expect(seen.join('\n')).toBe(wanted.join('\n'));
  }

  /** The lines since the last call, for a look at one of them. */
  take(): readonly string[] {
    const seen = this.#lines.slice(this.#taken).map((line) => line.trim());
    this.#taken = this.#lines.length;
    return seen;
  }
}

/** Puts the seen lines in place of the literal in the test file that called. */
function rewrite(expected: string, seen: readonly string[]): void {
  const path = callingFile();
  const source = readFileSync(path, 'utf8');
  const at = source.indexOf(`\`${expected}\``);
  expect(at, 'the ladder stands in its test file as a plain template literal').toBeGreaterThan(-1);
  const body = `\n${seen.map((line) => `    ${line}`).join('\n')}\n  `;
  writeFileSync(path, source.slice(0, at + 1) + body + source.slice(at + 1 + expected.length));
}

function callingFile(): string {
  const stack = new Error('where').stack ?? '';
  const match = /((?:file:\/\/)?\/[^\s():]+\.test\.ts)/.exec(stack)?.[1];
  if (match === undefined) throw new Error('a ladder can only be rewritten from a test file');
  return match.replace('file://', '');
}
