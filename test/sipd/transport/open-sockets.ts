/** The sockets of sipd by themselves, and a log of all they tell. */
import type { Peer, Protocol } from '../../../src/sipd/input.ts';
import { Admission, type AdmissionOptions } from '../../../src/sipd/transport/admission.ts';
import { Certificate, type CertificateFiles } from '../../../src/sipd/transport/certificate.ts';
import { type Ports, Sockets } from '../../../src/sipd/transport/sockets.ts';
import { authority, certificateFiles } from '../../support/certificates.ts';
import { waitFor } from '../../support/wait.ts';

export type Heard = { readonly from: Peer; readonly text: string };

export type OpenOptions = {
  readonly hosts?: readonly string[];
  readonly ports?: Partial<Ports>;
  readonly files?: CertificateFiles;
  readonly verify?: boolean;
  /** Default: that of the test certificates. */
  readonly authorities?: readonly Buffer[];
  readonly admission?: Partial<AdmissionOptions>;
};

export class OpenSockets {
  readonly messages: Heard[] = [];
  /** What else was told, a line each. */
  readonly told: string[] = [];
  /** What there was to complain of. */
  readonly troubles: string[] = [];
  /** Addresses that were not let in. */
  readonly refused: string[] = [];
  #sockets: Sockets | null = null;

  static async open(options: OpenOptions = {}): Promise<OpenSockets> {
    const open = new OpenSockets();
    const certificate = Certificate.read(options.files ?? certificateFiles('server'), (sentence) =>
      open.troubles.push(sentence),
    );
    open.#sockets = await Sockets.open({
      hosts: options.hosts ?? ['127.0.0.1'],
      ports: { plain: 0, tls: 0, ws: 0, wss: 0, ...options.ports },
      certificate,
      tlsClient: { authorities: options.authorities ?? [authority], verify: options.verify ?? true },
      admission: new Admission({
        connectionsMax: 1_000,
        perSourceMax: 1_000,
        isTrusted: () => false,
        ...options.admission,
      }),
      user: {
        onMessage: (from, text) => open.messages.push({ from, text }),
        onBroken: (_from, text, reason) => open.told.push(`broken: ${reason}: ${text.split('\r\n')[0]}`),
        onClosed: ({ protocol }) => open.told.push(`${protocol} closed`),
        onUnreachable: ({ protocol }, reason) => open.told.push(`${protocol} unreachable: ${reason}`),
      },
      onTrouble: (reason) => open.troubles.push(reason),
      onRefused: (address) => open.refused.push(address),
      onOverfull: (address) => open.troubles.push(`cut off: ${address}`),
    });
    return open;
  }

  get sockets(): Sockets {
    if (this.#sockets === null) throw new Error('not open');
    return this.#sockets;
  }

  port(protocol: Protocol, host = '127.0.0.1'): number {
    const listening = this.sockets.listening.find((each) => each.protocol === protocol && each.host === host);
    if (listening === undefined) throw new Error(`nothing listens for ${protocol} on ${host}`);
    return listening.port;
  }

  /** The message of that number, counted from 1, once it has come. */
  async message(number: number): Promise<Heard> {
    return await waitFor(`message ${number}`, () => this.messages[number - 1]);
  }

  /** Waits for a line that begins so. */
  async tells(beginning: string): Promise<string> {
    return await waitFor(beginning, () => this.told.find((line) => line.startsWith(beginning)));
  }

  close(): Promise<void> {
    return this.sockets.close();
  }
}

/** Opens sockets for `play` and closes them, whatever happens. */
export async function onSockets(play: (open: OpenSockets) => Promise<void>, options: OpenOptions = {}): Promise<void> {
  const open = await OpenSockets.open(options);
  try {
    await play(open);
  } finally {
    await open.close();
  }
}

/** A peer by its address only. */
export function peerAt(protocol: Protocol, port: number, more: Partial<Peer> = {}): Peer {
  return { protocol, host: '127.0.0.1', port, connection: null, listener: null, ...more };
}
