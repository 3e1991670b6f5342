import { expect, test } from 'vitest';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { addressOf } from '../support/fixtures.ts';
import { answersRefer, answersReferNotify, conferenceOfTwo, referralOf, refers } from '../support/refer-steps.ts';
import { callsTeam, teamWorld } from '../support/teams.ts';

const askingIn = 'carol;method=REFER?Refer-To=%3Csip:conf-1%40conf.example.com%3E';

test('CC-080 RFC 4579 5.7: the focus sends REFER with the conference URI, and tells its answer', () => {
  const world = conferenceOfTwo();
  refers(world, 'bob', { to: askingIn });
  answersReferNotify(world, 'bob');
  answersRefer(world, 'carol', { by: 'bob', status: 202 });
  world.dialsIn('carol');
  world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com;method=REFER?Refer-To=%3Csip:conf-1%40conf.example.com%3E
    focus -> store : save v2
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : REFER Refer-To: <sip:conf-1@conf.example.com>
    bob   -> focus : 200 NOTIFY refer
    carol -> focus : 202 REFER
    focus -> store : save v2
    focus -> bob   : NOTIFY refer terminated;noresource 202 Reason 202
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(referralOf(world, 'bob')).toMatchObject({
    state: 'ended',
    targets: [{ method: 'REFER', uri: addressOf['carol'], outcome: { status: 202 } }],
  });
});

test('CC-080 it is sent in the name of whoever asked, with a Call-ID of its own', () => {
  const world = conferenceOfTwo();
  const referredBy = {
    uri: parseSipUri('sip:bob@biloxi.example.com'),
    value: '<sip:bob@biloxi.example.com>',
    token: null,
  };
  refers(world, 'bob', { to: 'carol;transport=tcp;method=REFER', maxForwards: 10, referredBy });
  const sent = world.effects.find((effect) => effect.type === 'sip.refer');
  expect(sent).toMatchObject({
    target: 0,
    uri: `${addressOf['carol']};transport=tcp`,
    conferenceUri: world.conferenceUri,
    maxForwards: 9,
    referredBy: addressOf['bob'],
    referral: referredBy,
  });
});

test('CC-080 the focus sends nobody anywhere else', () => {
  const world = conferenceOfTwo();
  const elsewhere = 'carol;method=REFER?Refer-To=%3Csip:premium%40toll.example.com%3E';
  const { reply } = refers(world, 'bob', { to: elsewhere });
  expect(world.outcome(reply)).toMatchObject({ code: 'not-allowed' });
  expect(world.effects.some(({ type }) => type === 'sip.refer')).toBe(false);
});

test('a refusal of the REFER is told; an answer that comes after the conference changes nothing', () => {
  const world = conferenceOfTwo();
  refers(world, 'bob', { to: askingIn });
  answersReferNotify(world, 'bob');
  world.ladder.take();
  answersRefer(world, 'carol', { by: 'bob', status: 603 });
  world.ladder.matches(`
    carol -> focus : 603 REFER
    focus -> store : save v2
    focus -> bob   : NOTIFY refer terminated;noresource 603 Reason 603
  `);
  refers(world, 'bob', { to: askingIn });
  const { id } = referralOf(world, 'bob');
  world.hangsUp('alice');
  world.ladder.take();
  world.happens({ type: 'refer-answered', referralId: id, target: 0, cause: { status: 200, reason: 'OK' } });
  expect(world.ladder.take()).toEqual([]);
});

test('RFC 4579 5.7: whoever was asked to call in is no stranger to a conference of members; once removed he is', () => {
  const world = teamWorld();
  callsTeam(world, 'alice');
  expect(world.outcome(world.dialsIn('carol').reply)).toMatchObject({ code: 'not-a-member' });
  refers(world, 'alice', { to: 'carol;method=REFER' });
  answersReferNotify(world, 'alice');
  answersRefer(world, 'carol', { by: 'alice', status: 202 });
  expect(world.outcome(world.dialsIn('carol').reply)).toMatchObject({ kind: 'session-accepted' });
  world.removes('carol');
  expect(world.outcome(world.dialsIn('carol').reply)).toMatchObject({ code: 'not-a-member' });
});
