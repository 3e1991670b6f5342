import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { addressOf } from '../support/fixtures.ts';
import { answersReferNotify, conferenceOfTwo, referralOf, refers, refreshesReferral } from '../support/refer-steps.ts';
import { World } from '../support/world.ts';

const conferenceId = (world: World): string => world.conference.id;

describe('inviting', () => {
  test('CC-072 RFC 3515 2.4: 200, NOTIFY 100 at once, the INVITE, and a last NOTIFY with its answer', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob');
    world.rings('carol');
    answersReferNotify(world, 'bob');
    world.answers('carol');
    answersReferNotify(world, 'bob');
    world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : INVITE
    bob   -> focus : 200 NOTIFY refer
    carol -> focus : 180 INVITE
    focus -> store : save v4
    focus -> bob   : NOTIFY refer active 180 Ringing
    bob   -> focus : 200 NOTIFY refer
    carol -> focus : 200 INVITE
    focus -> store : save v5
    focus -> bob   : NOTIFY refer terminated;noresource 200 OK
    bob   -> focus : 200 NOTIFY refer
  `);
    expect(world.participant('carol')).toMatchObject({
      status: 'connected',
      referredBy: addressOf['bob'],
      endpoints: [{ referredBy: addressOf['bob'], origin: { by: 'refer', received: addressOf['carol'] } }],
    });
  });

  test('CC-072 the status line of a refusal is told as it came; several INVITEs are one outcome', () => {
    const world = conferenceOfTwo();
    const call = 'carol;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3D1928301774%3Bfrom-tag%3Da6c85cf';
    refers(world, 'alice', { to: call });
    answersReferNotify(world, 'alice');
    world.refuses('carol', 481);
    world.refuses('carol', 486);
    world.ladder.matches(`
    alice -> focus : REFER sip:carol@chicago.example.com;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3D1928301774%3Bfrom-tag%3Da6c85cf
    focus -> store : save v3
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer active 100 Trying
    focus -> carol : INVITE Replaces: a84b4c76e66710;to-tag=1928301774;from-tag=a6c85cf
    alice -> focus : 200 NOTIFY refer
    carol -> focus : 481 INVITE
    focus -> store : save v4
    focus -> carol : INVITE Replaces: a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774
    carol -> focus : 486 INVITE
    focus -> store : save v5
    focus -> alice : NOTIFY refer terminated;noresource 486 Reason 486
  `);
    expect(referralOf(world, 'alice').targets).toMatchObject([{ outcome: { status: 486, reason: 'Reason 486' } }]);
  });

  test('CC-081 a Replaces in Refer-To is read as in a list entry, with what is legal and what is not (QK-6, QK-7, QK-8)', () => {
    const world = conferenceOfTwo();
    refers(world, 'alice', {
      to: 'ted;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3Da6c85cf%3Bfrom-tag%3D1928301774',
    });
    const literal = 'carol@chicago.example.com?Replaces: 7;to-tag=1;from-tag= 2';
    refers(world, 'alice', { to: literal });
    world.ladder.matches(`
    alice -> focus : REFER sip:ted@example.net;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3Da6c85cf%3Bfrom-tag%3D1928301774
    focus -> store : save v3
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer active 100 Trying
    focus -> ted   : INVITE Replaces: a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774
    alice -> focus : REFER carol@chicago.example.com?Replaces: 7;to-tag=1;from-tag= 2
    focus -> store : save v4
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer active 100 Trying
    focus -> carol : INVITE Replaces: 7;to-tag=1;from-tag=2
  `);
    expect(referralOf(world, 'alice').targets).toMatchObject([
      { raw: literal, uri: addressOf['carol'], quirks: ['QK-6', 'QK-7', 'QK-8'], replaces: { callId: '7' } },
    ]);
  });

  test('CC-081 strict, the same is refused and nobody is called', () => {
    const world = new World({ lenient: false });
    world.factoryInvite(null);
    const { reply } = refers(world, 'alice', { to: 'carol@chicago.example.com' });
    expect(world.outcome(reply)).toMatchObject({ code: 'unsupported-scheme' });
    expect(world.wasInvited('carol')).toBe(false);
  });

  test('the row keeps what came and how it was read; the log tells who asked and what came of it', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol', quirks: ['QK-34'] });
    expect(referralOf(world, 'bob')).toMatchObject({
      conferenceId: conferenceId(world),
      by: addressOf['bob'],
      at: world.now,
      endedAt: null,
      state: 'trying',
      targets: [
        { raw: addressOf['carol'], method: 'INVITE', participantId: world.participant('carol').id, outcome: null },
      ],
      subscription: { eventId: null },
      quirks: ['QK-34'],
      received: 'REFER sip:conf-1@conf.example.com SIP/2.0',
    });
    world.passes(1_000);
    answersReferNotify(world, 'bob');
    world.refuses('carol', 603);
    expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', endedAt: world.now });
    expect(world.events.filter((type) => type.startsWith('referral.'))).toEqual([
      'referral.accepted',
      'referral.ended',
    ]);
  });

  test('whoever is in already is not called; whoever is being called is not called twice', () => {
    const world = conferenceOfTwo();
    refers(world, 'alice', { to: 'bob' });
    refers(world, 'alice', { to: 'ted' });
    refers(world, 'bob', { to: 'ted' });
    world.ladder.take();
    world.refuses('ted', 486);
    world.ladder.matches(`
    ted   -> focus : 486 INVITE
    focus -> store : save v4
  `);
    expect(referralOf(world, 'alice').targets).toMatchObject([{ outcome: { status: 486 } }]);
    expect(referralOf(world, 'bob').targets).toMatchObject([{ outcome: { status: 486 } }]);
  });

  test('whoever is in is called for calls that are to become part of it, at each device one endpoint, and not for ever', () => {
    const world = conferenceOfTwo();
    for (let call = 1; call < limits.endpointsPerParticipantMax; call += 1) {
      refers(world, 'alice', { to: `bob?Replaces=call${call}%3Bto-tag%3D1%3Bfrom-tag%3D2`, wantsSubscription: false });
      world.answers('bob');
    }
    const entities = world.participant('bob').endpoints.map(({ entity }) => entity);
    expect(entities).toHaveLength(limits.endpointsPerParticipantMax);
    expect(new Set(entities).size).toBe(limits.endpointsPerParticipantMax);
    const { reply } = refers(world, 'alice', { to: 'bob?Replaces=more%3Bto-tag%3D1%3Bfrom-tag%3D2' });
    expect(world.outcome(reply)).toMatchObject({ code: 'conference-full' });
  });

  test('whoever left is called again', () => {
    const world = conferenceOfTwo();
    world.hangsUp('bob');
    world.ladder.take();
    refers(world, 'alice', { to: 'bob', wantsSubscription: false });
    world.ladder.matches(`
    alice -> focus : REFER sip:bob@biloxi.example.com
    focus -> store : save v4
    focus -> alice : 200 REFER Refer-Sub: false
    focus -> bob   : INVITE
  `);
    expect(world.participant('bob').endpoints).toHaveLength(2);
  });

  test('Max-Forwards goes down on the way; at its end nobody is called', () => {
    const world = conferenceOfTwo();
    refers(world, 'alice', { to: 'carol', maxForwards: 5 });
    expect(world.inviteTo('carol').maxForwards).toBe(4);
    const { reply } = refers(world, 'alice', { to: 'ted', maxForwards: 1 });
    expect(world.outcome(reply)).toMatchObject({ code: 'too-many-hops' });
  });
});

describe('telling', () => {
  test('news that comes while a NOTIFY is under way waits for its answer, and only the latest is told', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    world.rings('carol');
    world.answers('carol');
    expect(referralOf(world, 'bob').state).toBe('trying');
    answersReferNotify(world, 'bob');
    world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : INVITE
    carol -> focus : 180 INVITE
    focus -> store : save v4
    carol -> focus : 200 INVITE
    focus -> store : save v5
    bob   -> focus : 200 NOTIFY refer
    focus -> store : save v5
    focus -> bob   : NOTIFY refer terminated;noresource 200 OK
  `);
    expect(referralOf(world, 'bob').state).toBe('ended');
  });

  test('CC-082 RFC 3515 2.4.6: the second REFER of a dialog is told apart by its CSeq, answered or not', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol', inSession: true, cseq: 2 });
    refers(world, 'bob', { to: 'ted', inSession: true, cseq: 3 });
    world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : INVITE
    bob   -> focus : REFER sip:ted@example.net
    focus -> store : save v4
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer;id=3 active 100 Trying
    focus -> ted   : INVITE
  `);
    const later = conferenceOfTwo();
    refers(later, 'bob', { to: 'carol', inSession: true, cseq: 7, further: true });
    expect(referralOf(later, 'bob').subscription).toEqual({ eventId: 7 });
  });

  test('CC-082 within a session the answer makes no dialog; outside it does', () => {
    const world = conferenceOfTwo();
    const within = refers(world, 'bob', { to: 'carol', inSession: true });
    const outside = refers(world, 'bob', { to: 'ted' });
    expect(world.outcome(within.reply)).toMatchObject({ kind: 'referral-accepted', toTag: null });
    expect(world.outcome(outside.reply)).toMatchObject({ contact: world.conferenceUri, toTag: expect.any(String) });
  });

  test('a NOTIFY answered 481 is the last; the INVITE goes on', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob', 481);
    world.answers('carol');
    world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : INVITE
    bob   -> focus : 481 NOTIFY refer
    focus -> sipd  : release REFER of bob
    carol -> focus : 200 INVITE
    focus -> store : save v4
  `);
    expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', targets: [{ outcome: { status: 200 } }] });
    expect(world.timers.filter((timer) => timer.startsWith('referral'))).toEqual([]);
  });

  test.each([404, 405, 408, 489, 501])('so is one answered %i', (status) => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob', status);
    expect(world.effects.at(-1)).toMatchObject({ type: 'sip.release-referral' });
    world.answers('carol');
    expect(world.effects.filter(({ type }) => type === 'sip.notify-referral')).toHaveLength(1);
  });

  test('a NOTIFY answered 500 is not the last', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob', 500);
    world.ladder.take();
    world.refuses('carol', 603);
    world.ladder.matches(`
    carol -> focus : 603 INVITE
    focus -> store : save v4
    focus -> bob   : NOTIFY refer terminated;noresource 603 Reason 603
  `);
  });

  test('RFC 3515 2.4.4: after its time the sender is told no more, unless he asks for more time', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob');
    world.rings('carol');
    answersReferNotify(world, 'bob');
    world.ladder.take();
    refreshesReferral(world, 'bob', 20);
    answersReferNotify(world, 'bob');
    world.passes(20_000);
    world.answers('carol');
    world.ladder.matches(`
    bob   -> focus : SUBSCRIBE refer Expires: 20
    focus -> bob   : 200 SUBSCRIBE Expires: 20
    focus -> bob   : NOTIFY refer active 180 Ringing
    bob   -> focus : 200 NOTIFY refer
    clock -> focus : referral timer
    focus -> bob   : NOTIFY refer terminated;timeout 180 Ringing
    carol -> focus : 200 INVITE
    focus -> store : save v5
  `);
    expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', targets: [{ outcome: { status: 200 } }] });
  });

  test('an unsubscribe is answered and confirmed by a last NOTIFY; another finds nothing', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob');
    world.ladder.take();
    refreshesReferral(world, 'bob', 0);
    refreshesReferral(world, 'bob', 60);
    world.ladder.matches(`
    bob   -> focus : SUBSCRIBE refer Expires: 0
    focus -> bob   : 200 SUBSCRIBE Expires: 0
    focus -> bob   : NOTIFY refer terminated;timeout 100 Trying
    bob   -> focus : SUBSCRIBE refer Expires: 60
    focus -> bob   : 481 no-such-dialog
  `);
  });

  test('no more time is granted than is asked for, nor more than we give', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    answersReferNotify(world, 'bob');
    const granted = (expires: number | null): unknown => world.outcome(refreshesReferral(world, 'bob', expires));
    expect(granted(100)).toMatchObject({ expires: 100 });
    expect(granted(1_000_000)).toMatchObject({ expires: limits.referralExpiresMax });
    expect(granted(null)).toMatchObject({ expires: limits.referralExpiresDefault });
  });

  test('the end of the conference is told before the BYEs', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol', inSession: true });
    world.ladder.take();
    world.hangsUp('alice');
    world.ladder.matches(`
    alice -> focus : BYE
    focus -> store : save v4
    focus -> bob   : NOTIFY refer terminated;noresource 487 Request Terminated
    focus -> bob   : BYE (Conference ended)
    focus -> carol : CANCEL
  `);
    expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', targets: [{ outcome: { status: 487 } }] });
  });
});

describe('CC-077 RFC 4488 4: Refer-Sub: false', () => {
  test('is granted always: no NOTIFY, no dialog', () => {
    const world = conferenceOfTwo();
    const { reply } = refers(world, 'bob', { to: 'carol', wantsSubscription: false });
    world.answers('carol');
    world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER Refer-Sub: false
    focus -> carol : INVITE
    carol -> focus : 200 INVITE
    focus -> store : save v4
  `);
    expect(world.outcome(reply)).toMatchObject({ toTag: null, subscribes: false });
    expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', subscription: null });
    expect(world.timers.filter((timer) => timer.startsWith('referral'))).toEqual([]);
  });
});

describe('RFC 3892: Referred-By', () => {
  const referredBy = (uri: string) => ({ uri: parseSipUri(uri), value: `<${uri}>;cid="a@b"`, token: null });

  test('goes on as it came when it names the sender', () => {
    const world = conferenceOfTwo();
    const came = referredBy('sip:bob@biloxi.example.com');
    refers(world, 'bob', { to: 'carol', referredBy: came });
    expect(world.inviteTo('carol').referral).toEqual(came);
  });

  test('names nobody else', () => {
    const world = conferenceOfTwo();
    const { reply } = refers(world, 'bob', { to: 'carol', referredBy: referredBy('sip:alice@atlanta.example.com') });
    expect(world.outcome(reply)).toMatchObject({ code: 'wrong-referrer' });
    expect(world.wasInvited('carol')).toBe(false);
  });

  test('is ours when it is absent, and nobody’s when the sender wants privacy', () => {
    const world = conferenceOfTwo();
    refers(world, 'bob', { to: 'carol' });
    expect(world.inviteTo('carol')).toMatchObject({ referredBy: addressOf['bob'], referral: null });
    const caller = { aor: addressOf['bob'] ?? '', displayName: null, private: true };
    refers(world, 'bob', { to: 'ted', caller });
    expect(world.inviteTo('ted')).toMatchObject({ referredBy: null, referral: null });
  });
});
