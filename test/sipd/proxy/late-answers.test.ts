import { expect, test } from 'vitest';
import { answered, asked, forward, got, nothing, scene, statusOf, toBob, toCarol } from './proxying.ts';

const both = [toBob, toCarol];

test('a 6xx to what is no INVITE goes back at once: nothing can be cancelled, and later nobody would wait', () => {
  const stage = scene();
  const { world, alice, bob, carol } = stage;
  asked(stage, both, { method: 'MESSAGE', parallel: true });
  world.answers(bob, got(world, bob, 'MESSAGE'), '603 Decline');
  expect(statusOf(answered(world, alice))).toBe(603);
  world.answers(carol, got(world, carol, 'MESSAGE'), '200 OK');
  expect(statusOf(answered(world, alice))).toBe(603);
  world.pass(64_000);
  expect(world.stack.counts()).toEqual(nothing);
});

test('a 2xx after the 408 still reaches a caller whose connection has closed (RFC 3261 16.7 step 5, 18.2.2)', () => {
  const { world, bob } = scene();
  const caller = world.peer('caller', { protocol: 'tcp', port: 40_000, connection: 7, listener: 1 });
  const anew = world.peer('anew', { protocol: 'tcp', host: caller.at.host });
  world.asks({ ...caller, at: { ...caller.at, port: 5060 } }, 'INVITE', { callId: 'c' });
  forward(world, [toBob], { provisional: '1s' });
  world.pass(1_000);
  expect(statusOf(answered(world, caller))).toBe(408);
  world.input({ kind: 'connection-closed', peer: caller.at });
  world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
  expect(statusOf(answered(world, anew))).toBe(200);
});
