/** Lists whose invitees refuse in words, in a world of the core alone. */
import type { SipInvite } from '../../src/core/effect.ts';
import { recipients } from './fixtures.ts';
import { World } from './world.ts';

/** A conference that Alice has made with a list. */
export function inviting(list: readonly string[], settings: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(settings);
  world.factoryInvite(list);
  world.ladder.take();
  return world;
}

/** What a refusal says besides its status. */
export type Said = { minSe?: number; reasonHeader?: string; members?: readonly string[] };

/** A refusal that says more than its status. */
export function refuses(world: World, name: string, answer: [status: number, said: Said]): void {
  const [status, { minSe = null, reasonHeader = null, members }] = answer;
  const behind = members === undefined ? null : recipients(members, world.settings.lenient);
  const more = `${minSe === null ? '' : ` Min-SE: ${minSe}`}${behind === null ? '' : ` members: ${behind.length}`}`;
  world.ladder.add(name, 'focus', `${status} INVITE${more}`);
  const cause = { status, reason: `Reason ${status}` };
  const endpointId = world.endpointOf(name);
  world.happens({ type: 'endpoint-failed', endpointId, cause, unsupported: [], reasonHeader, minSe, members: behind });
}

/** All INVITEs of the focus so far. */
export const invitesIn = (world: World): readonly SipInvite[] =>
  world.effects.filter((effect): effect is SipInvite => effect.type === 'sip.invite');
