import { strict as assert } from 'node:assert';
import type { MsrpOpen } from '../../src/core/effect.ts';
import type { World } from './world.ts';

/** Somebody's message session as it was opened last. */
export function sessionOf(world: World, name: string): MsrpOpen {
  const endpointId = world.endpointOf(name);
  const open = world.effects.findLast((effect) => effect.type === 'msrp.open' && effect.endpointId === endpointId);
  assert(open?.type === 'msrp.open', `${name} has no message session`);
  return open;
}

/** Somebody's message session ends; `stalled`: it does not read what it is sent. */
export function losesMessages(world: World, name: string, cause: 'lost' | 'stalled' = 'lost'): void {
  const { conferenceId, endpointId, sessionId } = sessionOf(world, name);
  world.ladder.add(name, 'focus', `message session ${cause}`);
  world.happens({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause, reason: 'The connection closed' });
}
