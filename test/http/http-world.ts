import type { FastifyBaseLogger, InjectOptions, LightMyRequestResponse } from 'fastify';
import { usualChat } from '../../src/core/chat-policy.ts';
import { groupPolicy, groupUri } from '../../src/core/definitions/group-definition.ts';
import type { Outcome } from '../../src/core/effect.ts';
import type { CommandInput, Input } from '../../src/core/input.ts';
import type { GroupRow, UserRow } from '../../src/core/rows.ts';
import type { HttpOptions, LabelledValue, StatsView } from '../../src/http/http-options.ts';
import { buildHttp, type HttpShell } from '../../src/http/http-server.ts';
import { aorOf, parseSipUri } from '../../src/wire/sip-uri.ts';
import { MemoryDefinitions } from '../support/memory-definitions.ts';
import { DocumentCheck } from './document-check.ts';
import { FakeClock, FakeDefinitions, FakeKeys, FakeReads } from './fake-ports.ts';
import { startOfTime } from './rows.ts';

export type Asking = {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another key than the world's own; null: none. */
  readonly key?: string | null;
};

/** All worlds have one document; checking against it compiles its schemas once. */
let check: DocumentCheck | undefined;

const silentCore = () => undefined;

const healthy: HttpOptions['health'] = async () => [{ name: 'database', ok: true, detail: 'embedded' }];

const someStats: StatsView = {
  version: '1.2.3',
  node: 'node-1',
  startedAt: startOfTime - 90_500,
  factoryUri: 'sip:conf-fact@127.0.0.1',
  addresses: [{ part: 'sip', transport: 'udp', host: '127.0.0.1', port: 5060 }],
  counts: { conferences: 1, participants: 3, subscriptions: 2, msrpSessions: 3, messages: 12 },
};

/** Where conferences and groups of this service live. */
const names = {
  factoryUser: 'conf-fact',
  ownHosts: new Set(['conf.example.com', 'other.example.com']),
  conferenceAuthority: 'conf.example.com',
};

/**
 * The REST shell between fakes: what it reads is put into `reads`, what it submits is answered by `core`. Every
 * response is held against the OpenAPI document before a test sees it.
 */
export class HttpWorld {
  readonly reads = new FakeReads();
  readonly keys = new FakeKeys();
  readonly groups = new FakeDefinitions(new MemoryDefinitions<GroupRow>('groups', (row) => row.subject));
  readonly users = new FakeDefinitions(new MemoryDefinitions<UserRow>('users', (row) => row.displayName));
  readonly clock = new FakeClock();
  readonly key = this.keys.with('isf_the-key-of-this-world', ['*']);
  readonly submitted: CommandInput[] = [];
  readonly shell: HttpShell;
  /** What the core replies; undefined: nothing, for now. */
  core: (input: CommandInput) => Outcome | undefined = silentCore;
  conferenceInfo: string | undefined = undefined;
  policyRefused: HttpOptions['policyRefused'] = () => null;
  /** URIs that name the service itself. */
  readonly ours = new Set<string>();
  stopping = false;
  health = healthy;
  stats = someStats;
  /** Of the subscriptions that run, by their ids. */
  readonly versionsSent = new Map<string, number>();
  /** Values of a reading of another part that has a label. */
  met: readonly LabelledValue[] = [];
  #rowCount = 0;
  #requestCount = 0;
  #replyCount = 0;

  constructor(log: FastifyBaseLogger | null = null) {
    this.shell = buildHttp({
      reads: this.reads,
      keys: this.keys,
      groups: this.groups,
      users: this.users,
      submit: (input) => this.#submit(input),
      conferenceInfo: async () => this.conferenceInfo,
      lastVersionSent: (id) => this.versionsSent.get(id),
      stats: () => this.stats,
      health: () => this.health(),
      stopping: () => this.stopping,
      parseUri: parseSipUri,
      aorOf,
      isOurs: (uri) => this.ours.has(aorOf(uri)),
      groupUri: (text) => groupUri(text, names),
      policyRefused: (policy) => this.policyRefused(policy),
      groupPolicy: groupPolicy({ idleSeconds: 300, chat: usualChat }),
      realm: 'conf.example.com',
      readings: [
        { kind: 'gauge', name: 'test_depth', help: 'A number of another part', read: () => 7 },
        { kind: 'counter', name: 'test_met_total', help: 'Several', labels: ['by'], read: () => this.met },
      ],
      log,
      ids: {
        request: () => `req-${++this.#requestCount}`,
        reply: () => `reply-${++this.#replyCount}`,
        row: () => `row-${++this.#rowCount}`,
      },
      clock: this.clock,
    });
  }

  /** Empties everything a test has put in; the shell itself stays, since building it takes a while. */
  reset(): void {
    this.reads.reset();
    this.groups.reset();
    this.users.reset();
    this.clock.reset();
    this.submitted.length = 0;
    this.core = silentCore;
    this.conferenceInfo = undefined;
    this.ours.clear();
    this.stopping = false;
    this.health = healthy;
    this.stats = someStats;
    this.met = [];
    this.versionsSent.clear();
    this.#rowCount = 0;
    this.#requestCount = 0;
    this.#replyCount = 0;
  }

  #submit(input: Input): void {
    if (!('actor' in input)) throw new TypeError(`${input.type} is no command`);
    this.submitted.push(input);
    const outcome = this.core(input);
    if (outcome !== undefined && 'reply' in input) this.shell.reply(input.reply, outcome);
  }

  get(url: string, asking: Asking = {}): Promise<LightMyRequestResponse> {
    return this.ask('GET', url, asking);
  }

  post(url: string, body?: unknown, asking: Asking = {}): Promise<LightMyRequestResponse> {
    return this.ask('POST', url, { ...asking, body });
  }

  patch(url: string, body: unknown, asking: Asking = {}): Promise<LightMyRequestResponse> {
    return this.ask('PATCH', url, { ...asking, body });
  }

  put(url: string, body?: unknown, asking: Asking = {}): Promise<LightMyRequestResponse> {
    return this.ask('PUT', url, { ...asking, body });
  }

  delete(url: string, asking: Asking = {}): Promise<LightMyRequestResponse> {
    return this.ask('DELETE', url, asking);
  }

  /** A string body goes as it is, anything else as JSON. */
  async ask(
    method: string,
    url: string,
    { body, headers = {}, key = this.key }: Asking,
  ): Promise<LightMyRequestResponse> {
    const request: InjectOptions = { method: method as 'GET', url, headers: { ...headers } };
    if (key !== null) request.headers = { ...request.headers, authorization: `Bearer ${key}` };
    if (body !== undefined) request.payload = typeof body === 'string' ? body : JSON.stringify(body);
    if (body !== undefined && headers['content-type'] === undefined) {
      request.headers = { ...request.headers, 'content-type': 'application/json' };
    }
    const response = await this.shell.inject(request);
    check ??= new DocumentCheck(await this.shell.document());
    check.response(method, url, response);
    return response;
  }
}
