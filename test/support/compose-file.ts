/**
 * Reads a compose file, as far as ours goes in YAML: maps and lists by indentation, one scalar or one JSON list to a
 * line, comments on lines of their own. Whatever else stands there is an error, so that nothing is misread.
 */

export type Yaml = string | null | readonly Yaml[] | { readonly [key: string]: Yaml };

type Line = { readonly indent: number; readonly text: string; readonly number: number };

/** The document as maps, lists and strings; numbers stay text, an empty value is null. */
export function readYaml(source: string): Yaml {
  const lines = source.split('\n').flatMap((raw, at): Line[] => {
    const text = raw.trim();
    if (text === '' || text.startsWith('#')) return [];
    return [{ indent: raw.length - raw.trimStart().length, text, number: at + 1 }];
  });
  const [value, rest] = block(lines, 0);
  if (rest.length > 0) throw wrong(rest[0], 'is indented less than what it belongs to');
  return value;
}

/** The value that begins at the first line, and the lines after it. */
function block(lines: readonly Line[], indent: number): readonly [value: Yaml, rest: readonly Line[]] {
  const [first] = lines;
  if (first === undefined || first.indent < indent) return [null, lines];
  return first.text.startsWith('- ') ? list(lines, first.indent) : map(lines, first.indent);
}

function list(lines: readonly Line[], indent: number): readonly [value: Yaml, rest: readonly Line[]] {
  const items: Yaml[] = [];
  let rest = lines;
  for (let [line] = rest; line !== undefined && line.indent === indent; [line] = rest) {
    if (!line.text.startsWith('- ')) throw wrong(line, 'is no item of a list');
    items.push(scalar(line, line.text.slice(2)));
    rest = rest.slice(1);
  }
  return [items, rest];
}

function map(lines: readonly Line[], indent: number): readonly [value: Yaml, rest: readonly Line[]] {
  const entries: Record<string, Yaml> = {};
  let rest = lines;
  for (let [line] = rest; line !== undefined && line.indent >= indent; [line] = rest) {
    const [, key, written] = /^([\w.-]+):(?: +(.+))?$/.exec(line.text) ?? [];
    if (key === undefined || line.indent > indent) throw wrong(line, 'is no entry of a map');
    if (Object.hasOwn(entries, key)) throw wrong(line, 'is there twice');
    rest = rest.slice(1);
    if (written === undefined) [entries[key], rest] = below(rest, indent);
    else entries[key] = scalar(line, written);
  }
  return [entries, rest];
}

function below(lines: readonly Line[], indent: number): readonly [value: Yaml, rest: readonly Line[]] {
  return block(lines, indent + 1);
}

function scalar(line: Line, written: string): Yaml {
  if (/^["[]/.test(written)) return JSON.parse(written) as Yaml;
  if (/^[{&*!|>'%@`]|: | #/.test(written)) throw wrong(line, 'is more YAML than this reads');
  return written;
}

function wrong(line: Line | undefined, what: string): Error {
  return new Error(`line ${line?.number} ${what}: ${line?.text}`);
}

/** `${NAME}`, `${NAME:-default}` and `${NAME:?complaint}` as compose fills them in; throws where it would complain. */
export function interpolate(value: Yaml, environment: Readonly<Record<string, string>>): Yaml {
  if (value === null) return null;
  if (typeof value === 'string') return filledIn(value, environment);
  if (isList(value)) return value.map((item) => interpolate(item, environment));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, environment)]));
}

function filledIn(text: string, environment: Readonly<Record<string, string>>): string {
  const form = /\$\{(\w+)(?::([-?])([^}]*))?\}/;
  return text.replaceAll(new RegExp(form, 'g'), (found) => {
    const [, name = '', how, words = ''] = form.exec(found) ?? [];
    const given = environment[name] ?? '';
    if (given !== '') return given;
    if (how === '?') throw new Error(`${name} ${words}`);
    return how === '-' ? words : '';
  });
}

/** The value at the end of a path of keys; throws when there is none. */
export function at(value: Yaml, ...path: readonly string[]): Yaml {
  let found = value;
  for (const key of path) {
    const next = found === null || typeof found === 'string' || isList(found) ? undefined : found[key];
    if (next === undefined) throw new Error(`nothing at ${path.join(' ')}`);
    found = next;
  }
  return found;
}

/** The map of strings at the end of a path. */
export function strings(value: Yaml, ...path: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(at(value, ...path) ?? {}).map(([key, item]) => [key, String(item)]));
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}
