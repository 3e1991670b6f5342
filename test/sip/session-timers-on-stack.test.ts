/**
 * Session timers where they run: the stack of the embedded SIP server, with a clock of its own, given the very headers
 * that the shell writes for the core. What it says of a session that nobody refreshes is what the shell hands on.
 */
import { expect, test } from 'vitest';
import type { SessionTimerGrant } from '../../src/core/effect.ts';
import { answerFor } from '../../src/sip/responses.ts';
import { headerLines, headerOf, StackWorld, toTagOf } from '../sipd/stack-world.ts';
import { offer } from './sip-texts.ts';

const dialogId = 'call-bob;from-tag=bob';

/** Bob has called with these headers; the focus has granted that, and he has acknowledged it. */
function bobIsIn(mode: 'free' | 'strict', asked: readonly string[], sessionTimer: SessionTimerGrant) {
  const world = new StackWorld(mode);
  const bob = world.peer('bob');
  const focus = world.application(1, 'invite');
  world.asks(bob, 'INVITE', { more: asked });
  const outcome = { kind: 'session-accepted', endpointId: 'bob', toTag: 'ours', at: 'conference' } as const;
  const answer = answerFor(
    { ...outcome, contact: 'sip:conf-1@10.0.0.9', sdp: offer, sessionTimer },
    { method: 'INVITE', isWithinDialog: false, agent: '10.0.0.9', challenges: () => [] },
  );
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`);
  const { transactionId } = world.lastEvent(focus);
  world.say(focus, `sip|${transactionId}|`, ['SIP/2.0 200 OK', ...lines, '', answer.body].join('\r\n'));
  const ok = world.lastSent('SIP/2.0 200');
  world.asks(bob, 'ACK', { toTag: toTagOf(ok) });
  return { world, bob, focus, ok, toTag: toTagOf(ok) };
}

const peerRefreshes = { expires: 90, refresher: 'uac', required: true } as const;
const knowing = ['Supported: timer', 'Session-Expires: 90', 'Allow: INVITE, ACK, BYE, UPDATE'];

test.each(['free', 'strict'] as const)('in %s mode the 200 says once what the focus has granted', (mode) => {
  const { ok } = bobIsIn(mode, knowing, peerRefreshes);
  expect(headerLines(ok, 'Session-Expires')).toEqual(['Session-Expires: 90;refresher=uac']);
  expect(headerLines(ok, 'Require')).toEqual(['Require: timer']);
});

test.each([
  ['free', 60],
  ['strict', 90],
] as const)(
  'CC-090 RFC 4028 10: in %s mode a session that is not refreshed for %i s ends with a BYE',
  (mode, seconds) => {
    const { world, focus } = bobIsIn(mode, knowing, peerRefreshes);
    world.pass((seconds - 1) * 1_000);
    expect(world.sent.filter(({ text }) => text.startsWith('BYE'))).toEqual([]);
    world.pass(3_000);
    expect(headerOf(world.lastSent('BYE'), 'Reason')).toContain('text="Session timer expired"');
    const told = world.lastEvent(focus);
    expect(told.dialogId).toBe(dialogId);
    expect(headerOf(told.text, 'Reason')).toContain('text="Session timer expired"');
  },
);

test('a refresh that the focus has answered puts it off', () => {
  const { world, bob, focus, toTag } = bobIsIn('free', knowing, peerRefreshes);
  world.pass(45_000);
  world.asks(bob, 'UPDATE', { toTag, cseq: 2, more: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] });
  world.appAnswers(focus, '200 OK', ['Session-Expires: 90;refresher=uac', 'Require: timer']);
  world.pass(55_000);
  expect(world.sent.filter(({ text }) => text.startsWith('BYE'))).toEqual([]);
  world.pass(10_000);
  expect(world.sent.some(({ text }) => text.startsWith('BYE'))).toBe(true);
});

test('a peer that knows no timers is refreshed by the server, with what the focus described last', () => {
  const { world } = bobIsIn('free', [], { expires: 1_800, refresher: 'uas', required: false });
  world.pass(901_000);
  const refresh = world.lastSent('INVITE');
  expect(refresh.endsWith(offer)).toBe(true);
  expect(headerOf(refresh, 'Session-Expires')).toBe('1800;refresher=uac');
});
