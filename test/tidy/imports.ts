import { dirname, join } from 'node:path/posix';
import type { Finding, SourceFile } from './source-files.ts';
import { type Token, tokensOf } from './tokens.ts';

export type Import = {
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** Imported names; empty for a namespace, a side effect or a dynamic import. */
  readonly names: readonly string[];
  readonly line: number;
};

/** Many checks ask the same of the same files. */
const known = new Map<string, readonly Import[]>();

/** Every static import, re-export and dynamic import of `source`. */
export function importsOf(source: string): readonly Import[] {
  const imports = known.get(source) ?? importsIn(source);
  known.set(source, imports);
  return imports;
}

function importsIn(source: string): Import[] {
  const tokens = tokensOf(source);
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || tokens[at - 1]?.text === '.') return [];
    if (token.text === 'import') return importAt(tokens, at);
    if (token.text === 'export') return reExportAt(tokens, at);
    return [];
  });
}

function importAt(tokens: readonly Token[], at: number): Import[] {
  const next = tokens[at + 1];
  if (next?.kind === 'string') return [found(next, false, [])];
  if (next?.text === '(') {
    const argument = tokens[at + 2];
    return argument?.kind === 'string' ? [found(argument, false, [])] : [];
  }
  return clauseAt(tokens, at);
}

function reExportAt(tokens: readonly Token[], at: number): Import[] {
  const next = tokens[at + 1]?.text === 'type' ? tokens[at + 2] : tokens[at + 1];
  return next?.text === '*' || next?.text === '{' ? clauseAt(tokens, at) : [];
}

/** `import [type] … from '…'`: the clause ends at `from`, or at whatever cannot stand in one. */
function clauseAt(tokens: readonly Token[], at: number): Import[] {
  const typeOnly = tokens[at + 1]?.text === 'type' && tokens[at + 2]?.text !== 'from';
  const names: string[] = [];
  for (let index = at + 1; index < tokens.length; index += 1) {
    const token = tokens[index];
    const after = tokens[index + 1];
    if (token?.text === 'from' && after?.kind === 'string') return [found(after, typeOnly, names)];
    if (token === undefined || (token.kind !== 'word' && !'{},*'.includes(token.text))) return [];
    if (token.kind === 'word' && token.text !== 'type' && tokens[index - 1]?.text !== 'as') names.push(token.text);
  }
  return [];
}

function found(specifier: Token, typeOnly: boolean, names: readonly string[]): Import {
  return { specifier: specifier.text, typeOnly, names: names.filter((name) => name !== 'as'), line: specifier.line };
}

/** What each part of `src` may import of the others. A part is a folder, or a file beside the folders. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'wire': ['wire'],
  'core': ['core', 'wire'],
  'sip': ['sip', 'core', 'wire'],
  'msrp': ['msrp', 'core', 'wire'],
  'http': ['http', 'core'],
  'store': ['store', 'core'],
  'sipd': ['sipd', 'wire'],
  'driver': ['core'],
  'definitions': ['core'],
  // Values passed down: they know the shapes the core asks for, and nothing else of ours.
  'config': ['core', 'environment', 'msrp-config'],
  'msrp-config': ['environment'],
  'environment': [],
  'variables': [],
  'log': [],
  'clock': ['core'],
  'ids': ['core'],
  'banner': ['config', 'http'],
  'listening': ['store'],
};
/** They join the parts, hence may know them all. */
const joints = new Set(['app', 'main', 'rest', 'sip-server']);

/** The part a path of `src` belongs to: `src/core/ids.ts` is of `core`, `src/ids.ts` is `ids`. */
export function partOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

/** Relative imports that leave their part where the dependency rules forbid it. */
export function forbiddenImports(file: SourceFile): Finding[] {
  const part = partOf(file.path);
  if (joints.has(part)) return [];
  const allowed = mayImport[part];
  if (allowed === undefined) return [`${file.path}:1: ${part} is no part of the house`];
  return importsOf(file.text).flatMap(({ specifier, line }) => {
    if (!specifier.startsWith('.')) return [];
    const target = join(dirname(file.path), specifier);
    if (target.startsWith('src/') && allowed.includes(partOf(target))) return [];
    return [`${file.path}:${line}: ${part} may not import ${target}`];
  });
}

/** What a part may import of another part and does not: `log may import core`. */
export function unusedLeaves(files: readonly SourceFile[]): Finding[] {
  const used = new Set(
    files.flatMap(({ path, text }) =>
      importsOf(text).map(({ specifier }) => `${partOf(path)} may import ${partOf(join(dirname(path), specifier))}`),
    ),
  );
  const given = Object.entries(mayImport).flatMap(([part, others]) =>
    others.filter((other) => other !== part).map((other) => `${part} may import ${other}`),
  );
  return given.filter((leave) => !used.has(leave));
}

type Owner = {
  /** Matches the whole specifier. */
  readonly package: RegExp;
  /** Path prefixes below `src`. */
  readonly owners: readonly string[];
  /** Anybody outside `core` and `wire` may use its types. */
  readonly typesAnywhere?: boolean;
};

/** Who may import which package. One owner each; Node's own modules belong to those who touch that piece of world. */
const owners: readonly Owner[] = [
  { package: /^(xmlbuilder2|fast-xml-parser)$/, owners: ['wire/xml.ts'] },
  { package: /^drachtio-srf(\/.*)?$/, owners: ['sip/'] },
  { package: /^(fastify|@fastify\/.+|typebox(\/.+)?|prom-client)$/, owners: ['http/'] },
  { package: /^(@prisma\/.+|pg|@electric-sql\/pglite(\/.+)?|pglite-prisma-adapter)$/, owners: ['store/'] },
  { package: /^(pino|pino-pretty)$/, owners: ['log.ts'], typesAnywhere: true },
  { package: /^node:dgram$/, owners: ['sipd/'] },
  {
    package: /^node:(net|tls)$/,
    owners: ['sip/', 'msrp/', 'sipd/', 'store/data-dir-lock.ts', 'config.ts', 'environment.ts', 'app.ts'],
  },
  { package: /^ws$/, owners: ['sipd/transport/', 'msrp/websocket.ts', 'msrp/websocket-carrier.ts'] },
  { package: /^node:https?$/, owners: ['http/', 'sipd/transport/', 'sipd/outbound/', 'msrp/websocket.ts'] },
  { package: /^node:module$/, owners: ['store/'] },
  { package: /^node:dns(\/promises)?$/, owners: ['sipd/', 'msrp/'] },
  { package: /^node:worker_threads$/, owners: ['store/', 'sipd/'] },
  {
    package: /^node:fs(\/promises)?$/,
    owners: ['store/', 'http/', 'sipd/', 'msrp/certificate.ts', 'environment.ts', 'main.ts'],
  },
  { package: /^node:crypto$/, owners: [''] },
  { package: /^node:assert(\/strict)?$/, owners: [''] },
  {
    package: /^node:(buffer|events|os|path|stream|url)$/,
    owners: ['sip/', 'msrp/', 'http/', 'store/', 'sipd/'],
  },
];

/** Imports of packages by somebody who does not own them, and packages nobody owns. */
export function foreignPackages(file: SourceFile): Finding[] {
  const path = file.path.replace(/^src\//, '');
  return importsOf(file.text).flatMap(({ specifier, typeOnly, line }) => {
    if (specifier.startsWith('.')) return [];
    const owner = owners.find((candidate) => candidate.package.test(specifier));
    if (owner === undefined) return [`${file.path}:${line}: ${specifier} has no owner`];
    if (typeOnly && owner.typesAnywhere === true && !/^(core|wire)\//.test(path)) return [];
    if (owner.owners.some((prefix) => path.startsWith(prefix))) return [];
    return [`${file.path}:${line}: ${specifier} belongs to ${owner.owners.join(', ')}`];
  });
}

/** Owners that import nothing of what they own. */
export function idleOwners(files: readonly SourceFile[]): Finding[] {
  const imports = files.flatMap(({ path, text }) =>
    importsOf(text).map(({ specifier }) => ({ path: path.replace(/^src\//, ''), specifier })),
  );
  return owners.flatMap(({ package: name, owners: prefixes }) =>
    prefixes
      .filter((prefix) => !imports.some(({ path, specifier }) => path.startsWith(prefix) && name.test(specifier)))
      .map((prefix) => `${prefix} owns ${name.source}`),
  );
}

/** What of node:crypto gives the same for the same, always. */
const pureCrypto = new Set(['createHash', 'hash', 'createHmac', 'timingSafeEqual']);

/** In `core` and `wire`, chance must not come in through node:crypto: only hashes and their comparison may. */
export function chanceInPureCode(file: SourceFile): Finding[] {
  return importsOf(file.text).flatMap(({ specifier, names, line }) =>
    specifier === 'node:crypto' && (names.length === 0 || names.some((name) => !pureCrypto.has(name)))
      ? [`${file.path}:${line}: only hashes of node:crypto are allowed here`]
      : [],
  );
}
