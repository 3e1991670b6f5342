import { msrpSdp } from './bodies.ts';
import type { Media } from './media.ts';
import { type MsrpClient, openMsrpClient } from './msrp-client.ts';
import { waitFor, within } from './wait.ts';

/** How many sessions one user agent of a story can have in either role. */
const sessionsMax = 3;

/** One MSRP session of a user agent, as its peer agreed to it. */
export type ChatSession = {
  readonly client: MsrpClient;
  /** Settles when the connection is made and bound to the session. */
  readonly ready: Promise<void>;
};

/**
 * Media over real MSRP connections. As offerer a user agent listens and lets the other side choose (RFC 6135 4.2.1:
 * actpass); as answerer it connects.
 */
export class ChatMedia implements Media {
  readonly sessions: ChatSession[] = [];
  readonly #user: string;
  readonly #listening: MsrpClient[];
  readonly #connecting: MsrpClient[];
  readonly #all: readonly MsrpClient[];
  readonly #offered: MsrpClient[] = [];
  readonly #answered: MsrpClient[] = [];

  private constructor(user: string, listening: readonly MsrpClient[], connecting: readonly MsrpClient[]) {
    this.#user = user;
    this.#listening = [...listening];
    this.#connecting = [...connecting];
    this.#all = [...listening, ...connecting];
  }

  static async open(user: string): Promise<ChatMedia> {
    const several = (listen: boolean): Promise<MsrpClient[]> =>
      Promise.all(Array.from({ length: sessionsMax }, () => openMsrpClient({ listen })));
    return new ChatMedia(user, await several(true), await several(false));
  }

  offer(): string {
    return this.#describe(this.#listening, this.#offered);
  }

  answer(_offer: string): string {
    return this.#describe(this.#connecting, this.#answered);
  }

  begin(remote: string, role: 'offerer' | 'answerer'): void {
    const client = (role === 'offerer' ? this.#offered : this.#answered).shift();
    if (!client) throw new Error(`${this.#user} has no session to begin`);
    const [, path = ''] = /^a=path:(.*)$/m.exec(remote) ?? [];
    const peerConnects = role === 'offerer' && /^a=setup:active/m.test(remote);
    const ready = peerConnects ? client.waitForConnection() : client.connect(path.trim());
    // Awaited by whoever uses the session; a failure nobody awaits is no unhandled rejection.
    ready.catch(() => undefined);
    this.sessions.push({ client, ready });
  }

  /** The n-th session, from 0, once it is connected. */
  async session(n: number): Promise<MsrpClient> {
    const { client, ready } = await waitFor(`${this.#user}'s MSRP session ${n}`, () => this.sessions[n]);
    await within(`${this.#user}'s MSRP connection`, ready);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.close()));
  }

  #describe(free: MsrpClient[], used: MsrpClient[]): string {
    const client = free.shift();
    if (!client) throw new Error(`${this.#user} has no MSRP session left`);
    used.push(client);
    const port = Number(/:(\d+)\//.exec(client.path)?.[1] ?? 0);
    const setup = free === this.#listening ? 'actpass' : 'active';
    return msrpSdp({ user: this.#user, path: client.path, port, setup });
  }
}
