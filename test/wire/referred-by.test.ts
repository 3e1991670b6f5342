import { expect, test } from 'vitest';
import { parseReferredBy } from '../../src/wire/referred-by.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { writeSipUri } from '../../src/wire/sip-uri.ts';

const read = (value: string) => {
  const { uri, contentId } = parseReferredBy(value, { lenient: false });
  return [writeSipUri(uri), contentId];
};

test('who, and where the token is', () => {
  expect(read('<sip:alice@example.com>')).toEqual(['sip:alice@example.com', null]);
  expect(read('sip:alice@example.com;cid="20398823@example.com"')).toEqual([
    'sip:alice@example.com',
    '20398823@example.com',
  ]);
});

test('angle brackets in the pointer, which do not belong there, do no harm', () => {
  expect(read('<sip:alice@example.com>;cid="<20398823@example.com>"')).toEqual([
    'sip:alice@example.com',
    '20398823@example.com',
  ]);
});

test.each(['', '<sip:a@b.example>;cid', '<sip:a@b.example>;cid="1@x";cid="2@x"', '<mailto:a@b.example>'])(
  '%j is refused',
  (value) => {
    expect(() => read(value)).toThrow(RemoteError);
  },
);
