import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { daemonWays } from '../../src/sipd/daemon-ways.ts';
import { pathsNamed, sectionOf } from './documents.ts';
import { sourceFile } from './source-files.ts';

/** A row of the table of traps: what the server does, how it is met, by which modules, shown by which tests. */
type Trap = {
  readonly trap: string;
  readonly how: string;
  readonly modules: readonly string[];
  readonly tests: readonly (readonly [path: string, title: string])[];
};

/** The rows of all tables in the text. */
function trapsIn(markdown: string): Trap[] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:the server|---) \|/.test(line));
  return rows.map((row) => {
    const [trap = '', how = '', modules = '', tests = ''] = row.slice(2, -2).split(' | ');
    return { trap, how, modules: pathsNamed(modules), tests: testsNamed(tests) };
  });
}

/** What a cell names as `file`: “title”, “title”; `file`: “title”. */
function testsNamed(cell: string): (readonly [string, string])[] {
  return [...cell.matchAll(/`([^`]+)`: ((?:“[^”]*”(?:, )?)+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/“([^”]*)”/g)].map(([, title = '']) => [path, title] as const),
  );
}

/** Whether the text of a test file has that title, or that name of a switch, as a string of its own. */
function hasTitle(text: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
}

function exists(path: string): boolean {
  return existsSync(new URL(`../../${path}`, import.meta.url));
}

/** What the rows name and is not there. */
function absent(traps: readonly Trap[]): string[] {
  const modules = traps.flatMap((trap) => trap.modules.filter((path) => !exists(path)));
  const tests = traps
    .flatMap((trap) => trap.tests)
    .filter(([path, title]) => !exists(path) || !hasTitle(sourceFile(path).text, title));
  return [...modules, ...tests.map((named) => named.join(': '))];
}

/** The traps that no module meets, or that no test shows, and of which the page does not say so. */
function unmet(traps: readonly Trap[]): string[] {
  const isSaid = ({ how }: Trap): boolean => how.startsWith('**nothing**: ');
  return traps
    .filter((trap) => !isSaid(trap) && (trap.modules.length === 0 || trap.tests.length === 0))
    .map(({ trap }) => trap);
}

const page = sectionOf(sourceFile('docs/drachtio-traps.md').text, 'traps');

test('each module and test that the table of traps names is there', () => {
  expect(trapsIn(page).length).toBeGreaterThan(60);
  expect(absent(trapsIn(page))).toEqual([]);
});

test('a trap is met by a module and shown by a test, or the table says that nothing meets it', () => {
  expect(unmet(trapsIn(page))).toEqual([]);
});

test('the table has each way of the daemon that sipd copies, and the test that shows it', () => {
  const shown = trapsIn(page).flatMap(({ trap, tests }) =>
    tests.map(([, title]) => title).filter((title) => trap.includes(`\`${title}\``)),
  );
  expect(Object.keys(daemonWays).filter((way) => !shown.includes(way))).toEqual([]);
});

test('a module, a file or a title that is gone is found, and a trap that nothing meets', () => {
  const row = (modules: string, tests: string, how = 'so'): Trap[] =>
    trapsIn(`| it does | ${how} | ${modules} | ${tests} |`);
  const here = '`test/tidy/drachtio-page.test.ts`: “each module and test that the table of traps names is there”';
  expect(absent(row('`src/sip/gate.ts`', here))).toEqual([]);
  expect(absent(row('`src/sip/gone.ts`', here))).toEqual(['src/sip/gone.ts']);
  expect(absent(row('none', '`test/gone.test.ts`: “one”, “two”'))).toHaveLength(2);
  expect(absent(row('none', '`test/tidy/drachtio-page.test.ts`: “no such” + “title”'))).toHaveLength(1);
  expect(unmet(row('`src/sip/gate.ts`', here))).toEqual([]);
  expect(unmet(row('none', here))).toEqual(['it does']);
  expect(unmet(row('`src/sip/gate.ts`', 'none'))).toEqual(['it does']);
  expect(unmet(row('none', 'none', '**nothing**: wait'))).toEqual([]);
});
