import { msrpSdp } from './bodies.ts';
import type { Media } from './media.ts';
import type { MsrpClient } from './msrp-client.ts';
import { waitFor, within } from './wait.ts';

/**
 * Media of a user agent whose one MSRP session goes through a relay at which its client has authorized. `active`: the
 * relay is to connect to the other side; `passive`: the other side, to the relay.
 */
export class RelayedMedia implements Media {
  readonly #user: string;
  readonly #client: MsrpClient;
  readonly #setup: 'active' | 'passive';
  #ready: Promise<unknown> | undefined;

  constructor(user: string, client: MsrpClient, setup: 'active' | 'passive') {
    this.#user = user;
    this.#client = client;
    this.#setup = setup;
  }

  offer(): string {
    return this.answer();
  }

  answer(): string {
    const path = this.#client.wholePath;
    // RFC 4975 8.1: the port is that of the URI to connect to.
    const port = Number(/:(\d+)\//.exec(path)?.[1] ?? 0);
    return msrpSdp({ user: this.#user, path, port, setup: this.#setup });
  }

  begin(remote: string): void {
    const [, path = ''] = /^a=path:(.*)$/m.exec(remote) ?? [];
    const isDialled = this.#setup === 'passive';
    this.#ready = isDialled ? this.#client.waitForConnection() : this.#client.reach(path.trim());
    // Awaited by whoever uses the session; a failure nobody awaits is no unhandled rejection.
    this.#ready.catch(() => undefined);
  }

  /** The client, once its session is bound. */
  async session(): Promise<MsrpClient> {
    const begun = await waitFor(`${this.#user}'s session`, () => this.#ready && { ready: this.#ready });
    await within(`${this.#user}'s way through the relay`, begun.ready);
    return this.#client;
  }
}
