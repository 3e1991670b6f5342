import type { Finding, SourceFile } from './source-files.ts';

/** Written apart, so that this file does not contain what it looks for. */
const apart = (...pieces: readonly string[]) => pieces.join('');

const banned: readonly { readonly text: RegExp; readonly reason: string }[] = [
  { text: new RegExp(apart('\\b(TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK)\\b')), reason: 'an open end' },
  {
    text: new RegExp(apart('(^|[\\s"\'`(=])/(wo', 'rk|ro', 'ot|ho', 'me|Us', 'ers)/')),
    reason: 'a path of one machine',
  },
  {
    text: new RegExp(apart('https?://[\\w.-]*(regi', 'stry|artif', 'actory|nex', 'us|verd', 'accio)')),
    reason: 'a host of one registry',
  },
  {
    text: new RegExp(
      apart('biome', '-ignore|@ts', '-ignore|@ts', '-expect-error|@ts', '-nocheck|(ox|es)', 'lint-disable'),
    ),
    reason: 'a silenced check',
  },
];

/** Lines that hold what no file of the project may hold. */
export function bannedTexts(file: SourceFile): Finding[] {
  return file.text
    .split('\n')
    .flatMap((line, at) =>
      banned.filter(({ text }) => text.test(line)).map(({ reason }) => `${file.path}:${at + 1}: ${reason}`),
    );
}

const untested: readonly { readonly text: RegExp; readonly reason: string }[] = [
  {
    text: new RegExp(apart('\\b(te', 'st|it|describe)\\.(on', 'ly|sk', 'ip|to', 'do|fai', 'ls)\\b')),
    reason: 'a test that is not run',
  },
  { text: new RegExp(apart('\\bvi\\.(mo', 'ck|do', 'Mock|hoi', 'sted)\\b')), reason: 'a mock of a module' },
];

/** Lines of a test file by which something goes untested. */
export function untestedTexts(file: SourceFile): Finding[] {
  return file.text
    .split('\n')
    .flatMap((line, at) =>
      untested.filter(({ text }) => text.test(line)).map(({ reason }) => `${file.path}:${at + 1}: ${reason}`),
    );
}
