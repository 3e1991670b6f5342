import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { MovedTargets } from '../../../src/sipd/proxy/moved-targets.ts';
import type { WorldPeer } from '../stack-world.ts';
import {
  answered,
  asked,
  bothWays,
  forward,
  got,
  inCall,
  nothing,
  type Scene,
  scene,
  statusOf,
  toBob,
  toBobPhone,
  values,
  type Ways,
} from './proxying.ts';

const toAlicePhone = 'sip:alice@10.0.0.1:5060';
const victim = 'sip:victim@10.0.0.66';

type Call = Scene & Ways;

function call(): Call {
  const stage = scene();
  return { ...stage, ...bothWays(stage) };
}

function hasGone({ world }: Scene, to: string): boolean {
  return world.sent.some((each) => each.to.includes(to));
}

/** What became of a request within the call: the status we answered it with at once, or `gone`. */
function outcome({ world }: Scene, from: WorldPeer, text: string): number | 'gone' {
  const before = world.sent.length;
  world.receive(from, text);
  const [first] = world.sent.slice(before);
  if (first === undefined) return 0;
  return first.text.startsWith('SIP/2.0') ? statusOf(first.text) : 'gone';
}

describe('our Route leads to the other side of the call and nowhere else', () => {
  test.each([
    { what: 'another host', uri: victim, further: [] },
    { what: 'another port', uri: 'sip:bob@10.0.0.2:5070', further: [] },
    { what: 'another host by maddr', uri: 'sip:bob@10.0.0.2:5060;maddr=10.0.0.66', further: [] },
    { what: 'another host by a further Route', uri: toBobPhone, further: ['<sip:10.0.0.66;lr>'] },
    { what: 'a telephone number', uri: 'tel:+123', further: [] },
    { what: 'the caller herself', uri: toAlicePhone, further: [] },
  ])('$what: 481, and an ACK is dropped', ({ uri, further }) => {
    const stage = call();
    const { alice, ofAlice } = stage;
    const routes = [...ofAlice, ...further];
    for (const method of ['INVITE', 'MESSAGE', 'BYE']) {
      expect(outcome(stage, alice, inCall(alice, method, { uri, routes }))).toBe(481);
    }
    expect(outcome(stage, alice, inCall(alice, 'ACK', { uri, routes, cseq: 1 }))).toBe(0);
    expect(hasGone(stage, '10.0.0.66')).toBe(false);
    expect(outcome(stage, alice, inCall(alice, 'BYE', { uri: 'sip:x@10.0.0.2', routes: ofAlice }))).toBe('gone');
  });

  test('each side has an entry of its own, which is of no use for the other way or with other tags', () => {
    const stage = call();
    const { alice, bob, ofAlice, ofBob } = stage;
    const back = { uri: toAlicePhone, toTag: 'alice', fromTag: 'bob' };
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: ofAlice }))).toBe(481);
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: ofBob, toTag: 'other' }))).toBe(481);
    expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: toBobPhone, routes: ofBob }))).toBe(481);
    const other = { uri: toBobPhone, routes: ofAlice, fromTag: 'mallory' };
    expect(outcome(stage, alice, inCall(alice, 'INFO', other))).toBe(481);
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: ofBob, cseq: 3 }))).toBe('gone');
  });

  test('a connection cannot be written into an entry, nor a part of one mark into another', () => {
    const stage = call();
    const { alice, bob, ofAlice, ofBob } = stage;
    const [who] = ofAlice.map((route) => route.split('.').slice(0, -1).join('.'));
    const [where] = ofBob.map((route) => route.split('.').at(-1));
    expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: toAlicePhone, routes: [`${who}.${where}`] }))).toBe(481);
    const flowing = ofBob.map((route) => route.replace(';mark', ';flow=3;mark'));
    expect(outcome(stage, bob, inCall(bob, 'INFO', { uri: toAlicePhone, routes: flowing, toTag: 'alice' }))).toBe(481);
  });
});

describe('a phone that moves (RFC 3261 12.2)', () => {
  const away = 'sip:bob@10.0.0.20:5099';

  /** Bob sends a re-INVITE from another network, and Alice’s phone accepts it from yet another. */
  function moved(status: string, contact?: string): Call {
    const stage = call();
    const { world, alice, bob, ofBob } = stage;
    const invite = inCall(bob, 'INVITE', { uri: toAlicePhone, routes: ofBob, toTag: 'alice', fromTag: 'bob' });
    world.receive(bob, invite.replace('Contact: <sip:bob@10.0.0.2:5060>', `Contact: <${away}>`));
    world.answers(alice, got(world, alice, 'INVITE'), contact === undefined ? status : { status, contact });
    return stage;
  }

  test('is found where its re-INVITE said it is', () => {
    const stage = moved('200 OK');
    const { alice, ofAlice } = stage;
    expect(outcome(stage, alice, inCall(alice, 'ACK', { uri: away, routes: ofAlice }))).toBe('gone');
    expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: away, routes: ofAlice }))).toBe('gone');
    expect(hasGone(stage, '10.0.0.20:5099')).toBe(true);
    expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: victim, routes: ofAlice, cseq: 3 }))).toBe(481);
  });

  test('is found where it was when the re-INVITE was refused', () => {
    const stage = moved('488 Not Acceptable Here');
    const { alice, ofAlice } = stage;
    expect(outcome(stage, alice, inCall(alice, 'BYE', { uri: toBobPhone, routes: ofAlice }))).toBe('gone');
  });

  test('is found where its answer to a re-INVITE said it is, until the call is over', () => {
    const stage = moved('200 OK', 'sip:alice@10.0.0.21');
    const { world, bob, ofBob } = stage;
    const bye = (cseq: number) =>
      inCall(bob, 'BYE', { uri: 'sip:alice@10.0.0.21', routes: ofBob, toTag: 'alice', fromTag: 'bob', cseq });
    expect(outcome(stage, bob, bye(3))).toBe('gone');
    world.answers(stage.alice, world.lastSent('BYE'), '200 OK');
    expect(outcome(stage, bob, bye(4))).toBe(481);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('nobody can say so for the other side', () => {
    const stage = call();
    const { alice, ofAlice } = stage;
    const routes = ofAlice;
    const update = inCall(alice, 'UPDATE', { uri: toBobPhone, routes });
    expect(outcome(stage, alice, update.replace(`Contact: <${toAlicePhone}>`, `Contact: <${victim}>`))).toBe('gone');
    for (const toTag of ['alice', 'bob']) {
      expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: victim, routes, toTag, cseq: 3 }))).toBe(481);
    }
  });

  test('what an application has forwarded is no word of a side of the call', () => {
    const stage = call();
    const { world, alice, bob, ofAlice } = stage;
    world.asks(alice, 'SUBSCRIBE', { callId: 'call-alice', toTag: 'second', cseq: 2 });
    forward(world, [toBob]);
    world.answers(bob, got(world, bob, 'SUBSCRIBE'), { status: '200 OK', contact: victim });
    const info = inCall(alice, 'INFO', { uri: victim, routes: ofAlice, toTag: 'second', cseq: 3 });
    expect(outcome(stage, alice, info)).toBe(481);
  });

  test('of very many the one that has been refreshed longest ago is forgotten', () => {
    const targets = new MovedTargets();
    for (let count = 0; count < limits.movedTargetsMax; count += 1) targets.note(`c${count}`, 't', 'h:5060');
    targets.note('c0', 't', 'i:5060');
    targets.note('further', 't', 'h:5060');
    expect(targets.count()).toBe(limits.movedTargetsMax);
    expect(['c0', 'c1', 'further'].map((callId) => targets.isAt(callId, 't', 'h:5060'))).toEqual([true, false, true]);
    for (const place of ['i:5060', 'j:5060']) targets.note('further', 't', place);
    expect(['h:5060', 'i:5060', 'j:5060'].map((place) => targets.isAt('further', 't', place))).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('further proxies on the way', () => {
  test('our entry leads to the next of them, each way', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const first = ['Record-Route: <sip:10.0.0.7;lr>'];
    asked(stage, [toBob], { remainInDialog: true, request: { first } });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite.replace('Record-Route:', 'Record-Route: <sip:10.0.0.8;lr>,'), '200 OK');
    const ofAlice = values(answered(world, alice), 'Record-Route').toReversed().slice(1);
    const ofBob = values(invite, 'Record-Route');
    expect(outcome(stage, alice, inCall(alice, 'BYE', { uri: toBobPhone, routes: ofAlice }))).toBe('gone');
    expect(world.sent.at(-1)?.to).toBe('udp/10.0.0.8:5060');
    const back = { uri: toAlicePhone, toTag: 'alice', fromTag: 'bob' };
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: ofBob }))).toBe('gone');
    expect(world.sent.at(-1)?.to).toBe('udp/10.0.0.7:5060');
    const direct = ofBob.slice(0, 1);
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: direct, cseq: 3 }))).toBe(481);
  });

  test.each(['through another', 'at once'])('a call that comes by twice, %s, can be ended from both sides', (how) => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const proxy = world.peer('proxy', { host: '10.0.0.7' });
    asked(stage, ['sip:10.0.0.7'], { remainInDialog: true, request: { uri: 'sip:b@example.com' } });
    const out = got(world, proxy, 'INVITE');
    const recorded = how === 'at once' ? '' : '\r\nRecord-Route: <sip:10.0.0.7;lr>';
    world.receive(
      proxy,
      out
        .replace('sip:b@example.com', 'sip:bob@example.com')
        .replace('\r\nVia:', `${recorded}\r\nVia: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKp\r\nVia:`),
    );
    forward(world, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '200 OK');
    const returned = got(world, proxy, 'SIP/2.0 200');
    world.receive(proxy, returned.replace(/\r\nVia: [^\r]*10\.0\.0\.7[^\r]*/, ''));
    const ofAlice = values(answered(world, alice), 'Record-Route').toReversed();
    expect(outcome(stage, alice, inCall(alice, 'INFO', { uri: toBobPhone, routes: ofAlice }))).toBe('gone');
    if (how !== 'at once') {
      const onward = ofAlice.slice(2);
      expect(outcome(stage, proxy, inCall(alice, 'INFO', { uri: toBobPhone, routes: onward, cseq: 3 }))).toBe('gone');
    }
    expect(hasGone(stage, 'bob')).toBe(true);
    const back = { uri: toAlicePhone, toTag: 'alice', fromTag: 'bob' };
    const ofBob = values(invite, 'Record-Route');
    expect(outcome(stage, bob, inCall(bob, 'INFO', { ...back, routes: ofBob }))).toBe('gone');
  });
});
