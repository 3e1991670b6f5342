/** Somebody who sends a large message again and again into a conference in which others chat. */

import { randomUUID } from 'node:crypto';
import { setInterval } from 'node:timers/promises';
import { ChatMedia } from '../support/chat-media.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { UserAgent } from '../support/user-agent.ts';
import type { Opened } from './opened.ts';

const largeBytes = 5 * 1024 * 1024;
const sliceBytes = 64 * 1024;

/** Dials in and opens its session. */
export async function chatter(
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

/** A message of 5 MB. */
export function largeMessage(from: string, to: string): Buffer {
  const head = [`From: <${from}>`, `To: <${to}>`, '', 'Content-Type: text/plain', '', ''].join('\r\n');
  return Buffer.from(head.padEnd(largeBytes, 'All that we have said so far. '));
}

/** Sends it again and again until it is over; gives how often. Throws when a chunk is not answered 200. */
export async function sendAgain(
  client: MsrpClient,
  content: Buffer,
  how: { readonly over: AbortSignal; readonly sliceMs: number },
): Promise<number> {
  let sent = 0;
  for (; !how.over.aborted; sent += 1) await sendSlices(client, content, how.sliceMs);
  return sent;
}

/** One slice every so many milliseconds, which makes the sender's line: 10 are 50 Mbit/s. */
async function sendSlices(client: MsrpClient, content: Buffer, sliceMs: number): Promise<void> {
  const messageId = `large-${randomUUID()}`;
  const answers: Promise<number>[] = [];
  const slices = setInterval(sliceMs);
  for (let at = 0; at < content.length; at += sliceBytes) {
    const body = content.subarray(at, at + sliceBytes);
    const flag = at + sliceBytes < content.length ? '+' : '$';
    answers.push(client.chunk({ messageId, body, range: `${at + 1}-*/${content.length}`, flag }));
    await slices.next();
  }
  await slices.return?.();
  for (const status of await Promise.all(answers))
    if (status !== 200) throw new Error(`a chunk of the large message was answered ${status}`);
}
