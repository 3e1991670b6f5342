import { describe, expect, test } from 'vitest';
import { headerOf } from '../stack-world.ts';
import {
  answered,
  asked,
  forward,
  got,
  inCall,
  nothing,
  scene,
  statusOf,
  toBob,
  toCarol,
  values,
  withTls,
} from './proxying.ts';

describe('what is checked before a request goes on (RFC 3261 16.3)', () => {
  test.each([
    ['Max-Forwards: 0', 483, 'Rejected with 483 Too Many Hops'],
    ['Max-Forwards: many', 400, 'Rejected with 400 Bad Request'],
    ['Max-Breadth: 0', 440, 'Rejected with 440 Max-Breadth Exceeded'],
    ['Proxy-Require: foo, bar', 420, 'Rejected with 420 Bad Extension'],
    ['Route: <sip:10.0.0.9', 400, 'Rejected with 400 Bad Request'],
  ])('%s: %i, and the application is told', (header, status, text) => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { more: [header] } });
    expect(statusOf(answered(world, alice))).toBe(status);
    expect(world.lastReply(1).tokens).toEqual(['NOK', text]);
    expect(world.sent.some(({ to }) => to === bob.name)).toBe(false);
    if (status === 420) expect(headerOf(answered(world, alice), 'Unsupported')).toBe('foo, bar');
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the last hop is Max-Forwards 1', () => {
    const stage = scene();
    asked(stage, [toBob], { request: { more: ['Max-Forwards: 1'] } });
    expect(headerOf(got(stage.world, stage.bob, 'INVITE'), 'Max-Forwards')).toBe('0');
  });

  test('RFC 3261 20.22: no request has more than 255 hops before it, whatever it says', () => {
    const stage = scene();
    asked(stage, [toBob], { request: { more: ['Max-Forwards: 999999999'] } });
    expect(headerOf(got(stage.world, stage.bob, 'INVITE'), 'Max-Forwards')).toBe('254');
  });

  test('a bar in the Request-URI would be a further destination in the frame of an application: 400', () => {
    const stage = scene();
    const { world, alice } = stage;
    world.asks(alice, 'INVITE', { uri: 'sip:bob@10.0.0.2|sip:victim@10.0.0.66' });
    expect(statusOf(answered(world, alice))).toBe(400);
  });

  test('a Max-Breadth above ours is ours', () => {
    const stage = scene();
    asked(stage, [toBob], { request: { more: ['Max-Breadth: 1000'] } });
    expect(headerOf(got(stage.world, stage.bob, 'INVITE'), 'Max-Breadth')).toBe('60');
  });

  test('what comes back as it was is a loop: 482', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    const invite = got(world, bob, 'INVITE');
    const looped = invite.replace('\r\nVia:', '\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbob\r\nVia:');
    world.receive(bob, looped);
    forward(world, [toBob]);
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'Rejected with 482 Loop Detected']);
    expect(statusOf(answered(world, bob))).toBe(482);
    world.answers(bob, invite, '482 Loop Detected');
    expect(statusOf(answered(world, alice))).toBe(482);
  });

  test('our Via among others in one header is found too', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    const invite = got(world, bob, 'INVITE');
    const looped = invite.replace(
      '\r\nVia: ',
      '\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKbob, SIP/2.0/UDP x;y=",", ',
    );
    world.receive(bob, looped);
    forward(world, [toBob]);
    expect(statusOf(answered(world, bob))).toBe(482);
  });

  test('what comes back with another Request-URI is a spiral, and goes on', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    const spiral = got(world, bob, 'INVITE')
      .replace('\r\nVia:', '\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbob\r\nVia:')
      .replace('INVITE sip:bob@', 'INVITE sip:carol@');
    world.receive(bob, spiral);
    forward(world, [toCarol]);
    expect(values(got(world, carol, 'INVITE'), 'Via')).toHaveLength(4);
  });

  test('a stranger’s Via that looks like a loop is none', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    const copied = got(world, bob, 'INVITE').replace('UDP 10.0.0.9:5060', 'UDP 10.0.0.8:5060');
    world.receive(bob, copied.replace('\r\nVia:', '\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbob\r\nVia:'));
    forward(world, [toCarol]);
    expect(got(world, carol, 'INVITE')).toContain('Via: SIP/2.0/UDP 10.0.0.8:5060');
  });

  test('they hold for what we relay too', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { remainInDialog: true });
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    const routes = values(answered(world, alice), 'Record-Route');
    const bye = inCall(alice, 'BYE', { uri: 'sip:bob@10.0.0.2', routes });
    world.receive(alice, bye.replace('Max-Forwards: 70', 'Max-Forwards: 0'));
    expect(statusOf(answered(world, alice))).toBe(483);
    const ack = inCall(alice, 'ACK', { uri: 'sip:bob@10.0.0.2', routes, cseq: 1 });
    world.receive(alice, ack.replace('Max-Forwards: 70', 'Max-Forwards: 0'));
    expect(world.sent.some(({ text }) => text.startsWith('ACK'))).toBe(false);
  });
});

describe('where it goes', () => {
  test('a maddr that names us has done its work (RFC 3261 16.4)', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com;maddr=10.0.0.9;user=phone' } });
    expect(got(world, bob, 'INVITE').split(' ')[1]).toBe('sip:bob@example.com;user=phone');
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com;maddr=10.0.0.7', callId: 'other' } });
    expect(got(world, bob, 'INVITE').split(' ')[1]).toBe('sip:bob@example.com;maddr=10.0.0.7');
  });

  test('a name is looked up, and the next address tried when one fails (RFC 3263 4.3)', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, ['sip:pbx']);
    expect(world.ladder.at(-1)).toContain('looks up');
    const lookup = world.outputs.flatMap((each) => (each.kind === 'look-up' ? [each.lookup] : [])).at(-1) ?? 0;
    const answers = [{ kind: 'a' as const, addresses: [bob.at.host, carol.at.host] }];
    world.input({ kind: 'names-found', lookup, answers });
    const first = got(world, bob, 'INVITE');
    world.answers(bob, first, '503 Service Unavailable');
    const second = got(world, carol, 'INVITE');
    expect(values(second, 'Via')[0]).not.toBe(values(first, 'Via')[0]);
    world.answers(carol, second, '200 OK');
    expect(statusOf(answered(world, alice))).toBe(200);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a name that leads nowhere fails its branch', () => {
    const stage = scene();
    const { world, alice, carol } = stage;
    asked(stage, ['sip:pbx', toCarol]);
    const lookup = world.outputs.flatMap((each) => (each.kind === 'look-up' ? [each.lookup] : [])).at(-1) ?? 0;
    world.input({ kind: 'names-found', lookup, answers: [{ kind: 'a', addresses: [] }] });
    world.answers(carol, got(world, carol, 'INVITE'), '486 Busy Here');
    expect(statusOf(answered(world, alice))).toBe(486);
  });

  test('what was sent to a sips URI does not go on unsecured', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sips:bob@example.com' } });
    expect(world.sent.some(({ to }) => to === bob.name)).toBe(false);
    expect(statusOf(answered(world, alice))).toBe(500);
  });

  test('over TLS a sips URI gets a sips Record-Route (RFC 3261 16.6 step 4)', () => {
    const stage = scene('free', withTls);
    const { world } = stage;
    const secure = world.peer('secure', { protocol: 'tls', port: 5061, connection: 4, listener: 1 });
    const dave = world.peer('dave', { protocol: 'tls', port: 5061 });
    world.asks(secure, 'INVITE', { uri: 'sips:dave@example.com' });
    forward(world, [`sips:${dave.at.host}`], { remainInDialog: true });
    const [route = ''] = values(got(world, dave, 'INVITE'), 'Record-Route');
    expect(route).toMatch(/^<sips:10\.0\.0\.9:5061;transport=tls;lr;mark=/);
  });
});
