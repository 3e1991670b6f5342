/** SIPp, which shares no line with us, is Alice, Bob and Ted: the RFC form (M-03) and the source document's own (M-03L). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rosterLine, type SeenRoster } from '../support/conference-document.ts';
import { only } from '../support/only.ts';
import { needsPrograms } from '../support/programs.ts';
import { referenceData } from '../support/reference-data.ts';
import { type ConferenceView, conferences, participants } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Address, Transport } from '../support/sip-socket.ts';
import { Sipp, xmllint } from '../support/sipp.ts';
import { waitFor } from '../support/wait.ts';

const schema = new URL('../../../shared/xsd/conference-info.xsd', import.meta.url);

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

type Story = { readonly alice: string; readonly bob: string; readonly bobsCalls: number };

const hostPort = ({ host, port }: Address): string => `${host}:${port}`;

/** The one conference that runs, once three are in it. */
async function ofThree(): Promise<ConferenceView> {
  return await waitFor('a conference of three', async () => {
    const running = (await conferences(service)).filter(({ status }) => status === 'active');
    return running.length === 1 && running[0]?.participant_count === 3 ? running[0] : undefined;
  });
}

/** What a SIPp that watches has been sent, and what that put together. */
type Watched = { readonly documents: readonly string[]; readonly rosters: readonly SeenRoster[] };

/** Alice, Bob and Ted meet, one watches, Ted is removed, the conference is ended; each SIPp judges what it gets. */
async function play(transport: Transport, story: Story): Promise<Watched> {
  const remote = service.banner.sip[transport];
  await using bob = await Sipp.start({ scenario: story.bob, transport, calls: story.bobsCalls });
  await using ted = await Sipp.start({ scenario: 'ted', transport });
  const keys = { bob: hostPort(bob.address), ted: hostPort(ted.address) };
  await using alice = await Sipp.start({ scenario: story.alice, transport, remote, keys });

  const conference = await ofThree();
  await using watcher = await Sipp.start({
    scenario: 'subscriber',
    transport,
    remote,
    keys: { conference: conference.uri },
  });
  await waitFor('the first NOTIFY', async () => (await watcher.notifies()).length > 0);

  const teds = only((await participants(service, conference.id)).filter(({ uri }) => uri.startsWith('sip:ted@')));
  expect((await service.delete(`/conferences/${conference.id}/participants/${teds.id}`)).status).toBe(204);
  await ted.succeeded();
  await waitFor('NOTIFY of the removal', async () =>
    (await watcher.notifies()).some(({ body }) => body.includes('booted')),
  );

  expect((await service.post(`/conferences/${conference.id}/end`, {})).status).toBe(200);
  await Promise.all([alice.succeeded(), bob.succeeded(), watcher.succeeded()]);
  return { documents: (await watcher.notifies()).map(({ body }) => body), rosters: await watcher.rosters() };
}

/** The watcher saw all of it. */
function judge(rosters: readonly SeenRoster[]): void {
  expect([...new Set(rosters.map(rosterLine))]).toEqual([
    'alice connected, bob connected, ted connected',
    'alice connected, bob connected, ted disconnected',
    '',
  ]);
  const [removed, deleted] = rosters.slice(-2);
  expect(removed?.users[2]?.endpoints[0]?.disconnectionMethod).toBe('booted');
  expect(deleted?.state).toBe('deleted');
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  const seen: string[] = [];

  test('CC-001 CC-055 the RFC form: Bob gets his Replaces, Ted none', async (context) => {
    needsPrograms(context, 'sipp');
    const { documents, rosters } = await play(transport, { alice: 'alice-factory', bob: 'bob', bobsCalls: 1 });
    seen.push(...documents);
    judge(rosters);
  });

  test('QK-1 QK-4 QK-9 CC-061 the source document’s own form: the tags are exchanged for Bob', async (context) => {
    needsPrograms(context, 'sipp');
    const { documents, rosters } = await play(transport, { alice: 'alice-literal', bob: 'bob-literal', bobsCalls: 2 });
    seen.push(...documents);
    judge(rosters);
  });

  // Apart from the calls, since only this needs the schema, which lies beside the clone.
  test('CC-110 every NOTIFY of these calls is valid by the schema', (context) => {
    needsPrograms(context, 'sipp', 'xmllint');
    referenceData(context, 'xsd/conference-info.xsd');
    expect(seen.length).toBeGreaterThan(0);
    for (const body of seen) xmllint(schema, body);
  });
});
