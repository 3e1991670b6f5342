import { expect, test } from 'vitest';
import { acceptanceOf, headOf, renderingOf, sequenceOf } from './notify-message.ts';

const notify = (version: number, subject: string): Buffer =>
  Buffer.from(
    [
      'NOTIFY sip:watcher0@127.0.0.1:40000 SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK2',
      'Max-Forwards: 70',
      'From: <sip:conf@127.0.0.1>;tag=a',
      'To: <sip:watcher0@127.0.0.1>;tag=b',
      'Call-ID: 0@watchers',
      'CSeq: 17 NOTIFY',
      'Event: conference',
      '',
      `<?xml version="1.0"?><conference-info entity="sip:conf@127.0.0.1" state="full" version="${version}">${subject}`,
    ].join('\r\n'),
  );

test('a NOTIFY is accepted with the headers that an answer copies, in their order', () => {
  const head = headOf(notify(1, ''));
  expect(sequenceOf(head)).toBe(17);
  expect(acceptanceOf(head)).toBe(
    [
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK2',
      'From: <sip:conf@127.0.0.1>;tag=a',
      'To: <sip:watcher0@127.0.0.1>;tag=b',
      'Call-ID: 0@watchers',
      'CSeq: 17 NOTIFY',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
});

test('two documents are one rendering when only the version of their root differs', () => {
  expect(renderingOf(notify(1, 'é version="3"'))).toBe(renderingOf(notify(20, 'é version="3"')));
  expect(renderingOf(notify(1, 'version="3"'))).not.toBe(renderingOf(notify(1, 'version="4"')));
});
