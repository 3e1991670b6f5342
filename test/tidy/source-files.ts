import { readdirSync, readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A text file of the project; `path` is relative to its root, with forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string };

/** What a check found: `path:line: what is wrong`. */
export type Finding = string;

const root = fileURLToPath(new URL('../../', import.meta.url));
const notOurs = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', 'generated']);

/** Every file below `folder` (relative to the root, '' for all) that we wrote and whose name ends so. */
export function sourceFiles(folder: string, ...endings: readonly string[]): SourceFile[] {
  return pathsBelow(`${root}${folder}`)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

/** One file by its path. */
export function sourceFile(path: string): SourceFile {
  return { path, text: readFileSync(`${root}${path}`, 'utf8') };
}

function pathsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: false, withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = `${folder.replace(/\/$/, '')}/${entry.name}`;
    return entry.isDirectory() ? pathsBelow(path) : [relative(root, path).split(sep).join('/')];
  });
}
