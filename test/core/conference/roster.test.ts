import { expect, test } from 'vitest';
import { wholeRoster } from '../../../src/core/conference/roster-documents.ts';
import type { View } from '../../../src/core/conference/views.ts';
import { limits } from '../../../src/core/limits.ts';
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

test('RFC 3326: a reason is a quoted string, whatever stands in it', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  const { participants, ...rest } = runningIn(world);
  const disconnection = { method: 'failed', sipStatus: 500, reason: 'C:\\"temp"\\' } as const;
  const failed = participants.map((one) => ({ ...one, endpoints: [], status: 'disconnected' as const, disconnection }));
  const [endpoint] = endpointsOf(parseConferenceInfo(wholeRoster({ ...rest, participants: failed })));
  expect(endpoint?.disconnectionInfo?.reason).toBe(`Reason: SIP;cause=500;text="C:\\\\'temp'\\\\"`);
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

test('RFC 4575 5.7.3: the tags are those of the INVITE: whoever called has the from-tag, be it the focus or the user', () => {
  const world = mixed();
  const [alice, bob] = endpointsOf(shownIn(world, 'chair')).map((endpoint) => endpoint?.callInfo);
  const dialogs = { alice: world.dialogOf('alice'), bob: world.dialogOf('bob') };
  // Tags as the focus has them: its own is the to-tag.
  expect(alice).toMatchObject({ fromTag: dialogs.alice.fromTag, toTag: dialogs.alice.toTag });
  expect(bob).toMatchObject({ fromTag: dialogs.bob.toTag, toTag: dialogs.bob.fromTag });
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

/** More come and go than a conference remembers; the first to leave are forgotten. */
function manyComeAndGo(world: World): void {
  for (let index = 0; index <= limits.pastParticipantsMax; index += 1) {
    const aor = `sip:guest${index}@host.example.org`;
    const caller = { aor, displayName: null, private: false };
    world.dialsIn(`guest${index}`, { caller, claimed: caller, dialogId: `${index};from-tag=${index}` });
    world.hangsUp(aor);
  }
  world.passes(limits.lingerMs);
}

test('RFC 4575 5.6, RFC 3323: whoever hides is not named by what it did once it is forgotten', () => {
  const world = new World({ endPolicy: 'last-leaves' });
  const { caller } = inviteFrom('alice', addressOf['alice'] ?? '');
  const hiding = caller === null ? null : { ...caller, private: true };
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.hangsUp('alice');
  world.dialsIn('alice', { reply: 'sip:alice:hiding', caller: hiding, dialogId: 'hiding;from-tag=hiding' });
  world.hangsUp('alice');
  manyComeAndGo(world);
  expect(runningIn(world).participants.map(({ uri }) => uri)).not.toContain(addressOf['alice']);
  const shown = shownIn(world);
  expect(endpointsOf(shown)[0]?.referred?.by).toBe('sip:anonymous1@anonymous.invalid');
  expect(shown.hostInfo ?? null).toBeNull();
});
