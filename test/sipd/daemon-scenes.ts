/** The calls in which the ways of the real server are shown. */
import type { DaemonWay } from '../../src/sipd/daemon-ways.ts';
import { StackWorld, toTagOf, type WorldPeer } from './stack-world.ts';

export type Ways = readonly DaemonWay[];

export const incoming = 'call-alice;from-tag=alice';
export const outgoing = 'chosen;from-tag=ours';
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\n';
const verbs = ['invite', 'bye', 'subscribe', 'notify', 'message', 'options', 'info', 'update', 'register'];

export type Scene = { readonly world: StackWorld; readonly alice: WorldPeer };

export function open(ways: Ways, at: Partial<WorldPeer['at']> = {}): Scene {
  const world = new StackWorld(ways);
  const alice = world.peer('alice', at);
  world.application(1, ...verbs);
  return { world, alice };
}

/** Alice has called, the application accepted, the ACK has come. */
export function called(ways: Ways, more: readonly string[] = [], contact = 'sip:alice@10.0.0.1:5060') {
  const { world, alice } = open(ways);
  world.asks(alice, 'INVITE', { more, contact });
  world.say(
    1,
    `sip|${world.lastEvent(1).transactionId}|`,
    `SIP/2.0 200 OK\r\nContact: <sip:c@localhost>\r\n\r\n${sdp}`,
  );
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  world.ladder.length = 0;
  return { world, alice, toTag };
}

/** The application calls alice. */
export function calling(
  ways: Ways,
  uri = 'sip:alice@10.0.0.1',
): Scene & { readonly says: (status: string, toTag?: string) => void } {
  const { world, alice } = open(ways);
  world.appAsks(1, `INVITE ${uri}`, { headers: ['From: <sip:c@localhost>;tag=ours', 'Call-ID: chosen'] });
  const says = (status: string, toTag = 'alice'): void =>
    world.answers(alice, world.lastSent('INVITE'), { status, toTag });
  return { world, alice, says };
}

/** The same, accepted and acknowledged. */
export function talking(ways: Ways) {
  const scene = calling(ways);
  scene.says('200 OK');
  scene.world.appAsks(1, 'ACK sip:placeholder', { dialogId: outgoing });
  scene.world.ladder.length = 0;
  return scene;
}

export function last(world: StackWorld): string {
  return world.ladder.at(-1) ?? 'nothing';
}

export function count(world: StackWorld, part: string): number {
  return world.ladder.filter((line) => line.includes(part)).length;
}

/** What goes out, in order. */
export function outgoingLines(world: StackWorld): readonly string[] {
  return world.ladder.filter((line) => line.includes('sipd -> alice'));
}

export function register(scene: Scene, expires: string): void {
  scene.world.asks(scene.alice, 'REGISTER', { callId: 'reg', contact: 'sip:alice@10.0.0.1' });
  scene.world.appAnswers(1, '200 OK', [`Expires: ${expires}`]);
}

export const timed = (seconds: number): string[] => [
  'Supported: timer',
  'Allow: UPDATE',
  `Session-Expires: ${seconds};refresher=uac`,
];
export const refreshedByUs = ['Supported: timer', 'Allow: UPDATE', 'Session-Expires: 600;refresher=uas'];
