/** A list as long as one may be, whose entries come to every kind of end: what the wire, the roster, REST and the event log tell. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { type ListEntry, withReplaces } from '../support/bodies.ts';
import type { Call, IncomingInvite } from '../support/call.ts';
import type { SeenRoster } from '../support/conference-document.ts';
import { askPostgres, describePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { type ParticipantView, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { type Subscription, subscriptionState } from '../support/subscription.ts';
import { type Script, UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';
import { methodOf, receivedRequest, receivedResponse, WireLog } from '../support/wire-log.ts';

/** What becomes of an entry: the answers to its INVITEs, and how it ends. */
type Kind = { readonly answers: readonly number[]; readonly ends: 'connected' | 'busy' | 'failed' };

const kinds = {
  accepts: { answers: [200], ends: 'connected' },
  // Rings first.
  busy: { answers: [486], ends: 'busy' },
  moved: { answers: [302], ends: 'failed' },
  asksWho: { answers: [401], ends: 'failed' },
  unknown: { answers: [404], ends: 'failed' },
  late: { answers: [408], ends: 'failed' },
  // Says nothing at all: Timer B of the SIP server.
  silent: { answers: [408], ends: 'failed' },
  noReplaces: { answers: [420, 200], ends: 'connected' },
  longSessions: { answers: [422, 200], ends: 'connected' },
  otherCall: { answers: [481, 481, 200], ends: 'connected' },
  noMessages: { answers: [488], ends: 'failed' },
  declines: { answers: [603], ends: 'failed' },
  nowhere: { answers: [503], ends: 'failed' },
  // Never dialled.
  unreadable: { answers: [], ends: 'failed' },
  mail: { answers: [], ends: 'failed' },
} as const satisfies Record<string, Kind>;
type KindName = keyof typeof kinds;

/** Who is where: ten of a host at most, of whom the first five are dialled together. */
const hosts = [
  'accepts accepts busy moved asksWho unknown late otherCall otherCall accepts',
  'accepts busy moved unknown longSessions noMessages declines otherCall accepts asksWho',
  'silent accepts longSessions noMessages declines busy moved asksWho accepts unknown',
  'accepts busy asksWho unknown late longSessions noMessages moved declines accepts',
  // Whoever is here knows nothing of Replaces.
  'noReplaces noReplaces noReplaces busy accepts accepts late',
].map((line) => line.split(' ') as KindName[]);

/** `entity` is its key in the roster, where that is not its URI. */
type Entry = { readonly aor: string; readonly entity?: string; readonly kind: KindName; readonly entry: ListEntry };

const anyCall = { callId: 'no-such-call@example.com', toTag: 'one', fromTag: 'two' };

/** Alice, and the user agents of five hosts, whose answers wait until they are let through. */
class Cast {
  readonly log = new WireLog();
  readonly agents: UserAgent[] = [];
  readonly entries: Entry[] = [];
  readonly held: { readonly host: string; readonly user: string; readonly answer: () => void }[] = [];
  readonly ringing: IncomingInvite[] = [];

  static async open(): Promise<Cast> {
    const cast = new Cast();
    for (const [index, names] of hosts.entries()) await cast.#host(index, names);
    const bad = 'sip:no one@example.com';
    cast.entries.push(
      { aor: 'sip:nina@nobody.invalid', kind: 'nowhere', entry: { uri: 'sip:nina@nobody.invalid' } },
      { aor: bad, entity: 'sip:entry50@unreadable.invalid', kind: 'unreadable', entry: { uri: bad } },
      { aor: 'mailto:nina@example.com', kind: 'mail', entry: { uri: 'mailto:nina@example.com' } },
    );
    return cast;
  }

  async #host(index: number, names: readonly KindName[]): Promise<void> {
    const transport = index < 3 ? 'udp' : 'tcp';
    const options = { name: `host${index}`, host: `127.0.0.${index + 2}`, transport, log: this.log } as const;
    const knows = names.includes('noReplaces') ? [] : ['replaces'];
    const agent = await UserAgent.open({ ...options, extensions: knows });
    this.agents.push(agent);
    const { host, port } = agent.transactions.address;
    for (const kind of names) {
      const user = `u${this.entries.length + 1}`;
      const aor = `sip:${user}@${host}:${port}`;
      const uri = `${aor};transport=${transport}`;
      const replaces = kind === 'noReplaces' || kind === 'otherCall';
      this.entries.push({ aor, kind, entry: { uri: replaces ? withReplaces(uri, anyCall) : uri } });
    }
    agent.answers((invite) => this.#invited(agent.name, invite));
  }

  #invited(host: string, invite: IncomingInvite): void {
    const user = /^sip:(u\d+)@/.exec(invite.request.uri)?.[1] ?? '';
    const kind = this.entries[Number(user.slice(1)) - 1]?.kind;
    if (kind === undefined || kind === 'silent') return;
    invite.respond(100);
    this.held.push({ host, user, answer: () => this.#answer(kind)(invite) });
  }

  #answer(kind: KindName): Script {
    if (kind === 'busy')
      return (invite) => {
        invite.respond(180);
        this.ringing.push(invite);
      };
    return (invite) => {
      if (kind === 'longSessions' && header(invite.request, 'Min-SE') === undefined)
        invite.respond(422, { 'Min-SE': '3600' });
      else if (kinds[kind].ends === 'connected') invite.accept();
      else invite.respond(kinds[kind].answers[0] ?? 500, kind === 'moved' ? { 'Contact': '<sip:x@example.com>' } : {});
    };
  }

  get calls(): readonly Call[] {
    return this.agents.flatMap(({ calls }) => calls);
  }

  /** The most INVITEs that were under way at once, unanswered, not even ringing: in all, and towards one host. */
  parallel(): { readonly inAll: number; readonly perHost: number } {
    const open = new Map<string, string>();
    let inAll = 0;
    let perHost = 0;
    for (const { owner, direction, message } of this.log.entries) {
      const via = header(message, 'Via') ?? '';
      if (!owner.startsWith('host') || methodOf(message) !== 'INVITE') continue;
      if (message.kind === 'response') {
        if (message.status > 100) open.delete(via);
      } else if (direction === 'received') open.set(via, owner);
      inAll = Math.max(inAll, open.size);
      perHost = Math.max(perHost, [...open.values()].filter((host) => host === owner).length);
    }
    return { inAll, perHost };
  }

  async close(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.close()));
  }
}

/** What a watcher has learned of each user, document by document: the words of the endpoint, each once, in order. */
class Told {
  readonly #watcher: Subscription;
  readonly #words = new Map<string, string[]>();
  readonly versions: number[] = [];

  constructor(watcher: Subscription) {
    this.#watcher = watcher;
  }

  of({ aor, entity = aor }: Entry): readonly string[] {
    for (const notify of this.#watcher.notifies.slice(this.versions.length))
      this.#learn(this.#watcher.rosterWith(notify));
    return this.#words.get(entity) ?? [];
  }

  async when(what: string, holds: () => boolean, timeoutMs?: number): Promise<void> {
    await this.#watcher.notify(what, holds, timeoutMs);
  }

  #learn({ version, users }: SeenRoster): void {
    this.versions.push(version);
    for (const { entity, endpoints } of users) {
      const words = this.#words.get(entity) ?? [];
      for (const { status, disconnectionMethod } of endpoints) {
        const word = `${status} ${disconnectionMethod}`.trim();
        if (words.at(-1) !== word) words.push(word);
      }
      this.#words.set(entity, words);
    }
  }
}

type Attempt = {
  readonly change: string | null;
  readonly outcome: { readonly status: number } | null;
  readonly duration_ms: number | null;
};
type Participant = Omit<ParticipantView, 'attempts'> & { readonly attempts: readonly Attempt[] };

async function participants(service: Service, id: string): Promise<readonly Participant[]> {
  return (await service.get<{ data: readonly Participant[] }>(`/conferences/${id}/participants?limit=200`)).body.data;
}

/** Lets the answers of one host through after the other's, until none is left, each time until the watcher knows. */
async function answerAll(cast: Cast, told: Told): Promise<void> {
  const isTold = (entry: Entry): boolean =>
    told.of(entry).some((word) => word === lastWord(entry.kind) || (entry.kind === 'busy' && word === 'alerting'));
  const reachable = cast.entries.filter(({ kind }) => kind !== 'silent');
  while (!reachable.every(isTold)) {
    const [first] = cast.held;
    const now = cast.held.filter(({ host }) => host === first?.host);
    cast.held.splice(0, cast.held.length, ...cast.held.filter(({ host }) => host !== first?.host));
    for (const { answer } of now) answer();
    const theirs = cast.entries.filter(({ aor }) => now.some(({ user }) => aor.startsWith(`sip:${user}@`)));
    // Who is invited again is held again.
    const isSettled = (entry: Entry): boolean =>
      isTold(entry) || cast.held.some(({ user }) => entry.aor.startsWith(`sip:${user}@`));
    const held = (): boolean => cast.held.length > 0;
    const settled = now.length > 0 ? () => theirs.every(isSettled) : () => held() || reachable.every(isTold);
    await waitFor('the watcher to know', settled).catch((error: unknown) => {
      throw new Error(`${String(error)}; untold: ${JSON.stringify(reachable.filter((entry) => !isTold(entry)))}`);
    });
  }
}

function lastWord(kind: KindName): string {
  const { ends } = kinds[kind];
  return ends === 'connected' ? ends : `disconnected ${ends}`;
}

/** What the event log holds of an entry. */
function eventsOf(kind: KindName): readonly string[] {
  const { answers, ends } = kinds[kind];
  if (answers.length === 0) return ['failed'];
  const ringing = kind === 'busy' ? ['ringing'] : [];
  return ['invited', ...ringing, ...(ends === 'connected' ? ['joined', 'left'] : ['failed'])];
}

describePostgres('a list of fifty', () => {
  let postgres: TestPostgres;
  let databaseUrl: string;
  let service: Service;
  beforeAll(async () => {
    postgres = await startPostgres();
    databaseUrl = await postgres.createDatabase();
    service = await Service.start({ DATABASE_URL: databaseUrl });
  });
  afterAll(async () => {
    await service?.dispose();
    await postgres?.stop();
  });

  test('CC-004 CC-051 CC-060 CC-061 CC-053 CC-042 each kind of end is told everywhere, the caps hold, nothing is left over', async () => {
    const cast = await Cast.open();
    const { log, entries } = cast;
    expect(entries).toHaveLength(50);
    const alice = await UserAgent.open({ name: 'alice', transport: 'udp', log });
    const list = { entries: entries.map(({ entry }) => entry) };
    const call = await inviteFactory(alice, service.factoryOver('udp'), list).established();
    const watcher = alice.subscribe(call.dialog.remoteTarget);
    const told = new Told(watcher);
    const { id } = await whenConference(service, call.dialog.remoteTarget, () => true);

    // 20 of the conference, 5 of each host; of the 20 one is never answered.
    await waitFor('all places to be taken', () => cast.held.length === 19);
    const waiting = (await participants(service, id)).map(({ status }) => status);
    const count = (status: string): number => waiting.filter((each) => each === status).length;
    expect([count('connected'), count('dialing-out'), count('pending'), count('disconnected')]).toEqual([1, 20, 28, 2]);
    await answerAll(cast, told);
    for (const invite of cast.ringing) invite.respond(486);
    const everybody = (): boolean => entries.every((entry) => told.of(entry).at(-1) === lastWord(entry.kind));
    await told.when('every end', everybody, 45_000);

    const at = (matches: Parameters<typeof log.waitFor>[1]): number => log.entries.findIndex(matches);
    const first = Math.min(...cast.agents.map(({ name }) => at(receivedRequest(name, 'INVITE'))));
    expect(at(receivedResponse('alice', 200, 'INVITE'))).toBeLessThan(first);
    expect(cast.parallel()).toEqual({ inAll: 20, perHost: 5 });
    const busy = entries.filter(({ kind }) => kind === 'busy').map((entry) => told.of(entry));
    expect(busy.every((words) => words.includes('alerting'))).toBe(true);
    expect(told.versions).toEqual(told.versions.map((_, index) => index));
    const isIn = ({ kind }: Entry): boolean => kinds[kind].ends === 'connected';
    expect(watcher.rosters.at(-1)?.userCount).toBe(1 + entries.filter(isIn).length);
    judge(entries, await participants(service, id));

    expect((await call.bye()).status).toBe(200);
    await Promise.all(cast.calls.map(({ ended }) => ended));
    expect(cast.calls).toHaveLength(entries.filter(isIn).length);
    await watcher.notify('the end', subscriptionState('terminated;reason=noresource'));
    await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'ended');
    await nothingLeft(service);
    for (const { dialog } of [call, ...cast.calls.slice(0, 3)]) {
      const agent = [alice, ...cast.agents].find((one) => one.dialogs.includes(dialog));
      expect((await agent?.askIn(dialog, 'BYE'))?.status).toBe(481);
    }

    const sql = 'SELECT seq, type, data FROM events WHERE conference_id = $1 ORDER BY seq';
    const rows = (await askPostgres(databaseUrl, sql, [id])) as { seq: number; type: string; data: { uri?: string } }[];
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect([rows[0]?.type, rows.at(-1)?.type]).toEqual(['conference.created', 'conference.ended']);
    const ofInterest = /^participant\.(invited|ringing|joined|left|failed)$/;
    const logged = entries.map(({ aor }) =>
      rows.filter(({ data }) => data.uri === aor).flatMap(({ type }) => ofInterest.exec(type)?.[1] ?? []),
    );
    expect(logged).toEqual(entries.map(({ kind }) => eventsOf(kind)));
    await alice.close();
    await cast.close();
  }, 120_000);
});

/** What REST says of each entry. */
function judge(entries: readonly Entry[], found: readonly Participant[]): void {
  const [, ...invitees] = found;
  const shown = invitees.map(({ uri, status, disconnection, attempts }) => {
    const answers = attempts.map(({ outcome }) => outcome?.status);
    return [uri, status, disconnection?.method, disconnection?.sip_status, answers];
  });
  expect(shown).toEqual(
    entries.map(({ aor, kind }) => {
      const { answers, ends } = kinds[kind];
      if (ends === 'connected') return [aor, 'connected', undefined, undefined, answers];
      const never = kind === 'mail' ? 416 : 400;
      return [aor, 'disconnected', ends, answers.at(-1) ?? never, answers];
    }),
  );
  const changes = (kind: KindName) =>
    new Set(
      entries.flatMap((entry, index) =>
        entry.kind === kind ? [invitees[index]?.attempts.map(({ change }) => change).join()] : [],
      ),
    );
  expect(changes('noReplaces')).toEqual(new Set([',without Replaces']));
  expect(changes('otherCall')).toEqual(new Set([',QK-9,without Replaces']));
  expect(changes('longSessions')).toEqual(new Set([',Session-Expires 3600']));
  const durations = invitees.flatMap(({ attempts }) => attempts.map(({ duration_ms: ms }) => ms ?? -1));
  expect(durations.every((ms) => ms >= 0)).toBe(true);
  const silent = invitees[entries.findIndex(({ kind }) => kind === 'silent')];
  // RFC 3261 17.1.1.2: Timer B is 64*T1.
  expect(silent?.attempts[0]?.duration_ms).toBeGreaterThan(31_000);
}

async function nothingLeft(service: Service): Promise<void> {
  const none = { conferences: 0, participants: 0, subscriptions: 0, msrp_sessions: 0, messages: 0 };
  expect((await service.get<{ counts: unknown }>('/stats')).body.counts).toEqual(none);
  const text = await (await fetch(new URL('/metrics', service.banner.rest))).text();
  const gauges = [...text.matchAll(/^isfocus_(conferences|participants|subscriptions|msrp_sessions) (\d+)$/gm)];
  expect(gauges.map(([, , value]) => value)).toEqual(['0', '0', '0', '0']);
}
