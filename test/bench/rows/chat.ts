/** What participants use a conference for: a message of one, at all others, each of whom answers 200. */

import { limits } from '../../../src/core/limits.ts';
import { startPostgres } from '../../support/postgres.ts';
import { type ChatRoom, openBareRoom, openChatRoom } from '../chat-room.ts';
import { type Chatters, startChatters } from '../chatters.ts';
import { type Contestant, comparedRates, cpuNote, inTurns, type Measured } from '../in-turns.ts';
import { startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import { type BoundRow, compared, type Report, type Result } from '../row.ts';
import { startProcess } from '../server-process.ts';

const sizes = [10, 50, 200] as const;
type Size = (typeof sizes)[number];

const repeats = 5;
/** Of one measurement: enough for a CPU time that is counted in hundredths of a second. */
const deliveries = 150_000;
/** Messages of one measurement with a history: half of those that may wait for the store. */
const keptMost = limits.unsavedMessagesMax / 2;
const underWay = 64;
const unit = 'deliveries/s';
const pace = { messages: 500, perSecond: 50 };

export const chat: readonly BoundRow[] = [
  ...sizes.map(
    (size): BoundRow => ({
      name: `msrp-fanout-${size}`,
      about: `300-byte messages to ${size} receivers, who answer 200, beside a raw Node fan-out with a write for each frame`,
      bound: { min: 1 },
      run: async (report) => besideEach(await fanOut(size, report)),
    }),
  ),
  ...sizes.map(
    (size): BoundRow => ({
      name: `msrp-batched-${size}`,
      about: `the same beside one that writes once per receiver what it has read at once, ${size} receivers`,
      bound: { min: 0.45 },
      run: async (report) => {
        const { ours, batched } = await fanOut(size, report);
        return { ...comparedRates(ours, batched), unit };
      },
    }),
  ),
  {
    name: 'msrp-growth',
    about: 'CPU of a delivery to one of 200, beside that to one of 10',
    bound: { max: 1.5 },
    run: async (report) => {
      const [many, few] = [await fanOut(200, report), await fanOut(10, report)];
      return { ...compared(cpuOf(many.ours), cpuOf(few.ours)), unit: 'µs CPU' };
    },
  },
  {
    name: 'msrp-latency',
    about: 'p99 of the time to the last of 200 receivers at 50 messages a second, beside the raw Node fan-out',
    bound: { max: 2 },
    run: measureLatency,
  },
];

type Figures = Readonly<Record<'ours' | 'each' | 'batched' | 'kept' | 'eachBesideKept', readonly Measured[]>>;

const figures = new Map<Size, Promise<Figures>>();

/** All rows of one size come from one run. */
function fanOut(size: Size, report: Report): Promise<Figures> {
  const known = figures.get(size) ?? measureFanOut(size, report);
  figures.set(size, known);
  return known;
}

function besideEach({ ours, each, batched, kept, eachBesideKept }: Figures): Result {
  const { ours: rate, ratio } = comparedRates(kept, eachBesideKept);
  return {
    ...comparedRates(ours, each),
    unit,
    notes: [
      `with a history of facts: ${rate.toFixed(0)} ${unit}, ratio ${ratio.toFixed(2)}`,
      cpuNote('ours', ours, 'delivery'),
      cpuNote('ours with a history', kept, 'delivery'),
      cpuNote('a write for each frame', each, 'delivery'),
      cpuNote('a write for each read', batched, 'delivery'),
    ],
  };
}

async function measureFanOut(size: Size, report: Report): Promise<Figures> {
  await using opened = new Opened();
  const rooms = await openRooms(opened, size);
  const contestant = ({ name, receivers, cpuMicros }: OpenRoom, most = deliveries): Contestant => ({
    name: `${name}, ${receivers} receivers`,
    unit: 'deliveries',
    cpuMicros,
    measure: async () => {
      const messages = Math.min(most, deliveries / receivers);
      const { milliseconds } = await rooms.chatters.flood({ room: name, messages, underWay });
      const calls = messages * receivers;
      return { calls, callsPerSecond: (calls * 1_000) / milliseconds, failed: 0, retransmissions: 0 };
    },
  });
  const { ours, kept, each, batched } = rooms;
  const bare = { ours: contestant(ours), each: contestant(each), batched: contestant(batched) };
  const figures = await inTurns(bare, repeats, report);
  // Afterwards, since what is to be kept is still being saved when all have been told.
  const keeping = { kept: contestant(kept, keptMost), eachBesideKept: contestant(each) };
  return { ...figures, ...(await inTurns(keeping, repeats, report)) };
}

async function measureLatency(report: Report): Promise<Result> {
  await using opened = new Opened();
  const { ours, batched, chatters } = await openRooms(opened, 200);
  const p99: Record<'ours' | 'anchor', number[]> = { ours: [], anchor: [] };
  for (let repeat = 0; repeat <= repeats; repeat += 1) {
    for (const [who, { name }] of [
      ['ours', ours],
      ['anchor', batched],
    ] as const) {
      const paced = await chatters.pace({ room: name, ...pace });
      report(`${name}: median ${paced.median.toFixed(1)} ms, p95 ${paced.p95.toFixed(1)}, p99 ${paced.p99.toFixed(1)}`);
      if (repeat > 0) p99[who].push(paced.p99);
    }
  }
  return { ...compared(p99.ours, p99.anchor), unit: 'ms' };
}

type OpenRoom = ChatRoom & { readonly cpuMicros: () => Promise<number> };

type Rooms = Readonly<Record<'ours' | 'kept' | 'each' | 'batched', OpenRoom>> & { readonly chatters: Chatters };

/** Rooms of one size: ours, without a history and with one, and the anchor's. */
async function openRooms(opened: Opened, receivers: Size): Promise<Rooms> {
  const database = await startPostgres();
  opened.keep({ close: database.stop });
  const service = opened.keep(await startService('ours', await database.createDatabase()));
  const anchor = opened.keep(await startProcess('fan-out-process.ts'));
  const chatters = opened.keep(await startChatters());
  const { cpuMicros } = service;
  const room = (name: string): ChatRoom => ({ name, receivers });
  const ofOurs = async (name: string, policy: object): Promise<OpenRoom> => ({
    ...(await openChatRoom(opened, { service, chatters, room: room(name), policy })),
    cpuMicros,
  });
  const ofAnchor = async (name: string): Promise<OpenRoom> => ({
    ...(await openBareRoom(anchor.port, { chatters, room: room(name) })),
    cpuMicros: async () => (await anchor.usage?.('cpu'))?.cpuMicros ?? Number.NaN,
  });
  return {
    ours: await ofOurs('ours', {}),
    kept: await ofOurs('kept', { history: 'facts' }),
    each: await ofAnchor('each'),
    batched: await ofAnchor('batched'),
    chatters,
  };
}

function cpuOf(measured: readonly Measured[]): readonly number[] {
  return measured.map(({ cpuMicros }) => cpuMicros ?? Number.NaN);
}
