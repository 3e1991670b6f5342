import { describe, expect, test } from 'vitest';
import type { Refused } from '../../../src/core/conference/requirements.ts';
import { Users } from '../../../src/core/definitions/users.ts';
import { digestSecrets } from '../../../src/core/identity/digest.ts';
import { type Asked, Identification } from '../../../src/core/identity/identify.ts';
import { makeNonce } from '../../../src/core/identity/nonces.ts';
import type { Caller } from '../../../src/core/input.ts';
import { limits } from '../../../src/core/limits.ts';
import type { UserRow } from '../../../src/core/rows.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { type DigestCredentials, parseDigestCredentials } from '../../../src/wire/digest.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { authorization } from '../../support/digest-client.ts';
import { addressOf, callerNamed, factoryUri, inviteFrom, settings, subscribeFrom } from '../../support/fixtures.ts';
import { userRow } from '../../support/stored-rows.ts';

const now = Date.UTC(2026, 0, 1);
const aliceUri = addressOf['alice'] ?? '';

/** A user whose password is `of` and its URI. */
function userOf(
  uri: string,
  secrets: UserRow['secrets'] = digestSecrets(uri, 'conf.example.com', `of ${uri}`),
): UserRow {
  return userRow({ id: uri, uri, secrets });
}

const ours = 'sip:carol@conf.example.com';

function door(changes: Partial<Settings> = {}): Identification {
  const users = new Users();
  users.define(userOf(aliceUri));
  users.define(userOf(ours));
  users.define(userOf('sip:nobody@conf.example.com', null));
  users.define(userOf('sip:moved@conf.example.com', digestSecrets('sip:moved@conf.example.com', 'old', 'x')));
  return new Identification({ settings: settings({ auth: 'digest', ...changes }), users });
}

type How = {
  readonly username?: string;
  readonly password?: string;
  readonly algorithm?: string;
  readonly realm?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly count?: number;
  readonly nonce?: string;
  readonly at?: number;
  readonly from?: string;
};

/** Credentials of Alice, right in all that is not said to be otherwise. */
function credentials(how: How = {}): DigestCredentials {
  const { at = now, from: sourceAddress = '192.0.2.1' } = how;
  const { realm = 'conf.example.com', nonce = makeNonce('secret', { now: at, sourceAddress }) } = how;
  const challenge = { realm, nonce, algorithm: how.algorithm ?? 'SHA-256', opaque: null, stale: false };
  const secret = { username: how.username ?? 'alice', password: how.password ?? `of ${aliceUri}` };
  const { method = 'INVITE', uri = factoryUri, count = 1 } = how;
  const header = authorization(challenge, secret, { method, uri, count });
  const read = parseDigestCredentials(header);
  if (read === null) throw new Error(header);
  return read;
}

type Given = How & { readonly claimed?: Caller; readonly more?: readonly DigestCredentials[] };

/** An INVITE to the factory from nobody known, with credentials. */
function invite(given: Given = {}): Asked {
  const { claimed = callerNamed('alice'), more = [] } = given;
  return inviteFrom('alice', factoryUri, { caller: null, claimed, credentials: [...more, credentials(given)] });
}

function outcome(identified: Asked | Refused): string | null {
  if ('code' in identified) return identified.stale === true ? `${identified.code}, stale` : identified.code;
  return identified.caller?.aor ?? null;
}

function asked(given: Given = {}, at = door(), time = now): string | null {
  return outcome(at.identify(invite(given), time));
}

describe('nothing is asked of', () => {
  test('whom a trusted peer named, whatever it would show', () => {
    const known = inviteFrom('alice', factoryUri, { credentials: [credentials({ password: 'wrong' })] });
    expect(door().identify(known, now)).toBe(known);
  });

  test('anybody where From is believed', () => {
    const known = inviteFrom('alice', factoryUri, { caller: null });
    expect(door({ auth: 'open' }).identify(known, now)).toBe(known);
  });
});

describe('a user is who', () => {
  test.each(['MD5', 'SHA-256', 'md5', 'sha-256'])('answers with %s', (algorithm) => {
    expect(asked({ algorithm: algorithm.toUpperCase() })).toBe(aliceUri);
    const { algorithm: _algorithm, ...rest } = credentials({ algorithm: algorithm.toUpperCase() });
    const request = inviteFrom('alice', factoryUri, { caller: null, credentials: [{ ...rest, algorithm }] });
    expect(outcome(door().identify(request, now))).toBe(aliceUri);
  });

  test('answers with no algorithm, which is MD5', () => {
    const request = inviteFrom('alice', factoryUri, {
      caller: null,
      credentials: [{ ...credentials({ algorithm: 'MD5' }), algorithm: null }],
    });
    expect(outcome(door().identify(request, now))).toBe(aliceUri);
  });

  test('gives the user part or the whole address as its name', () => {
    expect(asked({ username: 'alice@atlanta.example.com' })).toBe(aliceUri);
    const carol = { claimed: callerNamed(ours), password: `of ${ours}` };
    expect(asked({ ...carol, username: 'carol' })).toBe(ours);
    expect(asked({ ...carol, username: 'carol@conf.example.com' })).toBe(ours);
  });

  test('is called so by From, with its display name and its wish for privacy', () => {
    const claimed = callerNamed('alice', { displayName: 'Alice A.', private: true });
    expect(door().identify(invite({ claimed }), now)).toMatchObject({ caller: claimed });
  });

  test('has no name in From, and stays without one for the others', () => {
    const claimed = { aor: 'sip:anonymous-7@anonymous.invalid', displayName: null, private: true };
    const caller = { aor: ours, displayName: null, private: true };
    const given = { claimed, username: 'carol', password: `of ${ours}` };
    expect(door().identify(invite(given), now)).toMatchObject({ caller });
    expect(asked({ claimed, username: 'alice@atlanta.example.com' })).toBe(aliceUri);
    expect(asked({ claimed, username: 'alice' }), 'of which domain?').toBe('unauthenticated');
  });

  test('proves it for our realm, beside credentials for others', () => {
    const more = [credentials({ realm: 'elsewhere', username: 'a' }), { ...credentials(), algorithm: 'SHA-512-256' }];
    expect(asked({ more })).toBe(aliceUri);
  });
});

test('a user who calls as somebody else is not challenged again', () => {
  expect(asked({ claimed: callerNamed('eve'), username: 'alice@atlanta.example.com' })).toBe('not-allowed');
  const carol = { username: 'carol', password: `of ${ours}` };
  expect(asked({ ...carol, claimed: callerNamed('alice') })).toBe('not-allowed');
});

describe('CC-199 is challenged again', () => {
  test.each<[string, Given]>([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { username: 'ted' }],
    ['a user who has no password', { username: 'nobody', claimed: callerNamed('sip:nobody@conf.example.com') }],
    [
      'a user whose password was set for another realm',
      { username: 'moved', password: 'x', claimed: callerNamed('sip:moved@conf.example.com') },
    ],
    ['a digest of another method', { method: 'SUBSCRIBE' }],
    ['another realm', { realm: 'elsewhere' }],
  ])('%s', (_who, given) => {
    expect(asked(given)).toBe('unauthenticated');
  });

  test.each<[string, Partial<DigestCredentials>]>([
    ['an unknown algorithm', { algorithm: 'SHA-512-256' }],
    ['an algorithm that binds sessions', { algorithm: 'MD5-sess' }],
    ['no qop', { qop: null }],
    ['the other qop', { qop: 'auth-int' }],
    ['no nc', { nc: null }],
  ])('%s', (_what, changes) => {
    const request = inviteFrom('alice', factoryUri, { caller: null, credentials: [{ ...credentials(), ...changes }] });
    expect(outcome(door().identify(request, now))).toBe('unauthenticated');
  });

  test('no credentials at all', () => {
    expect(outcome(door().identify(inviteFrom('alice', factoryUri, { caller: null }), now))).toBe('unauthenticated');
  });

  test('an unknown user in the very words that a wrong password gets', () => {
    const [unknown, wrong] = [{ username: 'ted' }, { password: 'wrong' }].map((given) =>
      door().identify(invite(given), now),
    );
    expect(unknown).toEqual(wrong);
  });
});

describe('CC-199 only the nonce is too old', () => {
  test.each<[string, Given]>([
    ['when its time is over', { at: now - limits.nonceLifetimeMs - 1 }],
    ['when it is not ours', { nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' }],
    ['when a former process made it', { nonce: makeNonce('other', { now, sourceAddress: '192.0.2.1' }) }],
    ['when nc is 0', { count: 0 }],
    ['even when the password is wrong, which is not looked at', { nonce: 'other', password: 'wrong' }],
  ])('%s', (_when, given) => {
    expect(asked(given)).toBe('unauthenticated, stale');
  });

  test('when nc does not grow: a request that was listened to is of no use', () => {
    const at = door();
    expect(asked({ count: 1 }, at)).toBe(aliceUri);
    expect(asked({ count: 1 }, at)).toBe('unauthenticated, stale');
    expect(asked({ count: 2 }, at)).toBe(aliceUri);
    expect(asked({ count: 1 }, at)).toBe('unauthenticated, stale');
    expect(asked({ count: 17 }, at)).toBe(aliceUri);
  });

  test('but a failed attempt counts no request', () => {
    const at = door();
    expect(asked({ count: 1, password: 'wrong' }, at)).toBe('unauthenticated');
    expect(asked({ count: 1 }, at)).toBe(aliceUri);
  });
});

describe('credentials for a URI', () => {
  const forUri = (uri: string, requestUri = factoryUri) => {
    const request = inviteFrom('alice', factoryUri, { caller: null, credentials: [credentials({ uri })], requestUri });
    return outcome(door({ ownHosts: new Set(['conf.example.com', '192.0.2.9']) }).identify(request, now));
  };

  test.each([factoryUri, 'sip:%63onf-fact@CONF.example.com', 'sip:conf-fact@192.0.2.9:5070;transport=tcp'])(
    '%s are good for the factory',
    (uri) => {
      expect(forUri(uri)).toBe(aliceUri);
    },
  );

  test('that is not well formed are good for that very Request-URI (QK-1)', () => {
    expect(forUri('conf-fact@conf.example.com', 'conf-fact@conf.example.com')).toBe(aliceUri);
    expect(forUri('conf-fact@conf.example.com')).toBe('bad-request');
  });

  test.each(['sip:other@conf.example.com', 'sip:conf-fact@elsewhere.example.com', 'sip:conf.example.com', '*', ''])(
    '%s are not, and prove nothing',
    (uri) => {
      expect(forUri(uri)).toBe('bad-request');
    },
  );

  test('of somebody else’s compare as RFC 3261 19.1.4 says', () => {
    const request = (uri: string) =>
      inviteFrom('alice', 'sip:x@elsewhere.example.com;transport=tcp', {
        caller: null,
        credentials: [credentials({ uri })],
      });
    expect(outcome(door().identify(request('sip:x@ELSEWHERE.example.com;transport=TCP'), now))).toBe(aliceUri);
    expect(outcome(door().identify(request('sip:x@elsewhere.example.com'), now))).toBe('bad-request');
  });
});

describe('CC-199 guesses', () => {
  const guessing = (at: Identification, given: Given = {}) => {
    for (let guess = 0; guess < limits.failedAttemptsPerUserMax; guess += 1) {
      expect(asked({ ...given, password: `guess ${guess}` }, at)).toBe('unauthenticated');
    }
  };

  test('are refused after the tenth, right ones too, until the minute is over', () => {
    const at = door();
    guessing(at);
    expect(asked({}, at)).toBe('too-many-attempts');
    expect(asked({ at: now + 1 }, at, now + limits.failedAttemptsWindowMs - 1)).toBe('too-many-attempts');
    expect(asked({}, at, now + limits.failedAttemptsWindowMs)).toBe(aliceUri);
  });

  test('at the name of nobody are refused alike', () => {
    const at = door();
    guessing(at, { username: 'ted' });
    expect(asked({ username: 'ted' }, at)).toBe('too-many-attempts');
  });

  test('do not keep the user out who asks from elsewhere, whatever address the guesses pretend to come from', () => {
    const at = door();
    guessing(at, { from: '198.51.100.7' });
    expect(asked({ from: '198.51.100.7' }, at)).toBe('too-many-attempts');
    expect(asked({ from: '192.0.2.1' }, at)).toBe(aliceUri);
  });

  test('are not counted when the right password comes between them', () => {
    const at = door();
    for (let guess = 1; guess < limits.failedAttemptsPerUserMax; guess += 1) asked({ password: 'wrong' }, at);
    expect(asked({}, at)).toBe(aliceUri);
    expect(asked({ password: 'wrong', count: 2 }, at)).toBe('unauthenticated');
    expect(asked({ count: 2 }, at)).toBe(aliceUri);
  });

  test('at many names from one address are refused in the end', () => {
    const at = door();
    for (let guess = 0; guess < limits.failedAttemptsPerSourceMax; guess += 1) {
      expect(asked({ username: `guess${guess}` }, at)).toBe('unauthenticated');
    }
    expect(asked({}, at)).toBe('too-many-attempts');
  });
});

describe('within a dialog', () => {
  const { type: _type, event, expires, ...facts } = subscribeFrom('alice', 'sip:conf-1@conf.example.com');
  const refresh = (shown: readonly DigestCredentials[]): Asked => ({
    ...facts,
    type: 'subscription-refreshed',
    subscriptionId: 'one',
    event,
    expires,
    caller: null,
    credentials: shown,
  });
  const right = { method: 'SUBSCRIBE', uri: 'sip:conf-1@conf.example.com' };

  test('whoever shows nothing is left to whose the dialog is', () => {
    const request = refresh([credentials({ ...right, realm: 'elsewhere' })]);
    expect(door().identify(request, now)).toBe(request);
  });

  test('whoever shows something is judged by it', () => {
    expect(outcome(door().identify(refresh([credentials(right)]), now))).toBe(aliceUri);
    expect(outcome(door().identify(refresh([credentials({ ...right, password: 'wrong' })]), now))).toBe(
      'unauthenticated',
    );
  });
});

test('a name with any characters finds its user', () => {
  const users = new Users();
  const uri = "sip:+1&a=b;c?d/e,$(x)%20%25'@conf.example.com";
  expect(parseSipUri(uri).host).toBe('conf.example.com');
  users.define(userOf(uri));
  const at = new Identification({ settings: settings({ auth: 'digest' }), users });
  const claimed = { aor: 'sip:anonymous-7@anonymous.invalid', displayName: null, private: true };
  expect(asked({ username: "+1&a=b;c?d/e,$(x) %'", password: `of ${uri}`, claimed }, at)).toBe(uri);
});
