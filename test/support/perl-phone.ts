/** test/interop/net-sip/phone.pl as a process: a SIP stack in Perl that shares no line with us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './children.ts';
import { freeAddress } from './ports.ts';
import type { Transport } from './sip-socket.ts';
import { WaitTimeout, waitFor, within } from './wait.ts';

const script = fileURLToPath(new URL('../interop/net-sip/phone.pl', import.meta.url));

export class PerlPhone {
  /** Where it is called. */
  readonly uri: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(uri: string, child: ChildProcess) {
    this.uri = uri;
    this.#child = child;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('utf8');
      });
    }
  }

  /** Starts it on a free port; `args` as the script describes them: `call URI` or `wait`. */
  static async start(transport: Transport, ...args: readonly string[]): Promise<PerlPhone> {
    const { host, port } = await freeAddress();
    const child = endWithUs(spawn('perl', [script, transport, String(port), ...args], { stdio: 'pipe' }));
    return new PerlPhone(`sip:perl@${host}:${port};transport=${transport}`, child);
  }

  /** Waits for a line that `pattern` matches; gives the match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await waitFor(`the phone to say ${pattern}`, () => pattern.exec(this.#output) ?? undefined);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new WaitTimeout(`${error.message}; it said\n${this.#output}`);
    }
  }

  hangUp(): void {
    this.#child.stdin?.write('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await within('the phone to end', exit);
  }
}
