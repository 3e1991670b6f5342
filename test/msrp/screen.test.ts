import { expect, test } from 'vitest';
import { readMessage } from '../../src/core/messaging/switch.ts';
import { screenChunk } from '../../src/msrp/screen.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { heldBytes } from '../support/garbage.ts';

/** A message as chats have them; its Message-ID is a usual one, of 20 characters. */
function sendOf(number: number): string {
  const id = String(number).padStart(20, 'i');
  const paths = 'To-Path: msrp://focus.example.com:1/session;tcp\r\nFrom-Path: msrp://bob.example.com:2/b;tcp\r\n';
  const head = `${paths}Message-ID: ${id}\r\nByte-Range: 1-900/900\r\nContent-Type: message/cpim\r\n`;
  return `MSRP aaaa SEND\r\n${head}\r\n${'x'.repeat(900)}\r\n-------aaaa$\r\n`;
}

const count = 5_000;

/** How many octets each of so many texts holds in memory, which are kept of what is read by `textOf`. */
function heldOf(textOf: (number: number) => string): number {
  const before = heldBytes();
  const texts = Array.from({ length: count }, (_, number) => textOf(number));
  const held = (heldBytes() - before) / texts.length;
  expect(new Set(texts).size).toBe(count);
  return held;
}

test('what is held of a Message-ID, which is remembered for long, is no more than that', () => {
  const reader = new MsrpReader({ wholeBytesMax: 1_000 });
  const messageIdOf = (number: number): string => {
    const [frame] = reader.push(Buffer.from(sendOf(number)));
    const chunk = frame?.kind === 'request' ? screenChunk(frame) : expect.fail();
    return 'messageId' in chunk ? chunk.messageId : expect.fail();
  };
  expect(heldOf(messageIdOf)).toBeLessThan(500);
});

test('the same of the type of a message, which waits for the store', () => {
  const cpimOf = (number: number): Buffer =>
    Buffer.from(`Subject: ${'x'.repeat(3_000)}\r\n\r\nContent-Type: application/of-our-own-${number}\r\n\r\n`);
  const typeOf = (number: number): string => readMessage('message/cpim', cpimOf(number))?.wrappedType ?? expect.fail();
  expect(heldOf(typeOf)).toBeLessThan(500);
});
