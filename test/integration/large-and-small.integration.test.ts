/** Somebody sends 5 MB into a conference in which others chat: all arrives, and little ever waits before the chat. */
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { joined } from '../bench/chat-room.ts';
import { startChatters } from '../bench/chatters.ts';
import { chatter, largeMessage, sendAgain } from '../bench/large-sender.ts';
import { Opened } from '../bench/opened.ts';
import { Service } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const room = 'chat';
const receivers = 4;
const chat = { room, messages: 200, perSecond: 50 };

// What the chat's time is beside its time alone tells `npm run bench`, where nothing else takes the processors.
test('messages of 5 MB and a chat at the same time: all arrive whole, and queues keep within their windows', async () => {
  await using opened = new Opened();
  const service = await Service.start();
  opened.keep({ close: async () => await service.dispose() });
  const policy = { end: 'idle', idle_seconds: 600, join: 'anyone' };
  const { uri } = (await service.post<{ uri: string }>('/conferences', { policy })).body;
  const crowd = opened.keep(await startChatters());
  const names = Array.from({ length: receivers + 1 }, (_, member) => `member-${member}`);
  await crowd.enter({ room, to: uri, ...(await joined(opened, uri, names)) });
  const [alice, bob] = [await chatter(opened, 'alice', uri), await chatter(opened, 'bob', uri)];
  const content = largeMessage(alice.aor, uri);

  const over = new AbortController();
  const pacing = crowd.pace(chat).finally(() => over.abort());
  const sent = await sendAgain(alice.client, content, { over: over.signal, sliceMs: 1 });
  await pacing;
  expect(sent).toBeGreaterThan(1);
  const arrived = () => bob.client.messages.filter((message) => message.content.length === content.length);
  await waitFor('all of the large messages', () => arrived().length >= sent);
  for (const message of arrived()) expect(message.content.equals(content)).toBe(true);

  const metrics = await (await fetch(new URL('/metrics', service.banner.rest))).text();
  const [, most = '0'] = /^isfocus_msrp_waiting_bytes_most (\d+)$/m.exec(metrics) ?? [];
  const [, lost = ''] = /^isfocus_messages_lost_total (\d+)$/m.exec(metrics) ?? [];
  expect(Number(lost)).toBe(0);
  expect(Number(most)).toBeGreaterThan(0);
  // A chat is never behind more than that, however fast the large message comes.
  expect(Number(most)).toBeLessThanOrEqual(2 * limits.msrpWindowBytes);
}, 120_000);
