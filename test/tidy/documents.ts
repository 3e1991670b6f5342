import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sourceFile } from './source-files.ts';

/** Parts of documents that are printed from the code, between `<!-- name -->` and `<!-- /name -->`. */

/** What stands in the section of this name. Throws when the document has none. */
export function sectionOf(markdown: string, name: string): string {
  const [begin, end] = bounds(markdown, name);
  return markdown.slice(begin, end).trim();
}

/** The document with another text in that section. */
export function withSection(markdown: string, name: string, text: string): string {
  const [begin, end] = bounds(markdown, name);
  return `${markdown.slice(0, begin)}\n\n${text}\n\n${markdown.slice(end)}`;
}

function bounds(markdown: string, name: string): readonly [begin: number, end: number] {
  const open = `<!-- ${name} -->`;
  const begin = markdown.indexOf(open);
  const end = markdown.indexOf(`<!-- /${name} -->`);
  if (begin < 0 || end < begin) throw new Error(`The document has no section ${name}`);
  return [begin + open.length, end];
}

/** The section as it stands in the file; with `UPDATE_DOCS` set, as it should stand, after writing it there. */
export function printedSection(path: string, name: string, expected: string): string {
  const { text } = sourceFile(path);
  const update = process.env['UPDATE_DOCS'];
  if (update === undefined || update === '') return sectionOf(text, name);
  writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), withSection(text, name, expected));
  return sectionOf(sourceFile(path).text, name);
}

type Variable = { readonly name: string; readonly default: string; readonly meaning: string };

/** The table of environment variables, one row each. */
export function variablesTable(variables: readonly Variable[]): string {
  const rows = variables.map((one) => `| \`${one.name}\` | ${cell(one.default)} | ${cell(one.meaning)} |`);
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

type Pair = readonly [string, string];

/** A table of two columns. */
export function pairsTable(head: Pair, rows: readonly Pair[]): string {
  return rowsTable(head, rows);
}

/** A table of as many columns as its head has. */
export function rowsTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

/** XML with a line for each tag, and for each element that holds nothing but text. */
export function indented(xml: string): string {
  let depth = 0;
  const lines = xml.replaceAll('><', '>\n<').split('\n');
  return lines
    .map((line) => {
      if (line.startsWith('</')) depth -= 1;
      const text = `${'  '.repeat(depth)}${line}`;
      if (/^<\w[^<]*(?<!\/)>$/.test(line)) depth += 1;
      return text;
    })
    .join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The first fenced block in that language. Throws when there is none. */
export function codeBlock(markdown: string, language: string): string {
  const fence = `\`\`\`${language}\n`;
  const begin = markdown.indexOf(fence);
  const end = markdown.indexOf('\n```', begin);
  if (begin < 0 || end < 0) throw new Error(`The document has no block in ${language}`);
  return markdown.slice(begin + fence.length, end + 1);
}

type Table = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/** A Mermaid state diagram of a transition table: one arrow for each pair of states, with all events that lead along it. */
export function stateDiagram(transitions: Table): string {
  const arrows = Object.entries(transitions).flatMap(([from, row]) => arrowsOf(from, row));
  const reached = new Set(arrows.flatMap(({ from, to }) => [from, to]));
  const names = Object.keys(transitions).filter((state) => reached.has(state));
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...names.filter((state) => idOf(state) !== state).map((state) => `  state "${state}" as ${idOf(state)}`),
    ...arrows.map(({ from, to, events }) => `  ${idOf(from)} --> ${idOf(to)}: ${events.join(', ')}`),
    '```',
  ].join('\n');
}

function arrowsOf(from: string, row: Table[string]): { from: string; to: string; events: string[] }[] {
  const eventsByTarget = new Map<string, string[]>();
  for (const [event, to] of Object.entries(row)) {
    if (to !== undefined) eventsByTarget.set(to, [...(eventsByTarget.get(to) ?? []), event]);
  }
  return [...eventsByTarget].map(([to, events]) => ({ from, to, events }));
}

/** Mermaid takes a hyphen in a state's name for the beginning of an arrow. */
function idOf(state: string): string {
  return state.replaceAll('-', '_');
}

/** Paths of this project that a document names in backticks: `src/app.ts`, `docs/adr`. Commands and patterns are left out. */
export function pathsNamed(markdown: string): string[] {
  const named = markdown.match(/`(?:src|test|docs|prisma|openapi|\.ci)(?:\/[\w./-]+)?`/g) ?? [];
  return [...new Set(named.map((path) => path.replaceAll('`', '').replace(/\/$/, '')))];
}

/** File names in a codemap's lines that are not in the folder the line begins with: `src/core`: `service.ts`, … */
export function absentFiles(codemap: string, sourcePaths: readonly string[]): string[] {
  return codemap.split('\n').flatMap((line) => {
    const [folder] = pathsNamed(line);
    const names = [...line.matchAll(/`([\w-]+\.ts)`/g)].map(([, name]) => `${folder}/${name}`);
    return names.filter((path) => !sourcePaths.includes(path));
  });
}

/** What a codemap has no line for: files right below `src`, and folders of it that hold sources. */
export function unmapped(codemap: string, sourcePaths: readonly string[]): string[] {
  const mapped = new Set(pathsNamed(codemap));
  const needed = sourcePaths.map((path) => {
    const folder = path.slice(0, path.lastIndexOf('/'));
    return folder === 'src' ? path : folder;
  });
  return [...new Set(needed)].filter((path) => !mapped.has(path)).sort();
}
