import { dirname, join } from 'node:path/posix';
import { rowsTable } from './documents.ts';
import { importsOf, partOf } from './imports.ts';
import type { SourceFile } from './source-files.ts';

/** An import that leaves its folder; both ends are the paths that the codemap has: `src/core/requests`, `src/app.ts`. */
type Direction = { readonly from: string; readonly to: string };

const none = '—';

/** What each part of `src` imports of the others, a row each: a part is a folder, or a file beside the folders. */
export function partsTable(files: readonly SourceFile[]): string {
  const parts = unique(files.map(({ path }) => partPath(path)));
  const directions = directionsOf(files).map(({ from, to }) => ({ from: partPath(from), to: partPath(to) }));
  const rows = parts.map((part) => [`\`${part}\``, namesOf(part, directions, (to) => partOf(to))]);
  return rowsTable(['part', 'imports'], rows);
}

/** What each folder imports of the other folders of its part; a part without folders has no row. */
export function foldersTable(files: readonly SourceFile[]): string {
  const folders = unique(files.map(({ path }) => placeOf(path))).filter((place) => !place.endsWith('.ts'));
  const inner = directionsOf(files).filter(({ from, to }) => partOf(from) === partOf(to));
  const rows = folders
    .filter((folder) => folders.some((other) => other !== folder && partOf(other) === partOf(folder)))
    .map((folder) => [`\`${folder}\``, namesOf(folder, inner, (to) => to.slice(to.lastIndexOf('/') + 1))]);
  return rowsTable(['folder', 'imports of its part'], rows);
}

function namesOf(from: string, directions: readonly Direction[], nameOf: (to: string) => string): string {
  const names = unique(directions.filter((one) => one.from === from && one.to !== from).map(({ to }) => nameOf(to)));
  return names.length === 0 ? none : names.map((name) => `\`${name}\``).join(', ');
}

function directionsOf(files: readonly SourceFile[]): Direction[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => ({ from: placeOf(path), to: placeOf(join(dirname(path), specifier)) })),
  );
}

/** The folder of a file; of one right below `src`, the file itself. */
function placeOf(path: string): string {
  const folder = dirname(path);
  return folder === 'src' ? path : folder;
}

/** `src/core` of all that lies below it; a file beside the folders is a part by itself. */
function partPath(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
