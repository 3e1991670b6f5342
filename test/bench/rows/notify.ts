/** One change after the other of who is in a conference, each until the last of its watchers has the NOTIFY. */

import { startPostgres } from '../../support/postgres.ts';
import { openConferenceRoom } from '../conference-room.ts';
import { comparedRates, cpuNote, inTurns } from '../in-turns.ts';
import { type MeasuredService, startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import { type PresenceServer, startPresenceServer } from '../presence-server.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { watched } from '../watched-room.ts';

const repeats = 3;
const crowds = [200, 1_000] as const;
const unit = 'NOTIFYs/s';

export const notify: readonly BoundRow[] = [10, 100].map((members) => ({
  name: `notify-${members}`,
  about: `NOTIFYs of a change in a room of ${members}, to 200 and 1000 watchers, beside Kamailio’s presence_conference`,
  bound: { min: 0.6 },
  run: async (report) => await measure(members, report),
}));

/** The crowd that comes off worse beside the anchor stands; the other is noted. */
async function measure(members: number, report: Report): Promise<Result> {
  await using opened = new Opened();
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  const service = opened.keep(
    await startService('ours', await database.createDatabase(), { NOTIFY_MIN_INTERVAL: '0' }),
  );
  const presence = opened.keep(await startPresenceServer());
  const results: Result[] = [];
  for (const watchers of crowds) {
    report(`${watchers} watchers`);
    results.push(await beside({ service, presence }, { members, watchers }, report));
  }
  const [worst] = results.toSorted((a, b) => a.ratio - b.ratio);
  if (worst === undefined) throw new Error('nothing was measured');
  return { ...worst, notes: results.flatMap(({ notes }) => notes ?? []) };
}

type Servers = { readonly service: MeasuredService; readonly presence: PresenceServer };

async function beside(
  { service, presence }: Servers,
  { members, watchers: count }: { members: number; watchers: number },
  report: Report,
): Promise<Result> {
  await using opened = new Opened();
  const [room, published] = [
    await openConferenceRoom(service, members),
    await presence.openRoom(`room-${members}-${count}`, members),
  ];
  const { ours, anchor } = await inTurns(
    {
      ours: opened.keep(await watched('ours', { room, count, cpuMicros: service.cpuMicros })),
      anchor: opened.keep(await watched('Kamailio', { room: published, count, cpuMicros: presence.cpuMicros })),
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
