/**
 * Many watchers of one conference in one process, over UDP: each has a subscription of its own, answers every NOTIFY, and
 * knows what it was told (RFC 6665 4.1, RFC 4575 4.6). Several share a socket, since they must cost less than the server
 * that they watch.
 */
import {
  header,
  headerValues,
  parseSipMessage,
  type SipRequest,
  type SipResponse,
  writeSipMessage,
} from '../../src/wire/sip-message.ts';
import { rosterLine, type SeenRoster } from './conference-document.ts';
import { judgeDocument, stateOf } from './document-faults.ts';
import { rosterOf } from './known-roster.ts';
import { type Known, merged } from './seen-roster.ts';
import { cseqOf, headerList, newTag, tagOf, uriOf } from './sip-dialog.ts';
import { type Address, type Arrival, openSipSocket, type SipSocket } from './sip-socket.ts';
import { newBranch } from './sip-transactions.ts';
import { deferred, WaitTimeout, waitFor, within } from './wait.ts';
import { methodOf } from './wire-log.ts';
import type { Part } from './xml-tree.ts';

/** So few that the longest documents to all of them, two to each, find room in a socket's buffer. */
const watchersPerSocket = 8;
/** SUBSCRIBEs under way at once: so few that they are answered before they are repeated. */
const subscribing = 20;
const t1Ms = 500;
const t2Ms = 4_000;
const patienceMs = 30_000;

export type Watcher = {
  readonly aor: string;
  readonly callId: string;
  readonly tag: string;
  readonly socket: SipSocket;
  remoteTag: string;
  remoteTarget: string;
  /** Of its last SUBSCRIBE, and of the last NOTIFY. */
  cseq: number;
  notifyCseq: number;
  notifies: number;
  version: number;
  /** As put together so far; `nothing` before the first document. */
  known: Known;
  /** It was told that the conference is no more. */
  isOver: boolean;
  /** Subscription-State of the last NOTIFY. */
  state: string;
  /** A SUBSCRIBE is owed a full document (RFC 4575 3.2); called when it has come. */
  owed: () => void;
};

type Asked = { readonly watcher: Watcher; readonly settle: (response: SipResponse) => void };

export class Watchers {
  /** What no notifier may do, as it was seen. */
  readonly faults: string[] = [];
  readonly all: readonly Watcher[];
  /** NOTIFYs that came again, because our 200 was late or lost. */
  repeated = 0;
  readonly #conference: string;
  readonly #server: Address;
  /** What became of a roster by a document, once for all who have that roster and are told that. */
  readonly #steps = new WeakMap<Part, WeakMap<Known, Known>>();
  readonly #byCallId: ReadonlyMap<string, Watcher>;
  readonly #asked = new Map<string, Asked>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(conference: string, server: Address, all: readonly Watcher[]) {
    this.#conference = conference;
    this.#server = server;
    this.all = all;
    this.#byCallId = new Map(all.map((watcher) => [watcher.callId, watcher]));
  }

  /** `count` watchers of `conference`, a SIP URI that is reached at `server`; nobody has subscribed yet. */
  static async open(count: number, conference: string, server: Address): Promise<Watchers> {
    const receive = (arrival: Arrival): void => watchers.#receive(arrival);
    const all: Watcher[] = [];
    while (all.length < count) {
      const socket = await openSipSocket('udp', receive);
      const group = Array.from({ length: Math.min(watchersPerSocket, count - all.length) }, (_, index) =>
        watcherAt(socket, all.length + index),
      );
      all.push(...group);
    }
    const watchers = new Watchers(conference, server, all);
    return watchers;
  }

  /** All subscribe; resolves when each has been accepted and told of the conference. */
  async subscribe(): Promise<void> {
    await this.refresh(this.all);
  }

  /** These subscribe again; resolves when each has been accepted, and told the whole. */
  async refresh(whom: readonly Watcher[]): Promise<void> {
    const waiting = whom.values();
    const one = async (): Promise<void> => {
      for (const watcher of waiting) await this.#subscribe(watcher);
    };
    await Promise.all(Array.from({ length: subscribing }, one));
  }

  /** Waits until every watcher knows a conference of which `holds` is true. */
  async know(what: string, holds: (roster: SeenRoster) => boolean): Promise<void> {
    const judged = new Map<Known, boolean>();
    await this.every(what, ({ known, version }) => {
      const verdict = judged.get(known) ?? holds(rosterOf(known, version));
      judged.set(known, verdict);
      return verdict;
    });
  }

  /** Waits until `holds` is true of every watcher. */
  async every(what: string, holds: (watcher: Watcher) => boolean): Promise<void> {
    try {
      await waitFor(`every watcher to know ${what}`, () => this.all.every(holds), patienceMs);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      const others = this.all.filter((watcher) => !holds(watcher));
      const [first] = others.map(({ aor, version, known }) => `${aor}, ${rosterLine(rosterOf(known, version))}`);
      throw new WaitTimeout(`${error.message}; ${others.length} do not: ${first}\n${this.faults.join('\n')}`);
    }
  }

  /** What they know, each once. */
  get rosters(): readonly SeenRoster[] {
    return [...new Map(this.all.map(({ known, version }) => [known, version]))].map((each) => rosterOf(...each));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...new Set(this.all.map(({ socket }) => socket))].map((socket) => socket.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #subscribe(watcher: Watcher): Promise<void> {
    const { promise: told, resolve } = deferred<void>();
    watcher.owed = () => resolve();
    const response = await within(`an answer to ${watcher.aor}`, this.#ask(watcher), patienceMs);
    if (response.status !== 200) {
      this.faults.push(`${watcher.aor} was answered ${response.status}`);
      return;
    }
    watcher.remoteTag = tagOf(header(response, 'To')) ?? '';
    watcher.remoteTarget = uriOf(header(response, 'Contact') ?? '');
    await within(`a NOTIFY for the SUBSCRIBE of ${watcher.aor}`, told, patienceMs);
  }

  #ask(watcher: Watcher): Promise<SipResponse> {
    watcher.cseq += 1;
    const { promise, resolve: settle } = deferred<SipResponse>();
    const branch = newBranch();
    const text = writeSipMessage(this.#request(watcher, branch));
    let timer: NodeJS.Timeout | undefined;
    // RFC 3261 17.1.2.1: Timer E.
    const send = (delayMs: number): void => {
      if (timer) this.#timers.delete(timer);
      watcher.socket.send(text, this.#server);
      timer = setTimeout(() => send(Math.min(delayMs * 2, t2Ms)), delayMs);
      this.#timers.add(timer);
    };
    send(t1Ms);
    this.#asked.set(branch, {
      watcher,
      settle: (response) => {
        clearTimeout(timer);
        settle(response);
      },
    });
    return promise;
  }

  #request({ aor, tag, callId, cseq, socket, remoteTag, remoteTarget }: Watcher, branch: string): SipRequest {
    const { host, port } = socket.address;
    const to = remoteTag === '' ? '' : `;tag=${remoteTag}`;
    const headers = headerList({
      'Via': `SIP/2.0/UDP ${host}:${port};branch=${branch}`,
      'Max-Forwards': '70',
      'From': `<${aor}>;tag=${tag}`,
      'To': `<${this.#conference}>${to}`,
      'Call-ID': callId,
      'CSeq': `${cseq} SUBSCRIBE`,
      'Contact': `<${aor}>`,
      'Event': 'conference',
      'Accept': 'application/conference-info+xml',
      'Expires': '3600',
    });
    return { kind: 'request', method: 'SUBSCRIBE', uri: remoteTarget || this.#conference, headers, body: '' };
  }

  #receive({ text, sendBack }: Arrival): void {
    const message = parseSipMessage(text);
    if (message.kind === 'response') {
      const branch = /;branch=([^;,\s]+)/.exec(header(message, 'Via') ?? '')?.[1] ?? '';
      if (message.status >= 200) this.#asked.get(branch)?.settle(message);
      return;
    }
    const watcher = this.#byCallId.get(header(message, 'Call-ID') ?? '');
    if (watcher === undefined || methodOf(message) !== 'NOTIFY') this.faults.push(`nobody awaited\n${text}`);
    else {
      sendBack(acceptanceOf(message));
      this.#notified(watcher, message);
    }
  }

  #notified(watcher: Watcher, notify: SipRequest): void {
    const cseq = cseqOf(notify);
    if (cseq <= watcher.notifyCseq) {
      this.repeated += 1;
      return;
    }
    // RFC 3261 12.2.1.1: requests within a dialog are numbered one by one, so a gap is a NOTIFY that never came.
    if (watcher.notifies > 0 && cseq !== watcher.notifyCseq + 1)
      this.faults.push(`${watcher.aor} had NOTIFY ${cseq} after ${watcher.notifyCseq}`);
    if (watcher.state.startsWith('terminated')) this.faults.push(`${watcher.aor} had NOTIFY ${cseq} after its last`);
    watcher.notifyCseq = cseq;
    watcher.notifies += 1;
    watcher.state = header(notify, 'Subscription-State') ?? '';
    if (notify.body === '') this.faults.push(`${watcher.aor} had NOTIFY ${cseq} without a document`);
    else this.#told(watcher, notify.body);
  }

  #told(watcher: Watcher, body: string): void {
    const fault = (text: string): void => {
      this.faults.push(`${watcher.aor}, version ${version} after ${watcher.version}: ${text}`);
    };
    const { root, version, faults } = judgeDocument(body);
    for (const text of faults) fault(text);
    if (root === null) return;
    // RFC 4575 5.2: it counts within the subscription; ours: from 0, and every document has a number of its own.
    if (version !== watcher.version + 1) fault('it is not the next one');
    const state = stateOf(root);
    if (state === 'partial' && watcher.known === nothing) fault('it is partial, and nothing was known');
    if (state === 'full') watcher.known = this.#after(nothing, root, fault);
    else if (state === 'partial') watcher.known = this.#after(watcher.known, root, fault);
    watcher.isOver = state === 'deleted';
    watcher.version = version;
    if (state === 'full') watcher.owed();
  }

  /** RFC 4575 4.6. */
  #after(before: Known, root: Part, fault: (text: string) => void): Known {
    const steps = this.#steps.get(root) ?? new WeakMap<Known, Known>();
    this.#steps.set(root, steps);
    const partless = (path: string): void => fault(`a part of ${path}, of which nothing was known`);
    const after = steps.get(before) ?? merged(before, root, partless);
    steps.set(before, after);
    return after;
  }
}

const nothing: Known = { attributes: new Map(), within: new Map() };

function watcherAt(socket: SipSocket, index: number): Watcher {
  const { host, port } = socket.address;
  return {
    aor: `sip:watcher${index}@${host}:${port}`,
    callId: `watcher${index}-${newTag()}`,
    tag: newTag(),
    socket,
    remoteTag: '',
    remoteTarget: '',
    cseq: 0,
    notifyCseq: 0,
    notifies: 0,
    version: -1,
    known: nothing,
    isOver: false,
    state: '',
    owed: () => {},
  };
}

const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

function acceptanceOf(request: SipRequest): string {
  const headers = copied.flatMap((name) => headerValues(request, name).map((value) => ({ name, value })));
  return writeSipMessage({ kind: 'response', status: 200, reason: 'OK', headers, body: '' });
}
