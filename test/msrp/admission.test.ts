import { expect, test } from 'vitest';
import { Admission } from '../../src/msrp/admission.ts';

test('strangers of one address have one connection each less to come with; who serves a session counts no more', () => {
  const admission = new Admission(10, 2);
  const first = admission.enter('192.0.2.1');
  expect(admission.enter('::ffff:192.0.2.1')).not.toBeNull();
  expect(admission.enter('192.0.2.1')).toBeNull();
  expect(admission.enter('::ffff:192.0.2.2')).not.toBeNull();
  first?.bound();
  expect(admission.enter('192.0.2.1')).not.toBeNull();
});

test('whoever has an IPv6 network of 64 bits has one address, not all there are', () => {
  const admission = new Admission(10, 2);
  expect(admission.enter('2001:db8::1')).not.toBeNull();
  expect(admission.enter('2001:db8:0:0:ffff::2')).not.toBeNull();
  expect(admission.enter('2001:db8::3')).toBeNull();
  expect(admission.enter('2001:db8:0:1::1')).not.toBeNull();
  expect(admission.enter('fe80::1%eth0')).not.toBeNull();
});
