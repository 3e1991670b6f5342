import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { ParticipantRow } from '../../src/core/rows.ts';
import { EndpointRows } from '../../src/store/endpoint-rows.ts';
import { askPostgres, describePostgres, startPostgres } from '../support/postgres.ts';
import { changeOf, conferenceRow, endpointRow, participantRow } from '../support/stored-rows.ts';
import { openTestStore } from '../support/test-store.ts';

const inThe = { id: 'bob', conferenceId: 'conf-1' };

test('an endpoint that was written is not written again, one that has changed goes without its origin', () => {
  const rows = new EndpointRows();
  const [gone, open] = [endpointRow({ id: 'gone', status: 'disconnected' }), endpointRow({ id: 'open' })];
  const before = [participantRow({ ...inThe, endpoints: [gone, open] })];
  expect(rows.unwritten(before).map(({ id, origin }) => [id, origin])).toEqual([
    ['gone', gone.origin],
    ['open', open.origin],
  ]);
  rows.written(before);
  const after = [participantRow({ ...inThe, endpoints: [gone, { ...open, status: 'disconnected' }] })];
  const { origin: _, ...facts } = { ...open, status: 'disconnected' };
  expect(rows.unwritten(after)).toEqual([{ participantId: 'bob', id: 'open', facts, origin: null }]);
});

test('after a failure everything is written again', () => {
  const rows = new EndpointRows();
  const participants = [participantRow({ ...inThe, endpoints: [endpointRow({ id: 'open' })] })];
  rows.written(participants);
  expect(rows.unwritten(participants)).toEqual([]);
  rows.forget();
  expect(rows.unwritten(participants)).toMatchObject([{ id: 'open', origin: { by: 'list' } }]);
});

test('whom a new endpoint may have cost an old one is named once', () => {
  const rows = new EndpointRows();
  const endpoints = Array.from({ length: limits.pastEndpointsMax }, (_, index) => endpointRow({ id: `${index}` }));
  const few = [participantRow({ ...inThe, endpoints: endpoints.slice(1) })];
  expect(rows.crowded(few)).toEqual([]);
  const all = [participantRow({ ...inThe, endpoints })];
  expect(rows.crowded(all)).toEqual(['bob']);
  rows.written(all);
  expect(rows.crowded(all)).toEqual([]);
});

/** What follows one another of somebody who comes and goes: the latest few that are gone, and the one that is open. */
function* comingAndGoing(times: number): Generator<ParticipantRow> {
  let gone: ParticipantRow['endpoints'] = [];
  for (let time = 0; time < times; time += 1) {
    const open = endpointRow({ id: `${time}` });
    const past = gone.slice(-limits.pastEndpointsMax);
    yield participantRow({ ...inThe, endpoints: [...past, open] });
    gone = [...past, { ...open, status: 'disconnected' as const }];
    yield participantRow({ ...inThe, status: 'disconnected', endpoints: gone });
  }
}

/** Longer than rows that nobody keeps may pile up. */
const times = 120;

describePostgres('a real Postgres', () => {
  test('who comes and goes is read as it was saved last, and leaves no more rows than that and as many as are let pile up', async () => {
    const postgres = await startPostgres();
    try {
      const databaseUrl = await postgres.createDatabase();
      const { store, close } = await openTestStore({ databaseUrl });
      await store.save(changeOf({ conferences: [conferenceRow({ id: 'conf-1' })] }));
      for (const participant of comingAndGoing(times)) {
        await store.save(changeOf({ participants: [participant] }));
        expect(await store.participant('conf-1', 'bob')).toEqual(participant);
      }
      await close();
      const kept = await askPostgres(databaseUrl, 'SELECT id FROM endpoints ORDER BY id::int DESC');
      expect(kept.length).toBeLessThan(times / 2);
      const latest = Array.from({ length: limits.pastEndpointsMax + 1 }, (_, back) => ({ id: `${times - 1 - back}` }));
      expect(kept).toEqual(expect.arrayContaining(latest));
    } finally {
      await postgres.stop();
    }
  });
});
