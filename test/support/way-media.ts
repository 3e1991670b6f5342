import { createHash, X509Certificate } from 'node:crypto';
import { crlf } from './bodies.ts';
import type { Media } from './media.ts';
import { type MsrpClient, openMsrpClient } from './msrp-client.ts';
import type { KeyPair } from './msrp-transport.ts';
import { within } from './wait.ts';

/** How a user agent has its messages come: over TCP or TLS, connecting or connected to, or over WebSocket as browsers do. */
export type Way = {
  readonly transport: 'tcp' | 'ws';
  /** With it, TLS; its fingerprint is told. */
  readonly tls: KeyPair | null;
  readonly listen: boolean;
};

/** Media of one session over one way. It offers only. */
export class WayMedia implements Media {
  readonly client: MsrpClient;
  /** What the focus answered. */
  remote = '';
  readonly #way: Way;
  #ready: Promise<void> = Promise.reject(new Error('nothing is agreed'));

  private constructor(client: MsrpClient, way: Way) {
    this.client = client;
    this.#way = way;
    this.#ready.catch(() => undefined);
  }

  static async open(way: Way): Promise<WayMedia> {
    return new WayMedia(
      await openMsrpClient({ listen: way.listen, ...(way.tls === null ? {} : { tls: way.tls }) }),
      way,
    );
  }

  offer(): string {
    const { transport, tls, listen } = this.#way;
    const path = this.client.path.replace(/;tcp$/, `;${transport}`);
    const fingerprint = tls === null || transport === 'ws' ? [] : [`a=fingerprint:sha-256 ${fingerprintOf(tls)}`];
    return crlf(
      'v=0',
      'o=dave 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=message ${/:(\d+)\//.exec(path)?.[1]} ${tls === null ? 'TCP/MSRP' : 'TCP/TLS/MSRP'} *`,
      'a=accept-types:message/cpim',
      'a=accept-wrapped-types:text/plain',
      `a=setup:${listen ? 'passive' : 'active'}`,
      `a=path:${path}`,
      ...fingerprint,
    );
  }

  answer(): string {
    throw new Error('this media offers only');
  }

  begin(remote: string): void {
    this.remote = remote;
    const path = /^a=path:(.*)$/m.exec(remote)?.[1]?.trim() ?? '';
    this.#ready = this.#way.listen ? this.client.waitForConnection() : this.client.connect(path);
    this.#ready.catch(() => undefined);
  }

  /** Once it is connected. */
  async session(): Promise<MsrpClient> {
    await within('the message session', this.#ready);
    return this.client;
  }
}

/** Of a certificate, as a=fingerprint has it. */
function fingerprintOf({ cert }: KeyPair): string {
  const octets = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex').toUpperCase();
  return octets.replace(/..(?=.)/g, '$&:');
}
