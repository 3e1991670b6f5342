/**
 * What goes over loopback, seen by neither end: captured and read by tshark, a reader of SIP and XML that shares no
 * line with us.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { endWithUs } from './children.ts';
import { newTag } from './sip-dialog.ts';
import type { Address } from './sip-socket.ts';
import { WaitTimeout, waitFor, within } from './wait.ts';

/** Skips the test, saying why, where loopback may not be captured: that takes root or CAP_NET_RAW. */
export function needsCapture(context: TestContext): void {
  if (!canCapture()) context.skip('not permitted: to capture on loopback');
}

/** Whether tshark is there and may. */
export function canCapture(): boolean {
  // Opens the device, and captures nothing.
  return spawnSync('tshark', ['-i', 'lo', '-L']).status === 0;
}

/** PI_WARN of Wireshark's `epan/proto.h`. */
const warning = 0x600000;
const wrongXml = ['xml.unrecognized_text', 'xml.closing_unopened_tag', 'xml.closing_unopened_xmpli_tag'];

/** Values of the fields that were asked for, in their order; of a field that is there several times, with commas. */
export type Dissected = readonly string[];

export class Capture {
  /** How it is read: what tshark could not know. */
  readonly #reading: readonly string[];
  readonly #folder: string;
  readonly #child: ChildProcess;
  /** What is sent through it to itself is captured in its turn: whatever went before has been captured, too. */
  readonly #marker: Socket;
  #output = '';

  private constructor(parts: { reading: readonly string[]; folder: string; child: ChildProcess; marker: Socket }) {
    this.#reading = parts.reading;
    this.#folder = parts.folder;
    this.#child = parts.child;
    this.#marker = parts.marker;
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#output += bytes.toString('utf8');
    });
  }

  /** Captures all datagrams from and to an address, from when this resolves. Others may have its port elsewhere. */
  static async start({ host, port }: Address): Promise<Capture> {
    const ends = ['src', 'dst'].map((end) => `(${end} host ${host} and udp ${end} port ${port})`);
    return await Capture.#begin(ends.join(' or '), ['-d', `udp.port==${port},sip`]);
  }

  /** Captures all that goes over TCP from and to any of `addresses`, from when this resolves. */
  static async streams(addresses: readonly Address[]): Promise<Capture> {
    const ends = addresses.map(({ port }) => `tcp port ${port}`);
    return await Capture.#begin(ends.join(' or '), []);
  }

  static async #begin(packets: string, reading: readonly string[]): Promise<Capture> {
    const folder = await mkdtemp(join(tmpdir(), 'isfocus-capture-'));
    const marker = createSocket('udp4').bind(0, '127.0.0.1');
    await once(marker, 'listening');
    const filter = `${packets} or udp port ${marker.address().port}`;
    // A large message comes faster than tshark writes: it may have 16 MB waiting.
    const child = spawn('tshark', ['-q', '-i', 'lo', '-B', '16', '-f', filter, '-w', join(folder, 'packets')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const capture = new Capture({ reading, folder, child: endWithUs(child), marker });
    try {
      await capture.#caughtUp();
    } catch (error) {
      await capture[Symbol.asyncDispose]();
      throw error;
    }
    return capture;
  }

  /** Ends it; what was sent before this is called has been captured when it resolves. */
  async stop(): Promise<void> {
    await this.#caughtUp();
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await within('tshark to end', exit);
  }

  /** `fields` of each packet that `filter` matches, in the order in which they went; once it is stopped. */
  dissect(filter: string, ...fields: readonly string[]): readonly Dissected[] {
    const shown = ['-T', 'fields', '-E', 'occurrence=a', ...fields.flatMap((field) => ['-e', field])];
    const printed = tshark('-r', join(this.#folder, 'packets'), ...this.#reading, '-Y', filter, ...shown);
    return rows(printed);
  }

  /** What tshark's `-z` of each of `statistics` prints. */
  statistics(...statistics: readonly string[]): string {
    return tshark('-q', '-r', join(this.#folder, 'packets'), ...statistics.flatMap((each) => ['-z', each]));
  }

  /** What tshark finds wrong with the SIP and the XML of each packet, but for what it only notes. */
  complaints(): readonly Dissected[] {
    const wrong = ['_ws.malformed', `_ws.expert.severity >= ${warning}`, ...wrongXml].join(' || ');
    return this.dissect(wrong, 'frame.number', '_ws.expert.message', 'xml.unrecognized_text');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#marker.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await within('tshark to end', exit);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Sends a mark, again and again as long as nobody may be capturing yet, until it is in the file. */
  async #caughtUp(): Promise<void> {
    const mark = newTag();
    const { port, address } = this.#marker.address();
    const seen = async (): Promise<boolean> => {
      if (this.#child.exitCode !== null) throw new Error(`tshark ended with ${this.#child.exitCode}:\n${this.#output}`);
      this.#marker.send(mark, port, address);
      return (await readFile(join(this.#folder, 'packets')).catch(() => Buffer.of())).includes(mark);
    };
    try {
      await waitFor('tshark to capture', seen);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new WaitTimeout(`${error.message}; it said\n${this.#output}`);
    }
  }
}

/** What tshark prints when it is run to its end. */
export function tshark(...options: readonly string[]): string {
  const run = spawnSync('tshark', options, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`tshark cannot read what was captured:\n${run.stderr}`);
  return run.stdout;
}

/** The lines of what tshark prints as `fields`, each with its values. */
export function rows(printed: string): readonly Dissected[] {
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}
