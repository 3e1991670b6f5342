/** Somebody sends 5 MB into a conference in which others chat: they should hardly notice. */

import { joined } from '../chat-room.ts';
import { startChatters } from '../chatters.ts';
import { chatter, largeMessage, sendAgain } from '../large-sender.ts';
import { startService } from '../measured-service.ts';
import { Opened } from '../opened.ts';
import { type BoundRow, compared, median, type Report, type Result } from '../row.ts';

const receivers = 4;
const chat = { room: 'chat', messages: 200, perSecond: 50 };
const repeats = 5;
/** The large message comes nearly as fast as it is read. */
const sliceMs = 1;

export const chatBesideLarge: readonly BoundRow[] = [
  {
    name: 'msrp-beside-large',
    about: 'p95 of a chat while 5 MB are sent to the same receivers, beside twice that without, or 5 ms more',
    bound: { max: 1 },
    run: async (report) => await measure(report),
  },
];

async function measure(report: Report): Promise<Result> {
  await using opened = new Opened();
  const service = opened.keep(await startService('ours', null));
  const rules = { end: 'idle', idle_seconds: 600, join: 'anyone' };
  const { uri } = await service.post<{ uri: string }>('/conferences', { policy: rules, participants: [] });
  const crowd = opened.keep(await startChatters());
  const names = Array.from({ length: receivers + 1 }, (_, member) => `member-${member}`);
  await crowd.enter({ room: chat.room, to: uri, ...(await joined(opened, uri, names)) });
  const alice = await chatter(opened, 'alice', uri);
  await chatter(opened, 'bob', uri);
  const content = largeMessage(alice.aor, uri);

  const figures: Record<'beside' | 'alone' | 'allowed', number[]> = { beside: [], alone: [], allowed: [] };
  for (let repeat = 0; repeat <= repeats; repeat += 1) {
    const alone = (await crowd.pace(chat)).p95;
    const over = new AbortController();
    const pacing = crowd.pace(chat).finally(() => over.abort());
    const sent = await sendAgain(alice.client, content, { over: over.signal, sliceMs });
    const beside = (await pacing).p95;
    report(`p95 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside ${sent} messages of 5 MB`);
    if (repeat === 0) continue;
    figures.beside.push(beside);
    figures.alone.push(alone);
    figures.allowed.push(Math.max(2 * alone, alone + 5));
  }
  return {
    ...compared(figures.beside, figures.allowed),
    unit: 'ms',
    notes: [`alone: ${median(figures.alone).toFixed(1)} ms`],
  };
}
