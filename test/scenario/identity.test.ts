import { expect, test } from 'vitest';
import { digestSecrets } from '../../src/core/identity/digest.ts';
import { makeNonce } from '../../src/core/identity/nonces.ts';
import type { Input, InviteReceived } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import type { UserRow } from '../../src/core/rows.ts';
import { type DigestCredentials, parseDigestCredentials } from '../../src/wire/digest.ts';
import { authorization } from '../support/digest-client.ts';
import { addressOf, callerNamed, factoryUri, inviteFrom, recipients, subscribeFrom } from '../support/fixtures.ts';
import { userRow } from '../support/stored-rows.ts';
import { World } from '../support/world.ts';

/** A world in which nobody is believed; Alice, Bob and Carol are users, and their names are their passwords. */
function guardedWorld(): World {
  const world = new World({ auth: 'digest' });
  for (const name of ['alice', 'bob', 'carol']) world.happens({ type: 'user-defined', user: userNamed(name) });
  return world;
}

function userNamed(name: string): UserRow {
  const uri = addressOf[name] ?? '';
  return userRow({ id: name, uri, secrets: digestSecrets(uri, 'conf.example.com', name) });
}

type Shown = { readonly as?: string; readonly password?: string; readonly count?: number; readonly nonceAt?: number };

/** What somebody's client answers to a challenge of now. */
function credentials(world: World, request: { method: string; uri: string }, shown: Shown): DigestCredentials {
  const { as: username = 'alice', password = username, count = 1, nonceAt: now = world.now } = shown;
  const nonce = makeNonce(world.settings.nonceSecret, { now, sourceAddress: '192.0.2.1' });
  const challenge = { realm: 'conf.example.com', nonce, algorithm: 'SHA-256', opaque: null, stale: false };
  const read = parseDigestCredentials(authorization(challenge, { username, password }, { ...request, count }));
  if (read === null) throw new Error('no credentials');
  return read;
}

/** Somebody asks, showing nothing, or credentials; the reply is the next line of the ladder. */
function asks<Asked extends Extract<Input, { reply: string; method: string; requestUri: string }>>(
  world: World,
  input: Asked,
  shown: Shown | null,
): Asked {
  const { method, requestUri: uri } = input;
  const asked = {
    ...input,
    caller: null,
    credentials: shown === null ? [] : [credentials(world, { method, uri }, shown)],
  };
  const name = input.reply.split(':')[1] ?? '';
  world.ladder.add(name, 'focus', `${method}${shown === null ? '' : ` Authorization: ${shown.as ?? 'alice'}`}`);
  world.happens(asked);
  return asked;
}

function factoryInvite(changes: Partial<InviteReceived> = {}): InviteReceived {
  return inviteFrom('alice', factoryUri, {
    requires: ['recipient-list-invite'],
    list: recipients(['bob', 'ted']),
    ...changes,
  });
}

/** A new offer within somebody's session; gives the answer, in a word. */
function asksAgain(world: World, name: string, shown: Shown | null): string {
  const proven = { method: 'INVITE', uri: world.conferenceUri };
  const as = shown?.as ?? name;
  const given = shown === null ? [] : [credentials(world, proven, { ...shown, as })];
  const reply = `sip:${name}:again-${++offers}`;
  world.reinvites(name, { reply, caller: null, claimed: callerNamed(as), credentials: given });
  const outcome = world.outcome(reply);
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}

let offers = 0;

test('CC-009 a factory INVITE without credentials is challenged and reaches nobody; with them it is served', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), null);
  world.ladder.matches(`
    alice -> focus : INVITE
    focus -> alice : 401 unauthenticated
  `);
  expect(world.effects.map(({ type }) => type)).toEqual(['reply']);
  asks(world, factoryInvite(), {});
  world.ladder.matches(`
    alice -> focus : INVITE Authorization: alice
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : INVITE
    focus -> ted   : INVITE
  `);
  expect(world.conference.createdBy).toBe('sip:alice@atlanta.example.com');
});

test('CC-199 a wrong password, a replayed nc, a nonce too old and an unknown algorithm reach nobody', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), { password: 'wrong' });
  asks(world, factoryInvite(), { as: 'ted' });
  asks(world, factoryInvite(), { nonceAt: world.now - limits.nonceLifetimeMs - 1 });
  const right = credentials(world, { method: 'INVITE', uri: factoryUri }, {});
  for (const changes of [{ algorithm: 'SHA-512-256' }, { qop: null }, { realm: 'elsewhere.example.com' }]) {
    world.happens(factoryInvite({ caller: null, credentials: [{ ...right, ...changes }] }));
  }
  expect(world.saved.conferences.size).toBe(0);
  expect(world.attempts).toEqual([]);
  const replies = world.effects.flatMap((effect) => (effect.type === 'reply' ? [effect.outcome] : []));
  expect(replies.map((outcome) => outcome.kind === 'refused' && [outcome.code, outcome.stale ?? false])).toEqual([
    ['unauthenticated', false],
    ['unauthenticated', false],
    ['unauthenticated', true],
    ['unauthenticated', false],
    ['unauthenticated', false],
    ['unauthenticated', false],
  ]);
  expect(world.effects).toHaveLength(replies.length);

  world.happens(factoryInvite({ caller: null, credentials: [right] }));
  expect(world.saved.conferences.size).toBe(1);
  const replayed = factoryInvite({ caller: null, credentials: [right] });
  world.happens(replayed);
  expect(world.outcome(replayed.reply)).toMatchObject({ code: 'unauthenticated', stale: true });
  expect(world.saved.conferences.size).toBe(1);
});

test('CC-199 who guesses is shut out for a minute, and nobody else is', () => {
  const world = guardedWorld();
  for (let guess = 0; guess < limits.failedAttemptsPerUserMax; guess += 1) {
    asks(world, factoryInvite(), { password: `guess ${guess}` });
  }
  world.ladder.take();
  asks(world, factoryInvite(), {});
  asks(world, factoryInvite({ ...inviteFrom('carol', factoryUri) }), { as: 'carol' });
  world.ladder.matches(`
    alice -> focus : INVITE Authorization: alice
    focus -> alice : 403 too-many-attempts
    carol -> focus : INVITE Authorization: carol
    focus -> store : save v1
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.attempts).toEqual([]);
  world.passes(limits.failedAttemptsWindowMs);
  const again = asks(world, factoryInvite(), {});
  expect(world.outcome(again.reply).kind).toBe('session-accepted');
});

test('CC-047 a user who calls as somebody else makes nothing, and the log says so', () => {
  const world = guardedWorld();
  const forged = factoryInvite({ claimed: callerNamed('eve') });
  world.happens({
    ...forged,
    caller: null,
    credentials: [
      credentials(world, { method: 'INVITE', uri: factoryUri }, { as: 'alice@atlanta.example.com', password: 'alice' }),
    ],
  });
  expect(world.outcome(forged.reply)).toMatchObject({ code: 'not-allowed' });
  expect(world.saved.conferences.size).toBe(0);
  expect(world.attempts).toMatchObject([{ code: 'not-allowed', status: 403, reason: 'From names somebody else' }]);
});

test('CC-047 the invitees learn who has proven to be the creator', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), {});
  expect(world.inviteTo('bob').referredBy).toBe('sip:alice@atlanta.example.com');
});

test('CC-048, CC-135 a user without a name in From is served, and stays without one for all others', () => {
  const world = guardedWorld();
  const claimed = { aor: 'sip:anonymous-7@anonymous.invalid', displayName: null, private: true };
  asks(world, factoryInvite({ claimed }), { as: 'alice@atlanta.example.com', password: 'alice' });
  expect(world.inviteTo('bob').referredBy).toBeNull();
  world.answers('bob');
  asks(world, subscribeFrom('bob', world.conferenceUri), { as: 'bob' });
  expect(
    world
      .documents('bob')
      .at(-1)
      ?.users?.map(({ entity }) => entity),
  ).toEqual(['sip:anonymous1@anonymous.invalid', 'sip:bob@biloxi.example.com', 'sip:ted@example.net']);
  expect(JSON.stringify(world.documents('bob'))).not.toContain('alice');
  expect(world.participant('alice')).toMatchObject({ uri: 'sip:alice@atlanta.example.com', private: true });
});

test('CC-135 whoever asks for privacy has no name in roster, messages and invitations, and one in REST', () => {
  const world = guardedWorld();
  asks(world, factoryInvite({ claimed: callerNamed('alice', { private: true }) }), {});
  world.answers('bob');
  world.answers('ted', undefined, { private: true });
  asks(world, subscribeFrom('bob', world.conferenceUri), { as: 'bob' });
  const users = world.documents('bob').at(-1)?.users ?? [];
  expect(users.map(({ entity, displayText, endpoints }) => [entity, displayText, endpoints[0]?.entity])).toEqual([
    ['sip:anonymous1@anonymous.invalid', 'Anonymous 1', 'sip:anonymous1-1@anonymous.invalid'],
    ['sip:bob@biloxi.example.com', null, 'sip:bob@biloxi.example.com'],
    ['sip:anonymous3@anonymous.invalid', 'Anonymous 3', 'sip:anonymous3-1@anonymous.invalid'],
  ]);
  expect(world.route().members.map(({ uri }) => uri)).toEqual(users.map(({ entity }) => entity));
  const told = world.effects.filter(({ type }) => /^(sip\.invite|sip\.notify|msrp\.route)$/.test(type));
  expect(
    JSON.stringify(told.filter((effect) => effect.type !== 'sip.invite' || effect.target.includes('bob'))),
  ).not.toMatch(/alice|Alice|ted@/);
  for (const [name, position] of [
    ['alice', 0],
    ['ted', 2],
  ] as const) {
    expect(world.participant(name)).toMatchObject({ uri: addressOf[name], private: true, position });
  }
});

test('CC-135 whoever asks for privacy later is from then on nobody who has invited the others', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), {});
  world.answers('bob');
  asks(world, subscribeFrom('bob', world.conferenceUri), { as: 'bob' });
  const referrers = () =>
    world
      .documents('bob')
      .at(-1)
      ?.users?.map(({ endpoints }) => endpoints[0]?.referred?.by ?? null);
  expect(referrers()).toEqual([null, 'sip:alice@atlanta.example.com', 'sip:alice@atlanta.example.com']);
  world.answersNotify('bob');
  const again = inviteFrom('alice', world.conferenceUri, { claimed: callerNamed('alice', { private: true }) });
  asks(world, again, { count: 2 });
  const [anonymous] = world.route().members;
  expect(referrers()).toEqual([null, anonymous?.uri, anonymous?.uri]);
  expect(JSON.stringify(world.documents('bob').at(-1))).not.toContain('alice');
});

test('within a dialog only its owner is heard, and only with credentials; who hangs up needs none', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), {});
  world.acknowledges('alice');
  asks(world, subscribeFrom('alice', world.conferenceUri), { count: 2 });
  world.ladder.take();

  expect(asksAgain(world, 'alice', null)).toBe('unauthenticated');
  expect(asksAgain(world, 'alice', { count: 3, password: 'wrong' })).toBe('unauthenticated');
  expect(asksAgain(world, 'alice', { as: 'carol' })).toBe('not-allowed');
  expect(asksAgain(world, 'alice', { count: 3 })).toBe('session-accepted');
  world.ladder.take();
  const { type: _type, ...facts } = subscribeFrom('alice', world.conferenceUri);
  const { id: subscriptionId } = world.subscriptionOf('alice');
  const refresh = { ...facts, type: 'subscription-refreshed', subscriptionId, expires: 0 } as const;
  asks(world, refresh, null);
  asks(world, { ...refresh, reply: `${refresh.reply}:again` }, { count: 4 });
  world.hangsUp('alice');
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE
    focus -> alice : 401 unauthenticated
    alice -> focus : SUBSCRIBE Authorization: alice
    focus -> store : save v1
    focus -> alice : 200 SUBSCRIBE Expires: 0
    focus -> alice : NOTIFY terminated;timeout v1 [alice:connected bob:dialing-out ted:dialing-out]
    alice -> focus : BYE
    focus -> store : save v2
    focus -> bob   : CANCEL
    focus -> ted   : CANCEL
  `);
});

test('who was called where he is never had to say who he is, and may have another name there; what he shows must be true', () => {
  const world = guardedWorld();
  asks(world, factoryInvite(), {});
  world.answers('bob');
  expect(asksAgain(world, 'bob', null)).toBe('session-accepted');
  world.acknowledges('bob');
  expect(asksAgain(world, 'bob', { password: 'wrong' })).toBe('unauthenticated');
  expect(asksAgain(world, 'bob', {})).toBe('session-accepted');
  world.acknowledges('bob');
  const reply = 'sip:bob:by-his-core';
  world.reinvites('bob', { reply, caller: { aor: 'sip:bob@ims.example.net', displayName: null, private: false } });
  expect(world.outcome(reply).kind).toBe('session-accepted');
});

test('an INVITE that cannot be read: a user hears what is wrong, a stranger is challenged', () => {
  const world = guardedWorld();
  const { type: _type, offer: _offer, ...facts } = inviteFrom('alice', factoryUri, { caller: null });
  const sends = (credentials: readonly DigestCredentials[], reply: string): void =>
    world.happens({
      type: 'request-refused',
      reply,
      method: 'INVITE',
      target: factoryUri,
      caller: null,
      callId: 'x',
      code: 'bad-list',
      detail: 'no root',
      quirks: [],
      received: 'INVITE …',
      facts: { ...facts, credentials },
    });
  sends([], 'sip:alice:1');
  expect(world.outcome('sip:alice:1')).toMatchObject({ code: 'unauthenticated' });
  sends([credentials(world, { method: 'INVITE', uri: factoryUri }, { password: 'wrong' })], 'sip:alice:2');
  expect(world.outcome('sip:alice:2')).toMatchObject({ code: 'unauthenticated' });
  expect(world.attempts).toEqual([]);
  sends([credentials(world, { method: 'INVITE', uri: factoryUri }, {})], 'sip:alice:3');
  expect(world.outcome('sip:alice:3')).toMatchObject({ code: 'bad-list' });
  expect(world.attempts).toMatchObject([{ code: 'bad-list', status: 400, caller: addressOf['alice'] }]);
});

test('anybody may ask what we can do', () => {
  const world = guardedWorld();
  const { type: _type, event: _event, expires: _expires, ...facts } = subscribeFrom('eve', factoryUri);
  const asked = { ...facts, type: 'options-received', method: 'OPTIONS', caller: null } as const;
  world.happens(asked);
  expect(world.outcome(asked.reply)).toMatchObject({ kind: 'capabilities', at: 'factory' });
});

test('a user whose password is changed or who is removed is one no more', () => {
  const world = guardedWorld();
  const { secrets, ...user } = userNamed('alice');
  world.happens({ type: 'user-defined', user: { ...user, secrets, revision: 2, barred: false } });
  const changed = digestSecrets(user.uri, 'conf.example.com', 'new');
  world.happens({ type: 'user-defined', user: { ...user, secrets: changed, revision: 3 } });
  expect(world.outcome(asks(world, factoryInvite(), {}).reply)).toMatchObject({ code: 'unauthenticated' });
  const served = asks(world, factoryInvite(), { password: 'new' });
  expect(world.outcome(served.reply).kind).toBe('session-accepted');
  world.happens({ type: 'user-removed', userId: 'alice' });
  const gone = asks(world, factoryInvite(), { password: 'new', count: 2 });
  expect(world.outcome(gone.reply)).toMatchObject({ code: 'unauthenticated' });
});
