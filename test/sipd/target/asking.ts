import type { Answer } from '../../../src/sipd/target/questions.ts';
import { StackWorld } from '../stack-world.ts';

export const dialogId = 'chosen;from-tag=ours';
export const headers = ['From: <sip:conf@localhost>;tag=ours', 'Call-ID: chosen'];

/** An answer to a question about an IPv4 host. */
export function a(...addresses: readonly string[]): Answer {
  return { kind: 'a', addresses };
}

/** Phones at 10.0.0.1, 10.0.0.2 … that share one name; an application that has asked for them by that name. */
export function asking(method: string, names: readonly string[], uri = 'sip:bob@example.com:5060') {
  const world = new StackWorld('free');
  const [first, second, third] = ['one', 'two', 'three'].map((name) => world.peer(name));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three peers');
  world.application(1);
  world.appAsks(1, `${method} ${uri}`, { headers });
  if (names.length > 0) world.finds(a(...names));
  const transactionId = world.lastReply(1).tokens[7] ?? '';
  return { world, one: first, two: second, three: third, transactionId };
}
