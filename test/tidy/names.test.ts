import { expect, test } from 'vitest';
import { banishedExports, bannedNames } from './names.ts';
import { sourceFiles } from './source-files.ts';

test('names say what they name', () => {
  expect([...sourceFiles('src', '.ts'), ...sourceFiles('test', '.ts')].flatMap(bannedNames)).toEqual([]);
});

test('an empty name is found in paths and declarations', () => {
  const found = (path: string, text = '') => bannedNames({ path, text });
  expect(found('src/core/utils.ts')).toHaveLength(1);
  expect(found('src/core/types.ts')).toHaveLength(1);
  expect(found('src/helpers/dialogs.ts')).toHaveLength(1);
  expect(found('src/sip/dialog-manager.ts')).toHaveLength(1);
  expect(found('src/sip/dialogs.ts', 'class DialogManager {}')).toHaveLength(1);
  expect(found('src/sip/dialogs.ts', 'const byeHandler = 1;')).toHaveLength(1);
  expect(found('src/sip/dialogs.ts', 'function sipUtils() {}')).toHaveLength(1);
});

test('the standards’ own words and names of packages are left alone', () => {
  const text =
    'const acceptTypes = 1; server.setErrorHandler(answer); const { handler } = route; type MediaType = string;';
  expect(bannedNames({ path: 'src/http/http-server.ts', text })).toEqual([]);
});

test('sources have named exports only, and no barrels', () => {
  expect(sourceFiles('src', '.ts').flatMap(banishedExports)).toEqual([]);
});

test('a default export and a barrel are found', () => {
  const found = (text: string) => banishedExports({ path: 'src/core/service.ts', text });
  expect(found('export default class {}')).toHaveLength(1);
  expect(found("export * from './rows.ts';")).toHaveLength(1);
  expect(banishedExports({ path: 'src/core/index.ts', text: '' })).toHaveLength(1);
  expect(found("export const a = 1; // export default\nconst text = 'export default';")).toEqual([]);
});
