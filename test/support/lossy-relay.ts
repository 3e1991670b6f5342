/**
 * A UDP network that loses datagrams, between one user agent and one server. The user agent sends everything to
 * `inner` and gives `outer` as its own address in Via and Contact; the server meets it there.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseSipMessage } from '../../src/wire/sip-message.ts';
import type { Address } from './sip-socket.ts';
import { waitFor } from './wait.ts';
import { methodOf } from './wire-log.ts';

export type Direction = 'to-server' | 'from-server';

/** One datagram on its way. `what` is as in a ladder: `INVITE`, `180 INVITE`. */
export type Passing = { readonly direction: Direction; readonly what: string; readonly text: string };

/** A datagram that came by, whether it was lost, and when it came, in milliseconds of the process's own clock. */
export type Passed = Passing & { readonly lost: boolean; readonly at: number };

/** Decides on each datagram in turn; true loses it. */
export type Loss = (passing: Passing) => boolean;

const loopback = '127.0.0.1';
const receiveBufferBytes = 4_194_304;

export class LossyRelay {
  readonly passed: Passed[] = [];
  readonly #server: Address;
  readonly #loses: Loss;
  readonly #outer: Socket;
  readonly #inner: Socket;
  #member: Address | undefined;

  private constructor(server: Address, loses: Loss, sockets: { readonly outer: Socket; readonly inner: Socket }) {
    this.#server = server;
    this.#loses = loses;
    this.#outer = sockets.outer;
    this.#inner = sockets.inner;
    this.#outer.on('message', (bytes) => this.#pass('from-server', bytes));
    this.#inner.on('message', (bytes, { address, port }) => {
      this.#member ??= { host: address, port };
      this.#pass('to-server', bytes);
    });
  }

  static async open(server: Address, loses: Loss): Promise<LossyRelay> {
    const [outer, inner] = await Promise.all([openSocket(), openSocket()]);
    return new LossyRelay(server, loses, { outer, inner });
  }

  /** Where the server meets the user agent. */
  get outer(): Address {
    return { host: loopback, port: this.#outer.address().port };
  }

  /** Where the user agent sends. */
  get inner(): Address {
    return { host: loopback, port: this.#inner.address().port };
  }

  /** Where the user agent listens; one who sends first is known without. */
  join(member: Address): void {
    this.#member = member;
  }

  /** What came by so far, one line each, who to whom: `bob -> sipd : 180 INVITE (lost)`. */
  ladder(member: string): readonly string[] {
    return this.passed.map(({ direction, what, lost }) => {
      const way = direction === 'to-server' ? `${member} -> sipd` : `sipd -> ${member}`;
      return `${way} : ${what}${lost ? ' (lost)' : ''}`;
    });
  }

  /** Waits for the first datagram of this kind, lost or not. */
  async seen(direction: Direction, what: string): Promise<Passed> {
    return await waitFor(`${what} ${direction}`, () =>
      this.passed.find((each) => each.direction === direction && each.what === what),
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#outer, this.#inner].map((socket) => new Promise<void>((done) => socket.close(done))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #pass(direction: Direction, bytes: Buffer): void {
    const text = bytes.toString('latin1');
    const passing: Passing = { direction, what: nameOf(text), text };
    const lost = this.#loses(passing);
    this.passed.push({ ...passing, lost, at: performance.now() });
    if (lost) return;
    if (direction === 'to-server') this.#outer.send(bytes, this.#server.port, this.#server.host);
    else if (this.#member) this.#inner.send(bytes, this.#member.port, this.#member.host);
  }
}

/** Loses nothing but the first datagram that goes that way and is called so. */
export function losingFirst(direction: Direction, what: string): Loss {
  let lost = false;
  return (passing) => {
    if (lost || passing.direction !== direction || passing.what !== what) return false;
    lost = true;
    return true;
  };
}

/**
 * Loses `share` (0 to 1) of all datagrams both ways. What happens to the n-th datagram of a kind in a call hangs on
 * `seed` and its Call-ID alone, so that a run is the same again whatever the order in which calls come.
 */
export function losingShare(share: number, seed: number): Loss {
  const counts = new Map<string, number>();
  return ({ direction, what, text }) => {
    const callId = /^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)/im.exec(text)?.[1] ?? '';
    const kind = `${seed} ${direction} ${what} ${callId}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return hashed(`${kind} ${count}`) < share;
  };
}

/** A number from 0 to 1, the same for the same text: FNV-1a with the finish of MurmurHash3, both public domain. */
function hashed(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function nameOf(text: string): string {
  const message = parseSipMessage(text);
  return message.kind === 'request' ? message.method : `${message.status} ${methodOf(message)}`;
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes });
  socket.bind(0, loopback);
  await once(socket, 'listening');
  return socket;
}
