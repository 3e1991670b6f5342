import { describe, expect, test } from 'vitest';
import { StackWorld } from './stack-world.ts';

/** A header line put in place of the one of that name. */
function withHeader(text: string, name: string, value: string): string {
  return text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${value}`);
}

function open(mode: 'free' | 'strict') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'message', 'bye');
  return { world, alice, app };
}

describe.each(['free', 'strict'] as const)('what a peer may send does no harm (%s)', (mode) => {
  test.each([
    ['Contact', '<sip:alice'],
    ['Contact', '"alice <sip:alice@10.0.0.1>'],
    ['Contact', '<sip:alice@10.0.0.1:50t: <sip:alice@10.0.0.1>'],
    ['Contact', '<>'],
    ['Record-Route', '<sip:proxy x;lr>'],
    ['Record-Route', '<sip:proxy;lr'],
    ['Record-Route', '"proxy'],
    ['Call-ID', 'a|b'],
    ['Call-ID', 'a b'],
    ['From', '<sip:alice@example.com>;tag=a|b'],
    ['From', '<sip:alice@example.com>;tag='],
  ])('an INVITE whose %s is %s is refused 400 and nobody sees it', (name, value) => {
    const { world, alice } = open(mode);
    const text = world.request(alice, 'INVITE', { more: ['Record-Route: <sip:proxy;lr>'] });
    world.receive(alice, withHeader(text, name, value));
    expect(world.sent.at(-1)?.text).toMatch(/^SIP\/2\.0 400 /);
    expect(world.frames).toEqual([]);
  });

  test.each([
    ['Contact', '"bob <sip:bob@10.0.0.1>'],
    ['Record-Route', '<sip:proxy;lr'],
  ])('an answer whose %s is %s is ignored like one that never came', (name, value) => {
    const { world, alice, app } = open(mode);
    world.appAsks(app, 'INVITE sip:alice@10.0.0.1');
    const answer = { status: '200 OK', contact: '', more: [`${name}: ${value}`] };
    world.answers(alice, world.lastSent('INVITE'), answer);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, calls: 1 });
  });

  test('what an application writes wrong is its NOK, and its request can still be answered', () => {
    const { world, alice, app } = open(mode);
    world.appAsks(app, 'INVITE sip:alice@10.0.0.1', { headers: ['From: "x <sip:a@b>'] });
    expect(world.lastReply(app).tokens[0]).toBe('NOK');
    world.asks(alice, 'INVITE');
    world.appAnswers(app, '200 OK', ['To: "x <sip:a@b>']);
    expect(world.lastReply(app).tokens).toEqual(['NOK', 'invalid to header']);
    world.appAnswers(app, '200 OK');
    expect(world.lastReply(app).tokens[0]).toBe('OK');
  });
});

test('an INVITE without Contact has a From that its BYE can go to, or is refused', () => {
  const { world, alice } = open('free');
  const text = world.request(alice, 'INVITE').replace(/Contact: .*\r\n/, '');
  world.receive(alice, withHeader(text, 'From', '1 CANCEL'));
  expect(world.lastSent('SIP/2.0 400')).toContain('From: 1 CANCEL\r\n');
  world.receive(alice, text);
  expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event INVITE');
});

test('a comma in quotes does not end the first Via of a refused request', () => {
  const { world, alice } = open('free');
  const text = world.request(alice, 'OPTIONS').replace('CSeq: 1', 'CSeq: x');
  world.receive(alice, text.replace(/;branch=.*$/m, ';x="a, b";branch=z9hG4bK1, SIP/2.0/UDP p'));
  expect(world.lastSent('SIP/2.0 400')).toContain(
    'Via: SIP/2.0/UDP 10.0.0.1:5060;x="a, b";branch=z9hG4bK1;rport=5060, SIP/2.0/UDP p\r\n',
  );
});

test('header names that every object knows are names like others', () => {
  const { world, alice, app } = open('free');
  world.receive(alice, world.request(alice, 'INVITE', { more: ['constructor: a', 'toString: b', 'Max-Forwards'] }));
  expect(world.lastSent('SIP/2.0 400')).not.toContain('native code');
  world.asks(alice, 'INVITE');
  world.appAnswers(app, '200 OK', ['constructor: a']);
  expect(world.lastSent('SIP/2.0 200')).toContain('\r\nConstructor: a\r\n');
});

describe('the work a message makes grows with its length only', () => {
  const quotes = '""'.repeat(30_000);
  const hostile: readonly (readonly [string, (text: string) => string])[] = [
    ['quotes in Via', (text) => text.replace(/^(Via: .*)\r$/m, `$1;x=${quotes},SIP/2.0/UDP b\r`)],
    ['quotes in From', (text) => text.replace(/^(From: .*)\r$/m, `$1;x=${quotes};y\r`)],
    ['parameters in Via', (text) => text.replace(/^(Via: .*)\r$/m, `$1${';a'.repeat(30_000)}\r`)],
    ['parameters in From', (text) => text.replace(/^(From: .*);tag/m, `$1${';a'.repeat(30_000)};tag`)],
    ['open brackets in Contact', (text) => withHeader(text, 'Contact', '<'.repeat(60_000))],
    ['lines without colon', (text) => text.replace('\r\n\r\n', `\r\n${'a\r\n'.repeat(20_000)}\r\n`)],
  ];

  test.each(hostile)('%s', (_name, change) => {
    const { world, alice } = open('free');
    const text = change(world.request(alice, 'MESSAGE', { body: 'x'.repeat(900_000) }));
    // The quickest of several, since the machine has other work. Quadratic ways took 100 to 1,300 ms, linear ones a few.
    const took = [1, 2, 3, 4, 5].map(() => {
      const before = performance.now();
      world.receive(alice, text);
      return performance.now() - before;
    });
    expect(Math.min(...took)).toBeLessThan(60);
  });
});
