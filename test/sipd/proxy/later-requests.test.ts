import { describe, expect, test } from 'vitest';
import type { OwnAddress } from '../../../src/sipd/own-addresses.ts';
import { headerOf, type StackWorld, steps, toTagOf } from '../stack-world.ts';
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
} from './proxying.ts';

function call(stage: Scene): readonly string[] {
  return bothWays(stage).ofAlice;
}

function fresh(world: StackWorld): string[] {
  return world.ladder.splice(0).map((line) => line.slice(line.indexOf(' ') + 1));
}

describe('a call we stay in', () => {
  test('ACK, re-INVITE and BYE pass through us, both ways, and the application hears nothing of them', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const { ofAlice: routes, ofBob } = bothWays(stage);
    fresh(world);
    world.receive(alice, inCall(alice, 'ACK', { uri: toBobPhone, routes, cseq: 1 }));
    world.receive(alice, inCall(alice, 'INVITE', { uri: toBobPhone, routes }));
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    world.receive(alice, inCall(alice, 'ACK', { uri: toBobPhone, routes, branch: 'z9hG4bKack2' }));
    world.receive(bob, inCall(bob, 'BYE', { uri: 'sip:alice@10.0.0.1', routes: ofBob, toTag: 'alice', cseq: 1 }));
    world.answers(alice, got(world, alice, 'BYE'), '200 OK');
    expect(fresh(world)).toEqual(
      steps(`
        alice -> sipd : ACK
        sipd -> bob : ACK
        alice -> sipd : INVITE
        sipd -> bob : INVITE
        bob -> sipd : 200 INVITE
        sipd -> alice : 200 INVITE
        alice -> sipd : ACK
        sipd -> bob : ACK
        bob -> sipd : BYE
        sipd -> alice : BYE
        alice -> sipd : 200 BYE
        sipd -> bob : 200 BYE`),
    );
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('our Record-Route is loose and has a mark nobody can guess; in what we relay our Route is gone', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const { ofAlice, ofBob } = bothWays(stage);
    expect([ofAlice.length, ofBob.length]).toEqual([1, 1]);
    expect(ofBob[0]).toMatch(/^<sip:10\.0\.0\.9:5060;lr;mark=back\.[0-9a-f]{24}\.[0-9a-f]{24}>$/);
    expect(ofAlice[0]).toMatch(/^<sip:10\.0\.0\.9:5060;lr;mark=onward\.[0-9a-f]{24}\.[0-9a-f]{24}>$/);
    world.receive(alice, inCall(alice, 'INFO', { uri: toBobPhone, routes: ofAlice }));
    const relayed = got(world, bob, 'INFO');
    expect(relayed.split('\r\n')[0]).toBe(`INFO ${toBobPhone} SIP/2.0`);
    expect(values(relayed, 'Route')).toEqual([]);
    expect(headerOf(relayed, 'Max-Forwards')).toBe('69');
    expect(values(relayed, 'Record-Route')).toEqual([]);
    expect(values(relayed, 'Via')).toHaveLength(2);
  });

  test('a request that is lost is repeated by us, and one that comes again gets its answer again', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const routes = call(stage);
    fresh(world);
    const bye = inCall(alice, 'BYE', { uri: toBobPhone, routes });
    world.receive(alice, bye);
    world.pass(500);
    world.answers(bob, got(world, bob, 'BYE'), '200 OK');
    world.receive(alice, bye);
    expect(fresh(world)).toEqual(
      steps(`
        alice -> sipd : BYE
        sipd -> bob : BYE
        sipd -> bob : BYE
        bob -> sipd : 200 BYE
        sipd -> alice : 200 BYE
        alice -> sipd : BYE
        sipd -> alice : 200 BYE`),
    );
  });

  test('a repeated ACK is relayed again with the same branch (RFC 3261 16.11)', () => {
    const stage = scene();
    const { world, alice } = stage;
    const routes = call(stage);
    const ack = inCall(alice, 'ACK', { uri: toBobPhone, routes, cseq: 1 });
    world.receive(alice, ack);
    world.receive(alice, ack);
    const [first, second] = world.sent.filter(({ text }) => text.startsWith('ACK ')).map(({ text }) => text);
    expect(second).toBe(first);
    world.receive(alice, inCall(alice, 'ACK', { uri: toBobPhone, routes, cseq: 1, branch: 'z9hG4bKother' }));
    expect(values(world.lastSent('ACK'), 'Via')[0]).not.toBe(values(first ?? '', 'Via')[0]);
  });

  test('a re-INVITE is cancelled through us', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const routes = call(stage);
    const branch = 'z9hG4bKre';
    world.receive(alice, inCall(alice, 'INVITE', { uri: toBobPhone, routes, branch }));
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '180 Ringing');
    fresh(world);
    world.receive(alice, inCall(alice, 'CANCEL', { uri: toBobPhone, routes, branch }));
    world.answers(bob, got(world, bob, 'CANCEL'), '200 OK');
    world.answers(bob, invite, '487 Request Terminated');
    expect(fresh(world)).toEqual(
      steps(`
        alice -> sipd : CANCEL
        sipd -> alice : 200 CANCEL
        sipd -> bob : CANCEL
        bob -> sipd : 200 CANCEL
        bob -> sipd : 487 INVITE
        sipd -> bob : ACK
        sipd -> alice : 487 INVITE`),
    );
  });

  test('100 goes to the caller of a re-INVITE after 200 ms', () => {
    const stage = scene();
    const { world, alice } = stage;
    const routes = call(stage);
    world.receive(alice, inCall(alice, 'INVITE', { uri: toBobPhone, routes }));
    world.pass(200);
    expect(statusOf(answered(world, alice))).toBe(100);
  });

  test('RFC 6665 4.3: a NOTIFY of a subscription we stay in gets our Record-Route too', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { remainInDialog: true, method: 'SUBSCRIBE', request: { more: ['Event: conference'] } });
    const routes = values(got(world, bob, 'SUBSCRIBE'), 'Record-Route');
    world.answers(bob, got(world, bob, 'SUBSCRIBE'), '200 OK');
    world.receive(bob, inCall(bob, 'NOTIFY', { uri: 'sip:alice@10.0.0.1', routes, toTag: 'alice', cseq: 1 }));
    const [route = '', ...further] = values(got(world, alice, 'NOTIFY'), 'Record-Route');
    expect(further).toEqual([]);
    world.receive(alice, inCall(alice, 'SUBSCRIBE', { uri: toBobPhone, routes: [route] }));
    expect(got(world, bob, 'SUBSCRIBE').split(' ')[1]).toBe(toBobPhone);
  });

  test('a strict router before us, and one behind us (RFC 3261 16.4, 16.6 step 6)', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { remainInDialog: true });
    const recorded = ['Record-Route: <sip:10.0.0.8>', 'Record-Route: <sip:10.0.0.7;lr>'];
    const [ours = ''] = values(got(world, bob, 'INVITE'), 'Record-Route');
    world.answers(
      bob,
      got(world, bob, 'INVITE').replace(`Record-Route: ${ours}`, [...recorded, `Record-Route: ${ours}`].join('\r\n')),
      '200 OK',
    );
    const [first = '', ...further] = values(answered(world, alice), 'Record-Route').toReversed();
    expect(further).toEqual(['<sip:10.0.0.7;lr>', '<sip:10.0.0.8>']);
    // The strict one has put us into the Request-URI.
    const moved = [...further, `<${toBobPhone}>`];
    world.receive(alice, inCall(alice, 'INFO', { uri: first.slice(1, -1), routes: moved }));
    const undone = world.lastSent('INFO');
    expect(undone.split(' ')[1]).toBe(toBobPhone);
    expect(values(undone, 'Route')).toEqual(further);
    expect(world.sent.at(-1)?.to).toBe('udp/10.0.0.7:5060');
  });

  test.each([
    ['sip:bob@10.0.0.2?Subject=x', 'sip:bob@10.0.0.2'],
    ['bob at home', 400],
  ])('what a strict router has put behind all Routes is made a Request-URI: %s', (last, outcome) => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite.replace('Record-Route:', 'Record-Route: <sip:10.0.0.7;lr>,'), '200 OK');
    const [ours = '', ...further] = values(answered(world, alice), 'Record-Route').toReversed();
    world.receive(alice, inCall(alice, 'INFO', { uri: ours.slice(1, -1), routes: [...further, `<${last}>`] }));
    const sent = world.sent.at(-1)?.text ?? '';
    expect(sent.startsWith('INFO') ? sent.split(' ')[1] : statusOf(sent)).toBe(outcome);
  });

  test('the one behind us is strict: it finds itself in the Request-URI, and the target behind all Routes', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite.replace('Record-Route:', 'Record-Route: <sip:10.0.0.8?Subject=x>,'), '200 OK');
    const routes = values(answered(world, alice), 'Record-Route').toReversed();
    world.receive(alice, inCall(alice, 'OPTIONS', { uri: toBobPhone, routes, cseq: 3 }));
    const strict = world.lastSent('OPTIONS');
    expect(strict.split(' ')[1]).toBe('sip:10.0.0.8');
    expect(values(strict, 'Route')).toEqual([`<${toBobPhone}>`]);
    expect(world.sent.at(-1)?.to).toBe('udp/10.0.0.8:5060');
  });

  test('without remainInDialog there is no Record-Route', () => {
    const stage = scene();
    asked(stage, [toBob]);
    expect(values(got(stage.world, stage.bob, 'INVITE'), 'Record-Route')).toEqual([]);
  });

  test('a REGISTER gets a Path instead (RFC 3327)', () => {
    const stage = scene();
    asked(stage, [toBob], { method: 'REGISTER', remainInDialog: true });
    const register = got(stage.world, stage.bob, 'REGISTER');
    expect(values(register, 'Path')).toEqual(['<sip:10.0.0.9:5060;lr>']);
    expect(values(register, 'Require')).toEqual(['path']);
    expect(values(register, 'Record-Route')).toEqual([]);
  });
});

describe('between two transports (RFC 5658)', () => {
  const stream = { protocol: 'tcp', connection: 7, listener: 1 } as const;

  test('each side gets the address it can reach, and both are taken away again', () => {
    const stage = scene();
    const { world, bob } = stage;
    const tcpAlice = world.peer('tcp-alice', stream);
    world.asks(tcpAlice, 'INVITE', { callId: 'call-alice', fromTag: 'alice' });
    forward(world, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    const routes = values(invite, 'Record-Route');
    expect(routes.map((route) => route.replace(/;mark=[\w.]+/, ''))).toEqual([
      '<sip:10.0.0.9:5060;lr>',
      '<sip:10.0.0.9:5060;transport=tcp;lr>',
    ]);
    world.answers(bob, invite, '200 OK');
    const ofAlice = values(answered(world, tcpAlice), 'Record-Route').toReversed();
    world.receive(tcpAlice, inCall(tcpAlice, 'BYE', { uri: toBobPhone, routes: ofAlice, fromTag: 'alice' }));
    expect(values(got(world, bob, 'BYE'), 'Route')).toEqual([]);
  });

  test('two sockets of one transport are two addresses', () => {
    const sockets: OwnAddress[] = ['10.0.0.9', '10.1.0.9'].map((host, listener) => {
      return { listener, protocol: 'udp', family: 4, host, port: 5060, bound: host };
    });
    const stage = scene('free', sockets);
    const { world, bob } = stage;
    const inner = world.peer('inner', { host: '10.1.0.4', listener: 1 });
    world.asks(inner, 'INVITE', { uri: 'sip:x@10.1.0.9' });
    forward(world, [toBob], { remainInDialog: true });
    const hosts = values(got(world, bob, 'INVITE'), 'Record-Route').map((route) => route.split(/[:;]/)[1]);
    expect(hosts).toEqual(['10.0.0.9', '10.1.0.9']);
  });
});

describe('who may not', () => {
  const stranger = (stage: Scene): Scene['alice'] => stage.world.peer('mallory');

  test('a Route of ours without our mark is no leave to pass: 403, and an ACK is dropped', () => {
    const stage = scene();
    const { world } = stage;
    call(stage);
    const mallory = stranger(stage);
    const sent = world.sent.length;
    for (const route of ['<sip:10.0.0.9;lr>', '<sip:10.0.0.9:5060;lr;mark>']) {
      world.receive(mallory, inCall(mallory, 'BYE', { uri: toBobPhone, routes: [route] }));
      expect(statusOf(answered(world, mallory))).toBe(403);
      world.receive(mallory, inCall(mallory, 'ACK', { uri: toBobPhone, routes: [route] }));
      world.receive(mallory, inCall(mallory, 'MESSAGE', { uri: toBobPhone, routes: [route] }));
    }
    expect(world.sent.slice(sent).every(({ to }) => to === 'mallory')).toBe(true);
  });

  test('the mark of one call is of no use in another, nor after a new start: 481', () => {
    const stage = scene();
    const { world } = stage;
    const routes = call(stage);
    const mallory = stranger(stage);
    world.receive(mallory, inCall(mallory, 'BYE', { uri: 'sip:victim@10.0.0.66', routes, callId: 'other' }));
    expect(statusOf(answered(world, mallory))).toBe(481);
    const later = scene();
    later.world.asks(later.alice, 'OPTIONS');
    const guess = [`<sip:10.0.0.9:5060;lr;mark=${'0'.repeat(24)}>`];
    later.world.receive(later.alice, inCall(later.alice, 'BYE', { uri: toBobPhone, routes: guess }));
    expect(statusOf(answered(later.world, later.alice))).toBe(481);
    expect(later.world.sent.some(({ to }) => to === 'bob')).toBe(false);
  });

  test('one good entry does not carry a bad one', () => {
    const stage = scene();
    const { world, alice } = stage;
    const routes = [...call(stage), '<sip:10.0.0.9;lr>'];
    world.receive(alice, inCall(alice, 'BYE', { uri: toBobPhone, routes }));
    expect(statusOf(answered(world, alice))).toBe(403);
  });

  test('a new request with our Route is the application’s to judge', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE', { uri: 'sip:bob@10.0.0.2', first: ['Route: <sip:10.0.0.9;lr>'] });
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event INVITE');
    forward(world, [toBob]);
    expect(values(world.lastSent('INVITE sip:bob@10.0.0.2'), 'Route')).toEqual([]);
  });

  test.each([
    { what: 'a Route of somebody else', routes: ['<sip:10.0.0.7;lr>'], uri: toBobPhone, status: 481 },
    { what: 'no Route', routes: [], uri: toBobPhone, status: 481 },
    { what: 'a Route that cannot be read', routes: ['<sip:10.0.0.9;lr'], uri: toBobPhone, status: 400 },
    { what: 'our Route and nobody behind it', routes: ['<sip:10.0.0.9;lr>'], uri: 'sip:focus@10.0.0.9', status: 481 },
  ])('$what in a dialog nobody knows', ({ routes, uri, status }) => {
    const { world, alice } = scene();
    world.receive(alice, inCall(alice, 'BYE', { uri, routes }));
    expect(statusOf(answered(world, alice))).toBe(status);
  });
});

describe('a user agent of ours behind our own Route', () => {
  /** Alice calls through us to an application of ours. */
  function spiralled(): { stage: Scene; toTag: string; routes: readonly string[] } {
    const stage = scene();
    const { world } = stage;
    const us = world.peer('us', { host: '10.0.0.9' });
    asked(stage, ['sip:uas@10.0.0.9'], { remainInDialog: true });
    const invite = got(world, us, 'INVITE');
    world.receive(us, invite);
    world.appAnswers(1, '200 OK', ['Contact: <sip:uas@localhost>']);
    const ok = got(world, us, 'SIP/2.0');
    world.receive(us, ok);
    return { stage, toTag: toTagOf(ok), routes: values(invite, 'Record-Route') };
  }

  test('the dialog is looked for first: ACK and BYE reach the application', () => {
    const { stage, toTag, routes } = spiralled();
    const { world, alice } = stage;
    expect(statusOf(answered(world, alice))).toBe(200);
    fresh(world);
    world.receive(alice, inCall(alice, 'ACK', { uri: 'sip:uas@10.0.0.9:5060', routes, toTag, cseq: 1 }));
    world.receive(alice, inCall(alice, 'BYE', { uri: 'sip:uas@10.0.0.9:5060', routes, toTag }));
    expect(fresh(world).filter((line) => line.includes('event'))).toEqual([
      'sipd -> app1 : event ACK in call-alice;from-tag=alice',
      'sipd -> app1 : event BYE in call-alice;from-tag=alice',
    ]);
  });

  test('its own requests go straight to the peer', () => {
    const { stage } = spiralled();
    const { world, alice } = stage;
    world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
    expect(values(got(world, alice, 'INFO'), 'Route')).toEqual([]);
  });
});
