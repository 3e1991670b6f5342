/** Kamailio as the SIP/IP core: the proxy in front of the focus, and the registrar of `home.example.com`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endGroupWithUs, killGroup } from './children.ts';
import { isListening } from './ports.ts';
import type { Address, Transport } from './sip-socket.ts';
import { waitFor, within } from './wait.ts';

const proxy = fileURLToPath(new URL('../interop/kamailio/kamailio.cfg', import.meta.url));

const msrpRelay = fileURLToPath(new URL('../interop/kamailio/msrp-relay.cfg', import.meta.url));

/** The domain of those who are registered, and that of the focus. */
export const home = 'home.example.com';
export const focusDomain = 'focus.example.com';

export type KamailioOptions = {
  /** Its own address, free. */
  readonly address: Address;
  /** Where requests for the domain of the focus go. */
  readonly focus: Address;
  readonly transport: Transport;
};

/** What it is to be. */
export type KamailioSetup = {
  /** File of its configuration, which listens for UDP and TCP. */
  readonly configuration: string;
  /** Names that stand in the configuration, beside `KAMAILIO_PORT`. */
  readonly defines: Readonly<Record<string, string>>;
  /** Memory of all its processes, and of each. */
  readonly megabytes: { readonly shared: number; readonly each: number };
};

/** A relay of MSRP (RFC 4976) at which everybody has the same password. */
export function relay(password: string): KamailioSetup {
  return {
    configuration: msrpRelay,
    defines: { RELAY_PASSWORD: JSON.stringify(password) },
    megabytes: { shared: 32, each: 8 },
  };
}

/** One Kamailio, with its processes. */
export class Kamailio {
  readonly address: Address;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #output = '';

  private constructor(address: Address, child: ChildProcess, folder: string) {
    this.address = address;
    this.#child = child;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('utf8');
      });
    }
  }

  /** Starts it as the SIP/IP core; ready when this resolves. */
  static async start({ address, focus, transport }: KamailioOptions): Promise<Kamailio> {
    return await Kamailio.run(address, {
      configuration: proxy,
      defines: { FOCUS_URI: `"sip:${focus.host}:${focus.port};transport=${transport}"` },
      megabytes: { shared: 32, each: 4 },
    });
  }

  /** Starts it as `setup` has it, at a free `address`; ready when this resolves. */
  static async run(address: Address, { configuration, defines, megabytes }: KamailioSetup): Promise<Kamailio> {
    const folder = await mkdtemp(join(tmpdir(), 'isfocus-kamailio-'));
    const all = { KAMAILIO_PORT: String(address.port), ...defines };
    const child = spawn(
      'kamailio',
      [
        ...['-f', configuration, '-DD', '-E', '-Y', folder, '-w', folder],
        ...['-m', String(megabytes.shared), '-M', String(megabytes.each)],
        ...Object.entries(all).flatMap(([name, value]) => ['-A', `${name}=${value}`]),
      ],
      // A group of its own, so that its many processes end together.
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    const kamailio = new Kamailio(address, endGroupWithUs(child), folder);
    try {
      await waitFor('Kamailio to listen', () => kamailio.#listens());
    } catch (error) {
      await kamailio[Symbol.asyncDispose]();
      throw new Error(`${String(error)}\n${kamailio.#output}`);
    }
    return kamailio;
  }

  /** Its first process, the parent of all others. */
  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('Kamailio was not started');
    return pid;
  }

  /** What it logged. */
  get output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await within('Kamailio to end', exit).catch(() => undefined);
    }
    killGroup(this.#child);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`Kamailio ended with ${this.#child.exitCode}:\n${this.#output}`);
    return (await isListening('udp', this.address)) && (await isListening('tcp', this.address));
  }
}
