import { expect, test } from 'vitest';
import { type ChunkContent, type ChunkedMessage, OutgoingChunk } from '../../src/msrp/outgoing-chunk.ts';
import { joinParts, type MsrpRequest, partsLength, pathLines } from '../../src/wire/msrp.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';

const whole = (body: Buffer): ChunkContent => ({
  mime: [
    { name: 'Content-Type', value: 'message/cpim' },
    { name: 'Content-ID', value: '<1>' },
  ],
  body,
  start: 1,
  total: body.length,
  flag: '$',
});

const message: ChunkedMessage = {
  messageId: 'ours',
  wrappedType: 'text/plain',
  answered: () => undefined,
  failed: () => undefined,
};

function counting(): { readonly transaction: () => string; readonly messageId: () => string } {
  let count = 0;
  return { transaction: () => `tx-${++count}`, messageId: () => 'ours' };
}

function copies(body: Buffer, count: number): MsrpRequest[] {
  const chunk = OutgoingChunk.of(message, whole(body), counting());
  const parts = Array.from({ length: count }, (_, receiver) =>
    chunk.parts(receiver, pathLines(['msrp://bob:3/c;tcp'], ['msrp://focus:1/d;tcp'])),
  );
  const octets = joinParts(
    parts,
    parts.map(partsLength).reduce((a, b) => a + b),
  );
  return new MsrpReader({ wholeBytesMax: 10_000 }).push(octets).filter((frame) => frame.kind === 'request');
}

test('each copy has its own transaction and the one Message-ID, the content is the sender’s', () => {
  const received = copies(Buffer.from('Hello'), 40);
  expect(new Set(received.map((copy) => copy.transactionId)).size).toBe(40);
  for (const copy of received) {
    expect(copy.body?.toString()).toBe('Hello');
    expect(copy.headers.map((header) => `${header.name}: ${header.value}`)).toEqual([
      'Message-ID: ours',
      'Byte-Range: 1-5/5',
      'Content-ID: <1>',
      'Content-Type: message/cpim',
    ]);
  }
});

test('the transaction is one whose end-line the body does not hold', () => {
  const body = Buffer.from('\r\n-------tx-1.1$\r\n-------tx-2');
  const [copy] = copies(body, 1);
  expect(copy?.transactionId).toBe('tx-3.0');
  expect(copy?.body?.equals(body)).toBe(true);
});
