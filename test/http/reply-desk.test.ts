import { expect, test } from 'vitest';
import type { Outcome } from '../../src/core/effect.ts';
import { httpLimits } from '../../src/http/http-limits.ts';
import { ReplyDesk } from '../../src/http/reply-desk.ts';
import { FakeClock } from './fake-ports.ts';

const removed: Outcome = { kind: 'participant-removed' };

function openDesk() {
  const clock = new FakeClock();
  let count = 0;
  const desk = new ReplyDesk({ clock, newToken: () => `reply-${++count}` });
  return { clock, desk };
}

test('an answer settles the request whose token it bears, and no other', async () => {
  const { desk } = openDesk();
  const tokens: string[] = [];
  const first = desk.ask((token) => tokens.push(token));
  const second = desk.ask((token) => tokens.push(token));
  desk.reply(tokens[1] ?? '', { kind: 'shut-down' });
  desk.reply(tokens[0] ?? '', removed);
  expect(await Promise.all([first, second])).toEqual([removed, { kind: 'shut-down' }]);
});

test('an answer given while the request is handed over is not lost', async () => {
  const { desk } = openDesk();
  expect(await desk.ask((token) => desk.reply(token, removed))).toEqual(removed);
});

test('who waits too long is told so, and the late answer finds nobody', async () => {
  const { clock, desk } = openDesk();
  let token = '';
  const asked = desk.ask((given) => {
    token = given;
  });
  clock.advance(httpLimits.replyTimeoutMs);
  expect(await asked).toMatchObject({ kind: 'refused', code: 'busy' });
  expect(() => desk.reply(token, removed)).not.toThrow();
});

test('an answered request leaves no timer behind', async () => {
  const { clock, desk } = openDesk();
  await desk.ask((token) => desk.reply(token, removed));
  expect(clock.timerCount).toBe(0);
});

test('so many may wait and not one more', async () => {
  const { desk } = openDesk();
  let submitted = 0;
  for (let waiting = 0; waiting < httpLimits.waitingRepliesMax; waiting += 1) void desk.ask(() => submitted++);
  const turnedAway = await desk.ask(() => submitted++);
  expect(turnedAway).toMatchObject({ kind: 'refused', code: 'busy' });
  expect(submitted).toBe(httpLimits.waitingRepliesMax);
  desk.close();
});

test('a request that cannot be handed over fails at once and frees its place', async () => {
  const { clock, desk } = openDesk();
  const failing = desk.ask(() => {
    throw new Error('no driver');
  });
  await expect(failing).rejects.toThrow('no driver');
  expect(clock.timerCount).toBe(0);
});

test('closing answers all who wait and all who come later', async () => {
  const { clock, desk } = openDesk();
  const waiting = desk.ask(() => undefined);
  desk.close();
  // It was handed over, and nobody knows here how far it has come.
  const detail = expect.stringContaining('may still take effect');
  expect(await waiting).toMatchObject({ kind: 'refused', code: 'stopping', detail });
  let submitted = false;
  const late = await desk.ask(() => {
    submitted = true;
  });
  expect(late).toMatchObject({ kind: 'refused', code: 'stopping' });
  expect([submitted, clock.timerCount]).toEqual([false, 0]);
});
