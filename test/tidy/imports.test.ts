import { expect, test } from 'vitest';
import {
  chanceInPureCode,
  forbiddenImports,
  foreignPackages,
  idleOwners,
  importsOf,
  partOf,
  unusedLeaves,
} from './imports.ts';
import { sourceFiles } from './source-files.ts';

const sources = sourceFiles('src', '.ts');
const specifiers = (source: string) => importsOf(source).map((found) => found.specifier);

test('every form of import is seen, and what only looks like one is not', () => {
  expect(
    importsOf(`import a, { b as c, type D } from 'one';
      import type { E } from "two"; import * as f from 'three'; import 'four';
      export { g } from './five.ts'; export * from './six.ts'; export type { H } from './seven.ts';
      const i = await import('eight');
      // import x from 'nine'
      const text = "import y from 'ten'"; export const from = 'eleven'; export { i };`),
  ).toEqual([
    { specifier: 'one', typeOnly: false, names: ['a', 'b', 'D'], line: 1 },
    { specifier: 'two', typeOnly: true, names: ['E'], line: 2 },
    { specifier: 'three', typeOnly: false, names: [], line: 2 },
    { specifier: 'four', typeOnly: false, names: [], line: 2 },
    { specifier: './five.ts', typeOnly: false, names: ['g'], line: 3 },
    { specifier: './six.ts', typeOnly: false, names: [], line: 3 },
    { specifier: './seven.ts', typeOnly: true, names: ['H'], line: 3 },
    { specifier: 'eight', typeOnly: false, names: [], line: 4 },
  ]);
});

test('a file beside the folders is a part of its own', () => {
  expect(partOf('src/ids.ts')).toBe('ids');
  expect(partOf('src/core/ids.ts')).toBe('core');
  expect(partOf('src/http/routes/health.ts')).toBe('http');
});

test('imports point inward', () => {
  expect(sources.flatMap(forbiddenImports)).toEqual([]);
});

test('an import that points outward, sideways or to an unknown part is found', () => {
  const file = (path: string, specifier: string) =>
    forbiddenImports({ path, text: `import { x } from '${specifier}';` });
  expect(file('src/core/conference/roster.ts', '../../sip/dialogs.ts')).toEqual([
    'src/core/conference/roster.ts:1: core may not import src/sip/dialogs.ts',
  ]);
  expect(file('src/core/conference/roster.ts', '../../ids.ts')).toHaveLength(1);
  expect(file('src/wire/sdp.ts', '../core/limits.ts')).toHaveLength(1);
  expect(file('src/sip/sip-shell.ts', '../msrp/connection.ts')).toHaveLength(1);
  expect(file('src/http/routes/health.ts', '../../wire/sip-uri.ts')).toHaveLength(1);
  expect(file('src/driver.ts', './store/store.ts')).toHaveLength(1);
  expect(file('src/sipd/stack.ts', '../core/limits.ts')).toHaveLength(1);
  expect(file('src/wire/sdp.ts', '../../test/support/world.ts')).toHaveLength(1);
  expect(file('src/webhooks/sender.ts', './x.ts')).toHaveLength(1);
  expect(file('src/core/conference/roster.ts', '../../wire/msrp.ts')).toEqual([]);
  expect(file('src/app.ts', './store/store.ts')).toEqual([]);
});

test('nothing may be imported that is not', () => {
  expect(unusedLeaves(sources)).toEqual([]);
  expect(idleOwners(sources)).toEqual([]);
});

test('a leave that nobody uses is found', () => {
  expect(unusedLeaves([])).toContain('banner may import config');
  const text = "import { config } from './config.ts';";
  expect(unusedLeaves([{ path: 'src/banner.ts', text }])).not.toContain('banner may import config');
  expect(idleOwners([])).toContainEqual(expect.stringMatching(/^wire\/xml\.ts owns /));
});

test('each package has one owner', () => {
  expect(sources.flatMap(foreignPackages)).toEqual([]);
});

test('a package imported by a stranger, or by nobody’s leave, is found', () => {
  const file = (path: string, text: string) => foreignPackages({ path, text });
  expect(file('src/core/service.ts', "import { randomUUID } from 'node:fs';")).toHaveLength(1);
  expect(file('src/wire/sdp.ts', "import { create } from 'xmlbuilder2';")).toHaveLength(1);
  expect(file('src/store/store.ts', "import fastify from 'fastify';")).toHaveLength(1);
  expect(file('src/sip/gate.ts', "import { leftPad } from 'left-pad';")).toEqual([
    'src/sip/gate.ts:1: left-pad has no owner',
  ]);
  expect(file('src/core/service.ts', "import type { Logger } from 'pino';")).toHaveLength(1);
  expect(file('src/sip/gate.ts', "import type { Logger } from 'pino';")).toEqual([]);
  expect(file('src/wire/xml.ts', "import { create } from 'xmlbuilder2';")).toEqual([]);
});

test('core and wire take nothing but hashes from node:crypto', () => {
  const pure = sources.filter(({ path }) => /^src\/(core|wire)\//.test(path));
  expect(pure.flatMap(chanceInPureCode)).toEqual([]);
});

test('chance that comes in through node:crypto is found', () => {
  const file = (text: string) => chanceInPureCode({ path: 'src/core/service.ts', text });
  expect(file("import { randomUUID } from 'node:crypto';")).toHaveLength(1);
  expect(file("import * as crypto from 'node:crypto';")).toHaveLength(1);
  expect(file("import { createHash, generateKeySync } from 'node:crypto';")).toHaveLength(1);
  expect(file("import { createHash, createHmac, timingSafeEqual } from 'node:crypto';")).toEqual([]);
});

test('specifiers are read from real files', () => {
  expect(specifiers(sources.find(({ path }) => path === 'src/core/input.ts')?.text ?? '')).toContain('./rows.ts');
});
