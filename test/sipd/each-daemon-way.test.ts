/** Every switch alone, side by side with none: what the same exchange comes to. */
import { expect, test } from 'vitest';
import { FrameReader } from '../../src/sipd/control/frame.ts';
import { RingReader } from '../../src/sipd/control/ring.ts';
import { type DaemonWay, daemonWays } from '../../src/sipd/daemon-ways.ts';
import {
  called,
  calling,
  count,
  incoming,
  last,
  open,
  outgoing,
  outgoingLines,
  refreshedByUs,
  register,
  talking,
  timed,
  type Ways,
} from './daemon-scenes.ts';
import { headerLines, headerOf, toTagOf } from './stack-world.ts';

type Show = {
  readonly play: (ways: Ways) => string | number | readonly string[];
  readonly without: string | number | readonly string[];
  readonly with: string | number | readonly string[];
};

const shows: Readonly<Record<DaemonWay, Show>> = {
  'control-ring': {
    // The control port chooses its reader so (sipd.integration.test.ts shows it with sockets).
    play: (ways) => {
      const reader = ways.includes('control-ring') ? new RingReader() : new FrameReader(2_097_152);
      return reader.push(`13000#${'x'.repeat(13_000)}`).broken ?? 'whole';
    },
    without: 'whole',
    with: 'ring buffer overrun',
  },
  'line-limit': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'MESSAGE', { body: `${'x'.repeat(8_193)}\n` });
      return last(world);
    },
    without: '0 sipd -> app1 : event MESSAGE',
    with: '0 sipd -> alice : 400 MESSAGE',
  },
  'few-checks': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.receive(alice, world.request(alice, 'OPTIONS', { more: ['Content-Length: 0'] }));
      return last(world);
    },
    without: '0 sipd -> alice : 400 OPTIONS',
    with: '0 sipd -> app1 : event OPTIONS',
  },
  'compact-names': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'OPTIONS', { more: ['o: conference'] });
      return headerLines(world.lastEvent(1).text, 'o').concat(headerLines(world.lastEvent(1).text, 'Event'));
    },
    without: ['Event: conference'],
    with: ['o: conference'],
  },
  'drops-refer': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.say(1, 'route|refer');
      world.asks(alice, 'REFER');
      return last(world);
    },
    without: '0 sipd -> app1 : event REFER',
    with: '0 alice -> sipd : REFER',
  },
  'drops-unknown-methods': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'WHATEVER');
      return last(world);
    },
    without: '0 sipd -> alice : 501 WHATEVER',
    with: '0 alice -> sipd : WHATEVER',
  },
  'unwanted-503': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'PUBLISH');
      return last(world);
    },
    without: '0 sipd -> alice : 405 PUBLISH',
    with: '0 sipd -> alice : 503 PUBLISH',
  },
  'trying-at-once': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE');
      return count(world, '100 INVITE');
    },
    without: 0,
    with: 1,
  },
  'answers-to-source': {
    play: (ways) => {
      const { world, alice } = open(ways, { port: 40_000 });
      world.receive(alice, world.request(alice, 'BYE').replace('10.0.0.1:40000;branch', '10.0.0.1:5062;branch'));
      return last(world);
    },
    without: '0 sipd -> udp/10.0.0.1:5062 : 481 BYE',
    with: '0 sipd -> alice : 481 BYE',
  },
  'stays-on-udp': {
    play: (ways) => {
      const { world } = open(ways);
      const headers = ['Content-Type: text/plain'];
      world.appAsks(1, 'MESSAGE sip:bob@10.0.0.7', { headers, body: 'x'.repeat(1_300) });
      return last(world);
    },
    without: '0 sipd -> tcp/10.0.0.7:5060 : MESSAGE',
    with: '0 sipd -> udp/10.0.0.7:5060 : MESSAGE',
  },
  'slow-retransmission': {
    play: (ways) => {
      const { world } = calling(ways);
      world.ladder.length = 0;
      world.pass(1_000);
      return world.ladder[0] ?? 'nothing';
    },
    without: '500 sipd -> alice : INVITE',
    with: '1000 sipd -> alice : INVITE',
  },
  'loses-final-after-18x': {
    play: (ways) => {
      const { world, says } = talking(ways);
      world.appAsks(1, 'INVITE sip:placeholder', { dialogId: outgoing });
      says('180 Ringing');
      says('200 OK');
      return last(world);
    },
    without: `0 sipd -> app1 : event 200 INVITE in ${outgoing}`,
    with: '0 alice -> sipd : 200 INVITE',
  },
  'keeps-first-contact': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.asks(alice, 'INVITE', { toTag, cseq: 2, contact: 'sip:alice@10.0.0.7' });
      world.appAnswers(1, '200 OK');
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: incoming });
      return world.lastSent('INFO').split(' ')[1] ?? '';
    },
    without: 'sip:alice@10.0.0.7',
    with: 'sip:alice@10.0.0.1:5060',
  },
  'forgets-contact': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.asks(alice, 'INVITE', { toTag, cseq: 2 });
      world.appAnswers(1, '200 OK');
      return headerOf(world.lastSent('SIP/2.0 200'), 'Contact');
    },
    without: '<sip:c@10.0.0.9:5060>',
    with: '<sip:10.0.0.9:5060>',
  },
  'single-200-in-dialog': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.asks(alice, 'INVITE', { toTag, cseq: 2 });
      world.appAnswers(1, '200 OK');
      world.pass(3_500);
      const ours = count(world, '-> alice : 200 INVITE');
      const peers = talking(ways);
      peers.world.appAsks(1, 'INVITE sip:placeholder', { dialogId: outgoing });
      peers.says('200 OK');
      peers.world.appAsks(1, 'ACK sip:placeholder', { dialogId: outgoing });
      peers.says('200 OK');
      return [`${ours} of our 200`, `${count(peers.world, '-> alice : ACK')} ACKs`];
    },
    without: ['4 of our 200', '2 ACKs'],
    with: ['1 of our 200', '1 ACKs'],
  },
  'ignores-forks': {
    play: (ways) => {
      const { world, says } = talking(ways);
      says('200 OK', 'other');
      return world.ladder.slice(1);
    },
    without: ['0 sipd -> alice : ACK', '0 sipd -> alice : BYE'],
    with: ['0 sipd -> alice : ACK'],
  },
  'nat-by-any-difference': {
    play: (ways) => {
      const { world } = called(ways, [], 'sip:alice@203.0.113.5');
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: incoming });
      return last(world);
    },
    without: '0 sipd -> udp/203.0.113.5:5060 : INFO',
    with: '0 sipd -> alice : INFO',
  },
  'connections-by-user': {
    play: (ways) => {
      const { world } = called(ways);
      const phone = world.peer('phone', { host: '10.0.0.1', protocol: 'tcp', port: 41_000, connection: 7 });
      register({ world, alice: phone }, '60');
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: incoming });
      return last(world);
    },
    without: '0 sipd -> alice : INFO',
    with: '0 sipd -> phone : INFO',
  },
  'any-cseq': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      for (const cseq of [9, 8]) world.asks(alice, 'INFO', { toTag, cseq });
      return last(world);
    },
    without: '0 sipd -> alice : 500 INFO',
    with: `0 sipd -> app1 : event INFO in ${incoming}`,
  },
  'late-merge': {
    play: (ways) => {
      const { world, alice } = open(ways);
      for (const branch of ['z9hG4bK-a', 'z9hG4bK-b']) world.asks(alice, 'OPTIONS', { branch });
      return last(world);
    },
    without: '0 sipd -> alice : 482 OPTIONS',
    with: '0 sipd -> app1 : event OPTIONS',
  },
  'ends-with-500': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.asks(alice, 'INFO', { toTag, cseq: 2 });
      world.asks(alice, 'BYE', { toTag, cseq: 3 });
      return last(world);
    },
    without: '0 sipd -> alice : 487 INFO',
    with: '0 sipd -> alice : 500 INFO',
  },
  'overlapping-invites': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      for (const cseq of [2, 3]) world.asks(alice, 'INVITE', { toTag, cseq });
      return last(world);
    },
    without: '0 sipd -> alice : 500 INVITE',
    with: `0 sipd -> app1 : event INVITE in ${incoming}`,
  },
  'before-rfc-4320': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'OPTIONS');
      world.appAnswers(1, '180 Ringing');
      const refused = last(world);
      world.pass(4_000);
      return [refused, last(world)];
    },
    without: ['0 sipd -> app1 : NOK only an INVITE has provisional responses', '3500 sipd -> alice : 100 OPTIONS'],
    with: ['0 sipd -> app1 : OK', '0 sipd -> app1 : OK'],
  },
  'raises-short-sessions': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE', { more: timed(60) });
      return last(world);
    },
    without: '0 sipd -> alice : 422 INVITE',
    with: '0 sipd -> app1 : event INVITE',
  },
  'bare-session-expires': {
    play: (ways) => {
      const { world } = called(ways, timed(600));
      return headerLines(world.lastSent('SIP/2.0 200'), 'Require');
    },
    without: ['Require: timer'],
    with: [],
  },
  'session-to-the-end': {
    play: (ways) => {
      const { world } = called(ways, timed(600));
      world.pass(600_000);
      return world.ladder[0] ?? 'nothing';
    },
    without: `568000 sipd -> app1 : event BYE in ${incoming} unsolicited`,
    with: `600000 sipd -> app1 : event BYE in ${incoming} unsolicited`,
  },
  'refreshes-by-invite': {
    play: (ways) => {
      const { world } = called(ways, refreshedByUs);
      world.pass(300_000);
      return last(world);
    },
    without: '300000 sipd -> alice : UPDATE',
    with: '300000 sipd -> alice : INVITE',
  },
  'ends-unrefreshed': {
    play: (ways) => {
      const { world, alice } = called(ways, refreshedByUs);
      world.pass(300_000);
      world.answers(alice, world.lastSent('UPDATE'), '488 Not Acceptable Here');
      return last(world);
    },
    without: '300000 alice -> sipd : 488 UPDATE',
    with: '300000 sipd -> alice : BYE',
  },
  'closed-is-gone': {
    play: (ways) => {
      const { world, alice } = open(ways, { protocol: 'tcp' });
      world.appAsks(1, 'OPTIONS sip:alice@10.0.0.1;transport=tcp');
      world.input({ kind: 'connection-closed', peer: { ...alice.at, connection: 5 } });
      return last(world);
    },
    without: '0 sipd -> app1 : event 503 OPTIONS',
    with: '0 sipd -> app1 : event 410 OPTIONS',
  },
  'deserted-requests': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE');
      world.input({ kind: 'session-closed', session: 1 });
      return last(world);
    },
    without: '0 sipd -> alice : 503 INVITE',
    with: '0 sipd -> app1 : event INVITE',
  },
  'orphans-stay': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.input({ kind: 'session-closed', session: 1 });
      world.asks(alice, 'INFO', { toTag, cseq: 2 });
      world.pass(300_000);
      return outgoingLines(world);
    },
    without: ['0 sipd -> alice : 503 INFO', '300000 sipd -> alice : BYE'],
    with: ['0 sipd -> alice : 481 INFO'],
  },
  'late-cancel-481': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE', { branch: 'z9hG4bK-late' });
      world.appAnswers(1, '200 OK');
      world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-late' });
      return last(world);
    },
    without: '0 sipd -> alice : 200 CANCEL',
    with: '0 sipd -> alice : 481 CANCEL',
  },
  'single-487': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE', { branch: 'z9hG4bK-cancelled' });
      world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-cancelled' });
      world.pass(1_500);
      return count(world, '487 INVITE');
    },
    without: 3,
    with: 1,
  },
  'refuses-early-notify': {
    play: (ways) => {
      const { world, alice } = open(ways);
      const headers = ['From: <sip:c@localhost>;tag=ours', 'Call-ID: chosen', 'Event: conference'];
      world.appAsks(1, 'SUBSCRIBE sip:alice@10.0.0.1', { headers });
      world.asks(alice, 'NOTIFY', { callId: 'chosen', toTag: 'ours', more: ['Event: conference'] });
      return last(world);
    },
    without: `0 sipd -> app1 : event NOTIFY in ${outgoing}`,
    with: '0 sipd -> alice : 500 NOTIFY',
  },
  'keeps-dead-subscriptions': {
    play: (ways) => {
      const { world, alice } = open(ways);
      for (const callId of ['refused', 'silent']) {
        world.asks(alice, 'SUBSCRIBE', { callId, more: ['Event: conference'] });
        world.appAnswers(1, '200 OK');
        const headers = ['Event: conference', 'Subscription-State: active'];
        world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: `${callId};from-tag=alice`, headers });
        if (callId === 'refused') world.answers(alice, world.lastSent('NOTIFY'), '481 Gone');
        else world.pass(32_000);
      }
      return world.stack.counts().dialogs;
    },
    without: 0,
    with: 2,
  },
  'bye-before-ack': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'INVITE');
      world.appAnswers(1, '200 OK');
      world.appAsks(1, 'BYE sip:placeholder', { dialogId: incoming });
      const before = last(world);
      world.asks(alice, 'ACK', { toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
      return [before, world.ladder.find((line) => line.includes('alice : BYE')) ?? 'no BYE'];
    },
    without: ['0 sipd -> app1 : OK', '0 sipd -> alice : BYE'],
    with: ['0 sipd -> alice : BYE', '0 sipd -> alice : BYE'],
  },
  'bye-ends-all': {
    play: (ways) => {
      const { world, alice, toTag } = called(ways);
      world.asks(alice, 'SUBSCRIBE', { toTag, cseq: 2, more: ['Event: conference'] });
      world.appAnswers(1, '200 OK');
      world.asks(alice, 'BYE', { toTag, cseq: 3 });
      return world.stack.counts().dialogs;
    },
    without: 1,
    with: 0,
  },
  'believes-applications': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.asks(alice, 'OPTIONS');
      world.appAnswers(1, '200 OK', ['Call-ID: foreign']);
      return headerOf(world.lastSent('SIP/2.0 200'), 'Call-ID');
    },
    without: 'call-alice',
    with: 'foreign',
  },
  'ignores-final-timeout': {
    play: (ways) => {
      const { world, alice } = open(ways);
      const bob = world.peer('bob');
      world.asks(alice, 'INVITE');
      const { transactionId } = world.lastEvent(1);
      const head = 'INVITE sip:bob@10.0.0.2 SIP/2.0\r\n\r\n';
      world.say(1, `proxy|${transactionId}||||serial||5s|sip:bob@10.0.0.2`, head);
      world.answers(bob, world.lastSent('INVITE sip:bob'), '180 Ringing');
      world.pass(5_000);
      return last(world);
    },
    without: '5000 sipd -> bob : CANCEL',
    with: '0 sipd -> alice : 180 INVITE',
  },
  'counts-routes-twice': {
    play: (ways) => {
      const { world, alice } = open(ways);
      world.say(1, 'route|options');
      world.application(2, 'options');
      for (let round = 0; round < 6; round += 1) world.asks(alice, 'OPTIONS', { callId: `c${round}` });
      const first = world.frames.filter(({ session }) => session === 1).length;
      world.say(1, 'remove_route|invite');
      world.asks(alice, 'MESSAGE', { callId: 'm' });
      return [`${first} of 6`, last(world).split(' : ')[1] ?? ''];
    },
    without: ['3 of 6', 'event MESSAGE'],
    with: ['4 of 6', '405 MESSAGE'],
  },
};

test('no switch is without its test', () => {
  expect(Object.keys(shows).sort()).toEqual(Object.keys(daemonWays).sort());
});

for (const [way, show] of Object.entries(shows) as [DaemonWay, Show][]) {
  test(`${way}: ${daemonWays[way]}`, () => {
    expect({ without: show.play([]), with: show.play([way]) }).toEqual({ without: show.without, with: show.with });
  });
}
