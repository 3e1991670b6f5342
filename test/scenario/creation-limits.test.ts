import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { Rate } from '../../src/core/rates.ts';
import { callerNamed, clientSdp } from '../support/fixtures.ts';
import { callsTeam, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

test('CC-205 one user makes so many conferences in a minute, and no more until it is over', () => {
  const world = new World({ creationsPerMinute: 2 });
  world.factoryInvite(null);
  world.passes(20_000);
  world.factoryInvite(null);
  const third = world.factoryInvite(['bob']);
  world.factoryInvite(null, { caller: callerNamed('carol') });
  world.passes(40_000);
  world.factoryInvite(null);
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    alice -> focus : INVITE sip:conf-fact@conf.example.com
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-2@conf.example.com>;isfocus
    alice -> focus : INVITE sip:conf-fact@conf.example.com [bob]
    focus -> store : attempt too-many-creations
    focus -> alice : 480 too-many-creations
    carol -> focus : INVITE sip:conf-fact@conf.example.com
    focus -> store : save v1
    focus -> carol : 200 INVITE <sip:conf-3@conf.example.com>;isfocus
    alice -> focus : INVITE sip:conf-fact@conf.example.com
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-4@conf.example.com>;isfocus
  `);
  expect(world.outcome(third.reply)).toMatchObject({ headers: { 'Retry-After': '40' } });
  expect(world.wasInvited('bob')).toBe(false);
  expect(world.attempts).toMatchObject([{ code: 'too-many-creations', status: 480 }]);
});

test('CC-205 a group’s session counts as a conference, joining it does not', () => {
  const world = teamWorld({}, { creationsPerMinute: 1 });
  callsTeam(world, 'alice');
  callsTeam(world, 'bob');
  expect(world.outcome(world.factoryInvite(null).reply)).toMatchObject({ code: 'too-many-creations' });
  expect(world.outcome(world.factoryInvite(null, { caller: callerNamed('bob') }).reply).kind).toBe('session-accepted');
});

test('what is refused for another reason does not count', () => {
  const world = new World({ creationsPerMinute: 1 });
  world.factoryInvite(null, { requires: ['unheard-of'] });
  world.factoryInvite(['bob'], { accepts: ['text/plain'] });
  expect(world.outcome(world.factoryInvite(null).reply).kind).toBe('session-accepted');
});

test('an offer of no use has been a creation all the same', () => {
  const world = new World({ creationsPerMinute: 1 });
  world.factoryInvite(null, { offer: clientSdp('alice', { msrp: false }) });
  expect(world.outcome(world.factoryInvite(null).reply)).toMatchObject({ code: 'too-many-creations' });
});

test('CC-205 whom one user asks in is counted too', () => {
  const creationsPerMinute = 10;
  const world = new World({ creationsPerMinute });
  const guests = Array.from({ length: 40 }, (_, index) => `sip:guest${index}@host${index}.example.org`);
  world.factoryInvite(guests);
  world.factoryInvite(guests);
  const third = world.factoryInvite(guests);
  expect(world.outcome(third.reply)).toMatchObject({ code: 'too-many-invitations', headers: { 'Retry-After': '60' } });
  const rest = creationsPerMinute * limits.invitationsPerCreation - 80;
  expect(world.outcome(world.factoryInvite(guests.slice(0, rest)).reply).kind).toBe('session-accepted');
});

test('who may make few conferences may still fill one', () => {
  const world = new World({ creationsPerMinute: 1 });
  const guests = Array.from({ length: limits.listEntriesMax }, (_, index) => `sip:guest${index}@example.org`);
  expect(world.outcome(world.factoryInvite(guests).reply).kind).toBe('session-accepted');
});

test('without a limit nobody is counted', () => {
  const world = new World({ creationsPerMinute: 0 });
  for (let index = 0; index < 200; index += 1) world.factoryInvite(['bob']);
  expect(world.saved.conferences.size).toBe(200);
});

test('only so many users are remembered, the latest', () => {
  const rate = new Rate();
  const at = (now: number): { now: number; perMinute: number } => ({ now, perMinute: 1 });
  expect(rate.take('first', 1, at(0))).toBe(0);
  for (let index = 1; index < limits.ratedUsersMax; index += 1) rate.take(`user${index}`, 1, at(index));
  expect(rate.take('first', 1, at(59_999))).toBe(1);
  rate.take('one more', 1, at(59_999));
  expect(rate.take('first', 1, at(59_999))).toBe(0);
});
