/** Conferences of eleven: a factory INVITE with a list of ten, all of whom answer, until the creator hangs up. */

import { startPostgres } from '../../support/postgres.ts';
import { conferAll } from '../conference-load.ts';
import { type Contestant, comparedRates, cpuNote, inTurns } from '../in-turns.ts';
import { startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { contestantOf, startProcess } from '../server-process.ts';

const repeats = 5;
const conferences = 400;
const openConferences = 10;
const calls = 4_000;
const openCalls = 50;
const unit = 'dialogs/s';

export const factory: readonly BoundRow[] = [
  {
    name: 'factory10',
    about:
      'dialogs of conferences made with a list of ten, state in Postgres, beside a bare drachtio-srf application on sipd',
    bound: { min: 0.5 },
    run: measure,
  },
];

async function measure(report: Report): Promise<Result> {
  await using opened = new Opened();
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  const srf = opened.keep(await startProcess('srf-process.ts'));
  const figures = await inTurns(
    {
      postgres: opened.keep(await startFactory('with Postgres', await database.createDatabase())),
      srf: contestantOf('bare drachtio-srf', srf, { calls, open: openCalls }),
      embedded: opened.keep(await startFactory('with the embedded database', null)),
    },
    repeats,
    report,
  );
  const embedded = comparedRates(figures.embedded, figures.srf);
  return {
    ...comparedRates(figures.postgres, figures.srf),
    unit,
    notes: [
      `with the embedded database: ${embedded.ours.toFixed(0)} ${unit}, ratio ${embedded.ratio.toFixed(2)}`,
      cpuNote('ours', figures.postgres),
      cpuNote('ours with the embedded database', figures.embedded),
      cpuNote('anchor', figures.srf),
    ],
  };
}

/** A service whose factory makes the conferences. */
async function startFactory(
  name: string,
  databaseUrl: string | null,
): Promise<Contestant & { readonly close: () => Promise<void> }> {
  const service = await startService(name, databaseUrl);
  return {
    name,
    cpuMicros: service.cpuMicros,
    measure: async () => {
      const result = await conferAll({ port: service.port, conferences, open: openConferences });
      await service.holds({ conferences: 0, participants: 0, msrp_sessions: 0 });
      return result;
    },
    close: service.close,
  };
}
