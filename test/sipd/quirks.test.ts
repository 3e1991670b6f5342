/** What the source document's own messages would do to the server, by the numbers of `docs/checks.md`, and how it is counted. */
import { describe, expect, test } from 'vitest';
import type { CounterValues } from '../../src/sipd/counters.ts';
import { StreamReader } from '../../src/sipd/transport/stream.ts';
import { headerLines, headerOf, StackWorld, steps, toTagOf, type WorldPeer } from './stack-world.ts';

function open(mode: 'free' | 'strict') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const bob = world.peer('bob');
  const app = world.application(1, 'invite', 'options');
  return { world, alice, bob, app };
}

/** The counters that are not zero. */
function counted(world: StackWorld): Partial<CounterValues> {
  return Object.fromEntries(Object.entries(world.stack.counters()).filter(([, count]) => count !== 0));
}

/** The value of a header changed. */
function changed(text: string, name: string, change: (value: string) => string): string {
  return text.replace(headerLines(text, name)[0] ?? '', `${name}: ${change(headerOf(text, name))}`);
}

/** An answer as it should be. */
function accepted(request: string): string {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) => headerLines(request, name));
  const contact = 'Contact: <sip:bob@10.0.0.2:5060>';
  const text = `${['SIP/2.0 200 OK', ...copied, contact, 'Content-Length: 0'].join('\r\n')}\r\n\r\n`;
  return toTagOf(text) === '' ? changed(text, 'To', (to) => `${to};tag=a6c85cf`) : text;
}

/** What comes over a stream, message by message. */
function reads(world: StackWorld, from: WorldPeer, stream: string): void {
  for (const event of new StreamReader().push(stream)) {
    if (event.kind === 'message') world.receive(from, event.text);
    else if (event.kind === 'broken') world.input({ ...event, kind: 'stream-broken', from: from.at });
  }
}

describe.each(['free', 'strict'] as const)('%s', (mode) => {
  test('QK-10 blanks around = in a Replaces header are legal: it is handed on as it came', () => {
    const { world, alice, app } = open(mode);
    const replaces = 'Replaces: a84b4c76e66710;to-tag = a6c85cf;from-tag= 1928301774';
    world.asks(alice, 'INVITE', { more: [replaces] });
    expect(headerLines(world.lastEvent(app).text, 'Replaces')).toEqual([replaces]);
    world.asks(alice, 'INVITE', { callId: 'tight', more: ['Replaces: a84b4c76e66710;to-tag=a;from-tag=b'] });
    expect(counted(world)).toEqual({ spacedReplaces: 1 });
  });

  test.each<[string, (text: string) => string]>([
    ['has From and To exchanged', (text) => text.replace('From:', 'X:').replace('To:', 'From:').replace('X:', 'To:')],
    ['has another From tag', (text) => changed(text, 'From', (from) => `${from}0`)],
    ['has no From tag', (text) => changed(text, 'From', (from) => from.replace(/;tag=.*/, ''))],
    ['has another Call-ID', (text) => changed(text, 'Call-ID', (callId) => `${callId}0`)],
    ['has another CSeq', (text) => changed(text, 'CSeq', (cseq) => `1${cseq}`)],
  ])('QK-11 an answer that %s is dropped, and the request is answered by the right one', (_, spoil) => {
    const { world, bob, app } = open(mode);
    world.appAsks(app, 'INVITE sip:bob@10.0.0.2');
    const invite = world.lastSent('INVITE');
    world.receive(bob, spoil(accepted(invite)));
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, calls: 1 });
    world.receive(bob, accepted(invite));
    expect(world.ladder).toEqual(
      steps(`
        0 app1 -> sipd : INVITE
        0 sipd -> app1 : OK
        0 sipd -> bob : INVITE
        0 bob -> sipd : 200 INVITE
        0 bob -> sipd : 200 INVITE
        0 sipd -> app1 : event 200 INVITE in ${world.lastEvent(app).dialogId}`),
    );
    expect(counted(world)).toEqual({ mismatchedResponses: 1 });
  });

  test('QK-11 in a dialog the To tag must be that of the request, too', () => {
    const { world, bob, app } = open(mode);
    world.appAsks(app, 'INVITE sip:bob@10.0.0.2');
    world.receive(bob, accepted(world.lastSent('INVITE')));
    const { dialogId } = world.lastEvent(app);
    world.appAsks(app, 'ACK sip:placeholder', { dialogId });
    world.appAsks(app, 'BYE sip:placeholder', { dialogId });
    const bye = world.lastSent('BYE');
    world.ladder.length = 0;
    world.receive(bob, accepted(bye).replace(';tag=a6c85cf', ';tag=2837302775'));
    world.receive(bob, accepted(bye).replace(';tag=a6c85cf', ''));
    world.receive(bob, accepted(bye).replace(';tag=a6c85cf', ';tag=A6C85CF'));
    expect(world.ladder.slice(2)).toEqual(
      steps(`
        0 bob -> sipd : 200 BYE
        0 sipd -> app1 : event 200 BYE in ${dialogId}`),
    );
    expect(counted(world)).toEqual({ mismatchedResponses: 2 });
  });

  test('QK-11 nor does such an answer that comes too late make anybody hang up', () => {
    const { world, bob, app } = open(mode);
    world.appAsks(app, 'INVITE sip:bob@10.0.0.2');
    const invite = world.lastSent('INVITE');
    world.pass(33_000);
    const before = world.sent.length;
    world.receive(
      bob,
      changed(accepted(invite), 'From', (from) => `${from}0`),
    );
    expect(world.sent.slice(before)).toEqual([]);
  });

  test('QK-12 an answer with another branch is discarded as a stray', () => {
    const { world, bob, app } = open(mode);
    world.appAsks(app, 'INVITE sip:bob@10.0.0.2');
    const invite = world.lastSent('INVITE');
    world.ladder.length = 0;
    world.receive(bob, accepted(invite).replace(/branch=[^;\r]+/, 'branch=z9hG4bKnashds8'));
    expect(world.ladder).toEqual(['0 bob -> sipd : 200 INVITE']);
    expect(counted(world)).toEqual({ strayResponses: 1 });
    world.receive(bob, accepted(invite));
    expect(world.ladder.at(-1)).toMatch(/ event 200 INVITE in /);
  });

  test('QK-15 an INVITE with the Call-ID of another call is taken as it came, and both stand', () => {
    const { world, alice, bob, app } = open(mode);
    const calls = [
      { peer: alice, fromTag: '9hx34576sl' },
      { peer: bob, fromTag: '2837302775' },
    ];
    for (const { peer, fromTag } of calls) {
      world.asks(peer, 'INVITE', { callId: '563b', fromTag, branch: `z9hG4bK${fromTag}` });
      expect(world.lastEvent(app).text).toContain('\r\nCall-ID: 563b\r\n');
      world.appAnswers(app, '200 OK');
      world.asks(peer, 'ACK', { callId: '563b', fromTag, toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
    }
    expect(world.stack.counts()).toMatchObject({ dialogs: 2 });
    expect(counted(world)).toEqual({});
  });

  test('QK-15 with the tag of that call as well it is a new one all the same; the old one ends', () => {
    const { world, alice, app } = open(mode);
    for (const cseq of [1, 2]) {
      world.asks(alice, 'INVITE', { callId: '563b', cseq });
      world.appAnswers(app, '200 OK');
      world.asks(alice, 'ACK', { callId: '563b', cseq, toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
    }
    expect(headerOf(world.lastSent('BYE'), 'Reason')).toContain('replaced by a new call');
    expect(world.stack.counts()).toMatchObject({ dialogs: 1 });
    expect(counted(world)).toEqual({ replacedCalls: 1 });
  });

  test('QK-17 a second INVITE with the branch of the first is its repetition, whatever it says, until the first is over', () => {
    const { world, alice } = open(mode);
    const branch = 'z9hG4bK776asdhds';
    world.asks(alice, 'INVITE', { branch, callId: 'a84b4c76e66710' });
    world.appAnswers(1, '486 Busy Here');
    const busy = world.lastSent('SIP/2.0 486');
    world.ladder.length = 0;
    world.asks(alice, 'INVITE', { branch, callId: '563b', fromTag: '9hx34576sl' });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> alice : 486 INVITE`),
    );
    expect(world.lastSent('SIP/2.0 486')).toBe(busy);
    expect(counted(world)).toEqual({ repeatedRequests: 1 });
    world.pass(40_000);
    world.asks(alice, 'INVITE', { branch, callId: '563b', fromTag: '9hx34576sl' });
    expect(world.ladder.at(-1)).toBe('40000 sipd -> app1 : event INVITE');
  });

  test('QK-18 a datagram shorter than its Content-Length is refused with 400', () => {
    const { world, alice } = open(mode);
    const text = world.request(alice, 'INVITE', { body: 'v=0\r\n' });
    world.receive(
      alice,
      changed(text, 'Content-Length', () => '142'),
    );
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 400 INVITE');
    world.receive(
      alice,
      changed(text, 'Content-Length', () => '-1'),
    );
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 400 INVITE');
    expect([world.frames, counted(world)]).toEqual([[], { wrongLengths: 2 }]);
  });

  test('QK-18 of a datagram longer than its Content-Length the rest is not read', () => {
    const { world, alice, app } = open(mode);
    const text = world.request(alice, 'INVITE', { body: 'v=0\r\nand more' });
    world.receive(
      alice,
      changed(text, 'Content-Length', () => '5'),
    );
    expect(world.lastEvent(app).text).toMatch(/\r\n\r\nv=0\r\n$/);
    expect(counted(world)).toEqual({ cutMessages: 1 });
  });

  test.each([
    ['less', '3'],
    ['more', '142'],
  ])('QK-18 a Content-Length that says %s than there is loses a stream, which is ended', (_, length) => {
    const { world, app } = open(mode);
    const caller = world.peer('caller', { protocol: 'tcp', connection: 7 });
    const first = changed(world.request(caller, 'INVITE', { body: 'v=0\r\no=x\r\n' }), 'Content-Length', () => length);
    reads(world, caller, first + world.request(caller, 'OPTIONS', { callId: 'next' }));
    expect(world.lastEvent(app).text).toMatch(/^INVITE /);
    expect(world.ladder.at(-1)).toBe('0 sipd closes connection 7');
    expect(counted(world)).toEqual({ brokenStreams: 1 });
  });

  test('QK-21 where every header is indented there is none, and nobody to answer', () => {
    const { world, alice } = open(mode);
    world.receive(alice, world.request(alice, 'INVITE').replaceAll('\r\n', '\r\n   '));
    expect([world.sent, world.frames, counted(world)]).toEqual([[], [], { ignoredMessages: 1 }]);
  });

  test.each<[string, (text: string) => string]>([
    ['all but the first header are indented', (text) => text.replace(/\r\n(?=(From|To|Call-ID|CSeq))/g, '\r\n   ')],
    ['the first header is indented', (text) => text.replace('\r\n', '\r\n   Max-Forwards: 70\r\n')],
    ['a blank line stands between headers', (text) => text.replace('\r\nFrom', '\r\n\r\nFrom')],
  ])('QK-21 where %s: 400', (_, spoil) => {
    const { world, alice } = open(mode);
    world.receive(alice, spoil(world.request(alice, 'INVITE')));
    expect(world.lastSent('SIP/2.0 ')).toMatch(/^SIP\/2\.0 400 /);
    expect([world.frames, counted(world)]).toEqual([[], { malformedRequests: 1 }]);
  });

  test('QK-34 blanks inside the URI of From and To reach the application as they came, and what we send has none', () => {
    const { world, alice, app } = open(mode);
    const from = 'From: <sip: alice@example.com >;tag=49583';
    const to = 'To: sip: focus@example.com';
    const text = world
      .request(alice, 'INVITE')
      .replace(/From: .*/, from)
      .replace(/To: .*/, to);
    world.receive(alice, text);
    const event = world.lastEvent(app).text;
    expect([...headerLines(event, 'From'), ...headerLines(event, 'To')]).toEqual([from, to]);
    world.appAnswers(app, '200 OK');
    const answer = world.lastSent('SIP/2.0 200');
    expect(headerLines(answer, 'From')).toEqual([from]);
    expect(headerLines(answer, 'To')).toEqual([`${to};tag=${toTagOf(answer)}`]);
    world.asks(alice, 'ACK', { fromTag: '49583', toTag: toTagOf(answer) });
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: 'call-alice;from-tag=49583' });
    const bye = world.lastSent('BYE');
    expect(headerOf(bye, 'To')).toBe('<sip:alice@example.com>;tag=49583');
    expect(headerOf(bye, 'From')).toBe(`<sip:focus@example.com>;tag=${toTagOf(answer)}`);
    expect(counted(world)).toEqual({});
  });

  test.each(['sip: focus@example.com', 'sip:focus@example.com '])('QK-34 the Request-URI "%s": 400', (uri) => {
    const { world, alice } = open(mode);
    world.asks(alice, 'INVITE', { uri });
    expect(world.lastSent('SIP/2.0 ')).toMatch(/^SIP\/2\.0 400 /);
    expect([world.frames, counted(world)]).toEqual([[], { malformedRequests: 1 }]);
  });

  test('QK-37 From and To without angle brackets: what follows the semicolon is the header’s, and what we send has them', () => {
    const { world, alice, app } = open(mode);
    const bare = (text: string): string =>
      text.replace(/From: .*/, 'From: sip:user1@imserver.com;tag=49583').replace(/To: <(.*)>/, 'To: $1');
    world.receive(alice, bare(world.request(alice, 'INVITE')));
    world.appAnswers(app, '200 OK');
    const { text, dialogId } = world.lastEvent(app);
    expect(headerOf(text, 'From')).toBe('sip:user1@imserver.com;tag=49583');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.receive(alice, bare(world.request(alice, 'ACK', { toTag })));
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event ACK in call-alice;from-tag=49583');
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: 'call-alice;from-tag=49583' });
    const bye = world.lastSent('BYE');
    expect(dialogId).toBe('');
    expect(headerOf(bye, 'To')).toBe('<sip:user1@imserver.com>;tag=49583');
    expect(headerOf(bye, 'From')).toBe(`<sip:focus@example.com>;tag=${toTag}`);
    expect(counted(world)).toEqual({ bareFroms: 2 });
  });
});
