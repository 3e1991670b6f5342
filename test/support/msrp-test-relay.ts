/** A relay as far as its clients see it (RFC 4976): AUTH with digest, SENDs passed on and answered, everything noted. */

import { createHash } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type MsrpHeader,
  type MsrpRequest,
  type MsrpResponse,
  msrpHeader,
  responseTo,
  writeMsrpRequest,
  writeMsrpResponse,
} from '../../src/wire/msrp.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { type KeyPair, listener } from './msrp-transport.ts';

const [realm, nonce] = ['relay.example.com', 'b8snOHhaLMZpmz'];

export type RelayManner = {
  readonly user: string;
  readonly password: string;
  /** With it, TLS. */
  readonly tls: KeyPair | null;
  readonly algorithm: 'MD5' | 'SHA-256' | null;
  /** Seconds. */
  readonly expires: number;
  /** Lifetimes under it get 423; 0: none. */
  readonly minExpires: number;
};

export class TestRelay {
  readonly requests: MsrpRequest[] = [];
  /** What its clients have answered to what it passed on. */
  readonly responses: MsrpResponse[] = [];
  manner: RelayManner;
  port = 0;
  #server: Server;
  readonly #streams = new Set<Duplex>();
  /** Whoever has sent anything, by the URI it calls itself. */
  readonly #streamOf = new Map<string, Duplex>();
  /** Who has leave, by the URI to use. */
  readonly #ownerOf = new Map<string, Duplex>();

  private constructor(manner: RelayManner) {
    this.manner = manner;
    this.#server = this.#listener();
  }

  static async open(manner: RelayManner): Promise<TestRelay> {
    const relay = new TestRelay(manner);
    await relay.listen();
    return relay;
  }

  /** What clients are told to use. */
  get uri(): string {
    return `${this.manner.tls === null ? 'msrp' : 'msrps'}://127.0.0.1:${this.port};tcp`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Everybody is cut off, and nobody can come any more; `listen` opens it again. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const stream of this.#streams) stream.destroy();
    await closed;
    this.#server = this.#listener();
  }

  #listener(): Server {
    return listener(this.manner.tls, (stream) => this.#serve(stream));
  }

  #serve(stream: Duplex): void {
    const reader = new MsrpReader({ wholeBytesMax: 100_000 });
    this.#streams.add(stream);
    stream.on('error', () => undefined);
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind === 'request') this.#take(stream, frame);
        if (frame.kind === 'response') this.responses.push(frame);
      }
    });
  }

  #take(stream: Duplex, request: MsrpRequest): void {
    this.requests.push(request);
    this.#streamOf.set(request.fromPath.at(-1) ?? '', stream);
    if (request.method === 'AUTH') this.#answerAuth(stream, request);
    else this.#passOn(stream, request);
  }

  // RFC 4976 5.1, 6.3: the nearest relay is taken off To-Path and put before From-Path.
  #passOn(stream: Duplex, request: MsrpRequest): void {
    const [own = '', ...toPath] = request.toPath;
    if (request.method === 'SEND') stream.write(writeMsrpResponse(responseTo(request, 200, 'OK')));
    const fromPath = [own, ...request.fromPath];
    const owner = this.#ownerOf.get(own);
    const next = owner === stream ? this.#streamOf.get(toPath.at(-1) ?? '') : owner;
    next?.write(writeMsrpRequest({ ...request, toPath, fromPath }));
  }

  #answerAuth(stream: Duplex, request: MsrpRequest): void {
    const respond = (status: number, headers: readonly MsrpHeader[]): void => {
      stream.write(writeMsrpResponse({ ...responseTo(request, status, null), headers }));
    };
    const { algorithm, expires, minExpires } = this.manner;
    const authorization = msrpHeader(request, 'Authorization');
    if (authorization === undefined) {
      const named = algorithm === null ? '' : `, algorithm=${algorithm}`;
      const value = `Digest realm="${realm}", nonce="${nonce}", qop="auth"${named}`;
      return respond(401, [{ name: 'WWW-Authenticate', value }]);
    }
    if (!this.#isProven(authorization, request.toPath[0] ?? '')) return respond(401, []);
    const wanted = Number(msrpHeader(request, 'Expires') ?? 0);
    if (wanted < minExpires) return respond(423, [{ name: 'Min-Expires', value: String(minExpires) }]);
    const leave = this.uri.replace(';', `/leave-${this.#ownerOf.size + 1};`);
    this.#ownerOf.set(leave, stream);
    respond(200, [
      { name: 'Use-Path', value: leave },
      { name: 'Expires', value: String(Math.max(wanted, expires)) },
    ]);
  }

  /** RFC 7616 3.4.1, computed apart from the code under test. */
  #isProven(authorization: string, uri: string): boolean {
    const { user, password, algorithm } = this.manner;
    const given = new Map(
      [...authorization.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(([, name = '', quoted, plain]) => [
        name,
        quoted ?? plain ?? '',
      ]),
    );
    const hash = (text: string): string =>
      createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const [nc, cnonce] = [given.get('nc'), given.get('cnonce')];
    const expected = hash(
      `${hash(`${user}:${realm}:${password}`)}:${nonce}:${nc}:${cnonce}:auth:${hash(`AUTH:${uri}`)}`,
    );
    return given.get('username') === user && given.get('nonce') === nonce && given.get('response') === expected;
  }
}
