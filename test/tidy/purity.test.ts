import { expect, test } from 'vitest';
import { environmentReads, impurities, isPure } from './purity.ts';
import { sourceFiles } from './source-files.ts';

test('core, wire and sipd behind its sockets know neither time nor chance nor waiting nor the environment', () => {
  const pure = sourceFiles('src', '.ts').filter(({ path }) => isPure(path));
  expect(pure.length).toBeGreaterThan(0);
  expect(pure.flatMap(impurities)).toEqual([]);
});

test('each impurity is found', () => {
  const found = (text: string) => impurities({ path: 'src/core/service.ts', text });
  for (const text of [
    'const at = Date.now();',
    'const at = new Date(0);',
    'const at = performance.now();',
    'const id = Math.random();',
    'setTimeout(run, 5);',
    'export async function run() {}',
    'const port = process.env.PORT;',
    'console.log(1);',
    'const text = `${Date.now()}`;',
    'const table = { at: Date.now() };',
  ]) {
    expect(found(text), text).toHaveLength(1);
  }
});

test('a header called Date, a comment about time and arithmetic are no impurities', () => {
  const text = `// Date is a header here.
    const date = headers.Date; const row = { Date: 'x', process: 1 }; const half = Math.floor(3 / 2); const name = 'Date';`;
  expect(impurities({ path: 'src/wire/cpim.ts', text })).toEqual([]);
});

test('what is pure is told by its path', () => {
  expect(
    ['src/core/service.ts', 'src/wire/sdp.ts', 'src/sipd/stack.ts', 'src/sipd/transaction/timers.ts'].every(isPure),
  ).toBe(true);
  expect(['src/driver.ts', 'src/sipd/sipd.ts', 'src/sipd/transport/udp.ts', 'src/sip/gate.ts'].some(isPure)).toBe(
    false,
  );
});

test('the environment is read where the processes begin, and handed on', () => {
  expect(sourceFiles('src', '.ts').flatMap(environmentReads)).toEqual([]);
});

test('who else reads it is found', () => {
  const text = "const host = process.env['HTTP_HOST']; process.exit(); // process.env";
  expect(environmentReads({ path: 'src/http/http-server.ts', text })).toHaveLength(1);
  expect(environmentReads({ path: 'src/main.ts', text })).toEqual([]);
});
