/** One of fifty who stops reading for good: the others notice nothing, and all are told that it is gone. */
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { joined } from '../bench/chat-room.ts';
import { startChatters } from '../bench/chatters.ts';
import { Opened } from '../bench/opened.ts';
import { whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';

const room = 'chat';
/** Lines a second: enough of them that what the network takes for a receiver that does not read is full in time. */
const perSecond = 400;
const textBytes = 1_000;
const before = { seconds: 15, messages: 15 * perSecond };
const after = { seconds: 45, messages: 45 * perSecond };

test('CC-168 a receiver stopped by SIGSTOP during a chat of 60 s: the others keep their rate, its queue its bound', async () => {
  await using opened = new Opened();
  const service = await Service.start();
  opened.keep({ close: async () => await service.dispose() });
  const policy = { end: 'idle', idle_seconds: 600, join: 'anyone' };
  const { id, uri } = (await service.post<{ id: string; uri: string }>('/conferences', { policy })).body;
  const [crowd, deaf] = [opened.keep(await startChatters()), opened.keep(await startChatters())];
  const names = Array.from({ length: 49 }, (_, member) => `member-${member}`);
  await crowd.enter({ room, to: uri, textBytes, ...(await joined(opened, uri, names)) });
  const one = await joined(opened, uri, ['deaf']);
  await deaf.enter({ room, to: uri, ...one });

  const hearing = await crowd.pace({ room, messages: before.messages, perSecond });
  deaf.stop();
  const alone = await crowd.pace({ room, messages: after.messages, perSecond });
  const [rateBefore, rateAfter] = [before.messages / hearing.milliseconds, after.messages / alone.milliseconds];
  expect(rateAfter / rateBefore).toBeGreaterThanOrEqual(0.9);

  const gone = await whenParticipant(
    service,
    { conferenceId: id, uri: one.from },
    ({ status }) => status === 'disconnected',
  );
  expect(gone.disconnection?.method).toBe('failed');
  const roster = await service.get<string>(`/conferences/${id}/conference-info`);
  expect(roster.body).toContain('<disconnection-method>failed</disconnection-method>');
  const metrics = await (await fetch(new URL('/metrics', service.banner.rest))).text();
  const [, most = '0'] = /^isfocus_msrp_waiting_bytes_most (\d+)$/m.exec(metrics) ?? [];
  const [, lost = '0'] = /^isfocus_messages_lost_total (\d+)$/m.exec(metrics) ?? [];
  // It was filled, and no further.
  expect(Number(lost)).toBeGreaterThan(0);
  expect(Number(most)).toBeGreaterThan(limits.msrpQueueBytesMax - 2 * textBytes);
  expect(Number(most)).toBeLessThanOrEqual(limits.msrpQueueBytesMax);
}, 150_000);
