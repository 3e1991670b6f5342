import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { addressOf, recipients } from '../support/fixtures.ts';
import { invitesIn, inviting, refuses } from '../support/refusing.ts';
import { World } from '../support/world.ts';

/** Who is invited in place of a URI that was refused because it is a list (RFC 5318). */

describe('CC-052 a URI that is a list itself is refused, and its members are told', () => {
  const friends = 'sip:friends@lists.example.org';

  test('they are invited in its stead, and the URI stays refused', () => {
    const world = inviting([friends, 'bob']);
    refuses(world, friends, [403, { members: ['ted', 'carol'] }]);
    world.ladder.matches(`
      sip:friends@lists.example.org -> focus : 403 INVITE members: 2
      focus -> store : save v2
      focus -> ted   : INVITE
      focus -> carol : INVITE
    `);
    expect(world.participant(friends)).toMatchObject({ status: 'disconnected', disconnection: { sipStatus: 403 } });
    expect(world.inviteTo('ted')).toMatchObject({ referredBy: addressOf['alice'], maxForwards: 69, history: null });
    expect(world.participant('ted')).toMatchObject({ listEntry: { raw: addressOf['ted'] } });
    expect(world.participant('ted').endpoints[0]?.origin).toMatchObject({ by: 'list', received: addressOf['ted'] });
    expect(world.events).toContain('participant.list-refused');
  });

  test('nobody is invited twice, nor the creator, nor the focus, nor whoever cannot be', () => {
    const world = inviting([friends, 'bob'], { privateTargets: 'refuse' });
    const before = invitesIn(world).length;
    const members = [
      'bob',
      'alice',
      world.conferenceUri,
      'sip:conf-fact@conf.example.com',
      'sip:x@10.0.0.7',
      'ted',
      'ted',
    ];
    refuses(world, friends, [403, { members }]);
    expect(
      invitesIn(world)
        .slice(before)
        .map(({ target }) => target),
    ).toEqual([addressOf['ted']]);
    expect(world.participant('sip:x@10.0.0.7')).toMatchObject({ disconnection: { sipStatus: 403 } });
  });

  test('members that are lists are asked too, once; what stands behind those is not', () => {
    const world = inviting([friends]);
    refuses(world, friends, [403, { members: ['sip:team@lists.example.org'] }]);
    refuses(world, 'sip:team@lists.example.org', [403, { members: ['sip:staff@lists.example.org'] }]);
    refuses(world, 'sip:staff@lists.example.org', [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
    expect(world.participant('sip:staff@lists.example.org').status).toBe('disconnected');
  });

  test('a list in itself leads nowhere', () => {
    const world = inviting([friends]);
    refuses(world, friends, [403, { members: [friends] }]);
    expect(invitesIn(world)).toHaveLength(1);
  });

  test('members beyond what a list may have, in one or in several, are not invited at all', () => {
    const people = (name: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `sip:${name}${index}@${name}${index}.example`);
    const world = inviting([friends, 'sip:team@lists.example.org']);
    refuses(world, friends, [403, { members: people('a', limits.listEntriesMax) }]);
    expect(world.saved.participants.size).toBe(3 + limits.listEntriesMax);
    refuses(world, 'sip:team@lists.example.org', [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
    const other = inviting([friends]);
    refuses(other, friends, [403, { members: people('a', limits.listEntriesMax + 1) }]);
    expect(other.saved.participants.size).toBe(2);
  });

  test('who has not agreed to be invited is not (RFC 5363 5.2)', () => {
    const world = new World({ consent: 'on' });
    const agrees = (id: string, uri: string): void =>
      world.happens({
        type: 'user-defined',
        user: {
          id,
          uri,
          displayName: null,
          secrets: null,
          barred: false,
          mayCreate: true,
          consents: true,
          createdAt: 0,
          updatedAt: 0,
          revision: 1,
        },
      });
    agrees('u1', friends);
    agrees('u2', addressOf['ted'] ?? '');
    world.factoryInvite([friends]);
    refuses(world, friends, [403, { members: ['ted', 'carol'] }]);
    expect(world.wasInvited('ted')).toBe(true);
    expect(world.wasInvited('carol')).toBe(false);
    expect(world.participant('carol')).toMatchObject({ disconnection: { method: 'failed', sipStatus: 470 } });
  });

  test('of a URI that is being cancelled, or in a conference that is over, nobody', () => {
    const cancelled = inviting([friends]);
    cancelled.passes(limits.ringTimeoutMs);
    refuses(cancelled, friends, [403, { members: ['ted'] }]);
    expect(cancelled.wasInvited('ted')).toBe(false);
    const ending = inviting([friends]);
    ending.hangsUp('alice');
    refuses(ending, friends, [403, { members: ['ted'] }]);
    expect(ending.wasInvited('ted')).toBe(false);
    expect(ending.conference.status).toBe('ended');
  });

  test('a locked conference takes nobody in their stead', () => {
    const world = inviting([friends]);
    const conferenceId = world.conference.id;
    world.happens({ type: 'change-requested', reply: 'http:op:1', actor: 'key:1', conferenceId, locked: true });
    refuses(world, friends, [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
  });

  test('CC-205 they count as asked in by whoever asked for the list', () => {
    const people = (name: string): string[] =>
      Array.from({ length: limits.listEntriesMax }, (_, index) => `sip:${name}${index}@${name}${index}.example`);
    const world = inviting([friends], { creationsPerMinute: 5 });
    refuses(world, friends, [403, { members: people('a').slice(1) }]);
    expect(world.saved.participants.size).toBe(1 + limits.listEntriesMax);
    const second = world.factoryInvite(['bob']);
    expect(world.outcome(second.reply)).toMatchObject({ code: 'too-many-invitations' });
    const other = new World({ creationsPerMinute: 2 });
    other.factoryInvite([friends]);
    other.factoryInvite(people('b').slice(2));
    refuses(other, friends, [403, { members: ['ted', 'carol'] }]);
    expect(other.wasInvited('ted')).toBe(false);
  });

  test('what a stranger’s list says besides who they are is not heeded: nobody’s call is replaced in our name', () => {
    const world = inviting([friends]);
    const members = recipients([
      { uri: 'ted', replaces: 'x;to-tag=1;from-tag=2' },
      { uri: 'carol', join: 'x;to-tag=1;from-tag=2' },
      'sip:eve@elsewhere.example.com?Subject=Hello',
    ]);
    const cause = { status: 403, reason: 'Forbidden' };
    const none = { unsupported: [], reasonHeader: null, minSe: null };
    world.happens({ type: 'endpoint-failed', endpointId: world.endpointOf(friends), cause, ...none, members });
    expect(invitesIn(world).slice(1)).toMatchObject([
      { target: addressOf['ted'], replaces: null, join: null, extraHeaders: [] },
      { target: addressOf['carol'], replaces: null, join: null, extraHeaders: [] },
      { target: addressOf['eve'], replaces: null, join: null, extraHeaders: [] },
    ]);
    expect(world.participant('ted')).toMatchObject({ replaces: null, listEntry: { ignoredHeaders: ['Replaces'] } });
    expect(world.participant('carol')).toMatchObject({ listEntry: { ignoredHeaders: ['Join'] } });
    expect(world.participant('eve')).toMatchObject({ listEntry: { ignoredHeaders: ['Subject'] } });
  });

  test('another status with members is a refusal like any', () => {
    const world = inviting([friends]);
    refuses(world, friends, [404, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
  });
});
