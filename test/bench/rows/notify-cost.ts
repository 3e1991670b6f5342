/** What notifying costs as watchers, changes and views become more. */

import { startPostgres } from '../../support/postgres.ts';
import { endConference, makeConference, openChatter, openConferenceRoom, openVisitor } from '../conference-room.ts';
import { inTurns, type Measured } from '../in-turns.ts';
import { callAll } from '../load.ts';
import { type MeasuredService, startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import { type BoundRow, compared, type Report, type Result } from '../row.ts';
import { userCount, watched } from '../watched-room.ts';
import { startWatchers } from '../watchers.ts';

const repeats = 5;
const few = 50;
const many = 1_000;
const members = 10;
/** Of one measurement: enough for a CPU time that is counted in hundredths of a second. */
const notifies = 4_000;
const joins = 100;
/** They join, and leave. */
const changes = 2 * joins;
const joinsPerSecond = 200;
/** Longer than the 5 s that a watcher may wait for its next NOTIFY. */
const stayMs = 8_000;

export const notifyCost: readonly BoundRow[] = [
  {
    name: 'notify-growth',
    about: 'CPU of a NOTIFY when 1000 watch a room of 10, beside that when 50 do',
    bound: { max: 1.2 },
    run: measureGrowth,
  },
  {
    name: 'notify-burst',
    about:
      'how often a watcher is told when 100 join within a second, and leave so: at once and after the pause, both times',
    bound: { max: 4 / changes },
    run: measureBurst,
  },
  {
    name: 'notify-renderings',
    about: 'different documents of one change, beside the views that are in use',
    bound: { max: 1 },
    run: measureRenderings,
  },
];

async function measureGrowth(report: Report): Promise<Result> {
  await using opened = new Opened();
  const service = await startOurs(opened, { NOTIFY_MIN_INTERVAL: '0' });
  const { cpuMicros } = service;
  const crowd = async (count: number) =>
    opened.keep(
      await watched(`${count} watchers`, {
        room: await openConferenceRoom(service, members),
        count,
        changes: notifies / count,
        cpuMicros,
      }),
    );
  const figures = await inTurns({ ours: await crowd(many), anchor: await crowd(few) }, repeats, report);
  return { ...compared(cpuOf(figures.ours), cpuOf(figures.anchor)), unit: 'µs CPU' };
}

function cpuOf(measured: readonly Measured[]): readonly number[] {
  return measured.map(({ cpuMicros }) => cpuMicros ?? Number.NaN);
}

async function measureBurst(): Promise<Result> {
  await using opened = new Opened();
  const service = await startOurs(opened, {});
  const { id, uri } = await makeConference(service);
  const { port } = service;
  const subscribers = Array.from({ length: few }, (_, index) => `sip:stranger${index}@127.0.0.1`);
  const watchers = opened.keep(await startWatchers({ port, target: uri, subscribers }));
  const user = /^sip:([^@]+)@/.exec(uri)?.[1] ?? '';
  const load = { port, user, calls: joins, open: joins, rate: joinsPerSecond, holdMs: stayMs };
  let failed = 0;
  const burst = async (): Promise<void> => {
    ({ failed } = await callAll(load));
  };
  const { most, mostTold } = await watchers.see(userCount(0), burst);
  if (failed > 0) throw new Error(`${failed} joins failed`);
  await endConference(service, { id, watchers, agents: [] });
  const notes = [`${most} NOTIFYs, since what does not fit into one goes into several`];
  return { ours: mostTold, anchor: changes, ratio: mostTold / changes, unit: 'documents', notes };
}

async function measureRenderings(): Promise<Result> {
  await using opened = new Opened();
  const service = await startOurs(opened, { NOTIFY_MIN_INTERVAL: '0' });
  const chair = await openChatter(opened, 'chair');
  const { id, uri } = await makeConference(service, [{ uri: chair.address, role: 'chair' }]);
  await (await chair.firstCall()).confirmed;
  const [participant, anonymous, visitor] = [
    await openChatter(opened, 'participant'),
    await openChatter(opened, 'anonymous'),
    await openVisitor(opened),
  ];
  await participant.call(uri);
  await anonymous.call(uri, { headers: { 'Privacy': 'id' } });
  // A chair, a participant, one who asked for privacy and a stranger: each sees what the others do not.
  const views = [chair.aor, participant.aor, anonymous.aor, 'sip:stranger@127.0.0.1'];
  const subscribers = Array.from({ length: few }, () => views).flat();
  const watchers = opened.keep(await startWatchers({ port: service.port, target: uri, subscribers }));
  const { renderings } = await watchers.see(userCount(views.length), async () => await visitor.call(uri));
  await endConference(service, { id, watchers, agents: [chair, participant, anonymous, visitor] });
  return { ours: renderings, anchor: views.length, ratio: renderings / views.length, unit: 'documents' };
}

async function startOurs(opened: Opened, settings: Readonly<Record<string, string>>): Promise<MeasuredService> {
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  return opened.keep(await startService('ours', await database.createDatabase(), settings));
}
