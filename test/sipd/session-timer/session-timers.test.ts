import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, steps, toTagOf, type WorldAnswer } from '../stack-world.ts';

const dialogId = 'call-alice;from-tag=alice';
const ours = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=ours\r\nt=0 0\r\n';
const knowing = ['Supported: timer', 'Allow: INVITE, ACK, BYE, UPDATE'];

type Mode = 'free' | 'strict';

/** Alice has called with these headers, the application accepted with those, and both know it. */
function called(mode: Mode, asked: readonly string[], given: readonly string[] = []) {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite');
  world.asks(alice, 'INVITE', { more: asked });
  const { transactionId } = world.lastEvent(app);
  world.say(app, `sip|${transactionId}|`, ['SIP/2.0 200 OK', ...given, '', ours].join('\r\n'));
  const ok = world.lastSent('SIP/2.0 200');
  const toTag = toTagOf(ok);
  world.asks(alice, 'ACK', { toTag });
  world.ladder.length = 0;
  return { world, alice, app, ok, toTag };
}

/** The application has called alice, who answered with these headers. */
function calling(given: readonly string[], mode: Mode = 'free') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1);
  const headers = [
    'From: <sip:conf1@localhost>;tag=ours',
    'Call-ID: chosen',
    'Supported: timer',
    'Session-Expires: 600',
  ];
  world.appAsks(app, 'INVITE sip:alice@10.0.0.1', { headers, body: ours });
  world.answers(alice, world.lastSent('INVITE'), { status: '200 OK', more: given });
  world.appAsks(app, 'ACK sip:placeholder', { dialogId: 'chosen;from-tag=ours' });
  world.ladder.length = 0;
  return { world, alice, app, id: 'chosen;from-tag=ours' };
}

describe('what is agreed (RFC 4028 9)', () => {
  test('an interval with a refresher is taken, and the one who refreshes must know it', () => {
    const { ok } = called('free', ['Supported: timer', 'Session-Expires: 1800;refresher=uac']);
    expect(headerOf(ok, 'Session-Expires')).toBe('1800;refresher=uac');
    expect(headerOf(ok, 'Require')).toBe('timer');
    const strict = called('strict', ['Supported: timer', 'Session-Expires: 1800;refresher=uac']).ok;
    expect(headerOf(strict, 'Session-Expires')).toBe('1800;refresher=uac');
    expect(headerLines(strict, 'Require')).toEqual([]);
  });

  test('without a refresher, or without an interval that can be read, there is no timer', () => {
    for (const asked of ['Session-Expires: 1800', 'Session-Expires: soon;refresher=uas', 'Subject: none']) {
      const { ok, world } = called('free', ['Supported: timer', asked]);
      expect(headerLines(ok, 'Session-Expires')).toEqual([]);
      expect(world.stack.counts().timers).toBe(1);
    }
  });

  test('the application has the last word, and need not name the refresher', () => {
    for (const [given, wanted] of [
      ['Session-Expires: 120', '120;refresher=uas'],
      ['Session-Expires: 120;refresher=uac', '120;refresher=uac'],
      ['Session-Expires: 30;refresher=uac', '90;refresher=uac'],
    ] as const) {
      const { ok } = called('free', ['Session-Expires: 1800;refresher=uas'], [given]);
      expect(headerLines(ok, 'Session-Expires')).toEqual([`Session-Expires: ${wanted}`]);
    }
    const { ok } = called('free', ['Supported: timer'], ['Session-Expires: 120']);
    expect(headerOf(ok, 'Session-Expires')).toBe('120;refresher=uac');
  });

  test('an application that says who must know the timer is not repeated', () => {
    for (const mode of ['free', 'strict'] as const) {
      const given = ['Session-Expires: 120;refresher=uac', 'Require: timer'];
      expect(headerLines(called(mode, knowing, given).ok, 'Require')).toEqual(['Require: timer']);
    }
  });

  test('an INVITE that asks for too little gets 422 (the daemon gives it 90 s)', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite');
    world.asks(alice, 'INVITE', { more: ['Supported: timer', 'Session-Expires: 60;refresher=uac'] });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 422 INVITE');
    expect(headerOf(world.lastSent('SIP/2.0 422'), 'Min-SE')).toBe('90');
    const { ok } = called('strict', ['Supported: timer', 'Session-Expires: 60;refresher=uac']);
    expect(headerOf(ok, 'Session-Expires')).toBe('90;refresher=uac');
  });

  test.each(['free', 'strict'] as const)('re-INVITE and UPDATE with too little get 422 by the server (%s)', (mode) => {
    const { world, alice, toTag } = called(mode, ['Supported: timer', 'Session-Expires: 600;refresher=uac']);
    for (const [at, method] of ['INVITE', 'UPDATE'].entries()) {
      const branch = `z9hG4bK-${method}`;
      world.asks(alice, method, { toTag, branch, cseq: 2 + at, more: ['Session-Expires: 60'] });
      expect(world.ladder.at(-1)).toBe(`0 sipd -> alice : 422 ${method}`);
      expect(headerOf(world.lastSent('SIP/2.0 422'), 'Min-SE')).toBe('90');
    }
    world.asks(alice, 'ACK', { toTag, cseq: 2, branch: 'z9hG4bK-INVITE' });
    expect(world.ladder.filter((line) => line.includes('event'))).toEqual([]);
  });
});

describe('the peer refreshes', () => {
  test('if it does not, the call ends 32 s before the end of the interval, at most a third (the daemon: at the end)', () => {
    for (const [mode, seconds, end] of [
      ['free', 600, 568_000],
      ['free', 90, 60_000],
      ['strict', 600, 600_000],
    ] as const) {
      const { world, alice, app } = called(mode, ['Supported: timer', `Session-Expires: ${seconds};refresher=uac`]);
      world.pass(end);
      expect(world.ladder).toEqual([
        `${end} sipd -> app1 : event BYE in ${dialogId} unsolicited`,
        `${end} sipd -> alice : BYE`,
      ]);
      expect(headerOf(world.lastEvent(app).text, 'Reason')).toBe('SIP;cause=200;text="Session timer expired"');
      world.answers(alice, world.lastSent('BYE'), '200 OK');
      world.pass(64_000);
      expect(world.stack.counts()).toMatchObject({ dialogs: 0, timers: 0 });
    }
  });

  test.each(['INVITE', 'UPDATE'])('%s begins the interval anew, and what it asks for counts', (method) => {
    const { world, alice, app, toTag } = called('free', [...knowing, 'Session-Expires: 600;refresher=uac']);
    world.pass(500_000);
    world.asks(alice, method, { toTag, cseq: 2, more: ['Supported: timer', 'Session-Expires: 300;refresher=uac'] });
    world.appAnswers(app, '200 OK');
    expect(headerOf(world.lastSent('SIP/2.0 200'), 'Session-Expires')).toBe('300;refresher=uac');
    if (method === 'INVITE') world.asks(alice, 'ACK', { toTag, cseq: 2 });
    world.ladder.length = 0;
    world.pass(267_000);
    expect(world.ladder).toEqual([]);
    world.pass(1_000);
    expect(world.ladder[0]).toBe(`768000 sipd -> app1 : event BYE in ${dialogId} unsolicited`);
  });

  test('a refresh that says nothing of the interval ends the timer (RFC 4028 7.2)', () => {
    const { world, alice, app, toTag } = called('free', ['Supported: timer', 'Session-Expires: 600;refresher=uac']);
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.asks(alice, 'ACK', { toTag, cseq: 2 });
    world.pass(2_000_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 1, timers: 0 });
  });

  test('a refresh that waits for the application is as good as answered', () => {
    const { world, alice, app, toTag } = called('free', ['Supported: timer', 'Session-Expires: 90;refresher=uac']);
    world.pass(59_000);
    world.asks(alice, 'UPDATE', { toTag, cseq: 2, more: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] });
    world.pass(10_000);
    world.appAnswers(app, '200 OK');
    world.pass(50_000);
    expect(world.ladder.some((line) => line.includes('BYE'))).toBe(false);
  });

  test('BYE of either side ends the timer', () => {
    const { world, alice, app, toTag } = called('free', ['Supported: timer', 'Session-Expires: 600;refresher=uac']);
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.pass(33_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, timers: 0 });
  });
});

describe('we refresh', () => {
  const asked = [...knowing, 'Session-Expires: 600;refresher=uas'];

  test('by UPDATE at half time where the peer takes it, again and again; the application hears nothing', () => {
    const { world, alice } = called('free', asked);
    world.pass(300_000);
    const update = world.lastSent('UPDATE');
    expect(headerOf(update, 'Session-Expires')).toBe('600;refresher=uac');
    expect(headerOf(update, 'Supported')).toBe('timer');
    expect(headerOf(update, 'Contact')).toBe('<sip:10.0.0.9:5060>');
    expect(update.endsWith('\r\n\r\n')).toBe(true);
    world.answers(alice, update, { status: '200 OK', more: ['Session-Expires: 400;refresher=uac'] });
    world.pass(200_000);
    world.answers(alice, world.lastSent('UPDATE'), '200 OK');
    world.pass(200_000);
    expect(world.ladder).toEqual(
      steps(`
        300000 sipd -> alice : UPDATE
        300000 alice -> sipd : 200 UPDATE
        500000 sipd -> alice : UPDATE
        500000 alice -> sipd : 200 UPDATE
        700000 sipd -> alice : UPDATE`),
    );
  });

  test('by re-INVITE with the description we gave last where it does not (the daemon: always), and its 200 is acknowledged', () => {
    for (const [mode, more] of [
      ['free', ['Supported: timer', 'Session-Expires: 600;refresher=uas']],
      ['strict', asked],
    ] as const) {
      const { world, alice } = called(mode, more);
      world.pass(300_000);
      const invite = world.lastSent('INVITE');
      expect(invite.endsWith(`\r\n\r\n${ours}`)).toBe(true);
      expect(headerOf(invite, 'Content-Type')).toBe('application/sdp');
      world.answers(alice, invite, { status: '200 OK', more: ['Session-Expires: 600;refresher=uac'] });
      expect(world.ladder).toEqual([
        '300000 sipd -> alice : INVITE',
        '300000 alice -> sipd : 200 INVITE',
        '300000 sipd -> alice : ACK',
      ]);
      expect(headerOf(world.lastSent('ACK'), 'CSeq').split(' ')[0]).toBe(headerOf(invite, 'CSeq').split(' ')[0]);
      world.pass(300_000);
      expect(world.ladder.at(-1)).toBe('600000 sipd -> alice : INVITE');
    }
  });

  test('the description is the one of the latest offer or answer', () => {
    const { world, alice, app, toTag } = called('free', ['Supported: timer', 'Session-Expires: 600;refresher=uas']);
    const newer = ours.replace('1 1 IN', '1 2 IN');
    world.asks(alice, 'INVITE', { toTag, cseq: 2, more: ['Supported: timer', 'Session-Expires: 600;refresher=uas'] });
    world.say(app, `sip|${world.lastEvent(app).transactionId}|`, `SIP/2.0 200 OK\r\n\r\n${newer}`);
    world.asks(alice, 'ACK', { toTag, cseq: 2 });
    world.pass(300_000);
    expect(world.lastSent('INVITE').endsWith(newer)).toBe(true);
  });

  test.each([
    ['481 Call Does Not Exist', 300_000],
    ['408 Request Timeout', 300_000],
  ])('%s ends the call at once', (status, end) => {
    const { world, alice } = called('free', asked);
    world.pass(300_000);
    world.answers(alice, world.lastSent('UPDATE'), status);
    expect(world.ladder.slice(-2)).toEqual([
      `${end} sipd -> app1 : event BYE in ${dialogId} unsolicited`,
      `${end} sipd -> alice : BYE`,
    ]);
  });

  test('no answer ends the call when the transaction does', () => {
    const { world } = called('free', asked);
    world.pass(332_000);
    expect(world.ladder.slice(-2)).toEqual([
      `332000 sipd -> app1 : event BYE in ${dialogId} unsolicited`,
      '332000 sipd -> alice : BYE',
    ]);
  });

  test('another refusal lets the call run out before the interval does (the daemon ends it at once)', () => {
    for (const [mode, end] of [
      ['free', 568_000],
      ['strict', 300_000],
    ] as const) {
      const { world, alice } = called(mode, asked);
      world.pass(300_000);
      const sent = world.sent.at(-1)?.text ?? '';
      world.answers(alice, sent, '403 Forbidden');
      world.pass(300_000);
      expect(world.ladder).toContain(`${end} sipd -> app1 : event BYE in ${dialogId} unsolicited`);
    }
  });

  test('after 491 it is tried again soon (RFC 3261 14.1; the daemon: after half an interval)', () => {
    for (const [mode, least, most] of [
      ['free', 300_000, 303_000],
      ['strict', 600_000, 600_000],
    ] as const) {
      const { world, alice } = called(mode, asked);
      world.pass(300_000);
      world.answers(alice, world.sent.at(-1)?.text ?? '', '491 Request Pending');
      world.ladder.length = 0;
      world.pass(300_000);
      const again = Number(world.ladder.find((line) => /: (INVITE|UPDATE)$/.test(line))?.split(' ')[0]);
      expect(again).toBeGreaterThanOrEqual(least);
      expect(again).toBeLessThanOrEqual(most);
    }
  });

  test.each<[string, WorldAnswer, string]>([
    ['a larger Min-SE is taken', { status: '422 Too Small', more: ['Min-SE: 900'] }, 'UPDATE'],
    ['an UPDATE that is not known becomes a re-INVITE', { status: '501 Not Implemented' }, 'INVITE'],
    ['Retry-After is waited for', { status: '500 Overlap', more: ['Retry-After: 1'] }, 'UPDATE'],
  ])('%s', (_, answer, method) => {
    const { world, alice } = called('free', asked);
    world.pass(300_000);
    world.answers(alice, world.lastSent('UPDATE'), answer);
    world.pass(1_000);
    expect(world.ladder.filter((line) => line.includes('sipd ->')).at(-1)).toContain(`: ${method}`);
    const sent = world.lastSent(method);
    const larger = answer.status.startsWith('422');
    expect(headerOf(sent, 'Session-Expires')).toBe(`${larger ? 900 : 600};refresher=uac`);
    expect(headerOf(sent, 'Min-SE')).toBe(larger ? '900' : '90');
  });

  test('while the peer’s own re-INVITE waits, ours does too', () => {
    const { world, alice, app, toTag } = called('free', asked);
    world.pass(299_000);
    world.asks(alice, 'INVITE', { toTag, cseq: 2, more: ['Supported: timer', 'Session-Expires: 600;refresher=uac'] });
    world.pass(10_000);
    expect(world.ladder.some((line) => line.includes('-> alice : UPDATE'))).toBe(false);
    world.appAnswers(app, '200 OK');
    world.asks(alice, 'ACK', { toTag, cseq: 2 });
    world.pass(560_000);
    expect(world.ladder.some((line) => line.includes('-> alice : UPDATE'))).toBe(false);
  });

  test('nothing is refreshed for an application that has gone, until another has taken the call over', () => {
    const { world, alice } = called('free', asked);
    world.pass(299_000);
    world.input({ kind: 'session-closed', session: 1 });
    world.pass(10_000);
    expect(world.sent.some(({ text }) => text.startsWith('UPDATE'))).toBe(false);
    world.application(2);
    world.appAsks(2, 'INFO sip:placeholder', { dialogId });
    world.answers(alice, world.lastSent('INFO'), '200 OK');
    world.pass(3_000);
    expect(world.lastSent('UPDATE')).toBeDefined();
  });

  test('while an INVITE of the application is under way, ours waits; what was refused there is not what we describe', () => {
    const { world, alice, app } = called('free', ['Supported: timer', 'Session-Expires: 600;refresher=uas']);
    world.pass(299_000);
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId, body: ours.replace('1 1 IN', '1 2 IN') });
    world.answers(alice, world.lastSent('INVITE'), '100 Trying');
    world.pass(20_000);
    expect(world.sent.filter(({ text }) => text.startsWith('INVITE'))).toHaveLength(1);
    world.answers(alice, world.lastSent('INVITE'), '488 Not Acceptable Here');
    world.pass(1_000);
    expect(world.sent.filter(({ text }) => text.startsWith('INVITE'))).toHaveLength(2);
    expect(world.lastSent('INVITE').endsWith(`\r\n\r\n${ours}`)).toBe(true);
  });

  test('what was described while it rang counts, where the 200 describes nothing', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE', { more: ['Supported: timer', 'Session-Expires: 600;refresher=uas'] });
    const { transactionId } = world.lastEvent(app);
    world.say(app, `sip|${transactionId}|`, `SIP/2.0 183 Session Progress\r\n\r\n${ours}`);
    const toTag = toTagOf(world.lastSent('SIP/2.0 183'));
    world.asks(alice, 'UPDATE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.say(app, `sip|${transactionId}|`, 'SIP/2.0 200 OK\r\n\r\n');
    world.asks(alice, 'ACK', { toTag });
    world.pass(300_000);
    expect(world.lastSent('INVITE').endsWith(`\r\n\r\n${ours}`)).toBe(true);
  });
});

describe('calls of the application (RFC 4028 7)', () => {
  test('the answer decides: we refresh', () => {
    const { world, alice } = calling(['Session-Expires: 600;refresher=uac', 'Allow: UPDATE']);
    world.pass(300_000);
    expect(world.ladder).toEqual(['300000 sipd -> alice : UPDATE']);
    world.answers(alice, world.lastSent('UPDATE'), '200 OK');
    expect(world.frames.at(-1)?.payload).not.toContain('UPDATE');
  });

  test('the answer decides: the peer refreshes', () => {
    const { world, id } = calling(['Session-Expires: 600;refresher=uas']);
    world.pass(568_000);
    expect(world.ladder[0]).toBe(`568000 sipd -> app1 : event BYE in ${id} unsolicited`);
  });

  test('an answer without Session-Expires: the session does not expire', () => {
    const { world } = calling([]);
    world.pass(2_000_000);
    expect(world.ladder).toEqual([]);
    expect(world.stack.counts().timers).toBe(0);
  });

  test('a late offer: what we described is in the ACK', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1);
    const headers = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen', 'Session-Expires: 600'];
    world.appAsks(app, 'INVITE sip:alice@10.0.0.1', { headers });
    const more = ['Session-Expires: 600;refresher=uac'];
    world.answers(alice, world.lastSent('INVITE'), { status: '200 OK', more });
    world.appAsks(app, 'ACK sip:placeholder', { dialogId: 'chosen;from-tag=ours', body: ours });
    world.pass(300_000);
    expect(world.lastSent('INVITE').endsWith(`\r\n\r\n${ours}`)).toBe(true);
  });

  test('what the application sends itself is a refresh: it is told of the interval, which begins anew', () => {
    const { world, alice, app, id } = calling(['Session-Expires: 600;refresher=uac', 'Allow: UPDATE']);
    world.pass(200_000);
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId: id, body: ours });
    const invite = world.lastSent('INVITE');
    expect(headerOf(invite, 'Session-Expires')).toBe('600;refresher=uac');
    expect(headerOf(invite, 'Supported')).toBe('timer');
    world.answers(alice, invite, { status: '200 OK', more: ['Session-Expires: 600;refresher=uac'] });
    world.appAsks(app, 'ACK sip:placeholder', { dialogId: id });
    world.ladder.length = 0;
    world.pass(299_000);
    expect(world.ladder).toEqual([]);
    world.pass(1_000);
    expect(world.ladder).toEqual(['500000 sipd -> alice : UPDATE']);
  });

  test('nothing is added to what the application says itself, nor by the daemon', () => {
    const free = calling(['Session-Expires: 600;refresher=uac']);
    const headers = ['Session-Expires: 900;refresher=uac'];
    free.world.appAsks(free.app, 'UPDATE sip:placeholder', { dialogId: free.id, headers });
    expect(headerLines(free.world.lastSent('UPDATE'), 'Session-Expires')).toEqual([
      'Session-Expires: 900;refresher=uac',
    ]);
    const strict = calling(['Session-Expires: 600;refresher=uac'], 'strict');
    strict.world.appAsks(strict.app, 'UPDATE sip:placeholder', { dialogId: strict.id });
    expect(headerLines(strict.world.lastSent('UPDATE'), 'Session-Expires')).toEqual([]);
  });
});

test('three hundred sessions of as many lengths keep one timer, and leave nothing', () => {
  const world = new StackWorld('free');
  const alice = world.peer('alice');
  const app = world.application(1, 'invite');
  for (let at = 0; at < 300; at += 1) {
    const fields = { callId: `c${at}`, fromTag: `t${at}` };
    const more = ['Supported: timer', `Session-Expires: ${90 + at};refresher=uac`];
    world.asks(alice, 'INVITE', { ...fields, more });
    world.appAnswers(app, '200 OK');
    world.asks(alice, 'ACK', { ...fields, toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
  }
  world.pass(33_000);
  expect(world.stack.counts()).toMatchObject({ dialogs: 300, timers: 1 });
  world.pass(500_000);
  expect(world.stack.counts()).toMatchObject({ dialogs: 0, timers: 0 });
});
