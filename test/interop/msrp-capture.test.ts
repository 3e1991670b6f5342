/** tshark reads MSRP: what it finds wrong is found when it is there, so that finding nothing means something. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { needsCapture } from '../support/capture.ts';
import { type CapturedFrame, complaints, MsrpCapture } from '../support/msrp-capture.ts';
import { needsPrograms } from '../support/programs.ts';
import { within } from '../support/wait.ts';

const paths = ['To-Path: msrp://127.0.0.1:9/to;tcp', 'From-Path: msrp://127.0.0.1:9/from;tcp'];
const head = ['Message-ID: 4711', 'Byte-Range: 1-5/5', 'Content-Type: text/plain'];
const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

const sound = text('MSRP d93kswow SEND', ...paths, ...head, '', 'Hello', '-------d93kswow$');
const answer = text('MSRP d93kswow 200 OK', ...paths, '-------d93kswow$');

/** What is wrong with a frame, and what is said of it. */
const wrong: readonly (readonly [frame: string, complaint: string])[] = [
  // It does not end: tshark does not take it for MSRP.
  [sound.replace('-------d93kswow$\r\n', ''), 'no first line'],
  [sound.replace('-------d93kswow$', '-------d93kswox$'), 'the end-line is of another transaction'],
  [sound.replace('wow$', 'wow%'), 'no continuation flag'],
  [sound.replace('wow$', 'wow'), 'no continuation flag'],
  [sound.replace('SEND', 'SAY'), 'no first line'],
  [answer.replace('200', '2x0'), 'no first line'],
  [sound.replace('From-Path:', 'From-Path'), 'no paths'],
  [sound.replace('msrp://127.0.0.1:9/to;tcp', 'somewhere'), 'no paths'],
  [sound.replace('Message-ID: 4711\r\n', ''), 'no Message-ID'],
  ['INVITE sip:focus.example.com SIP/2.0\r\n\r\n', 'no first line'],
];

/** Each of `texts` is said on a connection of its own; gives all frames of them. */
async function captured(texts: readonly string[]): Promise<readonly CapturedFrame[]> {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using capture = await MsrpCapture.start({ host: '127.0.0.1', port });
  for (const text of texts) {
    const socket = connect(port, '127.0.0.1').end(text);
    await within('the connection to end', once(socket, 'close'));
  }
  server.close();
  return await capture.frames();
}

test('tshark reads each of several sound frames in one segment, and what is malformed is found', async (context) => {
  needsPrograms(context, 'tshark');
  needsCapture(context);
  const frames = await captured([sound + answer + sound, ...wrong.map(([frame]) => frame)]);
  const [first, second, third] = frames;
  expect([first, second, third].map((frame) => frame?.line)).toEqual([
    'MSRP d93kswow SEND',
    'MSRP d93kswow 200 OK',
    'MSRP d93kswow SEND',
  ]);
  expect(first).toMatchObject({ messageId: '4711', byteRange: '1-5/5', flag: '$' });
  expect(frames.map(({ complaint }) => complaint)).toEqual([null, null, null, ...wrong.map(([, said]) => said)]);
  expect(complaints(frames)).toHaveLength(wrong.length);
});
