import { describe, expect, test } from 'vitest';
import { Context } from '../../../src/sipd/context.ts';
import { CallRecords } from '../../../src/sipd/control/call-records.ts';
import { makeIds } from '../../../src/sipd/ids.ts';
import { OwnAddresses } from '../../../src/sipd/own-addresses.ts';
import { plainSockets, StackWorld, steps, toTagOf, type WorldPeer } from '../stack-world.ts';

const outgoing = 'chosen;from-tag=ours';

/** Application 1 takes the calls, application 2 keeps the records. */
function open(mode: 'free' | 'strict'): { world: StackWorld; alice: WorldPeer } {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  world.application(1, 'invite', 'bye');
  world.application(2, 'cdr:attempt', 'cdr:start', 'cdr:stop');
  return { world, alice };
}

/** Frames of records: their tokens but id and time, and the first line of the message. */
function records(world: StackWorld): string[] {
  return world.frames.flatMap(({ session, payload }) => {
    const [meta = '', line = ''] = payload.split('\r\n');
    const [, kind = '', source, time, ...rest] = meta.split('|');
    if (!kind.startsWith('cdr:')) return [];
    expect(session).toBe(2);
    expect(time).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/);
    return [[kind, source, ...rest, `: ${line.replace(/ SIP\/2\.0$/, '').replace(/ sip:\S+/, '')}`].join(' ')];
  });
}

function calls(world: StackWorld): void {
  world.appAsks(1, 'INVITE sip:alice@10.0.0.1', {
    headers: ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen'],
  });
}

describe.each(['free', 'strict'] as const)('call records (%s)', (mode) => {
  test('of a call we answer and the peer ends', () => {
    const { world, alice } = open(mode);
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '180 Ringing');
    world.appAnswers(1, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    world.appAnswers(1, '488 Not Acceptable Here');
    world.asks(alice, 'BYE', { toTag, cseq: 3 });
    world.appAnswers(1, '200 OK');
    expect(records(world)).toEqual(
      steps(`
        cdr:attempt network : INVITE
        cdr:start application uas : SIP/2.0 200 OK
        cdr:stop network normal-release : BYE`),
    );
  });

  test('of a call we make and end, with a BYE that is challenged', () => {
    const { world, alice } = open(mode);
    calls(world);
    world.answers(alice, world.lastSent('INVITE'), '180 Ringing');
    world.answers(alice, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId: outgoing });
    world.appAsks(1, 'BYE sip:placeholder', { dialogId: outgoing });
    world.answers(alice, world.lastSent('BYE'), '401 Unauthorized');
    world.appAsks(1, 'BYE sip:placeholder', { dialogId: outgoing });
    world.answers(alice, world.lastSent('BYE'), '200 OK');
    expect(records(world)).toEqual(
      steps(`
        cdr:attempt application : INVITE
        cdr:start network uac : SIP/2.0 200 OK
        cdr:stop application normal-release : BYE`),
    );
  });

  test('of calls that are refused, cancelled, wanted by nobody, or never answered', () => {
    const { world, alice } = open(mode);
    world.asks(alice, 'INVITE', { callId: 'a' });
    world.appAnswers(1, '486 Busy Here');
    world.asks(alice, 'INVITE', { callId: 'b', branch: 'z9hG4bK-b' });
    world.asks(alice, 'CANCEL', { callId: 'b', branch: 'z9hG4bK-b' });
    calls(world);
    world.answers(alice, world.lastSent('INVITE'), '603 Decline');
    calls(world);
    world.answers(alice, world.lastSent('INVITE'), '487 Request Terminated');
    calls(world);
    world.pass(32_000);
    world.input({ kind: 'session-closed', session: 1 });
    world.asks(alice, 'INVITE', { callId: 'c' });
    expect(records(world)).toEqual(
      steps(`
        cdr:attempt network : INVITE
        cdr:stop application call-rejected : SIP/2.0 486 Busy Here
        cdr:attempt network : INVITE
        cdr:stop network call-canceled : CANCEL
        cdr:attempt application : INVITE
        cdr:stop network call-rejected : SIP/2.0 603 Decline
        cdr:attempt application : INVITE
        cdr:stop network call-canceled : SIP/2.0 487 Request Terminated
        cdr:attempt application : INVITE
        cdr:stop network call-rejected : SIP/2.0 408 Request Timeout
        cdr:attempt network : INVITE
        cdr:stop application call-rejected : SIP/2.0 503 Service Unavailable`),
    );
  });

  test('of a call whose 200 nobody acknowledges', () => {
    const { world, alice } = open(mode);
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    world.pass(32_000);
    expect(records(world).at(-1)).toBe('cdr:stop application system-initiated-termination : BYE');
  });

  test('nothing else makes one', () => {
    const { world, alice } = open(mode);
    world.application(1, 'options', 'subscribe');
    world.asks(alice, 'OPTIONS');
    world.asks(alice, 'SUBSCRIBE', { callId: 's', more: ['Event: conference'] });
    world.appAnswers(1, '200 OK');
    expect(records(world)).toEqual([]);
  });
});

test('of a session nobody refreshes: session-expired', () => {
  const { world, alice } = open('free');
  world.asks(alice, 'INVITE', { more: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] });
  world.appAnswers(1, '200 OK');
  world.asks(alice, 'ACK', { toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
  world.pass(90_000);
  expect(records(world).at(-1)).toBe('cdr:stop application session-expired : BYE');
});

test('a fork that is hung up is no call of its own', () => {
  const { world, alice } = open('free');
  calls(world);
  world.answers(alice, world.lastSent('INVITE'), '200 OK');
  world.answers(alice, world.lastSent('INVITE'), { status: '200 OK', toTag: 'other' });
  expect(records(world)).toEqual(['cdr:attempt application : INVITE', 'cdr:start network uac : SIP/2.0 200 OK']);
});

test('records go round those that keep them, and to nobody while they are off', () => {
  for (const [on, sessions] of [
    [true, [1, 2, 1]],
    [false, []],
  ] as const) {
    const context = new Context({
      ways: new Set(),
      timerValues: { t1: 500, t2: 4_000, t4: 5_000 },
      own: new OwnAddresses(plainSockets, []),
      ids: makeIds(() => 1),
    });
    let turn = 0;
    const kept = new CallRecords(context, on, () => 1 + (turn++ % 2));
    const outputs = context.during(0, () => {
      for (let count = 0; count < 3; count += 1) kept.attempt('network', 'INVITE sip:a@b SIP/2.0\r\n\r\n');
    });
    expect(outputs.flatMap((each) => (each.kind === 'frame' ? [each.session] : []))).toEqual(sessions);
  }
});
