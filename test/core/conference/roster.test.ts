import { expect, test } from 'vitest';
import { wholeRoster } from '../../../src/core/conference/roster-documents.ts';
import type { View } from '../../../src/core/conference/views.ts';
import type { ConferenceRecord } from '../../../src/core/rows.ts';
import { type ConferenceInfoDocument, parseConferenceInfo } from '../../../src/wire/conference-info.ts';
import { addressOf, inviteFrom } from '../../support/fixtures.ts';
import { World } from '../../support/world.ts';

function runningIn({ record }: World): ConferenceRecord {
  if (record === undefined) throw new Error('the conference does not run');
  return record;
}

function shownIn(world: World, view?: View): ConferenceInfoDocument {
  return parseConferenceInfo(wholeRoster(runningIn(world), view));
}

test('CC-122 user-count counts who is connected', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted', 'carol']);
  world.answers('bob');
  world.refuses('ted', 486);
  expect(shownIn(world).conferenceState?.userCount).toBe(2);
});

test('CC-051, CC-119 what became of each invitee stands in the roster', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted', 'carol', 'eve']);
  world.rings('bob');
  world.refuses('ted', 486);
  world.refuses('carol', 603);
  world.answers('eve');
  world.hangsUp('eve');
  const { users } = shownIn(world);
  const shown = users?.map(({ endpoints: [endpoint] }) => [endpoint?.status, endpoint?.disconnectionMethod]);
  expect(shown).toEqual([
    ['connected', null],
    ['alerting', null],
    ['disconnected', 'busy'],
    ['disconnected', 'failed'],
    ['disconnected', 'departed'],
  ]);
  expect(users?.[2]?.endpoints[0]?.disconnectionInfo?.reason).toBe('Reason: SIP;cause=486;text="Reason 486"');
});

test('RFC 4575 5.4: the creator is its host, but nobody who hides, and no operator', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  expect(shownIn(world).hostInfo?.uris).toEqual([expect.objectContaining({ uri: addressOf['alice'] })]);
  const record = runningIn(world);
  const hiding = record.participants.map((one) => ({ ...one, private: one.uri === addressOf['alice'] }));
  expect(parseConferenceInfo(wholeRoster({ ...record, participants: hiding })).hostInfo ?? null).toBeNull();
  const conference = { ...record.conference, createdBy: 'key:42' };
  expect(parseConferenceInfo(wholeRoster({ ...record, conference })).hostInfo ?? null).toBeNull();
});

/** Alice has made it, Bob is in, Ted rings, Carol, who hides, has dialled in. */
function mixed(): World {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.rings('ted');
  const { caller } = inviteFrom('carol', addressOf['carol'] ?? '');
  world.dialsIn('carol', { caller: caller === null ? null : { ...caller, private: true } });
  return world;
}

const endpointsOf = (document: ConferenceInfoDocument) => (document.users ?? []).map(({ endpoints: [first] }) => first);

test('RFC 4575 5.7.3, CC-118: only chairs learn the ids of dialogs, and nobody those of who hides', () => {
  const world = mixed();
  const callIds = (view: View) => endpointsOf(shownIn(world, view)).map((endpoint) => endpoint?.callInfo?.callId);
  const { participants } = runningIn(world);
  const [alice, bob] = participants.map(({ endpoints }) => endpoints[0]?.callId);
  expect(callIds('chair')).toEqual([alice, bob, undefined, undefined]);
  for (const view of ['participant', 'observer', 'anonymous'] as const)
    expect(callIds(view)).toEqual([undefined, undefined, undefined, undefined]);
});

test('that somebody is being called is for chairs; others see who is expected', () => {
  const world = mixed();
  const statuses = (view: View) => endpointsOf(shownIn(world, view)).map((endpoint) => endpoint?.status);
  expect(statuses('chair')).toEqual(['connected', 'connected', 'alerting', 'connected']);
  for (const view of ['participant', 'observer', 'anonymous'] as const)
    expect(statuses(view)).toEqual(['connected', 'connected', 'pending', 'connected']);
});

test('observers learn no addresses and no circumstances, who hides learns no addresses', () => {
  const world = mixed();
  const bobAs = (view: View) => endpointsOf(shownIn(world, view))[1];
  const contact = runningIn(world).participants[1]?.endpoints[0]?.entity;
  expect(bobAs('participant')).toMatchObject({ entity: contact, referred: { by: addressOf['alice'] } });
  expect(bobAs('anonymous')).toMatchObject({ entity: addressOf['bob'], referred: { by: addressOf['alice'] } });
  expect(bobAs('observer')).toMatchObject({ entity: addressOf['bob'], referred: null, joiningInfo: null });
});

test('RFC 4575 5.6.2, 5.6.4: which languages a user reads, and to whom addresses are shown its further ones; of who hides, neither', () => {
  const said = { languages: ['de-AT', 'en'], associatedAors: ['tel:+431234'] };
  const world = new World();
  world.factoryInvite(['bob', 'ted'], said);
  world.answers('bob', undefined, { ...said, languages: [] });
  world.answers('ted', undefined, { ...said, private: true });
  const about = (view: View) => shownIn(world, view).users?.map((user) => [user.languages, user.associatedAors]);
  expect(about('participant')).toEqual([
    [['de-AT', 'en'], ['tel:+431234']],
    [[], ['tel:+431234']],
    [[], []],
  ]);
  expect(about('chair')).toEqual(about('participant'));
  const withoutAddresses = [
    [['de-AT', 'en'], []],
    [[], []],
    [[], []],
  ];
  expect(about('observer')).toEqual(withoutAddresses);
  expect(about('anonymous')).toEqual(withoutAddresses);
});

test('a URI that names the user anyway is not told again', () => {
  const world = new World();
  const caller = { aor: 'tel:+431234', displayName: null, private: false };
  world.factoryInvite([]);
  world.dialsIn('carol', { caller, claimed: caller, associatedAors: ['tel:+431234'] });
  expect(shownIn(world).users).toMatchObject([{}, { entity: 'tel:+431234', associatedAors: [] }]);
});

test('CC-116 every view has the same users', () => {
  const world = mixed();
  const entities = (view: View) => shownIn(world, view).users?.map(({ entity }) => entity);
  expect(entities('chair')).toEqual([
    addressOf['alice'],
    addressOf['bob'],
    addressOf['ted'],
    'sip:anonymous4@anonymous.invalid',
  ]);
  for (const view of ['participant', 'observer', 'anonymous'] as const)
    expect(entities(view)).toEqual(entities('chair'));
});
