/** One numbered promise of `docs/checks.md`. */
export type Check = { readonly id: string; readonly statement: string };

/** One test as vitest's JSON report names it. */
export type TestOutcome = { readonly titles: readonly string[]; readonly status: 'passed' | 'failed' | 'not run' };

export type Verdict = Check & {
  readonly verdict: 'passed' | 'failed' | 'not claimed';
  /** How many tests bear the number, skipped ones left out. */
  readonly testCount: number;
};

const row = /^\| (CC-\d{3}|QK-\d{1,2}) \| (.+?) \| .* \|$/;

/** The checks of `docs/checks.md`, in its order. Throws when two have one number or none is there. */
export function checksOf(markdown: string): Check[] {
  const checks = markdown.split('\n').flatMap((line) => {
    const [, id, statement] = row.exec(line) ?? [];
    return id === undefined || statement === undefined ? [] : [{ id, statement }];
  });
  if (checks.length === 0) throw new Error('docs/checks.md holds no checks');
  if (new Set(checks.map(({ id }) => id)).size < checks.length) throw new Error('docs/checks.md gives a number twice');
  return checks;
}

/** The tests in a JSON report of vitest. Throws when the text is none. */
export function outcomesOf(report: string): TestOutcome[] {
  const parsed: unknown = JSON.parse(report);
  return arrayAt(parsed, 'testResults').flatMap((file) =>
    arrayAt(file, 'assertionResults').map((test) => ({
      titles: [...arrayAt(test, 'ancestorTitles'), at(test, 'title')].map(String),
      status: statusOf(at(test, 'status')),
    })),
  );
}

function statusOf(status: unknown): TestOutcome['status'] {
  return status === 'passed' || status === 'failed' ? status : 'not run';
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function arrayAt(value: unknown, key: string): unknown[] {
  const found = at(value, key);
  if (!Array.isArray(found)) throw new Error(`The report has no ${key}`);
  return found;
}

/** Numbers a test claims: those its own title, or the title of a suite around it, begins with, in quotes or not. */
export function claimsOf(titles: readonly string[]): string[] {
  return titles.flatMap((title) => {
    const [leading = ''] = /^'?(?:(?:CC-\d+|QK-\d+)(?:[\s,:;/]+(?:and )?|$))+/.exec(title) ?? [];
    return leading.match(/(?:CC|QK)-\d+/g) ?? [];
  });
}

/** Each check with what the tests that bear its number say: failed when one fails, passed when all that ran passed. */
export function verdictsOf(checks: readonly Check[], outcomes: readonly TestOutcome[]): Verdict[] {
  return checks.map((check) => {
    const ran = outcomes.filter(({ titles, status }) => status !== 'not run' && claimsOf(titles).includes(check.id));
    return { ...check, verdict: verdictOf(ran), testCount: ran.length };
  });
}

function verdictOf(ran: readonly TestOutcome[]): Verdict['verdict'] {
  if (ran.length === 0) return 'not claimed';
  return ran.every(({ status }) => status === 'passed') ? 'passed' : 'failed';
}

/** Numbers that tests claim but `docs/checks.md` does not know. */
export function unknownClaims(checks: readonly Check[], outcomes: readonly TestOutcome[]): string[] {
  const known = new Set(checks.map(({ id }) => id));
  return [...new Set(outcomes.flatMap(({ titles }) => claimsOf(titles)).filter((id) => !known.has(id)))].sort();
}

/** `N passed, N failed, N not claimed`. */
export function summaryOf(verdicts: readonly Verdict[]): string {
  const count = (verdict: Verdict['verdict']) => verdicts.filter((one) => one.verdict === verdict).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('not claimed')} not claimed`;
}

/** The text of `docs/conformance.md`. */
export function documentOf(verdicts: readonly Verdict[]): string {
  const line = ({ id, verdict, testCount, statement }: Verdict) =>
    `| ${id} | ${verdict} | ${testCount} | ${statement} |`;
  return [
    '# Conformance',
    '',
    'Written by `npm run conformance`; do not edit. What the numbers mean stands in `checks.md`.',
    '',
    `**${summaryOf(verdicts)}** of ${verdicts.length} checks and quirks.`,
    '',
    '| id | verdict | tests | statement |',
    '| --- | --- | --- | --- |',
    ...verdicts.map(line),
    '',
  ].join('\n');
}
