import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, steps, toTagOf, type WorldPeer } from './stack-world.ts';

const dialogId = 'chosen;from-tag=ours';
const from = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen', 'Contact: <sip:conf1@localhost>;isfocus'];
const reliable = (rseq: number): string[] => ['Require: 100rel', `RSeq: ${rseq}`];

/** A call of the application through a proxy, which rings at two phones. */
function forked(mode: 'free' | 'strict' = 'free') {
  const world = new StackWorld(mode);
  const proxy = world.peer('proxy');
  const desk = world.peer('desk');
  const cell = world.peer('cell');
  world.application(1, 'bye', 'update', 'info');
  world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers: from });
  const invite = world.lastSent('INVITE');
  world.ladder.length = 0;
  /** A phone answers through the proxy. */
  const says = (phone: WorldPeer, status: string, more: readonly string[] = []): void => {
    const contact = `sip:${phone.name}@${phone.at.host}:5060`;
    world.answers(proxy, invite, { status, toTag: phone.name, contact, more });
  };
  return { world, proxy, desk, cell, invite, says };
}

describe('an INVITE that rings at two phones', () => {
  test('RFC 3261 13.2.2.4: the phone that accepts first becomes the call; the other early dialog is over after 64*T1', () => {
    const { world, desk, cell, says } = forked();
    says(desk, '180 Ringing');
    says(cell, '180 Ringing');
    expect(world.stack.counts().dialogs).toBe(2);
    says(desk, '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.appAsks(1, 'INFO sip:placeholder', { dialogId });
    expect(world.ladder).toEqual(
      steps(`
        0 proxy -> sipd : 180 INVITE
        0 sipd -> app1 : event 180 INVITE in ${dialogId}
        0 proxy -> sipd : 180 INVITE
        0 sipd -> app1 : event 180 INVITE in ${dialogId}
        0 proxy -> sipd : 200 INVITE
        0 sipd -> app1 : event 200 INVITE in ${dialogId}
        0 app1 -> sipd : ACK
        0 sipd -> desk : ACK
        0 sipd -> app1 : OK
        0 app1 -> sipd : INFO
        0 sipd -> app1 : OK
        0 sipd -> desk : INFO`),
    );
    expect(toTagOf(world.lastSent('ACK'))).toBe('desk');
    world.answers(desk, world.lastSent('INFO'), '200 OK');
    world.pass(31_999);
    expect(world.stack.counts().dialogs).toBe(2);
    world.pass(1);
    expect(world.stack.counts().dialogs).toBe(1);
    world.asks(desk, 'BYE', { callId: 'chosen', fromTag: 'desk', toTag: 'ours' });
    world.appAnswers(1, '200 OK');
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, clientTransactions: 0, serverTransactions: 0, timers: 0 });
  });

  test('each has its own way, target and counter; a request of either reaches the application under the one id', () => {
    const { world, desk, cell, says } = forked();
    says(desk, '183 Session Progress', [...reliable(7), 'Record-Route: <sip:10.0.0.1;lr>']);
    world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: ['RAck: 7 1 INVITE'] });
    says(cell, '183 Session Progress', reliable(7));
    world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: ['RAck: 7 1 INVITE'] });
    const pracks = world.sent.filter(({ text }) => text.startsWith('PRACK'));
    expect(pracks.map(({ to }) => to)).toEqual(['proxy', 'cell']);
    expect(pracks.map(({ text }) => [text.split(' ')[1], toTagOf(text), headerLines(text, 'Route')])).toEqual([
      ['sip:desk@10.0.0.2:5060', 'desk', ['Route: <sip:10.0.0.1;lr>']],
      ['sip:cell@10.0.0.3:5060', 'cell', []],
    ]);
    for (const phone of [desk, cell]) {
      world.asks(phone, 'UPDATE', { callId: 'chosen', fromTag: phone.name, toTag: 'ours', cseq: 5 });
      expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event UPDATE in ${dialogId}`);
      world.appAnswers(1, '200 OK');
      expect(world.ladder.at(-2)).toBe(`0 sipd -> ${phone.name} : 200 UPDATE`);
    }
  });

  test('PRACK goes to the phone whose answer it acknowledges, UPDATE to the one heard of last', () => {
    const { world, desk, cell, invite, says } = forked();
    says(desk, '183 Session Progress', reliable(100));
    says(cell, '183 Session Progress', reliable(200));
    const cseq = Number(headerOf(invite, 'CSeq').split(' ')[0]);
    for (const [rack, name] of [
      [200, 'cell'],
      [100, 'desk'],
    ] as const) {
      world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: [`RAck: ${rack} ${cseq} INVITE`] });
      const prack = world.lastSent('PRACK');
      expect(toTagOf(prack)).toBe(name);
      expect(headerOf(prack, 'CSeq')).toBe(`${cseq + 1} PRACK`);
    }
    world.appAsks(1, 'UPDATE sip:placeholder', { dialogId });
    expect(toTagOf(world.lastSent('UPDATE'))).toBe('cell');
    expect(headerOf(world.lastSent('UPDATE'), 'CSeq')).toBe(`${cseq + 2} UPDATE`);
    world.answers(cell, world.lastSent('UPDATE'), '200 OK');
    expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event 200 UPDATE in ${dialogId}`);
  });

  test('the second that accepts gets its ACK, again with every repetition of its 200, and one BYE', () => {
    const { world, desk, cell, says } = forked();
    says(cell, '180 Ringing');
    says(desk, '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.ladder.length = 0;
    says(cell, '200 OK');
    says(cell, '200 OK');
    says(desk, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 proxy -> sipd : 200 INVITE
        0 sipd -> cell : ACK
        0 sipd -> cell : BYE
        0 proxy -> sipd : 200 INVITE
        0 sipd -> cell : ACK
        0 proxy -> sipd : 200 INVITE
        0 sipd -> desk : ACK`),
    );
    world.answers(cell, world.lastSent('BYE'), '200 OK');
    expect(world.frames.some(({ payload }) => payload.includes('unsolicited'))).toBe(false);
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('once the call is over its id means nothing, though another early dialog is still waited for', () => {
    const { world, desk, cell, says } = forked();
    says(cell, '180 Ringing');
    says(desk, '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.asks(desk, 'BYE', { callId: 'chosen', fromTag: 'desk', toTag: 'ours' });
    world.appAnswers(1, '200 OK');
    world.appAsks(1, 'INFO sip:placeholder', { dialogId });
    expect(world.lastReply(1).tokens[1]).toContain('unable to find dialog');
    says(cell, '200 OK');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> cell : ACK', '0 sipd -> cell : BYE']);
    world.answers(cell, world.lastSent('BYE'), '200 OK');
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, clientTransactions: 0, timers: 0 });
  });

  test('a final refusal ends all early dialogs', () => {
    const { world, desk, cell, says } = forked();
    says(desk, '180 Ringing');
    says(cell, '180 Ringing');
    says(cell, '603 Decline');
    expect(world.ladder.slice(-2)).toEqual([
      '0 sipd -> proxy : ACK',
      `0 sipd -> app1 : event 603 INVITE in ${dialogId}`,
    ]);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, clientTransactions: 0, timers: 0 });
  });

  test('a phone that makes up tags without end takes no more than its share of memory', () => {
    const { world, desk, says } = forked();
    for (let round = 0; round < 200; round += 1) says({ ...desk, name: `tag${round}` }, '180 Ringing');
    expect(world.stack.counts().dialogs).toBe(32);
    says({ ...desk, name: 'tag0' }, '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    expect(toTagOf(world.lastSent('ACK'))).toBe('tag0');
    for (let round = 200; round < 400; round += 1) says({ ...desk, name: `tag${round}` }, '200 OK');
    world.pass(64_000);
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('the daemon knows one dialog, which is whoever spoke last, and acknowledges a fork with the first ACK', () => {
    const { world, desk, cell, says } = forked('strict');
    says(desk, '180 Ringing');
    says(cell, '180 Ringing');
    expect(world.stack.counts().dialogs).toBe(1);
    says(desk, '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    says(cell, '200 OK');
    expect(toTagOf(world.lastSent('ACK'))).toBe('desk');
    expect(world.sent.some(({ text }) => text.startsWith('BYE'))).toBe(false);
  });
});

describe('reliable provisional answers to our INVITE (RFC 3262 4)', () => {
  test.each(['free', 'strict'] as const)('%s: one that comes again, or out of order, is not handed up', (mode) => {
    const { world, desk, says } = forked(mode);
    for (const rseq of [5, 5, 7, 6, 6, 7, 5]) says(desk, '183 Session Progress', reliable(rseq));
    const events = world.frames.filter(({ payload }) => payload.includes('SIP/2.0 183'));
    expect(events.map(({ payload }) => headerOf(payload.slice(payload.indexOf('\r\n') + 2), 'RSeq'))).toEqual([
      '5',
      '6',
      '7',
    ]);
  });

  test('two phones count each for themselves; unreliable ones always pass', () => {
    const { world, desk, cell, says } = forked();
    says(desk, '183 Session Progress', reliable(5));
    says(cell, '183 Session Progress', reliable(5));
    says(desk, '180 Ringing');
    says(desk, '180 Ringing');
    says(desk, '183 Session Progress', reliable(6));
    expect(world.ladder.filter((line) => line.includes('event'))).toHaveLength(5);
  });

  test('the answer to a PRACK reaches the application, and the 200 of the INVITE after it makes the call', () => {
    const { world, desk, says } = forked();
    says(desk, '183 Session Progress', reliable(1));
    world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: ['RAck: 1 1 INVITE'] });
    world.answers(desk, world.lastSent('PRACK'), '200 OK');
    says(desk, '200 OK');
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    expect(world.ladder).toEqual(
      steps(`
        0 proxy -> sipd : 183 INVITE
        0 sipd -> app1 : event 183 INVITE in ${dialogId}
        0 app1 -> sipd : PRACK
        0 sipd -> app1 : OK
        0 sipd -> desk : PRACK
        0 desk -> sipd : 200 PRACK
        0 sipd -> app1 : event 200 PRACK in ${dialogId}
        0 proxy -> sipd : 200 INVITE
        0 sipd -> app1 : event 200 INVITE in ${dialogId}
        0 app1 -> sipd : ACK
        0 sipd -> desk : ACK
        0 sipd -> app1 : OK`),
    );
  });

  test('an early dialog stays early when its PRACK and UPDATE are accepted: the refusal of the INVITE ends it', () => {
    const { world, desk, says } = forked();
    says(desk, '183 Session Progress', reliable(1));
    world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: ['RAck: 1 1 INVITE'] });
    world.answers(desk, world.lastSent('PRACK'), '200 OK');
    world.appAsks(1, 'UPDATE sip:placeholder', { dialogId });
    world.answers(desk, world.lastSent('UPDATE'), '200 OK');
    says(desk, '486 Busy Here');
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('a PRACK that nobody answers ends as 408, and the call goes on', () => {
    const { world, desk, says } = forked();
    says(desk, '183 Session Progress', reliable(1));
    world.appAsks(1, 'PRACK sip:bob@10.0.0.1', { dialogId, headers: ['RAck: 1 1 INVITE'] });
    world.pass(32_000);
    expect(world.ladder.at(-1)).toBe(`32000 sipd -> app1 : event 408 PRACK in ${dialogId}`);
    says(desk, '200 OK');
    expect(world.ladder.at(-1)).toBe(`32000 sipd -> app1 : event 200 INVITE in ${dialogId}`);
  });
});
