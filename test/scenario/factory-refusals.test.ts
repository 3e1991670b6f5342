import { expect, test } from 'vitest';
import type { InviteReceived } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { addressOf, callerNamed, clientSdp, factoryUri, recipients } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** A refused creation leaves nobody invited and no conference; only the attempts log tells of it. */
function refused(
  list: readonly string[] | null,
  changes: Partial<InviteReceived> = {},
  settings = {},
): { world: World; code: string } {
  const world = new World(settings);
  const input = world.factoryInvite(list, changes);
  const outcome = world.outcome(input.reply);
  if (outcome.kind !== 'refused') throw new Error(`not refused but ${outcome.kind}`);
  expect(world.saved.conferences.size).toBe(0);
  expect(world.effects.filter((effect) => effect.type.startsWith('sip.') || effect.type.startsWith('msrp.'))).toEqual(
    [],
  );
  expect(world.timers).toEqual([]);
  return { world, code: outcome.code };
}

test('CC-009 nobody known: challenged before any work, and not worth a line in the log', () => {
  const { world, code } = refused(['bob'], { caller: null });
  expect(code).toBe('unauthenticated');
  expect(world.attempts).toEqual([]);
});

test('CC-008 an unknown Require is named alone (RFC 3261 8.2.2.3)', () => {
  const { world, code } = refused(['bob'], { requires: ['recipient-list-invite', 'unheard-of'] });
  expect(code).toBe('unknown-extension');
  expect(world.attempts).toMatchObject([{ code: 'unknown-extension', status: 420, reason: 'unheard-of' }]);
});

test('recipient-list-invite without a list is refused', () => {
  expect(refused(null, { requires: ['recipient-list-invite'] }).code).toBe('list-missing');
});

test('CC-040 a list of 51 entries is refused whole, one of 50 is not', () => {
  const people = Array.from({ length: 51 }, (_, index) => `sip:guest${index}@example.org`);
  expect(refused(people).code).toBe('list-too-long');
  const world = new World();
  world.factoryInvite(people.slice(0, 50));
  expect(world.saved.participants.size).toBe(51);
});

test('an Accept without application/sdp leaves nothing to answer with', () => {
  expect(refused(['bob'], { accepts: ['text/plain'] }).code).toBe('not-acceptable');
});

test('CC-175 an offer without usable MSRP gets 488', () => {
  expect(refused(['bob'], { offer: clientSdp('alice', { acceptTypes: 'text/plain' }) }).code).toBe(
    'media-not-acceptable',
  );
  expect(refused(['bob'], { offer: clientSdp('alice', { msrp: false, audio: true }) }).code).toBe(
    'media-not-acceptable',
  );
});

test('QK-2 recipient-list-subscribe stands for recipient-list-invite when a list is there; strict: 420', () => {
  const world = new World();
  world.factoryInvite(['bob'], { requires: ['recipient-list-subscribe'] });
  expect(world.wasInvited('bob')).toBe(true);
  const strict = refused(['bob'], { requires: ['recipient-list-subscribe'] }, { lenient: false });
  expect(strict.world.attempts).toMatchObject([{ code: 'unknown-extension', reason: 'recipient-list-subscribe' }]);
});

test('a stopping service makes no new conference', () => {
  const world = new World();
  world.happens({ type: 'shutdown-requested', reply: 'http:1', actor: 'process' });
  const input = world.factoryInvite(['bob']);
  expect(world.outcome(input.reply)).toMatchObject({ kind: 'refused', code: 'stopping' });
});

test('an unread request is logged with what came, and answered once', () => {
  const world = new World();
  const told = {
    method: 'INVITE',
    target: 'sip:conf-fact@conf.example.com',
    callId: 'x',
    quirks: [],
    received: 'INVITE …',
  };
  world.happens({
    type: 'request-refused',
    reply: 'sip:eve:1',
    caller: callerNamed('eve'),
    code: 'bad-list',
    detail: 'no root',
    ...told,
  });
  expect(world.outcome('sip:eve:1')).toMatchObject({ code: 'bad-list' });
  expect(world.attempts).toMatchObject([
    { caller: addressOf['eve'], code: 'bad-list', status: 400, received: 'INVITE …' },
  ]);
});

test('an INVITE that cannot be read at all is told so; where credentials count it leaves no trace', () => {
  const told = {
    method: 'INVITE',
    target: '?',
    caller: null,
    callId: null,
    code: 'bad-request',
    detail: 'no From',
  } as const;
  const open = new World();
  open.happens({ type: 'request-refused', reply: 'sip:eve:1', ...told, quirks: [], received: '…' });
  expect(open.outcome('sip:eve:1')).toMatchObject({ code: 'bad-request' });
  expect(open.attempts).toHaveLength(1);
  const digest = new World({ auth: 'digest' });
  digest.happens({ type: 'request-refused', reply: 'sip:eve:1', ...told, quirks: [], received: '…' });
  expect(digest.outcome('sip:eve:1')).toMatchObject({ code: 'bad-request' });
  expect(digest.attempts).toEqual([]);
});

test('an attempt keeps no more of a request than its log has room for', () => {
  const world = new World();
  const long = 'x'.repeat(100_000);
  const told = { code: 'bad-request', detail: long, quirks: [], received: long } as const;
  const asked = { method: 'INVITE', target: long, callId: long, caller: null };
  world.happens({ type: 'request-refused', reply: 'sip:eve:1', ...told, ...asked });
  expect(JSON.stringify(world.attempts[0]).length).toBeLessThan(limits.receivedTextMax + 4 * limits.uriCharactersMax);
});

test('CC-042 an entry with a foreign scheme fails alone, the others are invited', () => {
  const world = new World();
  world.factoryInvite(['mailto:carol@example.org', 'bob']);
  expect(world.wasInvited('bob')).toBe(true);
  expect(world.participant('mailto:carol@example.org')).toMatchObject({
    status: 'disconnected',
    disconnection: { method: 'failed', sipStatus: 416 },
  });
});

test('CC-028 the same person twice gets one INVITE, with the Replaces', () => {
  const world = new World();
  world.factoryInvite(['bob', { uri: 'bob', replaces: 'x;to-tag=1;from-tag=2' }, 'SIP:bob@BILOXI.example.com']);
  expect(world.effects.filter((effect) => effect.type === 'sip.invite')).toHaveLength(1);
  expect(world.inviteTo('bob').replaces).toMatchObject({ callId: 'x' });
});

test('CC-037, CC-038 the creator and the focus itself are not invited', () => {
  const world = new World();
  world.factoryInvite(null);
  const neighbour = 'sip:conf-team@conf.example.com';
  world.factoryInvite(['alice', 'sip:conf-fact@conf.example.com', world.conferenceUri, neighbour, 'bob']);
  const invites = world.effects.filter((effect) => effect.type === 'sip.invite');
  // Somebody of our own domain may be called like a conference.
  expect(invites.map((invite) => invite.target)).toEqual([neighbour, addressOf['bob']]);
});

test('CC-039 an empty list makes a conference with the creator only', () => {
  const world = new World();
  world.factoryInvite([]);
  expect(world.conference).toMatchObject({ status: 'active', participantCount: 1 });
});

test('entries that point at private addresses are not dialled unless the operator allows it', () => {
  const list = recipients(['sip:bob@10.0.0.7', 'ted']);
  const world = new World();
  world.factoryInvite([], { list });
  expect(world.participant('sip:bob@10.0.0.7')).toMatchObject({ disconnection: { sipStatus: 403 } });
  const open = new World({ privateTargets: 'allow' });
  open.factoryInvite([], { list });
  expect(open.effects.filter((effect) => effect.type === 'sip.invite')).toHaveLength(2);
});

test('maddr leads to a private address no better than the host does', () => {
  const world = new World();
  const hidden = ['127.0.0.1', '[::1]', '10.0.0.%37', 'LOCALHOST'].map(
    (host) => `sip:bob@biloxi.example.com;maddr=${host}`,
  );
  world.factoryInvite([], { list: recipients([...hidden, 'ted']) });
  expect(world.effects.flatMap((effect) => (effect.type === 'sip.invite' ? [effect.target] : []))).toEqual([
    addressOf['ted'],
  ]);
});

test('an INVITE that has no hops left invites nobody further', () => {
  const world = new World();
  world.factoryInvite(['bob'], { maxForwards: 1 });
  expect(world.participant('bob')).toMatchObject({ disconnection: { sipStatus: 483 } });
});

test('RFC 3261 8.2.3: a 415 names what may come to the URI that was called', () => {
  const world = new World();
  world.factoryInvite([]);
  const asked = {
    method: 'INVITE',
    caller: null,
    callId: 'c',
    code: 'unsupported-body',
    detail: 'x',
    quirks: [],
  } as const;
  const at = (target: string): unknown => {
    const reply = `sip:eve:${target}`;
    world.happens({ type: 'request-refused', reply, ...asked, target, received: '…' });
    const outcome = world.outcome(reply);
    return outcome.kind === 'refused' ? outcome.at : outcome;
  };
  expect(at(world.conferenceUri)).toBe('conference');
  expect(at(factoryUri)).toBe('factory');
});

test('a REFER that cannot be read is kept as one that is refused', () => {
  const world = new World();
  const asked = { method: 'REFER', target: 'sip:conf-1@conf.example.com', callId: 'c', quirks: [], received: 'REFER' };
  const caller = callerNamed('bob');
  world.happens({
    type: 'request-refused',
    reply: 'sip:bob:1',
    ...asked,
    caller,
    code: 'bad-request',
    detail: 'Refer-To',
  });
  expect(world.attempts).toMatchObject([{ method: 'REFER', code: 'bad-request', received: 'REFER' }]);
});
