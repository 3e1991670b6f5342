import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checksOf, documentOf, outcomesOf, summaryOf, unknownClaims, verdictsOf } from './verdicts.ts';

/**
 * `npm run conformance [-- --json] [-- --results FILE]`: runs all tests, or reads the JSON report of a run, and writes
 * `docs/conformance.md`. Exits 1 when a check failed or a test claims a number that does not exist.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));

function runTests(): string {
  const folder = mkdtempSync(join(tmpdir(), 'isfocus-conformance-'));
  const file = join(folder, 'results.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    // Its own output goes to stderr, so that stdout holds nothing but what was asked for.
    spawnSync(process.execPath, [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, results: { type: 'string' } } });
const checks = checksOf(readFileSync(join(root, 'docs/checks.md'), 'utf8'));
const outcomes = outcomesOf(values.results === undefined ? runTests() : readFileSync(values.results, 'utf8'));
const verdicts = verdictsOf(checks, outcomes);
const unknown = unknownClaims(checks, outcomes);

writeFileSync(join(root, 'docs/conformance.md'), documentOf(verdicts));
if (values.json) for (const verdict of verdicts) console.log(JSON.stringify(verdict));
else {
  for (const { id, statement } of verdicts.filter(({ verdict }) => verdict === 'failed'))
    console.log(`failed: ${id} ${statement}`);
  console.log(summaryOf(verdicts));
}
if (unknown.length > 0) console.error(`docs/checks.md does not know ${unknown.join(', ')}`);
process.exitCode = unknown.length > 0 || verdicts.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
