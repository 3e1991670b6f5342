import { describe, expect, test } from 'vitest';
import { StackWorld, steps } from '../stack-world.ts';
import { asking, dialogId, headers } from './asking.ts';

describe('a phone that accepts after its attempt was given up is acknowledged and hung up, and there is one call', () => {
  test('while the next target rings, and the application hears of that one alone', () => {
    const { world, one, two } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    const first = world.lastSent('INVITE');
    world.pass(32_000);
    world.answers(two, world.lastSent('INVITE'), '180 Ringing');
    const before = world.ladder.length;
    world.answers(one, first, '200 OK');
    world.answers(one, world.lastSent('BYE'), '200 OK');
    world.answers(one, first, '200 OK');
    world.answers(two, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    expect(world.ladder.slice(before)).toEqual(
      steps(`
        32000 one -> sipd : 200 INVITE
        32000 sipd -> one : ACK
        32000 sipd -> one : BYE
        32000 one -> sipd : 200 BYE
        32000 one -> sipd : 200 INVITE
        32000 sipd -> one : ACK
        32000 two -> sipd : 200 INVITE
        32000 sipd -> app1 : event 200 INVITE in ${dialogId}
        32000 app1 -> sipd : ACK
        32000 sipd -> two : ACK
        32000 sipd -> app1 : OK`),
    );
    expect(world.stack.counts()).toMatchObject({ dialogs: 1, calls: 0 });
  });

  test('after the application has been told that nobody answered; a ringing that late means nothing', () => {
    const { world, one } = asking('INVITE', ['10.0.0.1']);
    world.pass(32_000);
    expect(world.ladder.at(-1)).toBe('32000 sipd -> app1 : event 408 INVITE');
    const before = world.ladder.length;
    world.answers(one, world.lastSent('INVITE'), '180 Ringing');
    world.answers(one, world.lastSent('INVITE'), '200 OK');
    world.answers(one, world.lastSent('BYE'), '200 OK');
    expect(world.ladder.slice(before)).toEqual(
      steps(`
        32000 one -> sipd : 180 INVITE
        32000 one -> sipd : 200 INVITE
        32000 sipd -> one : ACK
        32000 sipd -> one : BYE
        32000 one -> sipd : 200 BYE`),
    );
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, calls: 0 });
  });

  test('for 64*T1, and not as the real server does it', () => {
    const late = asking('INVITE', ['10.0.0.1']);
    late.world.pass(64_001);
    late.world.answers(late.one, late.world.lastSent('INVITE'), '200 OK');
    expect(late.world.ladder.at(-1)).toBe('64001 one -> sipd : 200 INVITE');
    const strict = new StackWorld(['ignores-forks']);
    const one = strict.peer('one');
    strict.application(1);
    strict.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers });
    strict.pass(32_000);
    strict.answers(one, strict.lastSent('INVITE'), '200 OK');
    expect(strict.ladder.at(-1)).toBe('32000 one -> sipd : 200 INVITE');
  });

  test('nor is the answer to a re-INVITE anything new', () => {
    const { world, one } = asking('INVITE', ['10.0.0.1']);
    world.answers(one, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.appAsks(1, 'INVITE sip:placeholder', { dialogId });
    world.pass(32_000);
    world.answers(one, world.lastSent('INVITE'), '200 OK');
    expect(world.ladder.at(-1)).toBe('32000 one -> sipd : 200 INVITE');
  });
});
