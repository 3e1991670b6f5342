import type { Finding, SourceFile } from './source-files.ts';
import { type Token, tokensOf } from './tokens.ts';

export const fileLinesMax = 400;
export const functionLinesMax = 70;

/** A file of more lines than may be. */
export function tooLongFile(file: SourceFile): Finding[] {
  const lineCount = file.text.split('\n').length - 1;
  return lineCount > fileLinesMax ? [`${file.path}:1: ${lineCount} lines, at most ${fileLinesMax}`] : [];
}

/** Functions of more lines than may be, counted from the parameter list to the closing brace. */
export function tooLongFunctions(file: SourceFile): Finding[] {
  return functionLengths(file.text).flatMap(({ line, lineCount }) =>
    lineCount > functionLinesMax
      ? [`${file.path}:${line}: a function of ${lineCount} lines, at most ${functionLinesMax}`]
      : [],
  );
}

/** First line and length of every function with a block body, in order of their beginning. */
export function functionLengths(source: string): { readonly line: number; readonly lineCount: number }[] {
  const tokens = tokensOf(source);
  const closing = closingBrackets(tokens);
  const bodies = new Map<number, number>();
  for (const [at, token] of tokens.entries()) {
    const body = token.text === '(' && token.kind === 'punctuation' ? bodyAfter(tokens, closing, at) : undefined;
    if (body !== undefined && !bodies.has(body)) bodies.set(body, token.line);
  }
  return [...bodies].map(([body, line]) => {
    const end = tokens[closing.get(body) ?? body]?.line ?? line;
    return { line, lineCount: end - line + 1 };
  });
}

/** Index of the closing bracket for the index of each opening one. */
function closingBrackets(tokens: readonly Token[]): Map<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'punctuation') continue;
    if ('([{'.includes(token.text)) open.push(at);
    if (')]}'.includes(token.text)) {
      const from = open.pop();
      if (from !== undefined) closing.set(from, at);
    }
  }
  return closing;
}

const notFunctions = new Set(['if', 'for', 'while', 'switch', 'catch', 'with']);

/** Index of the brace that opens the body of the function whose parameters open at `at`; undefined for a call and the like. */
function bodyAfter(tokens: readonly Token[], closing: ReadonlyMap<number, number>, at: number): number | undefined {
  if (notFunctions.has(tokens[at - 1]?.text ?? '')) return undefined;
  let index = (closing.get(at) ?? tokens.length) + 1;
  if (tokens[index]?.text === ':') index = afterReturnType(tokens, closing, index + 1);
  if (tokens[index]?.text === '=>') index += 1;
  return tokens[index]?.text === '{' ? index : undefined;
}

const typeContinues = new Set([':', '|', '&', '<', ',', '(', 'is', 'extends', 'readonly', 'keyof', 'asserts']);

/** Index of what follows the return type that begins at `start`: a body's brace, an arrow, or anything that is neither. */
function afterReturnType(tokens: readonly Token[], closing: ReadonlyMap<number, number>, start: number): number {
  let index = start;
  while (index < tokens.length) {
    const text = tokens[index]?.text ?? '';
    const opensType = typeContinues.has(tokens[index - 1]?.text ?? '') || (text !== '{' && '(['.includes(text));
    if (text === '{' && !opensType) return index;
    if (text === '=>' || text === ';' || text === '=' || text === ')' || text === '}') return index;
    index = '([{'.includes(text) ? (closing.get(index) ?? tokens.length) + 1 : index + 1;
  }
  return index;
}
