/** sipd with an application and peers on loopback, closed together. */
import type { SipdMode } from '../../src/sipd/daemon-ways.ts';
import { type Sipd, type SipdOptions, startSipd } from '../../src/sipd/sipd.ts';
import { authorityFile, certificateFiles } from '../support/certificates.ts';
import type { AnyTransport } from '../support/sip-socket.ts';
import { type Application, connectApplication } from './application.ts';
import { Peer } from './peer.ts';

export class Stage {
  readonly sipd: Sipd;
  readonly #peers: Peer[] = [];
  readonly #applications: Application[] = [];

  private constructor(sipd: Sipd) {
    this.sipd = sipd;
  }

  static async open(mode: SipdMode, options: Partial<SipdOptions> = {}): Promise<Stage> {
    const silent = (): void => undefined;
    const sipd = await startSipd({
      host: '127.0.0.1',
      port: 0,
      control: { host: '127.0.0.1', port: 0, secret: 'cymru' },
      mode,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      ...options,
    });
    return new Stage(sipd);
  }

  get port(): number {
    const [address] = this.sipd.addresses;
    if (address === undefined) throw new Error('sipd has no address');
    return address.port;
  }

  async application(): Promise<Application> {
    const application = await connectApplication(this.sipd.controlPort);
    this.#applications.push(application);
    return application;
  }

  /** The application goes, with its connection. */
  leave(application: Application): void {
    this.#applications.splice(this.#applications.indexOf(application), 1);
    application.disconnect();
  }

  /** The port of a transport, on the first address that has it. */
  portOf(transport: AnyTransport): number {
    const address = this.sipd.addresses.find(({ protocol }) => protocol === transport);
    if (address === undefined) throw new Error(`sipd does not listen for ${transport}`);
    return address.port;
  }

  /** A peer beside sipd, on one of the addresses it listens on. */
  async peer(name: string, transport: AnyTransport, host = '127.0.0.1'): Promise<Peer> {
    const peer = await Peer.open(name, transport, { host, port: this.portOf(transport) });
    this.#peers.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    for (const application of this.#applications) application.disconnect();
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await this.sipd.close();
  }
}

/** What sipd needs to listen on every transport, and to trust the peers of these tests. */
export const everyTransport = {
  tlsPort: 0,
  wsPort: 0,
  wssPort: 0,
  certificate: certificateFiles('server'),
  tls: { caFiles: [authorityFile] },
} as const satisfies Partial<SipdOptions>;

/** Runs `play` on a stage and closes it, whatever happens. */
export async function onStage(
  mode: SipdMode,
  play: (stage: Stage) => Promise<void>,
  options: Partial<SipdOptions> = {},
): Promise<void> {
  const stage = await Stage.open(mode, options);
  try {
    await play(stage);
  } finally {
    await stage.close();
  }
}
