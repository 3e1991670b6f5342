/** A plain join of a running conference: INVITE, 200, ACK, BYE, 200 over UDP, fifty calls open at once. */

import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { startPostgres } from '../../support/postgres.ts';
import { UserAgent } from '../../support/user-agent.ts';
import { freePort } from '../free-port.ts';
import { type Contestant, comparedRates, cpuNote, inTurns, type Measured } from '../in-turns.ts';
import { callAll } from '../load.ts';
import { startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { contestantOf, startProcess, startSippServer } from '../server-process.ts';

const repeats = 5;
const calls = 4_000;
const open = 50;
const unit = 'dialogs/s';

/** The rows of joining; both come from one run. */
export const joins: readonly BoundRow[] = [
  {
    name: 'join',
    about: 'plain joins of one conference, state in Postgres, beside a bare drachtio-srf application on sipd',
    bound: { min: 0.6 },
    run: async (report) => besideSrf(await joined(report)),
  },
  {
    name: 'join-vs-sipp',
    about: 'the same beside SIPp as the server',
    bound: { min: 0.1 },
    run: async (report) => {
      const { postgres, sipp } = await joined(report);
      return { ...comparedRates(postgres, sipp), unit };
    },
  },
];

type Figures = Readonly<Record<'postgres' | 'embedded' | 'srf' | 'sipp', readonly Measured[]>>;

let figures: Promise<Figures> | null = null;

function joined(report: Report): Promise<Figures> {
  figures ??= measure(report);
  return figures;
}

function besideSrf({ postgres, embedded, srf }: Figures): Result {
  const { ours, ratio } = comparedRates(embedded, srf);
  return {
    ...comparedRates(postgres, srf),
    unit,
    notes: [
      `with the embedded database: ${ours.toFixed(0)} ${unit}, ratio ${ratio.toFixed(2)}`,
      cpuNote('ours', postgres),
      cpuNote('ours with the embedded database', embedded),
      cpuNote('anchor', srf),
    ],
  };
}

async function measure(report: Report): Promise<Figures> {
  await using opened = new Opened();
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  const contestants = {
    postgres: opened.keep(await startRoom('with Postgres', await database.createDatabase())),
    srf: contestantOf('bare drachtio-srf', opened.keep(await startProcess('srf-process.ts')), { calls, open }),
    sipp: contestantOf('SIPp', opened.keep(await startSippServer(await freePort())), { calls, open }),
    embedded: opened.keep(await startRoom('with the embedded database', null)),
  };
  return await inTurns(contestants, repeats, report);
}

type Room = Contestant & { readonly close: () => Promise<void> };

/** A service with one conference, whose creator stays in it. */
async function startRoom(name: string, databaseUrl: string | null): Promise<Room> {
  const service = await startService(name, databaseUrl);
  const creator = await UserAgent.open({ name: 'creator', transport: 'udp' });
  const call = await creator.call(service.factory);
  const { user } = parseSipUri(call.dialog.remoteTarget);
  return {
    name,
    cpuMicros: service.cpuMicros,
    measure: async () => {
      const result = await callAll({ port: service.port, user: user ?? '', calls, open });
      await service.holds({ conferences: 1, participants: 1 });
      return result;
    },
    close: async () => {
      await call.bye();
      await creator.close();
      await service.holds({ conferences: 0, participants: 0, msrp_sessions: 0 });
      await service.close();
    },
  };
}
