import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { addressOf } from '../support/fixtures.ts';
import { conferenceOfTwo, referralOf, refers } from '../support/refer-steps.ts';
import { World } from '../support/world.ts';

test('CC-078 RFC 5368 8: all are invited, and nothing is told of it but Refer-Sub: false', () => {
  const world = conferenceOfTwo();
  refers(world, 'bob', { to: ['carol', 'ted', 'alice'], requires: ['multiple-refer', 'norefersub'] });
  world.answers('carol');
  world.refuses('ted', 486);
  world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com sip:ted@example.net sip:alice@atlanta.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER Refer-Sub: false
    focus -> carol : INVITE
    focus -> ted   : INVITE
    carol -> focus : 200 INVITE
    focus -> store : save v4
    ted   -> focus : 486 INVITE
    focus -> store : save v5
  `);
  expect(referralOf(world, 'bob')).toMatchObject({
    state: 'ended',
    subscription: null,
    targets: [{ outcome: { status: 200 } }, { outcome: { status: 486 } }, { outcome: { status: 200 } }],
  });
});

test('CC-078 each entry has its own method', () => {
  const world = conferenceOfTwo();
  refers(world, 'alice', { to: ['bob?method=BYE', 'ted;method=REFER', 'carol'], wantsSubscription: false });
  world.ladder.matches(`
    alice -> focus : REFER sip:bob@biloxi.example.com?method=BYE sip:ted@example.net;method=REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> alice : 200 REFER Refer-Sub: false
    focus -> ted   : REFER Refer-To: <sip:conf-1@conf.example.com>
    focus -> bob   : BYE (Removed by a chair)
    focus -> carol : INVITE
  `);
});

test('CC-078 an entry that is nothing spoils itself only; a person listed twice is called once', () => {
  const world = conferenceOfTwo();
  const nothing = ['mailto:ted@example.net', 'sip:conf-fact@conf.example.com', 'sip:eve@127.0.0.1', 'nonsense'];
  refers(world, 'alice', { to: [...nothing, 'eve;method=BYE', 'carol', 'carol'] });
  world.ladder.take();
  world.answers('carol');
  expect(referralOf(world, 'alice').targets.map(({ outcome }) => outcome?.status)).toEqual([
    416, 482, 403, 400, 404, 200, 200,
  ]);
  expect(world.participant('carol').endpoints).toHaveLength(1);
});

test('CC-078 whoever a list names openly is told of the others, as by an INVITE to the factory (RFC 5368 8)', () => {
  const world = conferenceOfTwo();
  const targets = refers(conferenceOfTwo(), 'alice', { to: ['carol', 'ted'] }).targets;
  const open = targets.map((entry) => ({ ...entry, copyControl: 'to' as const }));
  refers(world, 'alice', { to: ['carol', 'ted'], targets: open });
  expect(world.inviteTo('carol').history).toContain(addressOf['ted']);
});

test('one entry that may not be done spoils the list', () => {
  const world = conferenceOfTwo();
  const kicks = refers(world, 'bob', { to: ['carol', 'alice;method=BYE'] });
  expect(world.outcome(kicks.reply)).toMatchObject({ code: 'not-a-chair' });
  const messages = refers(world, 'bob', { to: ['carol', 'ted;method=MESSAGE'] });
  expect(world.outcome(messages.reply)).toMatchObject({ code: 'method-refused' });
  expect(world.wasInvited('carol')).toBe(false);
});

test('a list is no longer than one at the factory', () => {
  const world = conferenceOfTwo();
  const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `sip:u${at}@example.org`);
  const tooLong = refers(world, 'bob', { to: many(limits.listEntriesMax + 1) });
  expect(world.outcome(tooLong.reply)).toMatchObject({ code: 'list-too-long' });
  const longest = refers(world, 'bob', { to: many(limits.listEntriesMax) });
  expect(world.outcome(longest.reply)).toMatchObject({ kind: 'referral-accepted' });
});

test('CC-041 RFC 5363 5.2: where consent counts, a list with somebody who has not agreed calls nobody', () => {
  const world = new World({ consent: 'on' });
  world.factoryInvite(null);
  const { reply } = refers(world, 'alice', { to: ['carol', 'ted'] });
  expect(world.outcome(reply)).toMatchObject({
    code: 'consent-missing',
    headers: { 'Permission-Missing': `<${addressOf['carol']}>, <${addressOf['ted']}>` },
  });
  expect(world.wasInvited('carol')).toBe(false);
});
