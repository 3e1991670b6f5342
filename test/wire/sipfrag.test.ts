import { expect, test } from 'vitest';
import { writeStatusFragment } from '../../src/wire/sipfrag.ts';

test('RFC 3515 2.4.5: a status line with its line end', () => {
  expect(writeStatusFragment({ status: 100, reason: 'Trying' })).toBe('SIP/2.0 100 Trying\r\n');
});

test('a reason from outside stays on its line; none is legal', () => {
  expect(writeStatusFragment({ status: 486, reason: 'Busy\r\nX: y' })).toBe('SIP/2.0 486 Busy X: y\r\n');
  expect(writeStatusFragment({ status: 404, reason: '' })).toBe('SIP/2.0 404 \r\n');
});
