import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { ReplacesValue } from '../../src/core/rows.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { addressOf, factoryUri } from '../support/fixtures.ts';
import { conferenceOfTwo, type Referring, refers } from '../support/refer-steps.ts';
import { callsTeam, policy, teamUri, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

/** Carol is to be called, says whoever asks at the group's address. */
const atTeam: Referring = { target: parseSipUri(teamUri), to: 'carol' };

/** The code of the refusal, or what else the answer is. */
function answerTo(world: World, name: string, referring: Referring): string {
  const outcome = world.outcome(refers(world, name, referring).reply);
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}

describe('CC-073 who may refer', () => {
  test('a stranger may not', () => {
    const world = conferenceOfTwo();
    refers(world, 'eve', { to: 'carol' });
    world.ladder.matches(`
    eve   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : attempt not-a-participant
    focus -> eve   : 403 not-a-participant
  `);
  });

  test('nor may who has left, or has not come yet', () => {
    const world = conferenceOfTwo();
    refers(world, 'alice', { to: 'ted' });
    expect(answerTo(world, 'ted', {})).toBe('not-a-participant');
    world.hangsUp('bob');
    expect(answerTo(world, 'bob', {})).toBe('not-a-participant');
  });

  test('where credentials count, nobody without them, unless he was called where he is', () => {
    const world = new World({ auth: 'digest' });
    world.factoryInvite(['bob']);
    world.answers('bob');
    expect(answerTo(world, 'bob', { caller: null })).toBe('unauthenticated');
    expect(answerTo(world, 'alice', { caller: null, inSession: true })).toBe('unauthenticated');
    expect(answerTo(world, 'bob', { caller: null, inSession: true })).toBe('referral-accepted');
  });

  test('a session is referred in by nobody else', () => {
    const world = new World({ auth: 'digest' });
    world.factoryInvite(['bob']);
    world.answers('bob');
    const eve = { aor: addressOf['eve'] ?? '', displayName: null, private: false };
    expect(answerTo(world, 'bob', { caller: eve, inSession: true })).toBe('not-allowed');
  });

  test('only chairs may invite where the policy says so', () => {
    const world = teamWorld(policy({ invite: 'chairs' }));
    callsTeam(world, 'alice');
    world.answers('bob');
    expect(answerTo(world, 'bob', atTeam)).toBe('not-a-chair');
    expect(answerTo(world, 'alice', atTeam)).toBe('referral-accepted');
  });
});

describe('RFC 4538: Target-Dialog', () => {
  const dialogOf = (world: World, name: string, changes: Partial<ReplacesValue> = {}): ReplacesValue => {
    const { callId, localTag, remoteTag } = world.participant(name).endpoints.at(-1) ?? {};
    return { callId: callId ?? '', toTag: localTag ?? '', fromTag: remoteTag ?? '', earlyOnly: false, ...changes };
  };

  test('whoever names his session is who is in it, though From says otherwise', () => {
    const world = conferenceOfTwo();
    const requires = ['tdialog'];
    expect(answerTo(world, 'eve', { requires, targetDialog: dialogOf(world, 'bob') })).toBe('referral-accepted');
    expect(world.inviteTo('carol').referredBy).toBe(addressOf['bob']);
  });

  test('a dialog that is none of ours says nothing', () => {
    const world = conferenceOfTwo();
    const targetDialog = dialogOf(world, 'bob', { toTag: 'guessed' });
    expect(answerTo(world, 'eve', { targetDialog })).toBe('not-a-participant');
    expect(answerTo(world, 'bob', { targetDialog })).toBe('referral-accepted');
  });

  test('where credentials count it speaks for those only who were called where they are', () => {
    const world = new World({ auth: 'digest' });
    world.factoryInvite(['bob']);
    world.answers('bob');
    expect(answerTo(world, 'bob', { caller: null, targetDialog: dialogOf(world, 'bob') })).toBe('referral-accepted');
    expect(answerTo(world, 'alice', { caller: null, targetDialog: dialogOf(world, 'alice') })).toBe('unauthenticated');
    expect(answerTo(world, 'eve', { targetDialog: dialogOf(world, 'bob') })).toBe('not-a-participant');
    const guess = { caller: null, targetDialog: dialogOf(world, 'bob', { toTag: 'guessed' }) };
    expect(answerTo(world, 'eve', { ...guess, target: parseSipUri(teamUri) })).toBe('unauthenticated');
  });
});

describe('where a REFER goes', () => {
  const at = (uri: string): Referring => ({ target: parseSipUri(uri) });

  test('the factory takes none, nor does an address that is nobody', () => {
    const world = conferenceOfTwo();
    expect(answerTo(world, 'alice', at(factoryUri))).toBe('not-allowed');
    expect(answerTo(world, 'alice', at('sip:conf-2@conf.example.com'))).toBe('no-such-conference');
  });

  test('a group’s address means its session, while there is one', () => {
    const world = teamWorld();
    expect(answerTo(world, 'alice', atTeam)).toBe('no-session');
    callsTeam(world, 'alice');
    expect(answerTo(world, 'alice', atTeam)).toBe('referral-accepted');
    expect(world.wasInvited('carol')).toBe(true);
  });

  test('a conference that is over is gone', () => {
    const world = conferenceOfTwo();
    world.hangsUp('alice');
    expect(answerTo(world, 'alice', {})).toBe('conference-ended');
  });

  test('a session that is over is no session', () => {
    const world = conferenceOfTwo();
    expect(answerTo(world, 'bob', { endpointId: 'no-endpoint' })).toBe('no-such-dialog');
  });
});

describe('what may be asked', () => {
  test('CC-072 only INVITE, BYE and REFER', () => {
    const world = conferenceOfTwo();
    expect(answerTo(world, 'alice', { to: 'carol;method=MESSAGE' })).toBe('method-refused');
    expect(answerTo(world, 'alice', { to: 'carol;method=' })).toBe('method-refused');
  });

  test('options that are not understood: 420 with those, and only those', () => {
    const world = conferenceOfTwo();
    const requires = ['norefersub', 'multiple-refer', 'tdialog', 'gruu'];
    const { reply } = refers(world, 'alice', { requires });
    expect(world.outcome(reply)).toMatchObject({ code: 'unknown-extension', headers: { Unsupported: 'gruu' } });
  });

  test('nobody is called who is the focus itself, or at a private address', () => {
    const world = conferenceOfTwo();
    expect(answerTo(world, 'alice', { to: world.conferenceUri })).toBe('loop');
    expect(answerTo(world, 'alice', { to: 'sip:carol@192.168.1.1;method=REFER' })).toBe('private-target');
    expect(answerTo(world, 'alice', { to: `sip:${'x'.repeat(limits.uriCharactersMax)}@example.org` })).toBe(
      'uri-too-long',
    );
    expect(answerTo(world, 'alice', { to: 'im:carol@example.org' })).toBe('unsupported-scheme');
    expect(answerTo(world, 'alice', { to: 'sip:@' })).toBe('bad-request');
  });

  test('a locked conference takes nobody in, and lets people go', () => {
    const world = conferenceOfTwo();
    world.happens({
      type: 'change-requested',
      reply: 'http:op:lock',
      actor: 'key:1',
      conferenceId: world.conference.id,
      locked: true,
    });
    expect(answerTo(world, 'alice', { to: 'carol' })).toBe('conference-locked');
    expect(answerTo(world, 'alice', { to: 'carol;method=REFER' })).toBe('conference-locked');
    expect(answerTo(world, 'alice', { to: 'bob' })).toBe('referral-accepted');
    expect(answerTo(world, 'alice', { to: 'bob;method=BYE' })).toBe('referral-accepted');
  });

  test('a full one too', () => {
    const world = conferenceOfTwo();
    world.happens({
      type: 'change-requested',
      reply: 'http:op:full',
      actor: 'key:1',
      conferenceId: world.conference.id,
      maxParticipants: 2,
    });
    expect(answerTo(world, 'alice', { to: 'carol' })).toBe('conference-full');
  });

  test('one conference, and one dialog, has only so many under way', () => {
    const world = conferenceOfTwo();
    for (let sent = 0; sent < limits.referralsPerDialogMax; sent += 1) refers(world, 'bob', { inSession: true });
    expect(answerTo(world, 'bob', { inSession: true })).toBe('busy');
    for (let sent = limits.referralsPerDialogMax; sent < limits.referralsPerConferenceMax; sent += 1)
      refers(world, 'bob', {});
    expect(answerTo(world, 'alice', {})).toBe('busy');
    world.refuses('carol', 486);
    for (let sent = 0; sent < limits.referralsPerConferenceMax; sent += 1) {
      const [trying] = [...world.saved.referrals.values()].filter(({ state }) => state === 'trying');
      if (trying !== undefined) world.happens({ type: 'referral-notify-answered', referralId: trying.id, status: 200 });
    }
    expect(answerTo(world, 'alice', {})).toBe('referral-accepted');
  });
});
