/** A message of 1 MB in many chunks: it arrives whole, and tshark reads each chunk, those to the focus and those from it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeConference } from '../support/appendix-m.ts';
import { needsCapture } from '../support/capture.ts';
import { openChatCast } from '../support/cast.ts';
import { type CapturedFrame, complaints, MsrpCapture } from '../support/msrp-capture.ts';
import { needsPrograms } from '../support/programs.ts';
import { Service } from '../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

const size = 1024 * 1024;
const chunkSize = 10_000;

test('CC-164 1 MB in chunks arrives whole at both others, and no frame is malformed', async (context) => {
  needsPrograms(context, 'tshark');
  needsCapture(context);
  await using capture = await MsrpCapture.start(service.banner.msrp);
  await using cast = await openChatCast({ transport: 'udp' });
  const { alice, chats } = cast;
  const room = (await makeConference(cast, service)).dialog.remoteTarget;
  const [atAlice, atBob, atTed] = [
    await chats.alice.session(0),
    await chats.bob.session(0),
    await chats.ted.session(0),
  ];
  const head = [`From: <${alice.aor}>`, `To: <${room}>`, '', 'Content-Type: text/plain', '', ''];
  const content = Buffer.from(head.join('\r\n') + randomBytes(size / 2).toString('hex'));
  const answered: Promise<number>[] = [];
  for (let at = 0; at < content.length; at += chunkSize) {
    const body = content.subarray(at, at + chunkSize);
    const flag = at + chunkSize < content.length ? '+' : '$';
    const range = `${at + 1}-*/${content.length}`;
    answered.push(atAlice.chunk({ messageId: 'large-1', body, range, flag }));
  }
  expect(new Set(await Promise.all(answered))).toEqual(new Set([200]));
  expect((await atBob.waitForMessage()).content.equals(content)).toBe(true);
  expect((await atTed.waitForMessage()).content.equals(content)).toBe(true);

  const frames = await capture.frames();
  expect(complaints(frames)).toEqual([]);
  const { port } = service.banner.msrp;
  const octets = (some: readonly CapturedFrame[]): number => some.reduce((sum, { length }) => sum + length, 0);
  const sends = frames.filter(({ line }) => line.endsWith('SEND'));
  expect(octets(sends.filter(({ to }) => to === port))).toBeGreaterThan(content.length);
  const copies = sends.filter(({ from }) => from === port);
  expect(octets(copies)).toBeGreaterThan(2 * content.length);
  // RFC 4975 7.1.1: what is longer than 2048 octets may be interrupted, and says so.
  expect(copies.filter(({ length, byteRange }) => length > 2_500 && !/^\d+-\*\/\d+$/.test(byteRange))).toEqual([]);
});
