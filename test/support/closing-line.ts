import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How many tests of a run ended how; a file that could not be loaded, or a hook that failed, counts as one failed. */
export type Tally = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Skipped although all they need can be installed. */
  readonly skippedInVain: number;
};

/** The note of the one kind of skip that CI accepts: reference data that lie beside the clone, not in it. */
export const referenceDataAbsent = 'reference data absent';

/** `N passed, N failed`, and `, N skipped` when there are any. */
export function closingLineOf(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** True when the run must fail although no test did: on CI nothing is skipped that could have run. */
export function failsOnCi(tally: Tally, environment: Readonly<Record<string, string | undefined>>): boolean {
  const ci = environment['CI'];
  return tally.skippedInVain > 0 && ci !== undefined && ci !== '' && ci !== 'false';
}

/**
 * Why a test was skipped: its note, else what its suite's name says in brackets, else its own name. A bracket may hold
 * another.
 */
export function skipReasonOf(test: { readonly note: string | undefined; readonly fullName: string }): string {
  const bracketed = /\((no (?:[^()]|\([^()]*\))*)\)/.exec(test.fullName)?.[1];
  return test.note ?? bracketed ?? test.fullName;
}

/** One line for each reason, with the number of tests it kept from running. */
export function skipLinesOf(reasons: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `skipped ${count}: ${reason}`);
}

/** A vitest reporter that ends the output with the closing line, alone on its line. */
export function closingLine(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const tally = tallyOf(modules, unhandledErrors.length);
      for (const line of skipLinesOf(skipReasons(modules))) process.stdout.write(`${line}\n`);
      if (failsOnCi(tally, process.env)) {
        process.stdout.write(`${tally.skippedInVain} skipped, and nothing may be skipped when CI is set.\n`);
        process.exitCode = 1;
      }
      process.stdout.write(`${closingLineOf(tally)}\n`);
    },
  };
}

function skipReasons(modules: readonly TestModule[]): readonly string[] {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  return tests.flatMap((test) => {
    const result = test.result();
    return result.state === 'skipped' ? [skipReasonOf({ note: result.note, fullName: test.fullName })] : [];
  });
}

function tallyOf(modules: readonly TestModule[], unhandledErrorCount: number): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const ended = (state: string) => tests.filter((test) => test.result().state === state);
  // A file that cannot be loaded, and a hook that fails: the tests behind it say nothing but that they did not run.
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const suiteErrorCount = suites.reduce((count, suite) => count + suite.errors().length, 0);
  return {
    passed: ended('passed').length,
    // A pending test never ran, because the run was interrupted; that is not a pass.
    failed: ended('failed').length + ended('pending').length + suiteErrorCount + unhandledErrorCount,
    skipped: ended('skipped').length,
    skippedInVain: ended('skipped').filter((test) => !lacksReferenceData(test)).length,
  };
}

function lacksReferenceData(test: TestCase): boolean {
  const result = test.result();
  return result.state === 'skipped' && result.note?.startsWith(referenceDataAbsent) === true;
}
