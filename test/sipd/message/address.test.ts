import { expect, test } from 'vitest';
import { tidyAddress } from '../../../src/sipd/message/address.ts';

test.each([
  ['<sip:a@b>;tag=1', '<sip:a@b>;tag=1'],
  ['"A, <b>" <sip:a@b;x=y>;tag=1;z', '"A, <b>" <sip:a@b;x=y>;tag=1;z'],
  ['sip:a@b;tag=1', '<sip:a@b>;tag=1'],
  ['sip:a@b', '<sip:a@b>'],
  ['sip:a@b;tag=1;z="<"', '<sip:a@b>;tag=1;z="<"'],
  ['A < sip: a@b > ;tag=1', 'A <sip:a@b>;tag=1'],
  ['sip:\ta@b ;tag=1', '<sip:a@b>;tag=1'],
  ['<tel:+1;phone-context=x>;tag=1', '<tel:+1;phone-context=x>;tag=1'],
])('%s is written as %s', (received, written) => {
  expect(tidyAddress(received)).toBe(written);
});
