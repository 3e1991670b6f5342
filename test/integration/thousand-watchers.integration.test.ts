/**
 * A thousand watchers of a room of sixty, with the limits of the real drachtio server: its control connection breaks when
 * more is sent at once than its ring holds, so none of what is sent to a thousand may come at once.
 */
import { describe, expect, test } from 'vitest';
import type { Call } from '../support/call.ts';
import type { SeenRoster, SeenUser } from '../support/conference-document.ts';
import type { ParticipantView } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { newTag } from '../support/sip-dialog.ts';
import { UserAgent } from '../support/user-agent.ts';
import { Watchers } from '../support/watchers.ts';

type Made = { readonly id: string; readonly uri: string };

/** Those who come and go, at one host. */
class Room {
  readonly #agent: UserAgent;
  readonly #conference: string;
  readonly #calls: Call[] = [];
  #came = 0;

  constructor(agent: UserAgent, conference: string) {
    this.#agent = agent;
    this.#conference = conference;
  }

  /** So many more call in together. */
  async enter(count: number): Promise<void> {
    const coming = Array.from({ length: count }, () => {
      this.#came += 1;
      const aor = this.aor(this.#came);
      return this.#agent.call(this.#conference, { headers: { 'From': `<${aor}>;tag=${newTag()}` } });
    });
    this.#calls.push(...(await Promise.all(coming)));
  }

  /** Of those who are in, so many hang up together who came first. */
  async leave(count: number): Promise<void> {
    const statuses = await Promise.all(this.#calls.splice(0, count).map(async (call) => (await call.bye()).status));
    expect(statuses).toEqual(statuses.map(() => 200));
  }

  aor(number: number): string {
    const { host, port } = this.#agent.transactions.address;
    return `sip:user${number}@${host}:${port}`;
  }
}

/** Whether `roster` has them in it; who has gone is still listed for a while, but as that. */
function has(roster: SeenRoster, aor: string): boolean {
  const user = userIn(roster, aor);
  return user?.endpoints.every(({ status }) => status !== 'disconnected') === true;
}

/** What `roster` says otherwise than REST; of whom a document too long for all is silent, it says nothing. */
function contradictions(roster: SeenRoster, truth: readonly ParticipantView[]): readonly string[] {
  return truth.flatMap(({ uri, status }) => {
    const told = userIn(roster, uri)?.endpoints.map((endpoint) => endpoint.status);
    if (told === undefined) return status === 'connected' ? [`${uri} is absent`] : [];
    return told.filter((each) => each !== status).map((each) => `${uri} is ${status}, not ${each}`);
  });
}

function userIn({ users }: SeenRoster, aor: string): SeenUser | undefined {
  return users.find(({ entity }) => entity === aor);
}

type Line = { readonly level: number; readonly part?: string };

/** What the log of SIP tells that should not be: a connection lost, frames never confirmed, requests given up. */
function warnings(service: Service): readonly string[] {
  const lines = service.output.split('\n').filter((line) => line.startsWith('{'));
  return lines.filter((line) => {
    const { level, part = '' } = JSON.parse(line) as Line;
    return level >= 40 && part.startsWith('sip');
  });
}

describe.each(['0', '1'])('with %s s between two NOTIFYs', (interval) => {
  test('each of the thousand learns all that happens: no reset, no stall, no lost NOTIFY', async () => {
    await using service = await Service.start({
      SIPD_MODE: 'strict',
      NOTIFY_MIN_INTERVAL: interval,
      LOG_LEVEL: 'warn',
    });
    const made = await service.post<Made>('/conferences', { policy: { subscribe: 'anyone', end: 'idle' } });
    const { id, uri } = made.body;
    const change = async (what: object): Promise<number> => (await service.patch(`/conferences/${id}`, what)).status;
    await using agent = await UserAgent.open({ name: 'room', transport: 'udp' });
    const room = new Room(agent, uri);
    await room.enter(60);

    await using watchers = await Watchers.open(1_000, uri, service.banner.sip.udp);
    await watchers.subscribe();
    await watchers.know('all sixty', ({ userCount, users }) => userCount === 60 && users.length === 60);
    await room.enter(1);
    await watchers.know('who has come', (roster) => roster.userCount === 61 && has(roster, room.aor(61)));
    await room.leave(1);
    await watchers.know('who has gone', (roster) => roster.userCount === 60 && !has(roster, room.aor(1)));

    // What a SUBSCRIBE is owed at once goes out beside what all are told.
    await Promise.all([room.enter(8), room.leave(8), watchers.refresh(watchers.all.slice(0, 200))]);
    await watchers.know('the last of eight who came', (roster) => roster.userCount === 60 && has(roster, room.aor(69)));
    await watchers.know('the last of eight who left', (roster) => !has(roster, room.aor(9)));
    const changes = [change({ subject: 'Spring' }), change({ locked: true })];
    await Promise.all([...changes, room.leave(5), watchers.refresh(watchers.all.slice(200, 500))]);
    expect(await Promise.all(changes)).toEqual([200, 200]);
    await watchers.know('the change', ({ subject, locked }) => subject === 'Spring' && locked === 'true');
    await watchers.know('the last of five who left', (roster) => roster.userCount === 55 && !has(roster, room.aor(14)));

    const truth = await service.get<{ readonly data: readonly ParticipantView[] }>(
      `/conferences/${id}/participants?limit=200`,
    );
    expect(truth.body.data.filter(({ status }) => status === 'connected')).toHaveLength(55);
    expect(watchers.rosters.flatMap((roster) => contradictions(roster, truth.body.data))).toEqual([]);

    expect((await service.post(`/conferences/${id}/end`, {})).status).toBe(200);
    await watchers.every('the end', ({ isOver }) => isOver);
    expect(new Set(watchers.all.map(({ state }) => state))).toEqual(new Set(['terminated;reason=noresource']));
    expect(watchers.faults).toEqual([]);
    expect(warnings(service)).toEqual([]);
    expect((await service.get<{ counts: object }>('/stats')).body.counts).toMatchObject({ subscriptions: 0 });
  }, 240_000);
});
