import { describe, expect, test } from 'vitest';
import type { SipInvite } from '../../src/core/effect.ts';
import { limits } from '../../src/core/limits.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { addressOf, type ListEntry } from '../support/fixtures.ts';
import { refers } from '../support/refer-steps.ts';
import { World } from '../support/world.ts';

/** What invitees are told of each other (RFC 5364, RFC 5366 5), and whom a list names twice. */

const [bob = '', ted = '', carol = ''] = [addressOf['bob'], addressOf['ted'], addressOf['carol']];

function invitesFor(list: readonly (ListEntry | string)[], settings: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World(settings);
  world.factoryInvite(list);
  const invites = world.effects.filter((effect): effect is SipInvite => effect.type === 'sip.invite');
  return { world, invites };
}

/** Each entry of a history as `level URI`, `×n` where it has a count. */
function told(history: string | null | undefined): readonly string[] | null {
  if (history === null || history === undefined) return null;
  return [...history.matchAll(/<entry ([^>]*)\/>/g)].map(([, text = '']) => {
    const attribute = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(text)?.[1];
    const count = attribute('cp:count');
    return `${attribute('cp:copyControl')} ${attribute('uri')}${count === undefined ? '' : ` ×${count}`}`;
  });
}

const historyOf = (list: readonly (ListEntry | string)[]): readonly string[] | null =>
  told(invitesFor(list).invites[0]?.history);

test('CC-022 entries without copyControl are bcc: nobody is told of anybody', () => {
  const { invites } = invitesFor(['bob', 'ted']);
  expect(invites.map(({ history }) => history)).toEqual([null, null]);
});

test('CC-023 one entry that may be told of is enough: each INVITE has the history, the same for all', () => {
  const { invites } = invitesFor(['bob', { uri: 'ted', copyControl: 'cc' }, { uri: 'carol', copyControl: 'to' }]);
  expect(invites).toHaveLength(3);
  expect(new Set(invites.map(({ history }) => history)).size).toBe(1);
  expect(told(invites[0]?.history)).toEqual([`cc ${ted}`, `to ${carol}`]);
});

test('CC-024 whoever is bcc stands in no history, nor does his INVITE differ', () => {
  const { invites } = invitesFor([
    { uri: 'bob', copyControl: 'bcc' },
    { uri: 'ted', copyControl: 'to' },
  ]);
  for (const { history } of invites) expect(history).not.toContain('bob');
  expect(told(invites[0]?.history)).toEqual([`to ${ted}`]);
});

test('CC-025 whoever is anonymous is counted, at each level', () => {
  const hidden = (uri: string, copyControl: 'to' | 'cc'): ListEntry => ({ uri, copyControl, anonymize: true });
  const guests = ['sip:guest1@example.org', 'sip:guest2@example.org'];
  expect(
    historyOf([hidden('bob', 'cc'), { uri: 'ted', copyControl: 'to' }, ...guests.map((uri) => hidden(uri, 'to'))]),
  ).toEqual([`to ${ted}`, 'to sip:anonymous@anonymous.invalid ×2', 'cc sip:anonymous@anonymous.invalid ×1']);
});

test('CC-027 whoever is bcc and anonymous is left out, not counted', () => {
  expect(historyOf([{ uri: 'bob', copyControl: 'bcc', anonymize: true }])).toBeNull();
  expect(
    historyOf([
      { uri: 'bob', anonymize: true },
      { uri: 'ted', copyControl: 'cc' },
    ]),
  ).toEqual([`cc ${ted}`]);
});

describe('CC-029 whoever is listed twice is told of once, at the level that says more', () => {
  test.each([
    ['to and bcc', ['bcc', 'to'], 'to'],
    ['cc and bcc', ['cc', 'bcc'], 'cc'],
    ['cc and to', ['cc', 'to'], 'to'],
    ['to, cc and nothing', ['to', undefined, 'cc'], 'to'],
  ] as const)('%s', (_, levels, kept) => {
    const list = levels.map((copyControl) => ({ uri: 'bob', ...(copyControl === undefined ? {} : { copyControl }) }));
    const { world, invites } = invitesFor(list);
    expect(invites).toHaveLength(1);
    expect(told(invites[0]?.history)).toEqual([`${kept} ${bob}`]);
    expect(world.participant('bob').listEntry?.copyControl).toBe(kept);
  });

  test('and hidden if any of the entries says so', () => {
    expect(
      historyOf([
        { uri: 'bob', copyControl: 'to' },
        { uri: 'bob', copyControl: 'bcc', anonymize: true },
      ]),
    ).toEqual(['to sip:anonymous@anonymous.invalid ×1']);
  });
});

test('a history has nothing of what a URI says to the focus alone', () => {
  const uri = 'sip:bob:secret@biloxi.example.com;transport=tcp;method=INVITE?Subject=private';
  expect(historyOf([{ uri, copyControl: 'to' }])).toEqual(['to sip:bob@biloxi.example.com;transport=tcp']);
  const replaces = 'a84b4c76e66710;to-tag=1;from-tag=2';
  expect(invitesFor([{ uri: 'bob', copyControl: 'to', replaces }]).invites[0]?.history).not.toContain('a84b4c');
});

test('a password in a URI is for the Request-URI alone: watchers do not see it', () => {
  const { world, invites } = invitesFor(['sip:ted:secret@example.net;transport=tcp']);
  expect(invites).toMatchObject([{ target: 'sip:ted:secret@example.net;transport=tcp' }]);
  expect(world.participant('ted').endpoints).toMatchObject([{ entity: 'sip:ted@example.net;transport=tcp' }]);
});

test('a method as long as the list itself is told in short', () => {
  const { world } = invitesFor([`sip:ted@example.net;method=${'X'.repeat(900)}`]);
  const method = 'X'.repeat(limits.methodCharactersMax);
  expect(world.participant('ted').lastError).toEqual({ status: 400, reason: `Method ${method} in a list entry` });
});

test('one person is called at no more devices than anybody may bring, each a key of its own in the roster', () => {
  const uris = Array.from({ length: 12 }, (_, index) => `sip:ted@example.net;transport=${index}`);
  const { world } = invitesFor(uris);
  expect(world.participant('ted').endpoints).toHaveLength(limits.endpointsPerParticipantMax);
  const passwords = invitesFor(['sip:ted:a@example.net', 'sip:ted:b@example.net']).world;
  expect(passwords.participant('ted').endpoints).toMatchObject([
    { entity: 'sip:ted@example.net' },
    { entity: 'sip:ted@example.net;dialog=2' },
  ]);
});

test('whom the focus does not invite stands in no history', () => {
  const list = ['alice', 'mailto:carol@example.org', 'sip:x@10.0.0.7', 'sip:ted@example.net;method=BYE', 'bob'];
  expect(historyOf(list.map((uri) => ({ uri, copyControl: 'to' as const })))).toEqual([`to ${bob}`]);
});

test('a history too long for an INVITE is left out whole', () => {
  const guest = (length: number): ListEntry => ({ uri: `sip:${'g'.repeat(length)}@example.org`, copyControl: 'to' });
  const room = (length: number): boolean => invitesFor([guest(900), guest(length)]).invites[0]?.history !== null;
  expect([room(900), room(999)]).toEqual([true, true]);
  const many = Array.from({ length: 7 }, (_, index) => guest(900 + index));
  expect(invitesFor(many).invites.map(({ history }) => history)).toEqual(many.slice(0, 5).map(() => null));
});

test('whoever is asked in later was in no list', () => {
  const { world } = invitesFor([{ uri: 'bob', copyControl: 'to' }]);
  world.dialsOut('ted', world.conference.id);
  expect(world.inviteTo('ted').history).toBeNull();
});

test('415 to a multipart: once more with the description alone', () => {
  const { world } = invitesFor([{ uri: 'bob', copyControl: 'to' }]);
  world.refuses('bob', 415);
  expect(world.inviteTo('bob').history).toBeNull();
  world.refuses('bob', 415);
  expect(world.participant('bob')).toMatchObject({
    status: 'disconnected',
    attempts: [
      { change: null, outcome: { status: 415 } },
      { change: 'session description only', outcome: { status: 415 } },
    ],
  });
});

test('415 to the token of a Referred-By: once more without it, Referred-By as it came', () => {
  const world = new World();
  world.factoryInvite([]);
  const uri = parseSipUri(addressOf['alice'] ?? '');
  const value = `<${addressOf['alice']}>;cid="token-1@atlanta.example.com"`;
  const token = { contentId: 'token-1@atlanta.example.com', headers: [], body: 'signed' };
  refers(world, 'alice', { to: 'bob', referredBy: { uri, value, token } });
  expect(world.inviteTo('bob').referral).toEqual({ uri, value, token });
  world.refuses('bob', 415);
  expect(world.inviteTo('bob').referral).toEqual({ uri, value, token: null });
});

test('415 to a description alone is final', () => {
  const { world } = invitesFor(['bob']);
  world.refuses('bob', 415);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', attempts: [{ outcome: { status: 415 } }] });
});

describe('of several calls that one person shall replace or join', () => {
  test('the first counts, and the other is told as not heeded', () => {
    const { world } = invitesFor([
      { uri: 'bob', replaces: 'one;to-tag=1;from-tag=2' },
      { uri: 'bob', replaces: 'two;to-tag=1;from-tag=2' },
    ]);
    expect(world.inviteTo('bob').replaces?.callId).toBe('one');
    expect(world.participant('bob').listEntry?.ignoredHeaders).toEqual(['Replaces']);
  });

  test('the same twice is one', () => {
    const { world } = invitesFor([
      { uri: 'bob', join: 'one;to-tag=1;from-tag=2' },
      { uri: 'bob', join: 'one;to-tag=1;from-tag=2' },
    ]);
    expect(world.participant('bob').listEntry?.ignoredHeaders).toEqual([]);
  });
});

test('headers of an entry that are not heeded are kept for whoever asks why', () => {
  const { world } = invitesFor(['sip:bob@biloxi.example.com?Route=%3Csip%3Ax%3E&Priority=urgent']);
  expect(world.participant('bob').listEntry?.ignoredHeaders).toEqual(['Route']);
  expect(world.inviteTo('bob').extraHeaders).toEqual([{ name: 'Priority', value: 'urgent' }]);
});

describe('a call to join', () => {
  const join = 'a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774';

  test('stands in the INVITE as it was written', () => {
    const { world } = invitesFor([{ uri: 'bob', join }]);
    expect(world.inviteTo('bob')).toMatchObject({ join, replaces: null });
  });

  test('that is gone: 481, and the invitee is wanted all the same', () => {
    const { world } = invitesFor([{ uri: 'bob', join }]);
    world.refuses('bob', 481);
    expect(world.inviteTo('bob').join).toBeNull();
    expect(world.participant('bob').attempts.map(({ change }) => change)).toEqual([null, 'without Join']);
    world.refuses('bob', 481);
    expect(world.participant('bob').status).toBe('disconnected');
  });

  test('that is gone, strictly: failed', () => {
    const { world } = invitesFor([{ uri: 'bob', join }], { lenient: false });
    world.refuses('bob', 481);
    expect(world.participant('bob').attempts).toHaveLength(1);
  });
});

test('never more than so many INVITEs at once to the host that maddr names', () => {
  const list = Array.from({ length: 12 }, (_, index) => `sip:guest@host${index}.example;maddr=victim.example.org`);
  const { invites } = invitesFor(list);
  expect(invites).toHaveLength(limits.parallelInvitesPerHostMax);
});

test('never more than so many INVITEs at once, to all and to one host', () => {
  const at = (host: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `sip:guest${index}@${host}`);
  const { world, invites } = invitesFor([...at('a.example', 12), ...at('b.example', 12), ...at('c.example', 12)]);
  expect(invites).toHaveLength(3 * limits.parallelInvitesPerHostMax);
  expect(new Set(invites.map(({ target }) => target.split('@')[1])).size).toBe(3);
  // Whoever rings takes no place any more.
  world.rings('sip:guest0@a.example');
  expect(world.wasInvited('sip:guest5@a.example')).toBe(true);
  expect(world.wasInvited('sip:guest6@a.example')).toBe(false);
  world.rings('sip:guest0@a.example');
  expect(world.wasInvited('sip:guest6@a.example')).toBe(false);
  world.refuses('sip:guest1@a.example', 486);
  expect(world.wasInvited('sip:guest6@a.example')).toBe(true);
  const many = invitesFor(Array.from({ length: 30 }, (_, index) => `sip:guest@host${index}.example`));
  expect(many.invites).toHaveLength(limits.parallelInvitesMax);
});
