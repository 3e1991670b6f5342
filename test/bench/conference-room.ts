/** A conference of ours that is watched: made over REST, its members at real MSRP sessions. */

import { msrpSdp } from '../support/bodies.ts';
import type { Call } from '../support/call.ts';
import { ChatMedia } from '../support/chat-media.ts';
import type { Media } from '../support/media.ts';
import { UserAgent } from '../support/user-agent.ts';
import type { MeasuredService } from './measured-service.ts';
import { Opened } from './opened.ts';
import { type Room, userCount } from './watched-room.ts';
import type { Watchers } from './watchers.ts';

/** Makes a conference of so many members, whom anybody may watch. */
export async function openConferenceRoom(service: MeasuredService, members: number): Promise<Room> {
  const { id, uri } = await makeConference(service);
  const opened = new Opened();
  const agents: UserAgent[] = [];
  for (let member = 0; member < members; member += 1) agents.push(await openMember(opened, `member${member}`, uri));
  const visitor = await openVisitor(opened);
  let visit: Call | null = null;
  return {
    uri,
    port: service.port,
    subscribers: (count) => Array.from({ length: count }, (_, index) => subscriber(agents, index)),
    next: () => {
      const left = visit;
      if (left === null) {
        return { shows: userCount(members + 1), make: async () => (visit = await visitor.call(uri)) };
      }
      visit = null;
      return { shows: userCount(members), make: async () => await left.bye() };
    },
    close: async (watchers) => {
      await endConference(service, { id, watchers, agents: [...agents, visitor] });
      await opened[Symbol.asyncDispose]();
    },
  };
}

export type Ending = {
  readonly id: string;
  readonly watchers: Watchers;
  readonly agents: readonly UserAgent[];
};

/** Ends a conference; resolves once its watchers know, and those of the user agents who were in have been hung up on. */
export async function endConference(service: MeasuredService, { id, watchers, agents }: Ending): Promise<void> {
  const standing = agents.flatMap(({ calls }) => calls.filter(({ dialog }) => dialog.state === 'confirmed'));
  const end = async (): Promise<unknown> => await service.post(`/conferences/${id}/end`, {});
  await watchers.see('Subscription-State: terminated', end);
  await Promise.all(standing.map(({ ended }) => ended));
}

export type Invited = { readonly uri: string; readonly role: 'chair' | 'participant' | 'observer' };

/** A conference that anybody may join and watch; gives its id and URI. */
export async function makeConference(
  service: MeasuredService,
  participants: readonly Invited[] = [],
): Promise<{ readonly id: string; readonly uri: string }> {
  const policy = { end: 'idle', idle_seconds: 600, join: 'anyone', subscribe: 'anyone' };
  return await service.post('/conferences', { policy, participants });
}

/** Half of the watchers are devices of members, the others strangers. */
function subscriber(members: readonly UserAgent[], index: number): string {
  const member = index % 2 === 0 ? members[(index / 2) % members.length] : undefined;
  return member?.aor ?? `sip:stranger${index}@127.0.0.1`;
}

/** Somebody who dials in and stays. */
async function openMember(opened: Opened, name: string, uri: string): Promise<UserAgent> {
  const agent = await openChatter(opened, name);
  await agent.call(uri);
  return agent;
}

/** Somebody whose MSRP connection is made, so that nobody is told that it is missing. */
export async function openChatter(opened: Opened, name: string): Promise<UserAgent> {
  const media = await ChatMedia.open(name);
  opened.keep({ close: async () => await media.close() });
  return await openAgent(opened, name, media);
}

/** Somebody who is gone before the connection that was promised is missed. */
export async function openVisitor(opened: Opened): Promise<UserAgent> {
  const offer = msrpSdp({ user: 'visitor', path: 'msrp://127.0.0.1:9/visit;tcp', port: 9, setup: 'active' });
  return await openAgent(opened, 'visitor', { offer: () => offer, answer: () => '', begin: () => undefined });
}

async function openAgent(opened: Opened, name: string, media: Media): Promise<UserAgent> {
  const agent = await UserAgent.open({ name, transport: 'udp', media });
  opened.keep({ close: async () => await agent.close() });
  return agent;
}
