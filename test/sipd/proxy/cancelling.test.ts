import { describe, expect, test } from 'vitest';
import { headerOf, steps } from '../stack-world.ts';
import { answered, asked, got, nothing, type Scene, scene, statusOf, toBob, toCarol, values } from './proxying.ts';

const both = [toBob, toCarol];
const branch = 'z9hG4bKc';

function hangUp({ world, alice }: Scene, more: readonly string[] = []): void {
  world.asks(alice, 'CANCEL', { branch, more });
}

describe('the caller hangs up (RFC 3261 16.10)', () => {
  test('every branch is cancelled, with the reason she gave, and she gets 487', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, both, { parallel: true, request: { branch } });
    const [toB, toC] = [got(world, bob, 'INVITE'), got(world, carol, 'INVITE')];
    world.answers(bob, toB, '180 Ringing');
    world.answers(carol, toC, '183 Progress');
    world.ladder.length = 0;
    hangUp(stage, ['Reason: SIP;cause=600']);
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, toB, '487 Request Terminated');
    world.answers(carol, got(world, carol, 'CANCEL'), '200 OK');
    world.answers(carol, toC, '487 Request Terminated');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> bob : CANCEL
        0 sipd -> carol : CANCEL
        0 bob -> sipd : 200 CANCEL
        0 bob -> sipd : 487 INVITE
        0 sipd -> bob : ACK
        0 sipd -> app1 : OK
        0 carol -> sipd : 200 CANCEL
        0 carol -> sipd : 487 INVITE
        0 sipd -> carol : ACK
        0 sipd -> app1 : OK
        0 sipd -> alice : 487 INVITE
        0 sipd -> app1 : OK`),
    );
    expect(headerOf(got(world, bob, 'CANCEL'), 'Reason')).toBe('SIP;cause=600');
    expect(values(got(world, bob, 'CANCEL'), 'Via')).toEqual([values(toB, 'Via')[0]]);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a CANCEL that comes before anything else is held until something has been heard', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    hangUp(stage);
    expect(world.ladder.some((line) => line.endsWith('-> bob : CANCEL'))).toBe(false);
    world.answers(bob, got(world, bob, 'INVITE'), '100 Trying');
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, got(world, bob, 'INVITE'), '487 Request Terminated');
    expect(statusOf(answered(world, alice))).toBe(487);
  });

  test('a CANCEL that comes again is answered again and goes on once', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    hangUp(stage);
    hangUp(stage);
    expect(world.ladder.filter((line) => line.endsWith('-> bob : CANCEL'))).toHaveLength(1);
    expect(world.ladder.filter((line) => line.endsWith('-> alice : 200 CANCEL'))).toHaveLength(2);
  });

  test('a CANCEL that is lost is sent again', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    hangUp(stage);
    world.pass(500);
    expect(world.ladder.filter((line) => line.endsWith('-> bob : CANCEL'))).toHaveLength(2);
  });

  test('the CANCEL crosses the 200: the call stands', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '180 Ringing');
    hangUp(stage);
    world.answers(bob, invite, '200 OK');
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    expect(headerOf(answered(world, alice), 'CSeq')).toBe('1 INVITE');
    expect(statusOf(answered(world, alice))).toBe(200);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the target that was being tried ends it: no other is tried', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { request: { branch } });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '180 Ringing');
    hangUp(stage);
    world.answers(bob, invite, '486 Busy Here');
    expect(statusOf(answered(world, alice))).toBe(486);
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
  });

  test('while its name is looked up nothing has to be cancelled: 487 at once, and nothing is sent', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, ['sip:pbx'], { request: { branch } });
    const lookup = world.outputs.flatMap((each) => (each.kind === 'look-up' ? [each.lookup] : [])).at(-1) ?? 0;
    hangUp(stage);
    expect(statusOf(answered(world, alice))).toBe(487);
    world.input({ kind: 'names-found', lookup, answers: [{ kind: 'a', addresses: [bob.at.host] }] });
    expect(world.sent.some(({ to }) => to === bob.name)).toBe(false);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('of several answers 487 is what she expects', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, both, { parallel: true, request: { branch } });
    const [toB, toC] = [got(world, bob, 'INVITE'), got(world, carol, 'INVITE')];
    world.answers(bob, toB, '486 Busy Here');
    world.answers(carol, toC, '180 Ringing');
    hangUp(stage);
    world.answers(carol, toC, '487 Request Terminated');
    expect(statusOf(answered(world, alice))).toBe(487);
  });

  test('after the answer a CANCEL changes nothing', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    hangUp(stage);
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 200 CANCEL');
    expect(world.ladder.some((line) => line.endsWith('-> bob : CANCEL'))).toBe(false);
  });

  test('a target that ignores it all: 487 or 408 when its time is over', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { branch } });
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    hangUp(stage);
    world.pass(32_000);
    expect(statusOf(answered(world, alice))).toBe(408);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });
});
