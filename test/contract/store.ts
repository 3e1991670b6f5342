import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { BadCursor, type ConferenceFilter, type KeyPort, type ReadPort, type SavePort } from '../../src/core/ports.ts';
import {
  attemptRow,
  changeOf,
  conferenceRow,
  endpointRow,
  eventRow,
  messageRow,
  noon,
  participantRow,
  referralRow,
  subscriptionRow,
} from '../support/stored-rows.ts';
import { type DefinitionStores, definitionContract } from './definitions.ts';
import { messageContract } from './messages.ts';

/** What the contract is about, whatever is behind it. */
export type ContractStore = SavePort & ReadPort & KeyPort & DefinitionStores;

const everything: ConferenceFilter = {
  status: null,
  kind: null,
  createdBy: null,
  participantUri: null,
  createdAfter: null,
  createdBefore: null,
  sort: '-created_at',
};
const allAttempts = { code: null, caller: null };
const first = (limit: number) => ({ limit, cursor: null, count: false });
const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

/** The store's contract; the same suite runs on a memory store, on PGlite and on Postgres. */
export function storeContract(
  name: string,
  open: () => Promise<{ readonly store: ContractStore; readonly close: () => Promise<void> }>,
): void {
  describe(name, () => {
    let store: ContractStore;
    let close = async () => {};
    let names = 0;
    /** Ids that no other test of this store uses, in rising order. */
    const fresh = (prefix: string) => {
      names += 1;
      return `${prefix}-${String(names).padStart(5, '0')}`;
    };
    const saveConference = async (part: Partial<Parameters<typeof conferenceRow>[0]> = {}) => {
      const row = conferenceRow({ id: fresh('conf'), ...part });
      await store.save(changeOf({ conferences: [row] }));
      return row;
    };

    beforeAll(async () => {
      ({ store, close } = await open());
    });
    afterAll(() => close());

    describe('saving', () => {
      test('what was saved is read back as it was, every field', async () => {
        const id = fresh('conf');
        const conference = conferenceRow({
          id,
          kind: 'pre_arranged',
          groupId: 'group-1',
          status: 'ended',
          subject: 'Ünïcode 🎉 and \\u0000 spelled out',
          locked: true,
          maxParticipants: 7,
          endedAt: noon + 1,
          endReason: 'creator-left',
          endedBy: 'key:1',
          participantCount: 1,
          peakParticipants: 2,
          messageCount: 3,
          version: 4,
          seq: 1,
          labels: { 'case': '4711', 'a b': '"quoted"' },
        });
        const participant = participantRow({
          id: fresh('part'),
          conferenceId: id,
          displayName: 'Bob "the builder"',
          nickname: 'bob',
          private: true,
          status: 'disconnected',
          referredBy: 'sip:alice@example.com',
          replaces: { callId: 'a84b4c76e66710', toTag: 't', fromTag: 'f', earlyOnly: false },
          muted: true,
          leftAt: noon + 2,
          disconnection: { method: 'booted', sipStatus: null, reason: 'kicked' },
          endpoints: [
            endpointRow({ id: 'end-1', status: 'disconnected' }),
            endpointRow({ id: 'end-2', languages: ['de-AT', 'en'], associatedAors: ['tel:+431234'] }),
          ],
          listEntry: {
            raw: 'sip:bob@example.com?Replaces=…',
            uri: 'sip:bob@example.com',
            quirks: ['QK-9'],
            position: 3,
            copyControl: 'cc',
            anonymize: true,
            ignoredHeaders: ['Route'],
          },
          attempts: [
            {
              endpointId: 'endpoint-1',
              at: noon,
              replaces: null,
              change: 'without Replaces',
              outcome: { status: 420, reason: 'Bad Extension' },
              endedAt: noon + 1,
              reasonHeader: 'Q.850;cause=16',
            },
          ],
          lastError: { status: 420, reason: 'Bad Extension' },
          position: 3,
          inRoster: false,
        });
        const subscription = subscriptionRow({ id: fresh('sub'), conferenceId: id, lastVersionSent: 9 });
        const attempt = attemptRow({ id: fresh('att'), at: noon + 10_000_000, caller: null, callId: null });
        const referral = referralRow({
          id: fresh('ref'),
          conferenceId: id,
          endedAt: noon + 3,
          state: 'ended',
          subscription: null,
          quirks: ['QK-34'],
        });
        const message = messageRow({
          id: fresh('msg'),
          conferenceId: id,
          to: ['sip:bob@example.com'],
          content: 'Ünïcode 🎉\r\n"quoted"',
          deliveries: [
            {
              participantId: participant.id,
              uri: participant.uri,
              endpointId: 'end-2',
              outcome: 'failed',
              status: 408,
              reason: 'no answer',
            },
          ],
        });
        const followed = referralRow({ id: fresh('ref'), conferenceId: id });
        await store.save(
          changeOf({
            conferences: [conference],
            participants: [participant],
            subscriptions: [subscription],
            events: [eventRow({ conferenceId: id, seq: 1 })],
            attempts: [attempt],
            referrals: [referral, followed],
            messages: [message],
          }),
        );
        expect(await store.conference(id)).toEqual(conference);
        expect(await store.referral(id, referral.id)).toEqual(referral);
        expect(await store.message(id, message.id)).toEqual(message);
        expect(await store.participant(id, participant.id)).toEqual(participant);
        expect((await store.subscriptions(id, first(2))).rows).toEqual([subscription]);
        expect((await store.attempts(allAttempts, first(1))).rows).toEqual([attempt]);
        const record = { conference, participants: [participant], subscriptions: [subscription] };
        expect(await store.record(id)).toEqual(record);
        expect(await store.load(id)).toEqual({ ...record, referrals: [followed] });
      });

      test('what was never saved is undefined', async () => {
        expect(await store.conference('nobody')).toBeUndefined();
        expect(await store.record('nobody')).toBeUndefined();
        expect(await store.load('nobody')).toBeUndefined();
        expect(await store.participant('nobody', 'nobody')).toBeUndefined();
      });

      test('a participant is found in its own conference only', async () => {
        const { id } = await saveConference();
        const other = await saveConference();
        const row = participantRow({ id: fresh('part'), conferenceId: id });
        await store.save(changeOf({ participants: [row] }));
        expect(await store.participant(id, row.id)).toEqual(row);
        expect(await store.participant(other.id, row.id)).toBeUndefined();
      });

      test('a record has its participants in order of arrival and its live subscriptions', async () => {
        const { id } = await saveConference();
        const participants = [2, 0, 1].map((position) =>
          participantRow({ id: fresh('part'), conferenceId: id, position }),
        );
        const live = subscriptionRow({ id: fresh('sub'), conferenceId: id, state: 'pending' });
        const over = subscriptionRow({ id: fresh('sub'), conferenceId: id, state: 'terminated' });
        await store.save(changeOf({ participants, subscriptions: [live, over] }));
        const record = await store.record(id);
        expect(record?.participants.map(({ position }) => position)).toEqual([0, 1, 2]);
        expect(record?.subscriptions).toEqual([live]);
      });

      test('of several changes of one row saved at once the last one stands', async () => {
        const row = await saveConference();
        const versions = Array.from({ length: 100 }, (_, index) => index + 2);
        await Promise.all(
          versions.map((version) => store.save(changeOf({ conferences: [{ ...row, version, seq: version }] }))),
        );
        expect(await store.conference(row.id)).toEqual({ ...row, version: 101, seq: 101 });
      });

      test('a thousand saves at once are all there', async () => {
        const createdBy = fresh('sip:many');
        const rows = Array.from({ length: 1_000 }, () => conferenceRow({ id: fresh('conf'), createdBy }));
        await Promise.all(
          rows.map((row) =>
            store.save(changeOf({ conferences: [row], events: [eventRow({ conferenceId: row.id, seq: 1 })] })),
          ),
        );
        const page = await store.conferences({ ...everything, createdBy }, { limit: 1, cursor: null, count: true });
        expect(page.total).toBe(1_000);
      });

      test('text that no database keeps comes back with the replacement character', async () => {
        const row = await saveConference({ subject: 'nul \0, half a pair \ud83c, \\ud83c spelled out' });
        expect((await store.conference(row.id))?.subject).toBe('nul \ufffd, half a pair \ufffd, \\ud83c spelled out');
      });
    });

    describe('refusing', () => {
      test('an event number that is taken refuses its whole change', async () => {
        const row = await saveConference();
        await store.save(changeOf({ events: [eventRow({ conferenceId: row.id, seq: 1 })] }));
        const taken = eventRow({ conferenceId: row.id, seq: 1, id: fresh('event') });
        const change = changeOf({ conferences: [{ ...row, subject: 'not kept' }], events: [taken] });
        await expect(store.save(change)).rejects.toThrow('The state could not be saved');
        expect((await store.conference(row.id))?.subject).toBeNull();
      });

      test('a row of a conference that is not there is refused', async () => {
        const orphan = participantRow({ id: fresh('part'), conferenceId: fresh('conf') });
        await expect(store.save(changeOf({ participants: [orphan] }))).rejects.toThrow('The state could not be saved');
      });

      test('a refused change takes none of another conference with it', async () => {
        const rows = Array.from({ length: 20 }, () => conferenceRow({ id: fresh('conf') }));
        const orphan = participantRow({ id: fresh('part'), conferenceId: fresh('conf') });
        const attempt = attemptRow({ id: fresh('att'), at: noon + 20_000_000 });
        const changes = [
          ...rows.map((row) => changeOf({ conferences: [row] })),
          changeOf({ participants: [orphan] }),
          changeOf({ attempts: [attempt] }),
        ];
        const results = await Promise.allSettled(changes.map((change) => store.save(change)));
        expect(results.map(({ status }) => status)).toEqual([...rows.map(() => 'fulfilled'), 'rejected', 'fulfilled']);
        for (const row of rows) expect(await store.conference(row.id)).toEqual(row);
        expect((await store.attempts(allAttempts, first(1))).rows).toEqual([attempt]);
      });

      test('after a refused change nothing of its conference is saved until it is loaded again', async () => {
        const row = await saveConference();
        const event = (seq: number) =>
          changeOf({ events: [eventRow({ conferenceId: row.id, seq, id: fresh('event') })] });
        await store.save(event(1));
        const atOnce = await Promise.allSettled([store.save(event(1)), store.save(event(2))]);
        expect(atOnce.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
        await expect(store.save(event(2))).rejects.toThrow('A change before this one was not saved');
        await store.load(row.id);
        await expect(store.save(event(2))).resolves.toBeUndefined();
      });
    });

    describe('lists', () => {
      test('conferences come newest first, or oldest first, and by id within one millisecond', async () => {
        const createdBy = fresh('sip:order');
        const rows = [];
        for (const createdAt of [noon + 2, noon + 1, noon + 1, noon])
          rows.push(await saveConference({ createdBy, createdAt }));
        const [newest, tied, tiedLater, oldest] = idsOf(rows);
        const list = async (sort: ConferenceFilter['sort']) =>
          idsOf((await store.conferences({ ...everything, createdBy, sort }, first(10))).rows);
        expect(await list('-created_at')).toEqual([newest, tiedLater, tied, oldest]);
        expect(await list('created_at')).toEqual([oldest, tied, tiedLater, newest]);
      });

      test('pages neither repeat nor lose a conference while others come and go', async () => {
        const createdBy = fresh('sip:pages');
        const rows = [];
        for (let index = 0; index < 6; index += 1)
          rows.push(await saveConference({ createdBy, createdAt: noon + index }));
        const active: ConferenceFilter = { ...everything, createdBy, status: 'active' };
        const ids = idsOf(rows).reverse();

        const one = await store.conferences(active, first(2));
        expect(idsOf(one.rows)).toEqual(ids.slice(0, 2));
        await saveConference({ createdBy, createdAt: noon + 100 });
        for (const index of [5, 3]) {
          const gone = rows[index];
          if (gone) await store.save(changeOf({ conferences: [{ ...gone, status: 'ended' }] }));
        }
        const two = await store.conferences(active, { limit: 2, cursor: one.nextCursor, count: false });
        expect(idsOf(two.rows)).toEqual([ids[3], ids[4]]);
        const three = await store.conferences(active, { limit: 2, cursor: two.nextCursor, count: false });
        expect(idsOf(three.rows)).toEqual([ids[5]]);
        expect(three.nextCursor).toBeNull();
      });

      test('a page that ends with the list has no next cursor', async () => {
        const createdBy = fresh('sip:exact');
        await saveConference({ createdBy });
        await saveConference({ createdBy });
        const page = await store.conferences({ ...everything, createdBy }, first(2));
        expect(page.rows).toHaveLength(2);
        expect(page.nextCursor).toBeNull();
      });

      test('the total is counted only when it is asked for', async () => {
        const createdBy = fresh('sip:total');
        for (let index = 0; index < 3; index += 1) await saveConference({ createdBy });
        const list = (count: boolean) =>
          store.conferences({ ...everything, createdBy }, { limit: 1, cursor: null, count });
        expect((await list(true)).total).toBe(3);
        expect((await list(false)).total).toBeNull();
      });

      test('each filter of conferences leaves what fits it', async () => {
        const createdBy = fresh('sip:filters');
        const uri = fresh('sip:filtered');
        const early = await saveConference({ createdBy, createdAt: noon - 5, status: 'ended' });
        const late = await saveConference({ createdBy, createdAt: noon + 5, kind: 'pre_arranged' });
        const here = [0, 1].map((position) =>
          participantRow({ id: fresh('part'), conferenceId: late.id, uri, position }),
        );
        await store.save(changeOf({ participants: here }));
        const list = async (filter: Partial<ConferenceFilter>) =>
          idsOf((await store.conferences({ ...everything, createdBy, ...filter }, first(10))).rows);
        expect(await list({})).toEqual([late.id, early.id]);
        expect(await list({ status: 'ended' })).toEqual([early.id]);
        expect(await list({ kind: 'pre_arranged' })).toEqual([late.id]);
        expect(await list({ participantUri: uri })).toEqual([late.id]);
        expect(await list({ participantUri: 'sip:nobody@example.com' })).toEqual([]);
        expect(await list({ createdAfter: noon + 5 })).toEqual([late.id]);
        expect(await list({ createdBefore: noon + 5 })).toEqual([early.id]);
        expect(await list({ createdBy: 'sip:nobody@example.com' })).toEqual([]);
      });

      test('a URI of any length is kept and found', async () => {
        const long = `sip:${'0123456789abcdef'.repeat(1_000)}@example.com`;
        const { id } = await saveConference({ createdBy: `${long};a` });
        await store.save(
          changeOf({ participants: [participantRow({ id: fresh('part'), conferenceId: id, uri: long })] }),
        );
        expect(idsOf((await store.conferences({ ...everything, participantUri: long }, first(2))).rows)).toEqual([id]);
        expect(idsOf((await store.conferences({ ...everything, createdBy: `${long};a` }, first(2))).rows)).toEqual([
          id,
        ]);
      });

      test('participants are paged in order of arrival, those of their conference only', async () => {
        const { id } = await saveConference();
        const other = await saveConference();
        const rows = [0, 1, 2].map((position) => participantRow({ id: fresh('part'), conferenceId: id, position }));
        await store.save(changeOf({ participants: [...rows].reverse() }));
        await store.save(changeOf({ participants: [participantRow({ id: fresh('part'), conferenceId: other.id })] }));
        const one = await store.participants(id, { limit: 2, cursor: null, count: true });
        const two = await store.participants(id, { limit: 2, cursor: one.nextCursor, count: false });
        expect([...one.rows, ...two.rows]).toEqual(rows);
        expect(one.total).toBe(3);
        expect(two.nextCursor).toBeNull();
      });

      test('subscriptions are paged for one conference or for all', async () => {
        const { id } = await saveConference();
        const rows = [1, 2, 3].map(() => subscriptionRow({ id: fresh('zzz-sub'), conferenceId: id }));
        await store.save(changeOf({ subscriptions: rows }));
        const one = await store.subscriptions(id, { limit: 2, cursor: null, count: true });
        const two = await store.subscriptions(id, { limit: 2, cursor: one.nextCursor, count: false });
        expect([...one.rows, ...two.rows]).toEqual(rows);
        expect(one.total).toBe(3);
        const all = await store.subscriptions(null, { limit: 1_000, cursor: null, count: true });
        expect(all.rows.slice(-3)).toEqual(rows);
        expect(all.total).toBe(all.rows.length);
      });

      test('referrals are paged as they came, those of their conference only', async () => {
        const { id } = await saveConference();
        const other = await saveConference();
        const rows = [1, 2, 3].map(() => referralRow({ id: fresh('ref'), conferenceId: id }));
        await store.save(changeOf({ referrals: rows }));
        const one = await store.referrals(id, { limit: 2, cursor: null, count: true });
        const two = await store.referrals(id, { limit: 2, cursor: one.nextCursor, count: false });
        expect([...one.rows, ...two.rows]).toEqual(rows);
        expect([one.total, two.nextCursor]).toEqual([3, null]);
        expect((await store.referrals(other.id, first(1))).rows).toEqual([]);
        expect(await store.referral(other.id, rows[0]?.id ?? '')).toBeUndefined();
      });

      test('attempts are sought by code and by caller', async () => {
        const caller = fresh('sip:caller');
        const [list, barred] = ['bad-list', 'barred'].map((code) => attemptRow({ id: fresh('att'), code, caller }));
        await store.save(changeOf({ attempts: [list, barred].filter((row) => row !== undefined) }));
        const found = async (code: string | null) =>
          idsOf((await store.attempts({ code, caller }, { limit: 9, cursor: null, count: true })).rows);
        expect(await found(null)).toEqual([barred?.id, list?.id]);
        expect(await found('barred')).toEqual([barred?.id]);
        expect(await found('busy')).toEqual([]);
      });

      test('a cursor whose place no row can have is refused, not looked up', async () => {
        const page = (list: string, key: number) => ({
          limit: 1,
          cursor: Buffer.from(JSON.stringify([list, key, 'a'])).toString('base64url'),
          count: false,
        });
        const newest = page('conferences -created_at', Number.MAX_SAFE_INTEGER);
        await expect(store.conferences(everything, newest)).rejects.toBeInstanceOf(BadCursor);
        await expect(store.attempts(allAttempts, page('attempts', -8e15))).rejects.toBeInstanceOf(BadCursor);
        await expect(store.participants('any', page('participants', 2 ** 31))).rejects.toBeInstanceOf(BadCursor);
      });

      test('a cursor that is not of this list is refused', async () => {
        const createdBy = fresh('sip:cursor');
        for (let index = 0; index < 2; index += 1) await saveConference({ createdBy });
        const { nextCursor } = await store.conferences({ ...everything, createdBy }, first(1));
        const cursor = nextCursor ?? '';
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        const page = (text: string) => ({ limit: 1, cursor: text, count: false });
        const oldestFirst: ConferenceFilter = { ...everything, sort: 'created_at' };
        await expect(store.conferences(oldestFirst, page(cursor))).rejects.toBeInstanceOf(BadCursor);
        await expect(store.attempts(allAttempts, page(cursor))).rejects.toBeInstanceOf(BadCursor);
        await expect(store.participants('any', page(cursor))).rejects.toBeInstanceOf(BadCursor);
        await expect(store.subscriptions(null, page(cursor))).rejects.toBeInstanceOf(BadCursor);
        for (let length = 0; length < cursor.length; length += 1)
          await expect(store.conferences(everything, page(cursor.slice(0, length)))).rejects.toBeInstanceOf(BadCursor);
      });

      test('attempts come newest first, and the oldest make room for new ones', async () => {
        const before = await store.attempts(allAttempts, { limit: 1, cursor: null, count: true });
        expect(before.total).toBeLessThan(100);
        const later = noon + 100_000_000;
        const many = Array.from({ length: limits.attemptsMax + 200 }, (_, index) =>
          attemptRow({ id: fresh('att'), at: later + index }),
        );
        await store.save(changeOf({ attempts: many }));
        const after = await store.attempts(allAttempts, { limit: 2, cursor: null, count: true });
        expect(after.rows.map(({ at }) => at - later)).toEqual([limits.attemptsMax + 199, limits.attemptsMax + 198]);
        expect(after.total).toBe(limits.attemptsMax);
        const next = await store.attempts(allAttempts, { limit: 1, cursor: after.nextCursor, count: false });
        expect(next.rows.map(({ at }) => at - later)).toEqual([limits.attemptsMax + 197]);
      });
    });

    describe('keys', () => {
      test('a key is found by its hash, and only once added', async () => {
        const key = { id: fresh('key'), name: 'first', hash: 'ab'.repeat(32), scopes: ['a:read'], createdAt: noon };
        const count = await store.countKeys();
        expect(await store.keyByHash(key.hash)).toBeUndefined();
        await store.addKey(key);
        expect(await store.keyByHash(key.hash)).toEqual(key);
        expect(await store.countKeys()).toBe(count + 1);
        await expect(store.addKey({ ...key, id: fresh('key') })).rejects.toThrow();
      });
    });

    messageContract({ store: () => store, fresh, saveConference });

    definitionContract(() => store, fresh);

    test('an open store answers a ping', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}
