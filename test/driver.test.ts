import { beforeEach, expect, test } from 'vitest';
import { usualChat } from '../src/core/chat-policy.ts';
import type { Effect, Outcome } from '../src/core/effect.ts';
import type { Input } from '../src/core/input.ts';
import { limits } from '../src/core/limits.ts';
import { type Clock, StoreBusy } from '../src/core/ports.ts';
import type { Change, ConferenceRow, ParticipantRow, StoredConference } from '../src/core/rows.ts';
import { Service } from '../src/core/service.ts';
import type { Settings } from '../src/core/settings.ts';
import { Tally } from '../src/core/tally.ts';
import { Driver } from '../src/driver.ts';
import { parseSipUri } from '../src/wire/sip-uri.ts';
import {
  answerFrom,
  countingIds,
  factoryUri,
  inviteFrom,
  recipients,
  settings,
  unexplained,
} from './support/fixtures.ts';

/** A store whose every save is let through or failed by hand, in order. */
class HandStore {
  readonly saves: { change: Change; pass: () => void; fail: (error: Error) => void }[] = [];
  readonly conferences = new Map<string, ConferenceRow>();
  readonly participants = new Map<string, ParticipantRow>();

  save(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      const pass = (): void => {
        for (const row of change.conferences) this.conferences.set(row.id, row);
        for (const row of change.participants) this.participants.set(row.id, row);
        resolve();
      };
      this.saves.push({ change, pass, fail: reject });
    });
  }

  load(id: string): Promise<StoredConference | undefined> {
    const conference = this.conferences.get(id);
    if (conference === undefined) return Promise.resolve(undefined);
    return Promise.resolve({
      conference,
      participants: [...this.participants.values()],
      subscriptions: [],
      referrals: [],
    });
  }
}

class HandClock implements Clock {
  time = 1_000_000;
  readonly waiting: { at: number; callback: () => void }[] = [];
  now = (): number => this.time;
  callAt = (at: number, callback: () => void): (() => void) => {
    const entry = { at, callback };
    this.waiting.push(entry);
    return () => void this.waiting.splice(this.waiting.indexOf(entry), 1);
  };

  passes(ms: number): void {
    this.time += ms;
    for (const entry of this.waiting.filter(({ at }) => at <= this.time)) {
      this.waiting.splice(this.waiting.indexOf(entry), 1);
      entry.callback();
    }
  }
}

let store: HandStore;
let clock: HandClock;
let out: string[];
let outcomes: Map<string, Outcome>;
let driver: Driver;
let service: Service;
let tally: Tally;

/** Lets every promise that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

beforeEach(() => start());

function start(changes: Partial<Settings> = {}): void {
  store = new HandStore();
  clock = new HandClock();
  out = [];
  outcomes = new Map();
  service = new Service({ settings: settings(changes), ids: countingIds() });
  const perform = (effect: Effect): void => void out.push(effect.type);
  const reply = (to: string, outcome: Outcome): void => {
    out.push('reply');
    outcomes.set(to, outcome);
  };
  const log = { isLevelEnabled: () => true, debug: () => undefined, info: () => undefined, error: () => undefined };
  tally = new Tally();
  const shells = { sip: { perform, reply }, msrp: { perform, reply }, http: { reply } };
  driver = new Driver({ service, clock, store, ...shells, observer: tally, log });
}

function invite(name = 'alice'): Input {
  return inviteFrom(name, factoryUri, {
    requires: ['recipient-list-invite'],
    list: recipients(['bob']),
    reply: `sip:${name}`,
  });
}

test('nothing leaves before the save that covers it has returned', async () => {
  driver.submit(invite());
  await settled();
  expect(out).toEqual([]);
  store.saves[0]?.pass();
  await settled();
  expect(out).toEqual(['msrp.open', 'msrp.open', 'msrp.route', 'reply', 'sip.invite']);
  expect(driver.idle).toBe(true);
});

test('the core runs ahead, the effects keep their order, a later save cannot overtake', async () => {
  driver.submit(invite());
  const endpointId = endpointOfBob();
  driver.submit({ type: 'endpoint-alerting', endpointId, remoteTag: null });
  driver.submit({
    type: 'endpoint-failed',
    endpointId,
    cause: { status: 486, reason: 'Busy Here' },
    unsupported: [],
    ...unexplained,
  });
  expect(store.saves).toHaveLength(3);
  store.saves[2]?.pass();
  store.saves[1]?.pass();
  await settled();
  expect(out).toEqual([]);
  store.saves[0]?.pass();
  await settled();
  expect(out.at(0)).toBe('msrp.open');
  expect(out.at(-1)).toBe('msrp.close');
});

test('conferences do not wait for each other', async () => {
  driver.submit(invite('alice'));
  driver.submit(invite('carol'));
  store.saves[1]?.pass();
  await settled();
  expect([...outcomes.keys()]).toEqual(['sip:carol']);
});

test('a creation that cannot be saved is refused and leaves nothing', async () => {
  driver.submit(invite());
  store.saves[0]?.fail(new Error('disk full'));
  await settled();
  expect(outcomes.get('sip:alice')).toMatchObject({ kind: 'refused', code: 'store-failed' });
  expect(out).toEqual(['reply']);
  expect(service.counts.conferences).toBe(0);
});

test('a store that is too busy says so', async () => {
  driver.submit(invite());
  store.saves[0]?.fail(new StoreBusy('5000 changes wait'));
  await settled();
  expect(outcomes.get('sip:alice')).toMatchObject({ kind: 'refused', code: 'busy' });
});

test('a fact whose save failed is handled again on the stored state', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  driver.submit({
    type: 'endpoint-failed',
    endpointId: endpointOfBob(),
    cause: { status: 603, reason: 'Decline' },
    unsupported: [],
    ...unexplained,
  });
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  expect(bob()?.status).toBe('dialing-out');
  clock.passes(1_000);
  expect(store.saves).toHaveLength(3);
  store.saves[2]?.pass();
  await settled();
  expect(bob()).toMatchObject({ status: 'disconnected', disconnection: { sipStatus: 603 } });
});

test('a command whose save failed is refused and its change is undone', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  const conferenceId = [...store.conferences.keys()][0] ?? '';
  driver.submit({ type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId, reason: null });
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  expect(outcomes.get('http:1')).toMatchObject({ kind: 'refused', code: 'store-failed' });
  expect(service.view(conferenceId)?.conference.status).toBe('active');
});

test('a timer fires once, as an input', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  out = [];
  clock.passes(60_000);
  store.saves[1]?.pass();
  await settled();
  expect(out).toContain('sip.cancel');
});

test('stop leaves no timer behind, and nothing starts one afterwards', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  driver.submit({ type: 'endpoint-alerting', endpointId: endpointOfBob(), remoteTag: null });
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  driver.stop();
  expect(clock.waiting).toEqual([]);
  driver.submit(invite('carol'));
  expect(store.saves).toHaveLength(2);
});

test('stop ends the asking of a store that answers no more', async () => {
  await running();
  store.load = () => Promise.reject(new Error('connection refused'));
  driver.submit({ type: 'endpoint-alerting', endpointId: endpointOfBob(), remoteTag: null });
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  clock.passes(1_000);
  await settled();
  expect(clock.waiting.some(({ at }) => at === clock.time + 1_000)).toBe(true);
  driver.stop();
  await settled();
  expect(clock.waiting).toEqual([]);
});

test('what comes in the moment a conference has been read again is not saved on top of what is being undone', async () => {
  const conferenceId = await running();
  const record = store.load(conferenceId);
  const end = { type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId, reason: null } as const;
  store.load = () => {
    const loaded = record.then((found) => found);
    void loaded.then(() => driver.submit(end));
    return loaded;
  };
  driver.submit({ type: 'endpoint-alerting', endpointId: endpointOfBob(), remoteTag: null });
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  expect(outcomes.get('http:1')).toMatchObject({ kind: 'refused', code: 'store-failed' });
  expect(store.saves).toHaveLength(2);
});

function bob(): ParticipantRow | undefined {
  return [...store.participants.values()].find((row) => row.uri.startsWith('sip:bob'));
}

function endpointOfBob(): string {
  const rows = store.saves.flatMap(({ change }) => change.participants);
  return rows.find((row) => row.uri.startsWith('sip:bob'))?.endpoints[0]?.id ?? '';
}

test('a mistake of ours ends the conference it happened in, answers the request, and nothing else', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  out = [];
  const conferenceId = [...store.conferences.keys()][0] ?? '';
  // A participant without the fields a row has: what only a mistake could hand to the core.
  const broken = {
    type: 'participant-requested',
    reply: 'http:1',
    actor: 'key:1',
    conferenceId,
    uri: parseSipUri('sip:carol@example.com'),
    replaces: null,
  };
  driver.submit(broken as unknown as Input);
  store.saves[1]?.pass();
  await settled();
  expect(outcomes.get('http:1')).toMatchObject({ kind: 'refused', code: 'internal-error' });
  expect(out).toContain('sip.bye');
  expect([...store.conferences.values()][0]).toMatchObject({ status: 'ending', endReason: 'error' });
});

/** A running conference of Alice with Bob still being dialled. */
async function running(): Promise<string> {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  out = [];
  return [...store.conferences.keys()][0] ?? '';
}

const bobsAnswer = () => answerFrom('bob', { endpointId: endpointOfBob() });

test('an answer whose save failed is handled again whole: Bob gets his messages', async () => {
  await running();
  driver.submit(bobsAnswer());
  store.saves[1]?.fail(new Error('connection lost'));
  await settled();
  clock.passes(1_000);
  store.saves[2]?.pass();
  await settled();
  expect(out).toEqual(['msrp.open', 'msrp.route']);
  expect(bob()?.status).toBe('connected');
});

test('a kick whose save failed leaves everything as it was, message sessions too', async () => {
  const conferenceId = await running();
  driver.submit(bobsAnswer());
  store.saves[1]?.pass();
  await settled();
  out = [];
  const participantId = bob()?.id ?? '';
  driver.submit({
    type: 'removal-requested',
    reply: 'http:1',
    actor: 'key:1',
    conferenceId,
    participantId,
    reason: null,
  });
  store.saves[2]?.fail(new Error('connection lost'));
  await settled();
  expect(out).toEqual(['reply']);
  driver.submit({
    type: 'removal-requested',
    reply: 'http:2',
    actor: 'key:1',
    conferenceId,
    participantId,
    reason: null,
  });
  store.saves[3]?.pass();
  await settled();
  expect(outcomes.get('http:2')).toMatchObject({ kind: 'participant-removed' });
  expect(out).toContain('msrp.close');
});

test('an end whose save failed leaves the conference running, and it can be ended again', async () => {
  const conferenceId = await running();
  for (const reply of ['http:1', 'http:2']) {
    driver.submit({ type: 'end-requested', reply, actor: 'key:1', conferenceId, reason: null });
    const save = store.saves.at(-1);
    if (reply === 'http:1') save?.fail(new Error('connection lost'));
    else save?.pass();
    await settled();
  }
  expect(outcomes.get('http:2')).toMatchObject({ kind: 'conference-ended' });
});

test('committed but reported failed: nobody outside knows of the conference, so it ends', async () => {
  driver.submit(invite());
  const save = store.saves[0];
  for (const row of save?.change.conferences ?? []) store.conferences.set(row.id, row);
  for (const row of save?.change.participants ?? []) store.participants.set(row.id, row);
  save?.fail(new Error('connection lost after commit'));
  await settled();
  expect(outcomes.get('sip:alice')).toMatchObject({ kind: 'refused', code: 'store-failed' });
  store.saves[1]?.pass();
  await settled();
  expect([...store.conferences.values()][0]).toMatchObject({ endReason: 'error' });
  expect(out).not.toContain('sip.invite');
});

test('CC-019 an INVITE that is cancelled before it has left is never sent', async () => {
  const input = invite();
  driver.submit(input);
  driver.submit({ type: 'invite-cancelled', dialogId: 'dialogId' in input ? input.dialogId : '' });
  for (const save of store.saves) save.pass();
  await settled();
  for (const save of store.saves) save.pass();
  await settled();
  expect(out).not.toContain('sip.invite');
  expect(out).not.toContain('sip.cancel');
  expect([...store.conferences.values()][0]).toMatchObject({ status: 'ended', endReason: 'cancelled' });
});

test('a mistake outside every turn is answered and reaches nobody else', () => {
  const input = invite();
  driver.submit({ ...input, target: null } as unknown as Input);
  expect(outcomes.get('sip:alice')).toMatchObject({ kind: 'refused', code: 'internal-error' });
  expect(store.saves).toEqual([]);
  driver.submit(invite('carol'));
  expect(store.saves).toHaveLength(1);
});

test('what passes is counted once it is true: requests as they come, answers as they leave, events once saved', async () => {
  driver.submit({ ...invite(), quirks: ['QK-4'] } as Input);
  expect(tally.quirks.entries).toEqual([['QK-4', 1]]);
  expect(tally.events.entries).toEqual([]);
  store.saves[0]?.pass();
  await settled();
  expect(tally.events.entries).toContainEqual(['conference.created', 1]);
  driver.submit({ ...invite('carol'), list: [] } as Input);
  store.saves.at(-1)?.fail(new Error('no disk'));
  await settled();
  expect(tally.refusals.entries).toEqual([['store-failed', 1]]);
  expect(tally.events.entries).toContainEqual(['conference.created', 1]);
});

test('a fact that is handled again is counted once', async () => {
  driver.submit(invite());
  store.saves[0]?.pass();
  await settled();
  const busy = { cause: { status: 486, reason: 'Busy Here' }, unsupported: [], ...unexplained };
  driver.submit({ type: 'endpoint-failed', endpointId: endpointOfBob(), ...busy });
  store.saves[1]?.fail(new Error('no disk'));
  await settled();
  clock.passes(1_000);
  store.saves[2]?.pass();
  await settled();
  expect(store.saves).toHaveLength(3);
  expect(tally.dialAttempts.entries).toEqual([['486', 1]]);
});

/** Messages of which it is told at once what became of them. */
function switched(conferenceId: string, count: number): Input {
  const facts = { from: 'sip:alice@atlanta.example.com', to: null, contentType: 'text/plain', content: 'Hello' };
  const messages = Array.from({ length: count }, (_, index) => {
    return { messageId: `${index}`, ...facts, size: 200, sentAt: 1, deliveries: [] };
  });
  return { type: 'messages-switched', conferenceId, count, messages, losses: [] };
}

test('while the store is away so many messages wait for it, and the others are counted', async () => {
  start({ chat: { ...usualChat, history: 'content' } });
  const conferenceId = await running();
  const half = limits.unsavedMessagesMax / 2;
  for (const count of [half, half, 1]) driver.submit(switched(conferenceId, count));
  const [, first, second, third] = store.saves;
  expect([first, second, third].map((save) => save?.change.messages.length)).toEqual([half, half, 0]);
  // Those that are to be told again wait, too.
  first?.fail(new Error('no disk'));
  for (const save of [second, third]) save?.fail(new Error('no disk'));
  await settled();
  driver.submit(switched(conferenceId, 1));
  clock.passes(1_000);
  expect(store.saves.slice(4).map(({ change }) => change.messages.length)).toEqual([half, half, 0, 0]);
  for (const { pass } of store.saves.slice(4)) pass();
  await settled();
  expect(store.conferences.get(conferenceId)?.messageCount).toBe(2 * half + 2);
  driver.submit(switched(conferenceId, 1));
  expect(store.saves.at(-1)?.change.messages).toHaveLength(1);
});
