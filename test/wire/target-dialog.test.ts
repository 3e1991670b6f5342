import { expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseTargetDialog } from '../../src/wire/target-dialog.ts';

test('RFC 4538 8: Call-ID and the tags as the receiver has them', () => {
  expect(parseTargetDialog('fa77as7dad8-sd98ajzz@host.example.com ;local-tag=kkaz- ;remote-tag=6544')).toEqual({
    callId: 'fa77as7dad8-sd98ajzz@host.example.com',
    localTag: 'kkaz-',
    remoteTag: '6544',
  });
  expect(parseTargetDialog('a;remote-tag=1;local-tag=2;other=3')).toMatchObject({ remoteTag: '1', localTag: '2' });
});

test.each([
  '',
  'a',
  'a;local-tag=1',
  'a;local-tag=1;remote-tag',
  'a;local-tag=1;local-tag=2;remote-tag=3',
  'a b;local-tag=1;remote-tag=2',
])('%j is refused', (value) => {
  expect(() => parseTargetDialog(value)).toThrow(RemoteError);
});
