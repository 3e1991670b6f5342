/** One change after the other of who is in a conference, each until the last of its watchers has the NOTIFY. */

import { startPostgres } from '../../support/postgres.ts';
import { openConferenceRoom } from '../conference-room.ts';
import { comparedRates, cpuNote, inTurns } from '../in-turns.ts';
import { type MeasuredService, startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import { presenceContestant } from '../presence-server.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { type Crowd, watched } from '../watched-room.ts';

const repeats = 3;
const crowds = [200, 1_000] as const;
/** NOTIFYs of one measurement, about: enough to take the time, and not more of a long document than memory holds. */
const rooms = [
  { members: 10, notifies: 4_000 },
  { members: 100, notifies: 1_000 },
] as const;
const leastChanges = 2;
const unit = 'NOTIFYs/s';

export const notify: readonly BoundRow[] = rooms.map((room) => ({
  name: `notify-${room.members}`,
  about: `NOTIFYs of a change in a room of ${room.members}, to 200 and 1000 watchers, beside Kamailio’s presence_conference`,
  bound: { min: 0.6 },
  run: async (report) => await measure(room, report),
}));

type RoomSize = (typeof rooms)[number];

/** The crowd that comes off worse beside the anchor stands; the other is noted. */
async function measure({ members, notifies }: RoomSize, report: Report): Promise<Result> {
  await using opened = new Opened();
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  const service = opened.keep(
    await startService('ours', await database.createDatabase(), { NOTIFY_MIN_INTERVAL: '0' }),
  );
  const results: Result[] = [];
  for (const count of crowds) {
    report(`${count} watchers`);
    const changes = Math.max(leastChanges, notifies / count);
    results.push(await beside(service, { members, count, changes }, report));
  }
  const [worst] = results.toSorted((a, b) => a.ratio - b.ratio);
  if (worst === undefined) throw new Error('nothing was measured');
  return { ...worst, notes: results.flatMap(({ notes }) => notes ?? []) };
}

async function beside(
  service: MeasuredService,
  { members, ...crowd }: Crowd & { readonly members: number },
  report: Report,
): Promise<Result> {
  await using opened = new Opened();
  const { count } = crowd;
  const room = await openConferenceRoom(service, members);
  const { ours, anchor } = await inTurns(
    {
      ours: opened.keep(await watched('ours', { room, ...crowd, cpuMicros: service.cpuMicros })),
      anchor: presenceContestant(members, crowd),
    },
    repeats,
    report,
  );
  const compared = comparedRates(ours, anchor);
  const notes = [
    `${count} watchers: ${compared.ours.toFixed(0)} beside ${compared.anchor.toFixed(0)} ${unit}, ratio ${compared.ratio.toFixed(2)}`,
    cpuNote(`ours with ${count} watchers`, ours, 'NOTIFY'),
    cpuNote(`Kamailio with ${count} watchers`, anchor, 'NOTIFY'),
  ];
  return { ...compared, unit, notes };
}
