import { describe, expect, test } from 'vitest';
import type { SipdMode } from '../../src/sipd/daemon-ways.ts';
import { StreamReader } from '../../src/sipd/transport/stream.ts';
import { header, parseSipMessage } from '../../src/wire/sip-message.ts';
import { referenceData } from '../support/reference-data.ts';
import { headerLines, StackWorld } from './stack-world.ts';
import { everyVerb, judge, tortureRows, tortureVerdict } from './torture-table.ts';

/** What came of a message, in the words of the table. */
function verdictOf(world: StackWorld): string {
  const told: string[] = [];
  for (const output of world.outputs) {
    if (output.kind === 'send' && output.text.startsWith('SIP/2.0 ')) {
      const status = output.text.slice(8, 11);
      told.push(/^X-Judge: app\r$/m.test(output.text) ? `app ${status}` : status);
    } else if (output.kind === 'close-connection') told.push('closes');
  }
  return told.length === 0 ? 'discarded' : told.join(', ');
}

function textOf(context: Parameters<typeof referenceData>[0], name: string): string {
  return referenceData(context, `data/rfc4475/${name}.dat`).toString('latin1');
}

/** A server with an application that asked for everything and judges what it gets. */
class Court {
  readonly world: StackWorld;
  #events = 0;

  constructor(mode: SipdMode) {
    this.world = new StackWorld(mode);
    this.world.application(1, ...everyVerb);
    this.world.outputs.length = 0;
  }

  /** The message comes over UDP, or in pieces over a connection. Gives what became of it. */
  hears(text: string, transport: 'udp' | 'tcp'): string {
    const { world } = this;
    if (transport === 'udp') {
      world.input({ kind: 'message-received', from: world.peer('mallory').at, text });
      this.#judge();
      return verdictOf(world);
    }
    const from = world.peer('mallory', { protocol: 'tcp', connection: 7 }).at;
    const reader = new StreamReader();
    for (let at = 0; at < text.length; at += 97) {
      for (const event of reader.push(text.slice(at, at + 97))) {
        if (event.kind === 'message') world.input({ kind: 'message-received', from, text: event.text });
        else if (event.kind === 'broken' && event.text === '')
          world.outputs.push({ kind: 'close-connection', connection: 7 });
        else if (event.kind === 'broken') world.input({ ...event, kind: 'stream-broken', from });
        this.#judge();
      }
    }
    const verdict = verdictOf(world);
    world.input({ kind: 'connection-closed', peer: from });
    return reader.partial ? 'waits' : verdict;
  }

  /** Another peer asks whether anybody is there. */
  isAlive(): boolean {
    const { world } = this;
    const before = world.outputs.length;
    world.asks(world.peer('alice'), 'OPTIONS');
    this.#judge();
    return world.outputs.slice(before).some((each) => each.kind === 'send' && each.text.startsWith('SIP/2.0 200 '));
  }

  #judge(): void {
    const events = this.world.frames.filter(({ payload }) => payload.split('|')[1] === 'sip');
    for (const { payload } of events.slice(this.#events)) {
      const text = payload.slice(payload.indexOf('\r\n') + 2);
      const [line = ''] = text.split('\r\n');
      if (line.startsWith('ACK ')) continue;
      const message = parseSipMessage(text);
      const { status, headers } = judge(line.split(' ')[0] ?? '', (name) => header(message, name));
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const transactionId = payload.split('|')[8] ?? '';
      this.world.say(1, `sip|${transactionId}|`, `SIP/2.0 ${status} Judged\r\nX-Judge: app\r\n${lines.join('')}\r\n`);
    }
    this.#events = events.length;
  }
}

/** What becomes of a datagram in free mode. */
function heard(text: string): string {
  return new Court('free').hears(text, 'udp');
}

/** A good INVITE, spoilt. */
function changed(change: (text: string) => string): string {
  const world = new StackWorld('free');
  return change(world.request(world.peer('alice'), 'INVITE'));
}

const ways = (['free', 'strict'] as const).flatMap((mode) =>
  (['udp', 'tcp'] as const).map((transport) => ({ mode, transport })),
);

describe('RFC 4475 torture messages', () => {
  test('the table has all 49', () => {
    expect(new Set(tortureRows.map(({ name }) => name)).size).toBe(49);
  });

  describe.each(ways)('$mode, $transport', ({ mode, transport }) => {
    test.for(tortureRows)('$name', (row, context) => {
      const court = new Court(mode);
      expect(court.hears(textOf(context, row.name), transport)).toBe(tortureVerdict(row, mode, transport));
      expect(court.isAlive()).toBe(true);
      court.world.pass(200_000);
      expect(Object.values(court.world.stack.counts()).filter((count) => count !== 0)).toEqual([]);
    });
  });

  // RFC 4475 3.1.1.13, 3.1.1.14, 3.1.2.5, 3.1.2.19, 3.3.10 (bcast): the same as answers to a request of ours.
  test.for([
    ['unreason', 'answered'],
    ['noreason', 'answered'],
    ['scalarlg', 'discarded'],
    ['bigcode', 'discarded'],
    ['bcast', 'discarded'],
  ])('the response %s to a request of ours is %s', ([name = '', verdict], context) => {
    const world = new StackWorld('free');
    const bob = world.peer('bob');
    const app = world.application(1);
    const text = textOf(context, name);
    const method = /^CSeq: \d+ (\w+)/m.exec(text)?.[1] ?? '';
    const repeated = ['From', 'Call-ID', 'CSeq'].flatMap((header) => headerLines(text, header));
    world.appAsks(app, `${method} sip:bob@10.0.0.1`, { headers: repeated });
    const branch = /;branch=([^;\r]+)/.exec(world.lastSent(`${method} `))?.[1] ?? '';
    world.frames.length = 0;
    world.receive(bob, text.replace(/branch=[^;\s]+/, `branch=${branch}`));
    expect(world.frames.length > 0 ? 'answered' : 'discarded').toBe(verdict);
    expect(world.stack.counts().clientTransactions).toBe(1);
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
    for (const name of ['mcl01', 'mismatch01', 'insuf']) expect(heard(textOf(context, name))).toBe('400');
    expect(heard(changed((text) => text.replace(/To: .*\r\n/, '')))).toBe('400');
  });

  test('CC-195 SIP/7.0 gets 505, a scheme nobody knows 416, an unknown method 501, a To tag nobody gave 481', (context) => {
    const names = ['badvers', 'unkscm', 'novelsc', 'mismatch02', 'wsinv'];
    expect(names.map((name) => heard(textOf(context, name)))).toEqual(['505', '416', '416', '501', '481']);
  });

  test('CC-196 folded headers and compact forms are read: the INVITE of wsinv is taken apart to its To tag', (context) => {
    const court = new Court('free');
    court.hears(textOf(context, 'wsinv'), 'udp');
    const answer = court.world.sent[0]?.text ?? '';
    expect(answer).toContain('\r\nCSeq: 0009 INVITE\r\n');
    expect(answer.match(/\r\nVia: /g)).toHaveLength(2);
    expect(answer).toContain('Via: SIP/2.0/UDP 192.0.2.2;branch=390skdjuw;received=10.0.0.1;rport=5060\r\n');
  });

  test('CC-197 an unterminated quote in To or From gets 400', (context) => {
    expect(heard(textOf(context, 'quotbal'))).toBe('400');
    for (const name of ['From', 'To']) {
      expect(heard(changed((text) => text.replace(`${name}: `, `${name}: "Alice `)))).toBe('400');
    }
  });

  test('CC-198 octets behind Content-Length in a datagram are ignored', (context) => {
    const court = new Court('free');
    expect(court.hears(textOf(context, 'dblreq'), 'udp')).toBe('app 405');
    const events = court.world.frames.map(({ payload }) => payload).filter((payload) => payload.includes('|network|'));
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
