import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ChunkContent, type ChunkedMessage, OutgoingChunk } from '../../src/msrp/outgoing-chunk.ts';
import {
  joinParts,
  joinTexts,
  type MsrpRequest,
  partsLength,
  pathLines,
  writeMsrpRequest,
} from '../../src/wire/msrp.ts';
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

test('what leaves is the same as text and as octets, and as long as it was said to be', () => {
  const paths = { toPath: ['msrp://bob:3/c;tcp'], fromPath: ['msrp://focus:1/d;tcp'] };
  const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 4_090, max: 4_100 }));
  const octetsOf = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
  const texts = fc.string({ unit: fc.constantFrom('a', ' ', 'é', 'ÿ', '日', '😀') });
  fc.assert(
    fc.property(lengths.chain(octetsOf), texts, fc.nat(2_000), (body, value, receiver) => {
      const mime = [
        { name: 'Content-Description', value },
        { name: 'Content-Type', value: `text/plain; name="${value}"` },
      ];
      const chunk = OutgoingChunk.of(message, { ...whole(body), mime }, counting());
      const copy = chunk.copy(receiver, pathLines(paths.toPath, paths.fromPath));
      const parts = copy.parts();
      const octets = joinParts([parts], copy.length);
      const { length: total } = body;
      const headers = [
        { name: 'Message-ID', value: 'ours' },
        { name: 'Byte-Range', value: `1-${total > 2_048 ? '*' : total}/${total}` },
        ...mime,
      ];
      const transactionId = chunk.transactionOf(receiver);
      const expected = writeMsrpRequest({ transactionId, method: 'SEND', ...paths, headers, body, flag: '$' });
      expect(octets.equals(expected)).toBe(true);
      const text = joinTexts([parts]);
      if (text !== null) expect(Buffer.from(text, 'latin1').equals(expected)).toBe(true);
      expect(text === null).toBe(total > 4_096);
    }),
  );
});

test('the id of a copy is known as its own, and nothing else is', () => {
  const chunk = OutgoingChunk.of(message, whole(Buffer.from('Hello')), counting());
  for (const receiver of [0, 7, 10, 199]) {
    const id = chunk.transactionOf(receiver);
    expect(chunk.isTransactionOf(receiver, id)).toBe(true);
    for (const other of [
      `${id}0`,
      id.slice(0, -1),
      id.replace('.', '.0'),
      id.replace('.', '-'),
      `x${id}`,
      `y${id.slice(1)}`,
      '',
    ])
      expect(chunk.isTransactionOf(receiver, other)).toBe(false);
    expect(chunk.isTransactionOf(receiver + 1, id)).toBe(false);
  }
});
