/** Rooms in which a crowd chats: conferences of ours, and what the anchor has in their place. */

import { msrpSdp } from '../support/bodies.ts';
import type { Media } from '../support/media.ts';
import { UserAgent } from '../support/user-agent.ts';
import type { Chatters } from './chatters.ts';
import type { Place } from './chatting.ts';
import type { MeasuredService } from './measured-service.ts';
import type { Opened } from './opened.ts';

export type ChatRoom = {
  readonly name: string;
  /** Without who speaks. */
  readonly receivers: number;
};

/** A conference of so many receivers and one who speaks, whose signalling is ours to make and whose chat is the crowd's. */
export async function openChatRoom(
  opened: Opened,
  {
    service,
    chatters,
    room,
    policy = {},
  }: RoomOptions & { readonly service: MeasuredService; readonly policy?: object },
): Promise<ChatRoom> {
  const { name, receivers } = room;
  const rules = { end: 'idle', idle_seconds: 600, join: 'anyone', ...policy };
  const { uri } = await service.post<{ uri: string }>('/conferences', { policy: rules, participants: [] });
  const names = Array.from({ length: receivers + 1 }, (_, member) => `${name}-${member}`);
  await chatters.enter({ room: name, to: uri, ...(await joined(opened, uri, names)) });
  return room;
}

/** Has all these dial in, without making the connections that they promise; `from` is the first of them. */
export async function joined(
  opened: Opened,
  uri: string,
  names: readonly string[],
): Promise<{ readonly places: readonly Place[]; readonly from: string }> {
  const places: Place[] = [];
  const agents: UserAgent[] = [];
  for (const name of names) {
    const media = mediaOf(name, (place) => places.push(place));
    const agent = await UserAgent.open({ name, transport: 'udp', media });
    opened.keep({ close: async () => await agent.close() });
    await agent.call(uri);
    agents.push(agent);
  }
  return { places, from: agents[0]?.aor ?? '' };
}

type RoomOptions = { readonly chatters: Chatters; readonly room: ChatRoom };

/** The same at the anchor, which knows a room by its name. */
export async function openBareRoom(port: number, { chatters, room }: RoomOptions): Promise<ChatRoom> {
  const { name, receivers } = room;
  const places = Array.from({ length: receivers + 1 }, (_, member) => ({
    own: ownPath(`${name}-${member}`),
    peer: `msrp://127.0.0.1:${port}/${name}-${member}x0123456789abcdef;tcp`,
  }));
  await chatters.enter({ room: name, places, from: 'sip:speaker@127.0.0.1', to: 'sip:room@127.0.0.1' });
  return room;
}

/** Whoever has this medium connects, as soon as it is told where. */
function mediaOf(user: string, onPlace: (place: Place) => void): Media {
  const own = ownPath(user);
  const description = msrpSdp({ user, path: own, port: 9, setup: 'active' });
  return {
    offer: () => description,
    answer: () => description,
    begin: (remote) => onPlace({ own, peer: /^a=path:(.*)$/m.exec(remote)?.[1]?.trim() ?? '' }),
  };
}

function ownPath(user: string): string {
  return `msrp://127.0.0.1:9/${user}x0123456789abcdef;tcp`;
}
