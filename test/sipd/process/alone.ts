/** sipd alone, as `npm run sipd` starts it, known by what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../support/children.ts';
import { waitFor, within } from '../../support/wait.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** tsx compiles everything first; on a busy machine that takes seconds. */
const startTimeoutMs = 60_000;

export type Ending = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A process of Node in the project's folder, with what it has printed so far. */
export class NodeProcess {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (bytes: Buffer) => (this.stdout += bytes.toString('utf8')));
    child.stderr.on('data', (bytes: Buffer) => (this.stderr += bytes.toString('utf8')));
    this.#child = endWithUs(child);
    this.#ended = once(child, 'close');
  }

  /** What `pattern` finds in the standard output; rejects when the process ends before. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const found = waitFor(`${pattern} from a process`, () => pattern.exec(this.stdout) ?? undefined, startTimeoutMs);
    const ended = this.#ended.then(() => Promise.reject(new Error(`it ended:\n${this.stdout}${this.stderr}`)));
    return await Promise.race([found, ended]);
  }

  async ending(): Promise<Ending> {
    await within('the process to end', this.#ended, startTimeoutMs);
    return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.#child.kill(signal);
    return await this.ending();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop('SIGKILL');
  }
}

/** The command of `npm run sipd`, which only this checks: npm itself would stand between us and its signals. */
export function runSipd(environment: Readonly<Record<string, string>>, ...args: readonly string[]): NodeProcess {
  const free = { SIP_PORT: '0', DRACHTIO_PORT: '0' };
  return new NodeProcess(['--import', 'tsx', 'src/sipd/main.ts', ...args], { ...free, ...environment });
}

/** Waits for the banner; gives the ports that it names. */
export async function portsOf(sipd: NodeProcess): Promise<{ sip: number; control: number }> {
  const [, sip] = await sipd.said(/^ {2}SIP +udp 127\.0\.0\.1:(\d+)/m);
  const [, control] = await sipd.said(/^ {2}Control +127\.0\.0\.1:(\d+)$/m);
  return { sip: Number(sip), control: Number(control) };
}
