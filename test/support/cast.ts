import { ChatMedia } from './chat-media.ts';
import { type Media, silentMedia } from './media.ts';
import type { Transport } from './sip-socket.ts';
import { UserAgent } from './user-agent.ts';
import { WireLog } from './wire-log.ts';

/** The people of a story, sharing one log; closed together. */
export type Cast = {
  readonly alice: UserAgent;
  readonly bob: UserAgent;
  readonly ted: UserAgent;
  readonly log: WireLog;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A cast that can chat. */
export type ChatCast = Cast & { readonly chats: Readonly<Record<'alice' | 'bob' | 'ted', ChatMedia>> };

/** Alice, who has a name at home, and Bob and Ted, who are called where they are. */
export async function openCast({ transport }: { readonly transport: Transport }): Promise<Cast> {
  return await open(transport, silentMedia);
}

/** The same with real MSRP sessions. */
export async function openChatCast({ transport }: { readonly transport: Transport }): Promise<ChatCast> {
  const [alice, bob, ted] = await Promise.all(['alice', 'bob', 'ted'].map((name) => ChatMedia.open(name)));
  if (!alice || !bob || !ted) throw new Error('three were opened');
  const chats = { alice, bob, ted };
  const cast = await open(transport, (name) => chats[name]);
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(chats).map((chat) => chat.close()));
    await cast[Symbol.asyncDispose]();
  };
  return { ...cast, chats, [Symbol.asyncDispose]: close };
}

async function open(transport: Transport, media: (name: 'alice' | 'bob' | 'ted') => Media): Promise<Cast> {
  const log = new WireLog();
  const [alice, bob, ted] = await Promise.all([
    UserAgent.open({ name: 'alice', aor: 'sip:alice@atlanta.example.com', transport, log, media: media('alice') }),
    UserAgent.open({ name: 'bob', transport, log, media: media('bob') }),
    UserAgent.open({ name: 'ted', transport, log, media: media('ted') }),
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([alice.close(), bob.close(), ted.close()]);
  };
  return { alice, bob, ted, log, [Symbol.asyncDispose]: close };
}
