import { lookup } from 'node:dns';
import { onTestFinished } from 'vitest';
import type { Input } from '../../src/core/input.ts';
import type { MsrpEffect } from '../../src/core/ports.ts';
import type { MsrpAddress } from '../../src/msrp/connections.ts';
import { MsrpShell, type MsrpShellOptions } from '../../src/msrp/msrp-shell.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type MsrpClient, type MsrpClientOptions, openMsrpClient } from '../support/msrp-client.ts';
import { waitFor } from '../support/wait.ts';

export const roomUri = 'sip:conf-1@conf.example.com';

export function uriOf(name: string): string {
  return `sip:${name}@example.com`;
}

/** An MSRP shell on a free port with one conference, and what it told the core. Everything ends with the test. */
export class SwitchRoom {
  readonly clock = new ManualClock(1_000_000);
  readonly inputs: Input[] = [];
  readonly shell: MsrpShell;
  /** What `listen` gave. */
  address: MsrpAddress = { host: '', port: 0, tlsPort: null, wsPort: null, wssPort: null };
  #version = 0;
  #idCount = 0;

  constructor(options: Partial<MsrpShellOptions>) {
    this.shell = new MsrpShell({
      host: '127.0.0.1',
      port: 0,
      tlsPort: null,
      wsPort: null,
      wssPort: null,
      certificate: null,
      sessionMatch: 'id',
      relay: null,
      publicHost: null,
      privateTargets: 'allow',
      maxSize: 10_485_760,
      submit: (input) => this.inputs.push(input),
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      clock: this.clock,
      ids: { transaction: () => this.#id('tx'), messageId: () => this.#id('message') },
      lookup,
      ...options,
    });
  }

  async open(): Promise<this> {
    this.address = await this.shell.listen();
    onTestFinished(() => this.shell.close());
    return this;
  }

  /** The path of the endpoint's session with us. */
  path(name: string, way: 'tcp' | 'tls' | 'ws' | 'wss' = 'tcp'): string {
    const { host, port, tlsPort, wsPort, wssPort } = this.address;
    const at = { tcp: port, tls: tlsPort, ws: wsPort, wss: wssPort }[way];
    const scheme = way === 'tls' || way === 'wss' ? 'msrps' : 'msrp';
    const authority = host.includes(':') ? `[${host}]` : host;
    return `${scheme}://${authority}:${at}/session-of-${name};${way === 'tcp' || way === 'tls' ? 'tcp' : 'ws'}`;
  }

  /** Publishes a route of exactly these endpoints, all of which take text/plain. */
  route(...names: readonly string[]): void {
    this.#version += 1;
    const members = names.map((name) => ({
      endpointId: name,
      uri: uriOf(name),
      acceptsWrapped: ['text/plain'],
      privateMessages: true,
    }));
    const route = {
      conferenceId: 'conf-1',
      conferenceUri: roomUri,
      version: this.#version,
      members,
      privateMessages: false,
      keeps: 'nothing',
    } as const;
    this.shell.perform({ type: 'msrp.route', route });
  }

  /** `msrp.open` for an endpoint; without `remotePath` our path is only offered. */
  offer(name: string, change: Partial<Extract<MsrpEffect, { type: 'msrp.open' }>> = {}): void {
    this.shell.perform({
      type: 'msrp.open',
      conferenceId: 'conf-1',
      endpointId: name,
      sessionId: `session-of-${name}`,
      localPath: this.path(name),
      relays: [],
      remotePath: [],
      connectTo: null,
      fingerprints: [],
      role: 'passive',
      ...change,
    });
  }

  /** A client whose session is open, the client having connected. */
  async join(name: string): Promise<MsrpClient> {
    const client = await this.client();
    this.offer(name, { remotePath: [client.path] });
    await client.connect(this.path(name));
    return client;
  }

  async client(options: MsrpClientOptions = {}): Promise<MsrpClient> {
    const client = await openMsrpClient(options);
    onTestFinished(() => client.close());
    return client;
  }

  /** The `msrp-closed` inputs so far, as `endpoint: reason`. */
  get closed(): readonly string[] {
    return this.inputs.flatMap((input) =>
      input.type === 'msrp-closed' ? [`${input.endpointId}: ${input.reason}`] : [],
    );
  }

  async waitForClosed(count: number): Promise<readonly string[]> {
    await waitFor(`${count} lost sessions`, () => this.closed.length >= count);
    return this.closed;
  }

  #id(prefix: string): string {
    this.#idCount += 1;
    return `${prefix}-${this.#idCount}`;
  }
}

export function openRoom(options: Partial<MsrpShellOptions> = {}): Promise<SwitchRoom> {
  return new SwitchRoom(options).open();
}

/** A message/cpim of alice’s, or whoever is named, to the room. */
export function chatLine(text: string, from = 'alice'): Buffer {
  const lines = [`From: <${uriOf(from)}>`, `To: <${roomUri}>`, '', 'Content-Type: text/plain', '', text];
  return Buffer.from(lines.join('\r\n'));
}

/** A message of alice’s of this length in octets, headers included. */
export function longLine(length: number): Buffer {
  const line = chatLine('x'.repeat(length - chatLine('').length));
  for (let i = chatLine('').length; i < length; i += 1) line[i] = 97 + (i % 26);
  return line;
}
