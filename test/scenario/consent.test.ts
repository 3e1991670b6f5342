import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { addressOf } from '../support/fixtures.ts';
import { refers } from '../support/refer-steps.ts';
import { defineUser } from '../support/teams.ts';
import { World } from '../support/world.ts';

/** A world where nobody is invited unasked; Bob has agreed, Ted is known and has not, of Carol nothing is known. */
function consentWorld(): World {
  const world = new World({ consent: 'on' });
  defineUser(world, 'bob', { consents: true });
  defineUser(world, 'ted', { consents: false });
  return world;
}

test('CC-041 the consent of one is missing: 470 names who, and nobody is invited', () => {
  const world = consentWorld();
  const input = world.factoryInvite(['bob', 'ted', 'carol']);
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com [bob ted carol]
    focus -> store : attempt consent-missing
    focus -> alice : 470 consent-missing
  `);
  expect(world.outcome(input.reply)).toMatchObject({
    headers: { 'Permission-Missing': `<${addressOf['ted']}>, <${addressOf['carol']}>` },
  });
  expect(world.saved.conferences.size).toBe(0);
  expect(world.attempts).toMatchObject([{ code: 'consent-missing', status: 470, caller: addressOf['alice'] }]);
});

test('CC-041 all have agreed: all are invited; the creator and who cannot be dialled need not', () => {
  const world = consentWorld();
  world.factoryInvite(['alice', 'bob', 'mailto:ted@example.net', 'sip:carol@10.0.0.1']);
  expect(world.wasInvited('bob')).toBe(true);
  expect(world.conference.status).toBe('active');
});

test('who has agreed to be called has not agreed for another host', () => {
  const world = consentWorld();
  const elsewhere = `${addressOf['bob']};maddr=victim.example.org`;
  for (const list of [[elsewhere], ['bob', elsewhere]]) {
    const { reply } = world.factoryInvite(list);
    expect(world.outcome(reply)).toMatchObject({
      code: 'consent-missing',
      headers: { 'Permission-Missing': `<${elsewhere}>` },
    });
  }
  expect(world.saved.conferences.size).toBe(0);
});

test('without the operator’s wish nobody is asked for consent', () => {
  const world = new World();
  world.factoryInvite(['ted', 'carol']);
  expect(world.wasInvited('ted')).toBe(true);
});

test('consent that is given, or taken back, counts at once', () => {
  const world = consentWorld();
  defineUser(world, 'ted', { consents: true, revision: 2 });
  expect(world.outcome(world.factoryInvite(['bob', 'ted']).reply).kind).toBe('session-accepted');
  defineUser(world, 'bob', { consents: false, revision: 2 });
  expect(world.outcome(world.factoryInvite(['bob', 'ted']).reply)).toMatchObject({ code: 'consent-missing' });
  world.happens({ type: 'user-removed', userId: 'ted' });
  expect(world.outcome(world.factoryInvite(['ted']).reply)).toMatchObject({ code: 'consent-missing' });
});

test('Permission-Missing is never too long for an answer', () => {
  const world = consentWorld();
  const long = 'x'.repeat(300);
  const input = world.factoryInvite(Array.from({ length: 50 }, (_, index) => `sip:${long}${index}@example.org`));
  const outcome = world.outcome(input.reply);
  const header = outcome.kind === 'refused' ? (outcome.headers?.['Permission-Missing'] ?? '') : '';
  expect(header.length).toBeLessThanOrEqual(limits.permissionMissingCharactersMax);
  expect(header.split(', ').length).toBeGreaterThan(10);
  expect(header).toMatch(/^<sip:x+0@example\.org>, .*>$/);
});

test('an operator invites nobody either who has not agreed', () => {
  const world = consentWorld();
  world.factoryInvite(['bob']);
  world.ladder.take();
  world.dialsOut('ted', world.conference.id);
  world.ladder.matches(`
    op    -> focus : dial ted
    focus -> store : attempt consent-missing
    focus -> op    : 470 consent-missing
  `);
});

test('nobody is asked in by REFER who has not agreed, alone or in a list', () => {
  const world = consentWorld();
  world.factoryInvite(null);
  world.ladder.take();
  refers(world, 'alice', { to: 'ted' });
  refers(world, 'alice', { to: 'bob' });
  world.ladder.matches(`
    alice -> focus : REFER sip:ted@example.net
    focus -> store : attempt consent-missing
    focus -> alice : 470 consent-missing
    alice -> focus : REFER sip:bob@biloxi.example.com
    focus -> store : save v2
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer active 100 Trying
    focus -> bob   : INVITE
  `);
  expect(world.attempts).toMatchObject([{ method: 'REFER', code: 'consent-missing' }]);
});
