import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/store.ts';
import { changeOf, conferenceRow, endpointRow, eventRow, participantRow, subscriptionRow } from './stored-rows.ts';
import { silentLog } from './test-store.ts';

// Runs a node that saves without end until it is killed, and says what was acknowledged, a line each: `<id> <version>`.
// Arguments: folder, node id or -, URL of a Postgres or -.

const given = (text: string | undefined) => (text === undefined || text === '-' ? null : text);
const [dataDir = '', nodeId, databaseUrl] = process.argv.slice(2);
const store = await openStore({
  dataDir,
  nodeId: given(nodeId),
  databaseUrl: given(databaseUrl),
  log: silentLog,
  clock: systemClock,
});

async function keepSaving(id: string): Promise<void> {
  for (let version = 1; ; version += 1) {
    await store.save(
      changeOf({
        conferences: [conferenceRow({ id, node: store.nodeId, version, seq: version, participantCount: 1 })],
        participants: [participantRow({ id: `bob-of-${id}`, conferenceId: id, endpoints: [endpointRow({ id })] })],
        subscriptions: [subscriptionRow({ id: `sub-of-${id}`, conferenceId: id, lastVersionSent: version })],
        events: [eventRow({ conferenceId: id, seq: version })],
      }),
    );
    console.log(`${id} ${version}`);
  }
}

await Promise.all(Array.from({ length: 10 }, (_, index) => keepSaving(`${store.nodeId}-conf-${index}`)));
