/** linphonec, liblinphone's phone for terminals, registered at Kamailio; told what to do as if it were typed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from './children.ts';
import { home, type Kamailio } from './kamailio.ts';
import { freeAddress } from './ports.ts';
import type { Address } from './sip-socket.ts';
import { WaitTimeout, waitFor, within } from './wait.ts';

/** Its iteration is slow to see that there is a network. */
const patienceMs = 20_000;

export class Linphone {
  readonly aor: string;
  /** Where it is reached, over UDP. */
  readonly address: Address;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(aor: string, address: Address, process: { folder: string; child: ChildProcess }) {
    const { folder, child } = process;
    this.aor = aor;
    this.address = address;
    this.#folder = folder;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('utf8');
      });
    }
  }

  /** Starts it; registered when this resolves. It answers calls by itself. */
  static async start(kamailio: Kamailio, name = 'linphone'): Promise<Linphone> {
    const folder = await mkdtemp(join(tmpdir(), 'isfocus-linphone-'));
    // Without this folder its database cannot be opened, and then it never starts to work, without a word.
    await mkdir(join(folder, '.local/share/linphone'), { recursive: true });
    const [sip, rtp] = [await freeAddress(), await freeAddress()];
    await writeFile(
      join(folder, 'rc'),
      configuration(name, { sip: sip.port, rtp: rtp.port, proxy: kamailio.address.port }),
    );
    const child = spawn('linphonec', ['-c', join(folder, 'rc'), '-a', '-d', '6', '-l', join(folder, 'log')], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: folder, LANG: 'C' },
    });
    const linphone = new Linphone(`sip:${name}@${home}`, sip, { folder, child: endWithUs(child) });
    try {
      // There is no sound card.
      linphone.type('soundcard use files');
      await linphone.logged('LinphoneRegistrationOk');
    } catch (error) {
      await linphone[Symbol.asyncDispose]();
      throw error;
    }
    return linphone;
  }

  /** Types a command, e.g. `call sip:bob@example.com`, `terminate`. */
  type(command: string): void {
    this.#child.stdin?.write(`${command}\n`);
  }

  /** Its log so far, every message it sent and received among it. */
  async log(): Promise<string> {
    return await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '');
  }

  /** Status of each response to `method` that it has sent or received. */
  async statuses(method: string): Promise<readonly number[]> {
    const response = new RegExp(`^SIP/2\\.0 (\\d{3}) .*\\r?\\n(?:[\\w-]+: .*\\r?\\n)*?CSeq: \\d+ ${method}\\r?$`, 'gm');
    return [...(await this.log()).matchAll(response)].map(([, status]) => Number(status));
  }

  /** Waits until its log has `text`, `count` times. */
  async logged(text: string, count = 1): Promise<void> {
    try {
      await waitFor(
        `linphonec to log ${text}`,
        async () => this.#ended() || (await this.log()).split(text).length > count,
        patienceMs,
      );
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new WaitTimeout(`${error.message}; it said\n${this.#output}\n${(await this.log()).slice(-20_000)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await within('linphonec to end', exit);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #ended(): false {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) throw new Error(`linphonec ended: ${exitCode ?? signalCode}`);
    return false;
  }
}

function configuration(
  name: string,
  ports: { readonly sip: number; readonly rtp: number; readonly proxy: number },
): string {
  return [
    '[sip]',
    `sip_port=${ports.sip}`,
    'sip_tcp_port=0',
    'sip_tls_port=0',
    'ipv6_migration_done=1',
    'use_ipv6=0',
    'guess_hostname=0',
    'default_proxy=0',
    'media_encryption=none',
    '[rtp]',
    `audio_rtp_port=${ports.rtp}`,
    '[video]',
    'capture=0',
    'display=0',
    '[proxy_0]',
    `reg_proxy=<sip:127.0.0.1:${ports.proxy}>`,
    `reg_route=<sip:127.0.0.1:${ports.proxy};lr>`,
    `reg_identity=sip:${name}@${home}`,
    'reg_expires=600',
    'reg_sendregister=1',
    'publish=0',
    '',
  ].join('\n');
}
