import type { Finding, SourceFile } from './source-files.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Names that bring in time, chance, the outside or waiting, with what to use instead. */
const impure = new Map(
  Object.entries({
    Date: 'time is the parameter `now`',
    performance: 'time is the parameter `now`',
    setTimeout: 'timers are effects',
    setInterval: 'timers are effects',
    setImmediate: 'pure code does not wait',
    queueMicrotask: 'pure code does not wait',
    async: 'async ends at the driver',
    await: 'async ends at the driver',
    process: 'the environment is read by config.ts only',
    console: 'pure code does not log',
    fetch: 'pure code does not touch the network',
  }),
);

/** What of `sipd` touches the world: its sockets, its control connections, name lookups, its process or thread. */
const sipdShell = /^src\/sipd\/(main\.ts|sipd\.ts|control\/session\.ts|(transport|names|outbound|process)\/)/;

/** True for the files that decide without touching the world: `core`, `wire`, and `sipd` but for its own shell. */
export function isPure(path: string): boolean {
  return /^src\/(core|wire|sipd)\//.test(path) && !sipdShell.test(path);
}

/** Uses of time, chance, the environment or waiting. */
export function impurities(file: SourceFile): Finding[] {
  const tokens = tokensOf(file.text);
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || !isUse(tokens, at)) return [];
    const reason = token.text === 'Math' ? chance(tokens, at) : impure.get(token.text);
    return reason === undefined ? [] : [`${file.path}:${token.line}: ${token.text}: ${reason}`];
  });
}

/** Who reads the environment: the two processes, which hand it on. */
const processes = new Set(['src/main.ts', 'src/sipd/main.ts']);

/** Reads of the environment by anybody else. */
export function environmentReads({ path, text }: SourceFile): Finding[] {
  if (processes.has(path)) return [];
  const words = tokensOf(text);
  return words.flatMap(({ text: word, line }, at) =>
    word === 'process' && words[at + 1]?.text === '.' && words[at + 2]?.text === 'env'
      ? [`${path}:${line}: the environment is read by the processes only`]
      : [],
  );
}

function chance(tokens: readonly Token[], at: number): string | undefined {
  return tokens[at + 1]?.text === '.' && tokens[at + 2]?.text === 'random' ? 'chance comes from Ids' : undefined;
}

/** Neither a property (`message.Date`) nor a key (`{ Date: … }`). */
function isUse(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.text;
  if (before === '.' || before === '?.') return false;
  const after = tokens[at + 1]?.text;
  const isKey = after === ':' && (before === '{' || before === ',' || before === 'readonly');
  return !isKey;
}
