/** Somebody sends 5 MB into a conference in which others chat: they hardly notice. */
import { randomUUID } from 'node:crypto';
import { setInterval } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { joined } from '../bench/chat-room.ts';
import { startChatters } from '../bench/chatters.ts';
import { Opened } from '../bench/opened.ts';
import { median } from '../bench/row.ts';
import { ChatMedia } from '../support/chat-media.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { Service } from '../support/service.ts';
import { UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

const room = 'chat';
const receivers = 4;
const largeBytes = 5 * 1024 * 1024;
/** Its sender's line takes 50 Mbit/s: any faster, and it is measured who gets this machine's processors. */
const sliceBytes = 64 * 1024;
const sliceMs = 10;
const chat = { room, messages: 200, perSecond: 50 };
const turns = 3;

test('a message of 5 MB and a chat at the same time: the chat is hardly slower, queues keep within their windows', async () => {
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

  const [aloneP95, besideP95]: [number[], number[]] = [[], []];
  await crowd.pace(chat);
  for (let turn = 1; turn <= turns; turn += 1) {
    aloneP95.push((await crowd.pace(chat)).p95);
    const over = new AbortController();
    const pacing = crowd.pace(chat).finally(() => over.abort());
    const sent = await sendAgain(alice.client, content, over.signal);
    besideP95.push((await pacing).p95);
    expect(sent).toBeGreaterThan(1);
    const arrived = () => bob.client.messages.filter((message) => message.content.length === content.length);
    await waitFor('all of the large messages', () => arrived().length >= sent);
    for (const message of bob.client.messages.splice(0))
      if (message.content.length === content.length) expect(message.content.equals(content)).toBe(true);
  }
  const [alone, beside] = [median(aloneP95), median(besideP95)];
  expect(beside).toBeLessThanOrEqual(Math.max(2 * alone, alone + 5));

  const metrics = await (await fetch(new URL('/metrics', service.banner.rest))).text();
  const [, most = '0'] = /^isfocus_msrp_waiting_bytes_most (\d+)$/m.exec(metrics) ?? [];
  const [, lost = ''] = /^isfocus_messages_lost_total (\d+)$/m.exec(metrics) ?? [];
  expect(Number(lost)).toBe(0);
  expect(Number(most)).toBeGreaterThan(0);
  expect(Number(most)).toBeLessThanOrEqual(2 * limits.msrpWindowBytes);
}, 120_000);

async function chatter(
  opened: Opened,
  name: string,
  uri: string,
): Promise<{ readonly aor: string; readonly client: MsrpClient }> {
  const media = await ChatMedia.open(name);
  opened.keep({ close: async () => await media.close() });
  const agent = await UserAgent.open({ name, transport: 'udp', media });
  opened.keep({ close: async () => await agent.close() });
  await agent.call(uri);
  return { aor: agent.aor, client: await media.session(0) };
}

function largeMessage(from: string, to: string): Buffer {
  const head = [`From: <${from}>`, `To: <${to}>`, '', 'Content-Type: text/plain', '', ''].join('\r\n');
  return Buffer.from(head.padEnd(largeBytes, 'All that we have said so far. '));
}

/** Sends it again and again until it is over; gives how often. */
async function sendAgain(client: MsrpClient, content: Buffer, over: AbortSignal): Promise<number> {
  let sent = 0;
  for (; !over.aborted; sent += 1) await sendSlowly(client, `large-${randomUUID()}`, content);
  return sent;
}

async function sendSlowly(client: MsrpClient, messageId: string, content: Buffer): Promise<void> {
  const answers: Promise<number>[] = [];
  const slices = setInterval(sliceMs);
  for (let at = 0; at < content.length; at += sliceBytes) {
    const body = content.subarray(at, at + sliceBytes);
    const flag = at + sliceBytes < content.length ? '+' : '$';
    answers.push(client.chunk({ messageId, body, range: `${at + 1}-*/${content.length}`, flag }));
    await slices.next();
  }
  await slices.return?.();
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
}
