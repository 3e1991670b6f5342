import { basename } from 'node:path/posix';
import type { Finding, SourceFile } from './source-files.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Words that say nothing about the thing they name. */
const emptyWords = new Set(['util', 'utils', 'helper', 'helpers', 'manager', 'handler', 'impl', 'misc', 'mgr']);
/** Words that say nothing when they are the whole name, but may be part of one (`acceptTypes`). */
const emptyNames = new Set(['common', 'base', 'types', 'type', 'index', 'data', 'stuff', 'constants', 'shared', 'lib']);

/** Names of a source file, and of what it declares, that are banned. */
export function bannedNames(file: SourceFile): Finding[] {
  const stem = basename(file.path).split('.')[0] ?? '';
  const folders = file.path.split('/').slice(0, -1);
  const inPath = [stem, ...folders.slice(1)].filter((name) => isBanned(name) || emptyNames.has(name));
  const declared = declaredNames(file.text).filter(({ text }) => isBanned(text));
  return [
    ...inPath.map((name) => `${file.path}:1: a path may not be called ${name}`),
    ...declared.map(({ text, line }) => `${file.path}:${line}: ${text} says nothing`),
  ];
}

function isBanned(name: string): boolean {
  return wordsOf(name).some((word) => emptyWords.has(word));
}

/** `dialOutHandler` and `dial-out-handler` are both dial, out, handler. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1-$2')
    .toLowerCase()
    .split(/[-_#$]/);
}

const declarators = new Set(['const', 'let', 'function', 'class', 'type', 'interface']);

/** Names after a declaring word; names in patterns are the other side's and not looked at. */
function declaredNames(source: string): Token[] {
  const tokens = tokensOf(source);
  return tokens.filter((token, at) => token.kind === 'word' && declarators.has(tokens[at - 1]?.text ?? ''));
}

/** Default exports and modules that only pass on other modules. */
export function banishedExports(file: SourceFile): Finding[] {
  const tokens = tokensOf(file.text);
  const findings = tokens.flatMap((token, at) => {
    if (token.text !== 'export' || token.kind !== 'word' || tokens[at - 1]?.text === '.') return [];
    const next = tokens[at + 1]?.text;
    if (next === 'default') return [`${file.path}:${token.line}: a default export`];
    return next === '*' ? [`${file.path}:${token.line}: a barrel`] : [];
  });
  return basename(file.path) === 'index.ts' ? [...findings, `${file.path}:1: a barrel`] : findings;
}
