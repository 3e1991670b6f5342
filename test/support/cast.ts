import type { Media } from './media.ts';
import type { Address, Transport } from './sip-socket.ts';
import { UserAgent } from './user-agent.ts';
import { WireLog } from './wire-log.ts';

export type CastOptions = {
  readonly transport: Transport;
  readonly outbound?: Address;
  /** Makes each one's media; without it descriptions only. */
  readonly media?: (name: string) => Media;
};

/** The people of a story, sharing one log; closed together. */
export type Cast = {
  readonly alice: UserAgent;
  readonly bob: UserAgent;
  readonly ted: UserAgent;
  readonly log: WireLog;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export async function openCast({ media, ...options }: CastOptions): Promise<Cast> {
  const log = new WireLog();
  const open = (name: string, aor?: string): Promise<UserAgent> =>
    UserAgent.open({ name, log, ...options, ...(aor ? { aor } : {}), ...(media ? { media: media(name) } : {}) });
  const [alice, bob, ted] = await Promise.all([
    open('alice', 'sip:alice@atlanta.example.com'),
    open('bob'),
    open('ted'),
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([alice.close(), bob.close(), ted.close()]);
  };
  return { alice, bob, ted, log, [Symbol.asyncDispose]: close };
}
