import { describe, expect, test } from 'vitest';
import { referenceData } from '../support/reference-data.ts';
import { StackWorld } from './stack-world.ts';

/** RFC 4475: what becomes of each message: a status sipd gives, `app` when the application is to judge, or nothing. */
const verdicts: Readonly<Record<string, number | 'app' | 'discarded'>> = {
  wsinv: 481,
  intmeth: 501,
  esc01: 'app',
  escnull: 'app',
  esc02: 501,
  lwsdisp: 'app',
  longreq: 'app',
  dblreq: 'app',
  semiuri: 'app',
  transports: 'app',
  mpart01: 'app',
  unreason: 'discarded',
  noreason: 'discarded',
  badinv01: 400,
  clerr: 400,
  ncl: 400,
  scalar02: 400,
  scalarlg: 'discarded',
  quotbal: 400,
  ltgtruri: 400,
  lwsruri: 400,
  lwsstart: 400,
  trws: 400,
  escruri: 400,
  baddate: 'app',
  regbadct: 400,
  badaspec: 'app',
  baddn: 'app',
  badvers: 505,
  mismatch01: 400,
  mismatch02: 501,
  bigcode: 'discarded',
  badbranch: 'app',
  insuf: 400,
  unkscm: 416,
  novelsc: 416,
  unksm2: 'app',
  bext01: 'app',
  invut: 'app',
  regaut01: 'app',
  multi01: 400,
  mcl01: 400,
  bcast: 'discarded',
  zeromf: 'app',
  cparam01: 'app',
  cparam02: 'app',
  regescrt: 'app',
  sdp01: 'app',
  inv2543: 'app',
};

function verdictOf(world: StackWorld): number | 'app' | 'discarded' {
  if (world.frames.length > 0) return 'app';
  const answer = world.sent[0]?.text;
  return answer === undefined ? 'discarded' : Number(answer.slice(8, 11));
}

function torture(context: Parameters<typeof referenceData>[0], name: string): { world: StackWorld; text: string } {
  const text = referenceData(context, `data/rfc4475/${name}.dat`).toString('latin1');
  const world = new StackWorld('free');
  const mallory = world.peer('mallory');
  world.application(1, 'invite', 'options', 'register', 'message');
  world.input({ kind: 'message-received', from: mallory.at, text });
  return { world, text };
}

describe('RFC 4475 torture messages', () => {
  test('every message gets its verdict', (context) => {
    const found = Object.keys(verdicts).map((name) => [name, verdictOf(torture(context, name).world)]);
    expect(Object.fromEntries(found)).toEqual(verdicts);
  });

  test('truncated at every byte, nothing throws and nothing malformed reaches the application', (context) => {
    for (const name of ['wsinv', 'badinv01', 'multi01', 'intmeth']) {
      const text = referenceData(context, `data/rfc4475/${name}.dat`).toString('latin1');
      for (let length = 0; length < text.length; length += 1) {
        const world = new StackWorld('free');
        world.application(1, 'invite');
        world.input({ kind: 'message-received', from: world.peer('mallory').at, text: text.slice(0, length) });
        expect(world.frames).toEqual([]);
      }
    }
  });

  test('CC-194 two Content-Lengths, a mismatching CSeq method or a missing To get 400', (context) => {
    for (const name of ['mcl01', 'mismatch01', 'insuf']) expect(verdictOf(torture(context, name).world)).toBe(400);
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite');
    world.receive(alice, world.request(alice, 'INVITE').replace(/To: .*\r\n/, ''));
    expect(verdictOf(world)).toBe(400);
  });

  test('CC-195 SIP/7.0 gets 505, an unknown scheme 416, an unknown method with a mismatching CSeq 501', (context) => {
    const names = ['badvers', 'unkscm', 'novelsc', 'mismatch02', 'wsinv'];
    expect(names.map((name) => verdictOf(torture(context, name).world))).toEqual([505, 416, 416, 501, 481]);
  });

  test('CC-196 folded headers and compact forms are read: the INVITE of wsinv is taken apart to its To tag', (context) => {
    const { world } = torture(context, 'wsinv');
    const answer = world.sent[0]?.text ?? '';
    expect(answer).toContain('\r\nCSeq: 0009 INVITE\r\n');
    expect(answer.match(/\r\nVia: /g)).toHaveLength(2);
    expect(answer).toContain('Via: SIP/2.0/UDP 192.0.2.2;branch=390skdjuw;received=10.0.0.1;rport=5060\r\n');
  });

  test('CC-197 an unterminated quote in To or From gets 400', (context) => {
    expect(verdictOf(torture(context, 'quotbal').world)).toBe(400);
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite');
    world.receive(alice, world.request(alice, 'INVITE').replace('From: ', 'From: "Alice '));
    expect(verdictOf(world)).toBe(400);
  });

  test('CC-198 octets behind Content-Length in a datagram are ignored', (context) => {
    const { world } = torture(context, 'dblreq');
    const events = world.frames.map(({ payload }) => payload);
    expect(events).toHaveLength(1);
    expect(events[0]?.endsWith('\r\n\r\n')).toBe(true);
    expect(events[0]).not.toContain('INVITE');
  });

  test('an ACK or a response that is malformed is never answered', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.receive(alice, world.request(alice, 'ACK').replace('CSeq: 1 ACK', 'CSeq: x'));
    world.receive(alice, 'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\n\r\n');
    expect(world.sent).toEqual([]);
  });

  test('a request without Via is ignored', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.receive(alice, world.request(alice, 'OPTIONS').replace(/Via: .*\r\n/, ''));
    expect(world.sent).toEqual([]);
  });
});
