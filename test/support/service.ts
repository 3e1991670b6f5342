/**
 * The service as a person would start it: `src/main.ts` as a process of its own on free ports, with a data folder of
 * its own, known only by what it prints, by SIP, MSRP and REST.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './children.ts';
import type { Address, Transport } from './sip-socket.ts';
import { within } from './wait.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The admin key that tests give the service; long enough to be taken. */
export const apiKey = 'test-key-0123456789abcdefghij';

/** The embedded database starts in seconds, on a busy machine in more. */
const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;

/** Variables; undefined takes one away that tests set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the banner says. */
export type Banner = {
  readonly sip: Readonly<Record<Transport, Address>>;
  readonly msrp: Address;
  readonly factory: string;
  /** e.g. `http://127.0.0.1:8080/v1`. */
  readonly rest: string;
  /** The admin key, when the start made one. */
  readonly key: string | null;
};

export type RestAnswer<T> = { readonly status: number; readonly contentType: string; readonly body: T };

/** A running service and its data folder. */
export class Service {
  readonly dataDir: string;
  readonly #environment: Environment;
  /** Where a SIP server of its own is reached, which the banner does not say. */
  readonly #sipServer: Banner['sip'] | undefined;
  #child: ChildProcess | undefined;
  #banner: Banner | undefined;
  #output = '';
  #key = apiKey;

  private constructor(dataDir: string, environment: Environment, sipServer: Banner['sip'] | undefined) {
    this.dataDir = dataDir;
    this.#environment = environment;
    this.#sipServer = sipServer;
  }

  /** Starts a service with a fresh data folder, or the one named; `environment` adds to and overrides the tests' own. */
  static async start(environment: Environment = {}, sipServer?: Banner['sip']): Promise<Service> {
    const service = new Service(
      environment['DATA_DIR'] ?? (await mkdtemp(join(tmpdir(), 'isfocus-'))),
      environment,
      sipServer,
    );
    try {
      await service.#launch();
    } catch (error) {
      await service.dispose();
      throw error;
    }
    return service;
  }

  get banner(): Banner {
    if (!this.#banner) throw new Error('the service is not running');
    return this.#banner;
  }

  get factory(): string {
    return this.banner.factory;
  }

  /** All that the process printed, of every start. */
  get output(): string {
    return this.#output;
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The factory URI as it is reached over `transport`. */
  factoryOver(transport: Transport): string {
    const { host, port } = this.banner.sip[transport];
    return `sip:conf-fact@${host}:${port}${transport === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /** The admin key: the one that was given, or the one the first start made. */
  get key(): string {
    return this.#key;
  }

  async get<T>(path: string): Promise<RestAnswer<T>> {
    return await this.#ask('GET', path);
  }

  async post<T>(path: string, body: unknown): Promise<RestAnswer<T>> {
    return await this.#ask('POST', path, body);
  }

  async patch<T>(path: string, body: unknown): Promise<RestAnswer<T>> {
    return await this.#ask('PATCH', path, body);
  }

  async delete<T>(path: string): Promise<RestAnswer<T>> {
    return await this.#ask('DELETE', path);
  }

  /** SIGTERM; gives the exit code. */
  async stop(): Promise<number | null> {
    return await this.#end('SIGTERM');
  }

  /** kill -9, as a crash would. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** What a process that is given the same data folder says before it ends, and its exit code. */
  async startBeside(): Promise<Ending> {
    return await runToEnd({ ...this.#environment, DATA_DIR: this.dataDir });
  }

  /** Starts again on the same data folder; ports may differ. */
  async restart(): Promise<void> {
    await this.#launch();
  }

  /** What the service logged as its own fault: level error or worse. */
  get faults(): readonly string[] {
    return faultsIn(this.#output);
  }

  /** Ends the process if it runs and removes the data folder. Rejects when the service logged a fault of its own. */
  async dispose(): Promise<void> {
    try {
      if (this.alive) await this.stop();
    } finally {
      if (this.alive) await this.kill9();
      await rm(this.dataDir, { recursive: true, force: true });
    }
    if (this.faults.length > 0) throw new Error(`the service logged faults of its own:\n${this.faults.join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #launch(): Promise<void> {
    const child = spawnMain({ ...this.#environment, DATA_DIR: this.dataDir });
    this.#child = child;
    const started = this.#output.length;
    const ready = new Promise<void>((resolve, reject) => {
      const take = (bytes: Buffer): void => {
        this.#output += bytes.toString('utf8');
        const banner = readBanner(this.#output.slice(started), this.#sipServer);
        if (!banner) return;
        this.#banner = banner;
        this.#key = banner.key ?? this.#key;
        resolve();
      };
      child.stdout?.on('data', take);
      child.stderr?.on('data', take);
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${this.#output}`)));
    });
    await within('the service to be ready', ready, startTimeoutMs);
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child || !this.alive) throw new Error(`the service does not run:\n${this.#output}`);
    const exit = once(child, 'exit');
    child.kill(signal);
    await within(`the service to end after ${signal}`, exit, stopTimeoutMs);
    this.#banner = undefined;
    return child.exitCode;
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<RestAnswer<T>> {
    const headers = {
      authorization: `Bearer ${this.#key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${this.banner.rest}${path}`, init);
    const contentType = response.headers.get('content-type') ?? '';
    const text = await response.text();
    return { status: response.status, contentType, body: (/json/.test(contentType) ? JSON.parse(text) : text) as T };
  }
}

/** The lines of a log that tell of the service's own faults: level error or worse. */
export function faultsIn(log: string): readonly string[] {
  return log.split('\n').filter((line) => /^\{"level":[56]0,/.test(line));
}

/** Free ports, no throttle to wait for, logs a program can read. */
const testEnvironment: Environment = {
  HTTP_PORT: '0',
  SIP_PORT: '0',
  MSRP_PORT: '0',
  SIPD_MODE: 'strict',
  NOTIFY_MIN_INTERVAL: '0',
  API_KEY: apiKey,
  LOG_FORMAT: 'json',
};

export type Ending = { readonly code: number | null; readonly output: string };

/** Runs the process to its end, for starts that are refused. */
export async function runToEnd(environment: Environment): Promise<Ending> {
  const child = spawnMain(environment);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
  }
  const [code] = await within('the process to end', once(child, 'close'), startTimeoutMs);
  return { code, output };
}

function spawnMain(environment: Environment): ChildProcess {
  const env = { ...inherited(), ...testEnvironment, ...environment };
  return endWithUs(
    spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/** Variables of the machine that a process needs; none of the service's own. */
export function inherited(): Environment {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** The banner in what was printed so far; undefined until it is whole. */
export function readBanner(output: string, sipServer?: Banner['sip']): Banner | undefined {
  const udp = sipServer?.udp ?? addressIn(/^\s*SIP\s.*\budp ([\d.]+):(\d+)/m.exec(output));
  const tcp = sipServer?.tcp ?? addressIn(/^\s*SIP\s.*\btcp ([\d.]+):(\d+)/m.exec(output));
  const msrp = addressIn(/^\s*MSRP\s+(?:tcp )?([\d.]+):(\d+)/m.exec(output));
  const factory = /^\s*Factory\s+(\S+)/m.exec(output)?.[1];
  const rest = /^\s*REST\s+(\S+)/m.exec(output)?.[1];
  const whole = /^\s*Data\s+\S/m.test(output);
  if (!udp || !tcp || !msrp || factory === undefined || rest === undefined || !whole) return undefined;
  const key = /^\s*API key\s+(\S+)/m.exec(output)?.[1] ?? null;
  return { sip: { udp, tcp }, msrp, factory, rest, key };
}

function addressIn(match: RegExpExecArray | null): Address | undefined {
  const [, host, port] = match ?? [];
  return host === undefined || port === undefined ? undefined : { host, port: Number(port) };
}
