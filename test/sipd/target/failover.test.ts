import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/sipd/target/questions.ts';
import { headerOf, StackWorld, steps, toTagOf } from '../stack-world.ts';
import { a, asking, dialogId, headers } from './asking.ts';
import { sockets } from './own.ts';

describe('RFC 3263 4.3: the next target is tried', () => {
  test('after 503, which is acknowledged; each attempt with its branch and Via; the last answer is passed on', () => {
    const { world, one, two } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    const first = world.lastSent('INVITE');
    world.answers(one, first, '503 Service Unavailable');
    const second = world.lastSent('INVITE');
    world.answers(two, second, '180 Ringing');
    world.answers(two, second, '486 Busy Here');
    expect(world.ladder).toEqual(
      steps(`
        0 app1 -> sipd : INVITE
        0 sipd -> app1 : OK
        0 sipd looks up a example.com
        0 sipd -> one : INVITE
        0 one -> sipd : 503 INVITE
        0 sipd -> one : ACK
        0 sipd -> two : INVITE
        0 two -> sipd : 180 INVITE
        0 sipd -> app1 : event 180 INVITE in ${dialogId}
        0 two -> sipd : 486 INVITE
        0 sipd -> two : ACK
        0 sipd -> app1 : event 486 INVITE in ${dialogId}`),
    );
    const acks = world.sent.filter(({ text }) => text.startsWith('ACK')).map(({ text }) => headerOf(text, 'Via'));
    expect(acks).toEqual([headerOf(first, 'Via'), headerOf(second, 'Via')]);
    expect(headerOf(first, 'Via')).not.toBe(headerOf(second, 'Via'));
    for (const name of ['Call-ID', 'CSeq', 'From', 'To', 'Contact']) {
      expect(headerOf(second, name)).toBe(headerOf(first, name));
    }
    world.pass(33_000);
    expect(world.stack.counts()).toMatchObject({ calls: 0, clientTransactions: 0, lookups: 0, timers: 0 });
  });

  test('after a 503 to all of them the application gets the last one', () => {
    const { world, one, two } = asking('MESSAGE', ['10.0.0.1', '10.0.0.2']);
    world.answers(one, world.lastSent('MESSAGE'), '503 One');
    world.answers(two, world.lastSent('MESSAGE'), '503 Two');
    expect(world.ladder.slice(-2)).toEqual(['0 two -> sipd : 503 MESSAGE', '0 sipd -> app1 : event 503 MESSAGE']);
    expect(world.lastEvent(1).text).toContain('SIP/2.0 503 Two');
  });

  test('any other refusal is an answer: nobody else is asked', () => {
    const { world, one } = asking('OPTIONS', ['10.0.0.1', '10.0.0.2']);
    world.answers(one, world.lastSent('OPTIONS'), '500 Server Internal Error');
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 500 OPTIONS');
  });

  test('when nobody is there; when no target is left that is 503', () => {
    const { world, one, two } = asking('OPTIONS', ['10.0.0.1', '10.0.0.2']);
    world.input({ kind: 'peer-unreachable', peer: one.at, reason: 'ECONNREFUSED' });
    world.input({ kind: 'peer-unreachable', peer: two.at, reason: 'ECONNREFUSED' });
    expect(world.ladder.slice(-3)).toEqual([
      '0 sipd -> one : OPTIONS',
      '0 sipd -> two : OPTIONS',
      '0 sipd -> app1 : event 503 OPTIONS',
    ]);
  });

  test('when nobody answers within 64*T1; a third is not tried that late, the application gets 408', () => {
    for (const method of ['INVITE', 'OPTIONS']) {
      const { world } = asking(method, ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
      world.pass(100_000);
      const steps = world.ladder.slice(3);
      const firsts = ['one', 'two', 'three'].map((name) => steps.find((step) => step.includes(`sipd -> ${name}`)));
      expect(firsts).toEqual([`0 sipd -> one : ${method}`, `32000 sipd -> two : ${method}`, undefined]);
      expect(steps.at(-1)).toBe(`64000 sipd -> app1 : event 408 ${method}`);
      expect(world.stack.counts()).toMatchObject({ calls: 0, clientTransactions: 0, timers: 0 });
    }
  });

  test('not when something has rung: that phone is the call', () => {
    const { world, one } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    world.answers(one, world.lastSent('INVITE'), '180 Ringing');
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> one : ACK', `0 sipd -> app1 : event 503 INVITE in ${dialogId}`]);
  });

  test('yet after 100, when the timer that gives a call up begins anew', () => {
    const { world, one, two } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    world.answers(one, world.lastSent('INVITE'), '100 Trying');
    world.pass(100_000);
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    // Too late for another target: that is the answer.
    expect(world.ladder.at(-1)).toBe('100000 sipd -> app1 : event 503 INVITE');
    expect(world.sent.some(({ to }) => to === two.name)).toBe(false);
    const soon = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    soon.world.answers(soon.one, soon.world.lastSent('INVITE'), '100 Trying');
    soon.world.answers(soon.one, soon.world.lastSent('INVITE'), '503 Service Unavailable');
    soon.world.answers(soon.two, soon.world.lastSent('INVITE'), '200 OK');
    soon.world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    expect(soon.world.ladder.at(-2)).toBe('0 sipd -> two : ACK');
    soon.world.pass(400_000);
    expect(soon.world.ladder.filter((step) => step.includes('CANCEL'))).toEqual([]);
  });

  test('at most five times', () => {
    const many = Array.from({ length: 12 }, (_, at) => `10.1.0.${at}`);
    const { world } = asking('OPTIONS', many);
    for (const host of many) {
      const peer = { protocol: 'udp', host, port: 5060, connection: null, listener: null } as const;
      world.input({ kind: 'peer-unreachable', peer, reason: 'ECONNREFUSED' });
    }
    expect(world.sent).toHaveLength(6);
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 OPTIONS');
  });

  test('the addresses of the next server are asked for only then, and each transport has its Via', () => {
    const { world, one } = asking('MESSAGE', [], 'sip:bob@example.com');
    world.finds({
      kind: 'naptr',
      records: [
        { order: 1, preference: 1, flags: 's', service: 'SIP+D2U', regexp: '', replacement: 'u.example.com' },
        { order: 1, preference: 2, flags: 's', service: 'SIP+D2T', regexp: '', replacement: 't.example.com' },
      ],
    });
    world.finds(
      { kind: 'srv', records: [{ priority: 1, weight: 1, port: 5060, target: 'one.example.com' }] },
      { kind: 'srv', records: [{ priority: 1, weight: 1, port: 5070, target: 'two.example.com' }] },
    );
    world.finds(a('10.0.0.1'));
    world.answers(one, world.lastSent('MESSAGE'), '503 Service Unavailable');
    world.finds(a('10.0.0.77'));
    expect(world.ladder.slice(2)).toEqual(
      steps(`
        0 sipd looks up naptr example.com
        0 sipd looks up srv u.example.com, srv t.example.com
        0 sipd looks up a one.example.com
        0 sipd -> one : MESSAGE
        0 one -> sipd : 503 MESSAGE
        0 sipd looks up a two.example.com
        0 sipd -> tcp/10.0.0.77:5070 : MESSAGE`),
    );
    const vias = world.sent.map(({ text }) => headerOf(text, 'Via').split(' ')[0]);
    expect(vias).toEqual(['SIP/2.0/UDP', 'SIP/2.0/TCP']);
  });

  test('a refusal is kept while the next server is looked for, and given when there is none', () => {
    const { world, one } = asking('MESSAGE', [], 'sip:bob@example.com;transport=udp');
    const record = (target: string, priority: number) => ({ priority, weight: 1, port: 5060, target });
    world.finds({ kind: 'srv', records: [record('one.example.com', 1), record('two.example.com', 2)] });
    world.finds(a('10.0.0.1'));
    world.answers(one, world.lastSent('MESSAGE'), '503 Closed Today');
    world.finds(a());
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 MESSAGE');
    expect(world.lastEvent(1).text).toContain('503 Closed Today');
  });

  test('within a dialog, too: the ACK is sent without waiting for an answer, the BYE to whoever is there', () => {
    const { world, one } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    const contact = 'sip:bob@phones.example.com:5060';
    world.answers(one, world.lastSent('INVITE'), { status: '200 OK', contact });
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.finds(a('10.0.0.2'));
    world.answers(one, world.lastSent('INVITE'), { status: '200 OK', contact });
    world.appAsks(1, 'BYE sip:placeholder', { dialogId });
    world.finds(a('10.0.0.3', '10.0.0.2'));
    world.input({ kind: 'peer-unreachable', peer: { ...one.at, host: '10.0.0.3' }, reason: 'ECONNREFUSED' });
    expect(world.ladder.slice(6)).toEqual(
      steps(`
        0 app1 -> sipd : ACK
        0 sipd looks up a phones.example.com
        0 sipd -> app1 : OK
        0 sipd -> two : ACK
        0 one -> sipd : 200 INVITE
        0 sipd -> two : ACK
        0 app1 -> sipd : BYE
        0 sipd -> app1 : OK
        0 sipd looks up a phones.example.com
        0 sipd -> three : BYE
        0 sipd -> two : BYE`),
    );
  });

  test('an ACK whose name leads nowhere goes where the 2xx came from', () => {
    const { world, one } = asking('INVITE', ['10.0.0.1']);
    const contact = 'sip:bob@nowhere.example.com:5060';
    world.answers(one, world.lastSent('INVITE'), { status: '200 OK', contact });
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.finds(a());
    expect(world.ladder.at(-1)).toBe('0 sipd -> one : ACK');
  });
});

test('RFC 3261 8.1.1.8: the Contact is one that can be reached from where the request goes', () => {
  const contactsTo = (own: readonly string[], more: readonly string[], ...answers: readonly Answer[]): string => {
    const world = new StackWorld('free', sockets(...own));
    world.application(1);
    world.appAsks(1, 'INVITE sip:bob@example.com:5060', { headers: [...headers, ...more] });
    world.finds(...answers);
    return headerOf(world.lastSent('INVITE'), 'Contact');
  };
  const aaaa: Answer = { kind: 'aaaa', addresses: ['2001:db8::1'] };
  expect(contactsTo(['udp', 'udp6'], [], a(), aaaa)).toBe('<sip:[2001:db8::9]:5060>');
  expect(contactsTo(['udp', 'udp6'], [], a('10.0.0.1'), aaaa)).toBe('<sip:10.0.0.9:5060>');
  const given = ['Contact: <sip:conf@localhost>;isfocus'];
  expect(contactsTo(['udp', 'udp6'], given, a(), aaaa)).toBe('<sip:conf@[2001:db8::9]:5060>;isfocus');
  const fixed = ['Contact: <sip:conf@focus.example.com>'];
  expect(contactsTo(['udp', 'udp6'], fixed, a(), aaaa)).toBe('<sip:conf@focus.example.com>');

  const world = new StackWorld('free', sockets('udp', 'tls'));
  world.application(1);
  world.appAsks(1, 'INVITE sip:bob@example.com', { headers });
  const record = { order: 1, preference: 1, flags: 's', service: 'SIPS+D2T', regexp: '', replacement: 't.example.com' };
  world.finds({ kind: 'naptr', records: [record] });
  world.finds({ kind: 'srv', records: [{ priority: 1, weight: 1, port: 5061, target: 's.example.com' }] });
  world.finds(a('10.0.0.1'));
  expect(headerOf(world.lastSent('INVITE'), 'Contact')).toBe('<sip:10.0.0.9:5061;transport=tls>');
});

describe('DNS that is slow', () => {
  const many = Array.from({ length: 16 }, (_, at) => ({
    priority: at,
    weight: 1,
    port: 5060,
    target: `s${at}.example.com`,
  }));

  /** Each of sixteen servers is asked for five seconds, and nothing is found. */
  function dawdle(world: StackWorld): void {
    for (let at = 0; at < many.length && world.stack.counts().lookups > 0; at += 1) {
      world.pass(5_000);
      if (world.stack.counts().lookups > 0) world.finds(a());
    }
  }

  test('keeps no request waiting for more than 64*T1', () => {
    const { world } = asking('INVITE', [], 'sip:bob@example.com;transport=udp');
    world.finds({ kind: 'srv', records: many });
    dawdle(world);
    expect(world.ladder.at(-1)).toBe('32000 sipd -> app1 : event 503 INVITE');
    expect(world.stack.counts()).toMatchObject({ calls: 0, lookups: 0, timers: 0 });
  });

  test('puts off no further target beyond the time for it', () => {
    const { world, one } = asking('INVITE', [], 'sip:bob@example.com;transport=udp');
    world.finds({ kind: 'srv', records: many });
    world.finds(a('10.0.0.1'));
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    dawdle(world);
    expect(world.ladder.at(-1)).toBe('42000 sipd -> app1 : event 503 INVITE');
    expect(world.stack.counts()).toMatchObject({ calls: 0, lookups: 0 });
  });
});

test('a name that leads to ourselves leads nowhere: no call may come back as a new one', () => {
  const { world } = asking('INVITE', ['10.0.0.9']);
  expect(world.sent).toEqual([]);
  expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 INVITE');
});

test('an IPv6 address is the same, however its URI spells it', () => {
  const world = new StackWorld('free', sockets('udp6'));
  world.application(1);
  world.appAsks(1, 'OPTIONS sip:bob@[2001:DB8:0::9]:5060');
  expect(world.lastReply(1).tokens).toEqual(['NOK', 'can not send request to myself']);
  world.appAsks(1, 'OPTIONS sip:bob@[2001:DB8:0::0:1]:5060');
  const peer = { protocol: 'udp', host: '2001:db8::1', port: 5060, connection: null, listener: null } as const;
  world.input({ kind: 'peer-unreachable', peer, reason: 'ECONNREFUSED' });
  expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 OPTIONS');
});

describe('CANCEL while targets are sought', () => {
  test('during the lookup: no INVITE is ever sent, the application gets 487', () => {
    const { world, transactionId } = asking('INVITE', []);
    world.appAsks(1, 'CANCEL sip:bob@example.com', { transactionId });
    world.finds(a('10.0.0.1'));
    expect(world.ladder.slice(2)).toEqual(
      steps(`
        0 sipd looks up a example.com
        0 app1 -> sipd : CANCEL
        0 sipd -> app1 : OK
        0 sipd -> app1 : event 487 INVITE`),
    );
    expect(world.sent).toEqual([]);
    expect(world.stack.counts()).toMatchObject({ calls: 0, lookups: 0, timers: 0 });
  });

  test('before the first answer: that target alone may still answer', () => {
    const { world, one, transactionId } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    world.appAsks(1, 'CANCEL sip:bob@example.com', { transactionId });
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> one : ACK', '0 sipd -> app1 : event 503 INVITE']);
  });

  test('of the second attempt: it has the branch, the Via and the target of that attempt', () => {
    const { world, one, two, transactionId } = asking('INVITE', ['10.0.0.1', '10.0.0.2']);
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    world.appAsks(1, 'CANCEL sip:bob@example.com', { transactionId, headers: ['Reason: SIP;cause=200'] });
    const second = world.lastSent('INVITE');
    world.answers(two, second, '100 Trying');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> two : CANCEL', '0 sipd -> app1 : event 100 INVITE']);
    const cancel = world.lastSent('CANCEL');
    expect(headerOf(cancel, 'Via')).toBe(headerOf(second, 'Via'));
    expect(headerOf(cancel, 'Reason')).toBe('SIP;cause=200');
    world.answers(two, second, '487 Request Terminated');
    expect(toTagOf(world.lastSent('ACK'))).toBe('two');
    expect(headerOf(world.lastSent('ACK'), 'Via')).toBe(headerOf(second, 'Via'));
  });

  test('between attempts: the next server is not tried', () => {
    const { world, one, transactionId } = asking('INVITE', [], 'sip:bob@example.com;transport=udp');
    const record = (target: string, priority: number) => ({ priority, weight: 1, port: 5060, target });
    world.finds({ kind: 'srv', records: [record('one.example.com', 1), record('two.example.com', 2)] });
    world.finds(a('10.0.0.1'));
    world.answers(one, world.lastSent('INVITE'), '503 Service Unavailable');
    world.appAsks(1, 'CANCEL sip:bob@example.com', { transactionId });
    world.finds(a('10.0.0.2'));
    expect(world.ladder.slice(-3)).toEqual([
      '0 app1 -> sipd : CANCEL',
      '0 sipd -> app1 : OK',
      '0 sipd -> app1 : event 487 INVITE',
    ]);
  });
});

test('a target over TLS and WebSocket carries the name that was asked for', () => {
  const world = new StackWorld('free', sockets('udp', 'tls', 'wss'));
  world.application(1);
  world.appAsks(1, 'OPTIONS sips:bob@example.com:5061', { headers });
  world.finds(a('10.0.0.1'));
  world.appAsks(1, 'OPTIONS sips:bob@10.0.0.2;transport=ws', { headers });
  const peers = world.outputs.flatMap((output) => (output.kind === 'send' ? [output.to] : []));
  expect(peers).toEqual([
    { protocol: 'tls', host: '10.0.0.1', port: 5061, connection: null, listener: null, name: 'example.com' },
    { protocol: 'wss', host: '10.0.0.2', port: 443, connection: null, listener: null, name: '10.0.0.2' },
  ]);
});
