import { describe, expect, test } from 'vitest';
import type { ReadPort, SavePort } from '../../src/core/ports.ts';
import type { ConferenceRow } from '../../src/core/rows.ts';
import { changeOf, messageRow, noon } from '../support/stored-rows.ts';

const first = (limit: number) => ({ limit, cursor: null, count: false });
const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

export type MessageStore = {
  readonly store: () => SavePort & ReadPort;
  /** Gives ids nobody else uses. */
  readonly fresh: (prefix: string) => string;
  readonly saveConference: () => Promise<ConferenceRow>;
};

/** The contract of messages, within that of the store that has them. */
export function messageContract({ store, fresh, saveConference }: MessageStore): void {
  describe('messages', () => {
    test('messages are paged as they were sent, those of their conference only', async () => {
      const { id } = await saveConference();
      const other = await saveConference();
      const sent = [noon, noon + 1, noon + 1].map((sentAt) =>
        messageRow({ id: fresh('msg'), conferenceId: id, sentAt }),
      );
      await store().save(changeOf({ messages: [...sent].reverse() }));
      const one = await store().messages(id, { limit: 2, cursor: null, count: true });
      const two = await store().messages(id, { limit: 2, cursor: one.nextCursor, count: false });
      expect([...one.rows, ...two.rows]).toEqual(sent);
      expect([one.total, two.nextCursor]).toEqual([3, null]);
      expect((await store().messages(other.id, first(1))).rows).toEqual([]);
      expect(await store().message(other.id, sent[0]?.id ?? '')).toBeUndefined();
    });

    test('a message whose time is over is not read any more, though it is not erased yet', async () => {
      const { id } = await saveConference();
      const [over, lasting] = [noon, noon + 1].map((expiresAt) =>
        messageRow({ id: fresh('msg'), conferenceId: id, expiresAt }),
      );
      await store().save(changeOf({ messages: [over, lasting].filter((row) => row !== undefined) }));
      const { rows, total } = await store().messages(id, { limit: 9, cursor: null, count: true });
      expect([idsOf(rows), total]).toEqual([[lasting?.id], 1]);
      expect(await store().message(id, over?.id ?? '')).toBeUndefined();
      expect(await store().message(id, lasting?.id ?? '')).toEqual(lasting);
    });

    test('a message that was not said after all is erased as its conference is read, and no other one', async () => {
      const { id } = await saveConference();
      const other = await saveConference();
      const [unsaid, said] = [1, 2].map(() => messageRow({ id: fresh('msg'), conferenceId: id }));
      const elsewhere = messageRow({ id: fresh('msg'), conferenceId: other.id });
      const messages = [unsaid, said, elsewhere].filter((row) => row !== undefined);
      await store().save(changeOf({ messages }));
      expect((await store().load(id, [unsaid?.id ?? '', elsewhere.id]))?.conference.id).toBe(id);
      expect((await store().messages(id, first(9))).rows).toEqual([said]);
      expect((await store().messages(other.id, first(9))).rows).toEqual([elsewhere]);
    });

    test('a message is written again once it is known what became of it', async () => {
      const { id } = await saveConference();
      const row = messageRow({ id: fresh('msg'), conferenceId: id });
      const known = { participantId: null, uri: null, endpointId: 'end-1', outcome: 'delivered' } as const;
      const settled = { ...row, size: 321, deliveries: [{ ...known, status: 200, reason: null }] };
      await Promise.all([store().save(changeOf({ messages: [row] })), store().save(changeOf({ messages: [settled] }))]);
      expect(await store().message(id, row.id)).toEqual(settled);
    });
  });
}
