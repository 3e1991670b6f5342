import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, toTagOf } from './stack-world.ts';

const dialogId = 'call-alice;from-tag=alice';
const nothing = {
  clientTransactions: 0,
  serverTransactions: 0,
  dialogs: 0,
  pendingRequests: 0,
  calls: 0,
  unacknowledged: 0,
  lookups: 0,
  timers: 0,
};

function open(mode: 'free' | 'strict' = 'free') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'subscribe', 'notify', 'bye');
  return { world, alice, app };
}

/** Alice's INVITE rings: the id of its transaction and our tag. */
function ringing(mode: 'free' | 'strict') {
  const opened = open(mode);
  const { world, alice, app } = opened;
  world.asks(alice, 'INVITE');
  const { transactionId } = world.lastEvent(app);
  world.appAnswers(app, '180 Ringing');
  return { ...opened, transactionId, toTag: toTagOf(world.lastSent('SIP/2.0 180')) };
}

function accepted(mode: 'free' | 'strict') {
  const opened = open(mode);
  opened.world.asks(opened.alice, 'INVITE');
  opened.world.appAnswers(opened.app, '200 OK');
  return { ...opened, toTag: toTagOf(opened.world.lastSent('SIP/2.0 200')) };
}

/** A call of ours that Alice has answered and the application acknowledged: its dialog id. */
function called(mode: 'free' | 'strict') {
  const opened = open(mode);
  const { world, alice, app } = opened;
  world.appAsks(app, 'INVITE sip:alice@10.0.0.1');
  world.answers(alice, world.lastSent('INVITE'), '200 OK');
  const { dialogId: id } = world.lastEvent(app);
  world.appAsks(app, 'ACK sip:placeholder', { dialogId: id });
  return { ...opened, id };
}

describe.each(['free', 'strict'] as const)('how things end (%s)', (mode) => {
  test('RFC 3261 15.1.2: BYE of a caller who hears it ring ends its INVITE with 487', () => {
    const { world, alice, app, toTag, transactionId } = ringing(mode);
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    expect(world.lastSent('SIP/2.0 487')).toContain(`;tag=${toTag}`);
    world.say(app, `sip|${transactionId}|`, 'SIP/2.0 200 OK\r\n\r\n');
    expect(world.lastReply(app).tokens).toEqual(['NOK', 'Response not sent due to unknown transaction']);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a BYE that overtakes the 200 of our INVITE: the 200 is acknowledged and the call hung up', () => {
    const { world, alice, app } = open(mode);
    world.appAsks(app, 'INVITE sip:alice@10.0.0.1');
    const invite = world.lastSent('INVITE');
    world.answers(alice, invite, '180 Ringing');
    const { dialogId: id } = world.lastEvent(app);
    const [callId = '', ourTag = ''] = id.split(';from-tag=');
    world.asks(alice, 'BYE', { callId, toTag: ourTag });
    expect(world.lastSent('SIP/2.0')).toMatch(/^SIP\/2\.0 200 OK/);
    world.answers(alice, invite, '200 OK');
    world.appAsks(app, 'ACK sip:placeholder', { dialogId: id });
    expect(world.lastSent('ACK')).toBeDefined();
    expect(world.lastEvent(app)).toMatchObject({ transactionId: 'unsolicited', dialogId: id });
    expect(headerOf(world.lastSent('BYE'), 'Reason')).toContain('BYE came before the answer');
  });

  test('a caller who begins anew with the same Call-ID and tag: the old call ends, heard, and the new one stays', () => {
    const { world, alice, app } = accepted(mode);
    world.asks(alice, 'INVITE', { cseq: 2 });
    world.appAnswers(app, '200 OK');
    expect(world.ladder.filter((line) => line.includes('unsolicited'))).toHaveLength(1);
    world.asks(alice, 'ACK', { cseq: 2, toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
    world.pass(64_000);
    expect(world.ladder.filter((line) => line.includes('unsolicited'))).toHaveLength(1);
    expect(world.stack.counts()).toEqual({ ...nothing, dialogs: 1 });
  });

  test('no ACK, and no Contact to send a BYE to: the application hears of it all the same', () => {
    const { world, alice, app } = open(mode);
    world.receive(alice, world.request(alice, 'INVITE').replace(/Contact: .*\r\n/, ''));
    world.appAnswers(app, '200 OK');
    world.pass(32_000);
    expect(world.lastEvent(app)).toMatchObject({ transactionId: 'unsolicited', dialogId });
    expect(world.sent.some((each) => each.text.startsWith('BYE'))).toBe(false);
    world.pass(32_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('an application that lets it ring and forgets it: 500 after timer C', () => {
    const { world } = ringing(mode);
    world.pass(185_000);
    expect(world.lastSent('SIP/2.0 500')).toBeDefined();
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('RFC 3261 16.8: a phone that rings for ever is cancelled, and the application told how that ends', () => {
    const { world, alice, app } = open(mode);
    world.appAsks(app, 'INVITE sip:alice@10.0.0.1');
    world.answers(alice, world.lastSent('INVITE'), '180 Ringing');
    world.pass(185_000);
    expect(world.ladder.at(-1)).toBe('185000 sipd -> alice : CANCEL');
    world.pass(32_000);
    expect(world.lastEvent(app).text).toMatch(/^SIP\/2\.0 408 /);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the ACK of a refused re-INVITE is not the ACK of the call again', () => {
    const { world, alice, app, id } = called(mode);
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId: id });
    world.answers(alice, world.lastSent('INVITE'), '488 Not Acceptable Here');
    const acks = world.sent.filter((each) => each.text.startsWith('ACK')).length;
    world.appAsks(app, 'ACK sip:placeholder', { dialogId: id });
    expect(world.lastReply(app).tokens[0]).toBe('NOK');
    expect(world.sent.filter((each) => each.text.startsWith('ACK'))).toHaveLength(acks);
  });
});

test('a final NOTIFY in a dialog that is only ringing does not end it', () => {
  const { world, alice, app, toTag, transactionId } = ringing('free');
  world.asks(alice, 'NOTIFY', { toTag, cseq: 2, more: ['Event: x', 'Subscription-State: terminated'] });
  world.appAnswers(app, '200 OK');
  world.say(app, `sip|${transactionId}|`, 'SIP/2.0 200 OK\r\n\r\n');
  world.asks(alice, 'ACK', { toTag });
  expect(world.lastEvent(app)).toMatchObject({ dialogId, transactionId });
});

test('a subscription to a package called invite is not the call', () => {
  const { world, alice, app, toTag } = accepted('free');
  world.asks(alice, 'ACK', { toTag });
  world.asks(alice, 'NOTIFY', { toTag, cseq: 2, more: ['Event: invite', 'Subscription-State: terminated'] });
  world.appAnswers(app, '200 OK');
  expect(world.stack.counts().dialogs).toBe(1);
});

test('BYE in a dialog that is a subscription only gets 481 and ends nothing', () => {
  const { world, alice, app } = open();
  world.asks(alice, 'SUBSCRIBE', { more: ['Event: conference'] });
  world.appAnswers(app, '200 OK');
  world.asks(alice, 'BYE', { cseq: 2, toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
  expect(world.lastSent('SIP/2.0 481')).toBeDefined();
  world.pass(64_000);
  expect(world.stack.counts()).toEqual({ ...nothing, dialogs: 1 });
});

test('RFC 3261 18.2.2: a 200 whose connection has closed is repeated to the address of its Via', () => {
  const world = new StackWorld('free');
  const alice = world.peer('alice', { protocol: 'tcp', port: 40_000, connection: 7 });
  const app = world.application(1, 'invite');
  world.receive(alice, world.request(alice, 'INVITE').replace('10.0.0.1:40000;branch', '10.0.0.1:5062;branch'));
  world.appAnswers(app, '200 OK');
  world.input({ kind: 'connection-closed', peer: alice.at });
  world.pass(500);
  expect(world.ladder.at(-1)).toBe('500 sipd -> tcp/10.0.0.1:5062 : 200 INVITE');
});

test.each([
  // RFC 3261 18.2.2: the default port of the transport; RFC 5922 7: over TLS whoever is there proves the name in the Via.
  ['tcp', '10.0.0.1', { port: 5060 }],
  ['tls', '10.0.0.1', { port: 5061 }],
  ['tls', 'edge.example.com', { port: 5061, name: 'edge.example.com' }],
  ['tls', 'edge.example.com:5070', { port: 5070, name: 'edge.example.com' }],
  ['tls', '[2001:db8::1]:5070', { port: 5070 }],
  ['tls', 'no^name', { port: 5061 }],
] as const)('a 200 whose %s connection has closed, its Via naming %s, goes to %j', (protocol, sentBy, to) => {
  const world = new StackWorld('free');
  const alice = world.peer('alice', { protocol, port: 40_000, connection: 7 });
  const app = world.application(1, 'invite');
  world.receive(alice, world.request(alice, 'INVITE').replace('10.0.0.1:40000;branch', `${sentBy};branch`));
  world.input({ kind: 'connection-closed', peer: alice.at });
  world.appAnswers(app, '200 OK');
  const sent = world.outputs.findLast((output) => output.kind === 'send');
  expect(sent?.to).toEqual({ protocol, host: '10.0.0.1', connection: null, listener: null, ...to });
});

test('in strict mode a tag the application chooses late does not replace the one it has used', () => {
  const { world, alice, app, toTag, transactionId } = ringing('strict');
  world.say(app, `sip|${transactionId}|`, 'SIP/2.0 200 OK\r\nTo: <sip:focus@example.com>;tag=late\r\n\r\n');
  expect(toTagOf(world.lastSent('SIP/2.0 200'))).toBe(toTag);
  world.asks(alice, 'ACK', { toTag });
  expect(world.lastEvent(app)).toMatchObject({ dialogId, transactionId });
});

describe.each(['free', 'strict'] as const)('2,000 times over, nothing is left (%s)', (mode) => {
  test('calls, cancelled calls, refused calls, calls of ours, subscriptions, messages', () => {
    const world = new StackWorld(mode);
    const alice = world.peer('alice');
    const app = world.application(1, 'invite', 'subscribe', 'bye', 'message');
    for (let round = 0; round < 2_000; round += 1) {
      const fields = { callId: `call-${round}`, fromTag: `t${round}`, branch: `z9hG4bK-${round}` };
      const kinds = [call, cancelled, refused, ofOurs, subscription, () => world.asks(alice, 'MESSAGE', fields)];
      kinds[round % kinds.length]?.(fields);
      world.ladder.length = 0;
      world.sent.splice(0, world.sent.length - 1);
      world.frames.splice(0, world.frames.length - 3);
      world.outputs.length = 0;
      world.pass(20);
    }
    world.pass(200_000);
    expect(world.stack.counts()).toEqual(nothing);

    type Fields = { callId: string; fromTag: string; branch: string };
    function call({ callId, fromTag }: Fields): void {
      world.asks(alice, 'INVITE', { callId, fromTag });
      world.appAnswers(app, '180 Ringing');
      world.appAnswers(app, '200 OK');
      const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
      world.asks(alice, 'ACK', { callId, fromTag, toTag });
      world.asks(alice, 'BYE', { callId, fromTag, toTag, cseq: 2 });
      world.appAnswers(app, '200 OK');
    }
    function cancelled(fields: Fields): void {
      world.asks(alice, 'INVITE', fields);
      world.appAnswers(app, '180 Ringing');
      world.asks(alice, 'CANCEL', fields);
      world.asks(alice, 'ACK', fields);
    }
    function refused(fields: Fields): void {
      world.asks(alice, 'INVITE', fields);
      world.appAnswers(app, '180 Ringing');
      world.appAnswers(app, '486 Busy Here');
    }
    function ofOurs({ callId }: Fields): void {
      world.appAsks(app, 'INVITE sip:alice@10.0.0.1', { headers: [`Call-ID: ${callId}`] });
      world.answers(alice, world.lastSent('INVITE'), '180 Ringing');
      world.answers(alice, world.lastSent('INVITE'), '200 OK');
      const { dialogId: id } = world.lastEvent(app);
      world.appAsks(app, 'ACK sip:placeholder', { dialogId: id });
      world.appAsks(app, 'BYE sip:placeholder', { dialogId: id });
      world.answers(alice, world.lastSent('BYE'), '200 OK');
    }
    function subscription({ callId, fromTag }: Fields): void {
      world.asks(alice, 'SUBSCRIBE', { callId, fromTag, more: ['Event: conference'] });
      world.appAnswers(app, '200 OK', ['Expires: 60']);
      const headers = ['Event: conference', 'Subscription-State: terminated'];
      world.appAsks(app, 'NOTIFY sip:placeholder', { dialogId: `${callId};from-tag=${fromTag}`, headers });
      world.answers(alice, world.lastSent('NOTIFY'), '200 OK');
    }
  });
});

test('ten thousand connections that break at once, each with its request, are ten thousand small pieces of work', () => {
  breakAll(1_000);
  const ofThousand = breakAll(1_000);
  // Ten times as many take ten times as long; a search of all for each would make it a hundred.
  expect(breakAll(10_000) / ofThousand).toBeLessThan(40);
});

/** So many requests, each over a connection of its own; all of these break. Milliseconds of the breaking. */
function breakAll(count: number): number {
  const world = new StackWorld('free');
  const app = world.application(1, 'message');
  const peers = Array.from({ length: count }, (_, at) => ({ host: `10.1.${at >> 8}.${at & 255}`, port: 5060 }));
  for (const { host } of peers) world.appAsks(app, `MESSAGE sip:x@${host};transport=tcp`);
  expect(world.stack.counts().clientTransactions).toBe(count);
  world.frames.length = 0;
  const before = performance.now();
  for (const [at, peer] of peers.entries()) {
    world.input({ kind: 'connection-closed', peer: { protocol: 'tcp', ...peer, connection: at, listener: null } });
  }
  const took = performance.now() - before;
  expect(world.frames.filter(({ payload }) => payload.includes('SIP/2.0 503'))).toHaveLength(count);
  world.pass(64_000);
  expect(world.stack.counts()).toEqual(nothing);
  return took;
}
