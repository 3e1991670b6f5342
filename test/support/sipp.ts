/** SIPp as a peer of the service: another implementation of SIP, run by its scenario files. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { header, parseSipMessage, type SipRequest } from '../../src/wire/sip-message.ts';
import { endWithUs } from './children.ts';
import type { SeenRoster } from './conference-document.ts';
import { rostersOf } from './known-roster.ts';
import type { LossyRelay } from './lossy-relay.ts';
import { freeAddress, isListening } from './ports.ts';
import { ReferenceSubscriber } from './reference-subscriber.ts';
import { tagOf } from './sip-dialog.ts';
import type { Address, Transport } from './sip-socket.ts';
import { waitFor, within } from './wait.ts';

const scenarios = fileURLToPath(new URL('../interop/scenarios/', import.meta.url));

export type SippOptions = {
  /** Name of a file in test/interop/scenarios, without `.xml`. */
  readonly scenario: string;
  readonly transport: Transport;
  /** Where a caller sends; absent for one who is called. */
  readonly remote?: Address;
  /** Values for the scenario's own `[keywords]`. */
  readonly keys?: Readonly<Record<string, string>>;
  /** How long it may take in all, in seconds; default 40. */
  readonly seconds?: number;
  /** How many calls it takes or makes before it ends; default 1. */
  readonly calls?: number;
  /** Further arguments. */
  readonly more?: readonly string[];
  /** The network it is behind: `[own_address]` of the scenario is then its outer address. */
  readonly behind?: LossyRelay;
};

/** How the calls of one SIPp went. */
export type SippTally = { readonly successful: number; readonly failed: number };

/** One SIPp process and what it saw. */
export class Sipp {
  readonly address: Address;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #timeoutMs: number;
  #errors = '';

  private constructor(address: Address, folder: string, process: { child: ChildProcess; seconds: number }) {
    const { child, seconds } = process;
    this.address = address;
    this.#folder = folder;
    this.#child = child;
    this.#timeoutMs = seconds * 1_000;
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString('utf8');
    });
  }

  /** Starts SIPp on a free port; one who is called is ready when this resolves. */
  static async start(options: SippOptions): Promise<Sipp> {
    const { scenario, transport, remote, keys = {}, calls = 1, seconds = 40, more = [], behind } = options;
    const folder = await mkdtemp(join(tmpdir(), 'isfocus-sipp-'));
    const address = await freeAddress();
    behind?.join(address);
    const { host, port } = behind?.outer ?? address;
    const child = spawn(
      'sipp',
      [
        ...(remote ? [`${remote.host}:${remote.port}`] : []),
        ...['-sf', join(scenarios, `${scenario}.xml`), '-t', transport === 'udp' ? 'u1' : 't1'],
        ...['-i', address.host, '-p', String(address.port), '-m', String(calls), '-nostdin'],
        ...['-deadcall_wait', '0', '-timeout', `${seconds}s`, '-timeout_error', '-default_behaviors', 'none'],
        ...[
          '-trace_msg',
          '-message_file',
          join(folder, 'messages'),
          '-trace_err',
          '-error_file',
          join(folder, 'errors'),
        ],
        ...['-trace_stat', '-stf', join(folder, 'statistics'), '-key', 'own_address', `${host}:${port}`, ...more],
        ...Object.entries(keys).flatMap(([name, value]) => ['-key', name, value]),
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TERM: 'dumb' } },
    );
    const sipp = new Sipp(address, folder, { child: endWithUs(child), seconds });
    if (!remote) await waitFor(`SIPp ${scenario} to listen`, () => sipp.#listens(transport));
    return sipp;
  }

  /** The whole log of messages so far. */
  async messages(): Promise<string> {
    return await readFile(join(this.#folder, 'messages'), 'utf8').catch(() => '');
  }

  /** The NOTIFYs received, in order, but for one that it is still writing down. */
  async notifies(): Promise<readonly SipRequest[]> {
    const sections = (await this.messages()).split(/^-{10,}.*$/m);
    const texts = sections.flatMap((section) => {
      const [, length, text = ''] = /message received \[(\d+)\] bytes\s*:\s*(NOTIFY .*)$/s.exec(section) ?? [];
      const octets = Buffer.from(text);
      return octets.length >= Number(length) ? octets.subarray(0, Number(length)).toString('utf8') : [];
    });
    const requests = texts.map(parseSipMessage).filter((message) => message.kind === 'request');
    // A repetition has the same Via.
    return [...new Map(requests.map((request) => [header(request, 'Via'), request])).values()];
  }

  /** As a watcher of one conference: the rosters that it has had, one after the other (`rostersOf`). */
  async rosters(): Promise<readonly SeenRoster[]> {
    return rostersOf((await this.notifies()).map(({ body }) => body));
  }

  /** Waits for the scenario's end; rejects, with what went wrong, when it did not go as written. */
  async succeeded(): Promise<void> {
    if (this.#child.exitCode === null)
      await within('SIPp to end', once(this.#child, 'exit'), this.#timeoutMs).catch(() => undefined);
    if (this.#child.exitCode === 0) return;
    const how = this.#child.exitCode === null ? 'did not end' : `ended with ${this.#child.exitCode}`;
    const errors = await this.complaints();
    // What went wrong last is at the end; hundreds of calls are many messages.
    const messages = (await this.messages()).slice(-20_000);
    throw new Error(`SIPp ${how}\n${this.#errors}\n${errors}\n${messages}`);
  }

  /** Waits for its end, however its calls went. */
  async tally(): Promise<SippTally> {
    if (this.#child.exitCode === null) await within('SIPp to end', once(this.#child, 'exit'), this.#timeoutMs);
    const text = await readFile(join(this.#folder, 'statistics'), 'utf8').catch(() => '');
    const rows = text.trim().split('\n');
    const [names, last] = [rows[0], rows.at(-1)].map((row = '') => row.split(';'));
    const total = (name: string): number => Number(last?.[names?.indexOf(name) ?? -1] ?? Number.NaN);
    return { successful: total('SuccessfulCall(C)'), failed: total('FailedCall(C)') };
  }

  /** What it complained of. */
  async complaints(): Promise<string> {
    return await readFile(join(this.#folder, 'errors'), 'utf8').catch(() => '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    // The log of one that was killed may break off anywhere.
    const faults = this.#child.exitCode === null ? [] : await this.#documentFaults();
    await rm(this.#folder, { recursive: true, force: true });
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  /** What is wrong with the conference-info documents it was sent, subscription by subscription. */
  async #documentFaults(): Promise<readonly string[]> {
    const subscribers = new Map<string, ReferenceSubscriber>();
    const notifies = await this.notifies();
    return notifies.flatMap((notify) => {
      if (header(notify, 'Content-Type') !== 'application/conference-info+xml') return [];
      const to = header(notify, 'To') ?? '';
      const dialog = `${header(notify, 'Call-ID')} ${tagOf(to)}`;
      const subscriber = subscribers.get(dialog) ?? new ReferenceSubscriber(to);
      subscribers.set(dialog, subscriber);
      const { faults } = subscriber.receive(notify.body);
      return faults.length === 0 ? [] : [...faults, notify.body];
    });
  }

  async #listens(transport: Transport): Promise<boolean> {
    if (this.#child.exitCode !== null) await this.succeeded();
    return await isListening(transport, this.address);
  }
}

/** Throws with xmllint's own words when `xml` does not fit the schema in the file `schema`. */
export function xmllint(schema: URL, xml: string): void {
  const result = spawnSync('xmllint', ['--nonet', '--noout', '--schema', fileURLToPath(schema), '-'], { input: xml });
  if (result.status !== 0) throw new Error(`${result.stderr.toString('utf8')}\n${xml}`);
}
