import { describe, expect, test } from 'vitest';
import { headerOf, steps } from '../stack-world.ts';
import { answered, asked, got, nothing, scene, statusOf, toBob, toCarol, values, withTls } from './proxying.ts';

const both = [toBob, toCarol];

describe('one after the other', () => {
  test('the next target is tried after each refusal, and the first that accepts ends it', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both);
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 sipd -> bob : INVITE
        0 bob -> sipd : 486 INVITE
        0 sipd -> bob : ACK
        0 sipd -> app1 : OK
        0 sipd -> carol : INVITE
        0 carol -> sipd : 200 INVITE
        0 sipd -> app1 : OK
        0 sipd -> alice : 200 INVITE
        0 sipd -> app1 : OK`),
    );
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test.each(['2s', '1500ms'])('a target silent for %s is given up for the next', (provisional) => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { provisional });
    world.pass(1_499);
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
    world.pass(501);
    const invite = got(world, bob, 'INVITE');
    world.answers(carol, got(world, carol, 'INVITE'), '180 Ringing');
    // RFC 3261 9.1: nothing could be cancelled before; now something can.
    world.answers(bob, invite, '100 Trying');
    const cancel = got(world, bob, 'CANCEL');
    expect(values(cancel, 'Via')).toEqual([values(invite, 'Via')[0]]);
    expect(cancel.split(' ')[1]).toBe(invite.split(' ')[1]);
    world.answers(bob, cancel, '200 OK');
    world.answers(bob, invite, '487 Request Terminated');
    world.answers(carol, got(world, carol, 'INVITE'), '486 Busy Here');
    // The 487 follows from our own CANCEL; Alice has not hung up.
    expect(statusOf(answered(world, stage.alice))).toBe(486);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the last target that stays silent gives 408 at its time', () => {
    const stage = scene();
    const { world, alice } = stage;
    asked(stage, [toBob], { provisional: '2s' });
    world.pass(2_000);
    expect(statusOf(answered(world, alice))).toBe(408);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a target that has been heard of has as long as it wants', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { provisional: '2s' });
    world.answers(bob, got(world, bob, 'INVITE'), '100 Trying');
    world.pass(10_000);
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
  });

  test('the final timeout cancels a target that rings, and the next one is tried', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { final: '5s' });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '180 Ringing');
    world.pass(5_000);
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, invite, '487 Request Terminated');
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    expect(statusOf(answered(world, stage.alice))).toBe(200);
  });

  test('the daemon reads the final timeout and does not keep it', () => {
    const stage = scene(['ignores-final-timeout']);
    const { world, bob, carol } = stage;
    asked(stage, both, { final: '5s' });
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    world.pass(10_000);
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
  });

  test('a target that answers after it was given up has still answered', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { provisional: '1s' });
    world.pass(1_000);
    world.answers(carol, got(world, carol, 'INVITE'), '180 Ringing');
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    expect(statusOf(answered(world, alice))).toBe(200);
    expect(headerOf(got(world, carol, 'CANCEL'), 'Reason')).toContain('Call completed elsewhere');
  });

  test('nobody there: the next is tried at once', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both);
    world.input({ kind: 'peer-unreachable', peer: bob.at, reason: 'refused' });
    world.input({ kind: 'peer-unreachable', peer: carol.at, reason: 'refused' });
    // RFC 3261 16.9, 16.7 step 6: as if 503 had come, which is not for the caller.
    expect(statusOf(answered(world, alice))).toBe(500);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a MESSAGE nobody answers is answered by nobody (RFC 4320 4.2)', () => {
    const stage = scene();
    const { world, alice } = stage;
    asked(stage, both, { method: 'MESSAGE' });
    world.pass(32_000);
    const toAlice = world.sent.filter(({ to }) => to === alice.name).map(({ text }) => statusOf(text));
    expect(toAlice).toEqual([100]);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });
});

describe('all at once', () => {
  test('the first that accepts wins, and the others are cancelled', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    const [toB, toC] = [got(world, bob, 'INVITE'), got(world, carol, 'INVITE')];
    world.answers(bob, toB, '180 Ringing');
    world.answers(carol, toC, '180 Ringing');
    world.answers(carol, toC, '200 OK');
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, toB, '487 Request Terminated');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 sipd -> bob : INVITE
        0 sipd -> carol : INVITE
        0 bob -> sipd : 180 INVITE
        0 sipd -> alice : 180 INVITE
        0 carol -> sipd : 180 INVITE
        0 sipd -> alice : 180 INVITE
        0 carol -> sipd : 200 INVITE
        0 sipd -> app1 : OK
        0 sipd -> alice : 200 INVITE
        0 sipd -> app1 : OK
        0 sipd -> bob : CANCEL
        0 bob -> sipd : 200 CANCEL
        0 bob -> sipd : 487 INVITE
        0 sipd -> bob : ACK`),
    );
    expect(headerOf(got(world, bob, 'CANCEL'), 'Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('each copy has a branch of its own, and a share of the breadth (RFC 5393 5.3.3)', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { parallel: true, request: { more: ['Max-Breadth: 5'] } });
    const [toB, toC] = [got(world, bob, 'INVITE'), got(world, carol, 'INVITE')];
    expect(values(toB, 'Via')[0]).not.toBe(values(toC, 'Via')[0]);
    expect([headerOf(toB, 'Max-Breadth'), headerOf(toC, 'Max-Breadth')]).toEqual(['2', '3']);
    expect(values(toB, 'Max-Breadth')).toHaveLength(1);
  });

  test('where the breadth is too small for all, the rest waits until one has ended', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { parallel: true, request: { more: ['Max-Breadth: 1'] } });
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    expect(headerOf(got(world, carol, 'INVITE'), 'Max-Breadth')).toBe('1');
  });

  test('both accept before they hear of each other: the caller gets both (RFC 3261 16.7 step 5)', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    const tags = world.sent
      .filter(({ to }) => to === alice.name)
      .map(({ text }) => headerOf(text, 'To').split('tag=')[1]);
    expect(tags).toEqual(['bob', 'carol']);
    // Nothing had been heard of Carol: no CANCEL could follow.
    expect(world.ladder.some((line) => line.includes('CANCEL'))).toBe(false);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the CANCEL crosses a 200: the caller gets it all the same', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    const toB = got(world, bob, 'INVITE');
    world.answers(bob, toB, '180 Ringing');
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    world.answers(bob, toB, '200 OK');
    world.answers(bob, got(world, bob, 'CANCEL'), '481 Call/Transaction Does Not Exist');
    expect(world.sent.filter(({ to, text }) => to === alice.name && text.startsWith('SIP/2.0 200'))).toHaveLength(2);
  });

  test('RFC 3261 16.7 step 5: a 6xx cancels the rest and goes back when all have ended', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    const toC = got(world, carol, 'INVITE');
    world.answers(carol, toC, '180 Ringing');
    world.answers(bob, got(world, bob, 'INVITE'), '603 Decline');
    expect(statusOf(answered(world, alice))).toBe(180);
    world.answers(carol, got(world, carol, 'CANCEL'), '200 OK');
    world.answers(carol, toC, '487 Request Terminated');
    expect(statusOf(answered(world, alice))).toBe(603);
  });

  test('a 6xx stops the search', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both);
    world.answers(bob, got(world, bob, 'INVITE'), '600 Busy Everywhere');
    expect(statusOf(answered(world, alice))).toBe(600);
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
  });

  test('a 2xx after a 6xx still goes back, and is the answer', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    world.answers(bob, got(world, bob, 'INVITE'), '603 Decline');
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    expect(statusOf(answered(world, alice))).toBe(200);
  });

  test.each([
    [['404', '486'], 404],
    [['486', '302'], 302],
    [['500', '486'], 486],
    [['404', '401'], 401],
    [['404', '484'], 484],
    [['503', '500'], 500],
    [['503', '503'], 500],
    [['408', '404'], 404],
    [['503', '404'], 404],
  ])('RFC 3261 16.7 step 6: of %j the caller gets %i', (statuses, best) => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    world.answers(bob, got(world, bob, 'INVITE'), { status: `${statuses[0]} X`, more: ['Retry-After: 60'] });
    world.answers(carol, got(world, carol, 'INVITE'), { status: `${statuses[1]} X`, more: ['Retry-After: 60'] });
    expect(statusOf(answered(world, alice))).toBe(best);
    if (statuses.every((status) => status === '503')) expect(values(answered(world, alice), 'Retry-After')).toEqual([]);
  });

  test('RFC 3261 16.7 step 7: a challenge takes those of the others along', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true });
    const challenge = (realm: string) => `Digest realm="${realm}", nonce="n"`;
    const b = [`WWW-Authenticate: ${challenge('b')}`];
    const c = [`Proxy-Authenticate: ${challenge('c1')}`, `Proxy-Authenticate: ${challenge('c2')}`];
    world.answers(bob, got(world, bob, 'INVITE'), { status: '401 Unauthorized', more: b });
    world.answers(carol, got(world, carol, 'INVITE'), { status: '407 Proxy Authentication Required', more: c });
    const answer = answered(world, alice);
    expect(statusOf(answer)).toBe(401);
    expect(values(answer, 'WWW-Authenticate')).toEqual([challenge('b')]);
    expect(values(answer, 'Proxy-Authenticate')).toEqual([challenge('c1'), challenge('c2')]);
  });

  test('credentials that come at once go to the one who asked for them', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both);
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    world.answers(carol, got(world, carol, 'INVITE'), '401 Unauthorized');
    const before = world.ladder.length;
    asked(stage, both, { request: { cseq: 2, more: ['Authorization: Digest username="alice"'] } });
    expect(world.ladder.slice(before).filter((line) => line.includes('sipd -> ') && line.endsWith(': INVITE'))).toEqual(
      ['0 sipd -> carol : INVITE'],
    );
    world.pass(2_001);
    asked(stage, both, { request: { cseq: 3, more: ['Authorization: Digest username="alice"'] } });
    expect(world.ladder.at(-1)).toBe('2001 sipd -> bob : INVITE');
  });

  test('nobody answers: 408', () => {
    const stage = scene();
    const { world, alice } = stage;
    asked(stage, both, { parallel: true });
    world.pass(32_000);
    expect(statusOf(answered(world, alice))).toBe(408);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });
});

describe('timer C (RFC 3261 16.8)', () => {
  test('a phone that rings for ever is cancelled after 185 s, and only what says something new puts that off', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '180 Ringing');
    world.pass(100_000);
    world.answers(bob, invite, '180 Ringing');
    world.pass(100_000);
    world.answers(bob, invite, '100 Trying');
    world.pass(84_999);
    expect(world.ladder.some((line) => line.includes('CANCEL'))).toBe(false);
    world.pass(1);
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, invite, '487 Request Terminated');
    expect(statusOf(answered(world, alice))).toBe(487);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('one who answers the CANCEL only is waited for for 64*T1', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    world.pass(185_000);
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.pass(31_999);
    expect(statusOf(answered(world, alice))).toBe(180);
    world.pass(1);
    expect(statusOf(answered(world, alice))).toBe(408);
  });
});

describe('redirections', () => {
  test('a 3xx is an answer when nobody asked to follow it', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    world.answers(bob, got(world, bob, 'INVITE'), { status: '302 Moved', contact: 'sip:carol@10.0.0.3' });
    expect(statusOf(answered(world, alice))).toBe(302);
  });

  test('followed, its Contacts are targets, the preferred one first, each URI once', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    const dave = world.peer('dave');
    asked(stage, [toBob], { followRedirects: true });
    world.answers(bob, got(world, bob, 'INVITE'), {
      status: '302 Moved',
      contact: '',
      more: ['Contact: <sip:d@10.0.0.4>;q=0.1, <sip:c@10.0.0.3?Subject=x>;q=0.9', 'Contact: <sip:10.0.0.2>;q=0.5'],
    });
    expect(got(world, carol, 'INVITE').split(' ')[1]).toBe('sip:c@10.0.0.3');
    world.answers(carol, got(world, carol, 'INVITE'), { status: '302 Moved', contact: 'sip:c@10.0.0.3' });
    world.answers(dave, got(world, dave, 'INVITE'), '486 Busy Here');
    expect(world.ladder.filter((line) => line.endsWith('-> bob : INVITE'))).toHaveLength(1);
    expect(statusOf(answered(world, alice))).toBe(302);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a circle of redirections ends', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { followRedirects: true });
    for (let count = 1; count < 100; count += 1) {
      const status = '302 Moved';
      world.answers(bob, got(world, bob, 'INVITE'), { status, contact: `sip:b${count}@10.0.0.2` });
    }
    expect(world.ladder.filter((line) => line.endsWith('-> bob : INVITE'))).toHaveLength(100);
    world.answers(bob, got(world, bob, 'INVITE'), { status: '302 Moved', contact: 'sip:b100@10.0.0.2' });
    expect(statusOf(answered(world, alice))).toBe(302);
  });

  test('a Contact nobody can be reached by leads nowhere', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { followRedirects: true });
    const more = ['Contact: "open, <tel:+1>', 'Contact: <mailto:a@b>'];
    world.answers(bob, got(world, bob, 'INVITE'), { status: '302 Moved', contact: 'tel:+1', more: more.slice(1) });
    expect(statusOf(answered(world, alice))).toBe(302);
  });

  test('RFC 3261 16.5: what was asked for securely is not followed where it is not', () => {
    const stage = scene('free', withTls);
    const { world, alice } = stage;
    const dave = world.peer('dave', { protocol: 'tls', port: 5061 });
    asked(stage, ['sips:10.0.0.4'], { followRedirects: true, request: { uri: 'sips:dave@example.com' } });
    world.answers(dave, got(world, dave, 'INVITE'), { status: '302 Moved', contact: 'sip:carol@10.0.0.3' });
    expect(statusOf(answered(world, alice))).toBe(302);
  });
});
