import { expect, test } from 'vitest';
import {
  isMessageId,
  isReportOfWhole,
  joinTexts,
  type MsrpHead,
  nicknameOf,
  pathLines,
  reportedStatus,
  responseParts,
  responseTo,
  sendParts,
  writeMsrpRequest,
  writeMsrpResponse,
} from '../../src/wire/msrp.ts';
import { alice, bodiless, focus, readRequest } from './msrp-frames.ts';

const bare = readRequest(bodiless);
const withHeader = (name: string, value: string): MsrpHead => ({ ...bare, headers: [{ name, value }] });

test.each([
  ['"Alice the great"', 'Alice the great'],
  ['"Älice"', 'Älice'],
  ['" Alice "', ' Alice '],
  [String.raw`"\"The\" Alice \\ Bob"`, String.raw`"The" Alice \ Bob`],
  [`"${'x'.repeat(1_023)}"`, 'x'.repeat(1_023)],
  // RFC 7701 7.3: the name is given up.
  ['""', null],
])('CC-190 Use-Nickname: %s asks for %j', (value, name) => {
  expect(nicknameOf(withHeader('Use-Nickname', value))).toBe(name);
  expect(nicknameOf(withHeader('use-nickname', value))).toBe(name);
});

test.each([
  ['is missing', bare],
  ['has no quotes', withHeader('Use-Nickname', 'Alice')],
  ['has a quote that nobody closes', withHeader('Use-Nickname', '"Alice')],
  ['ends with an escape of the closing quote', withHeader('Use-Nickname', String.raw`"Alice\"`)],
  ['goes on after the closing quote', withHeader('Use-Nickname', '"Alice" "Bob"')],
  ['escapes what needs none', withHeader('Use-Nickname', String.raw`"Al\ice"`)],
  ['is longer than 1,023 octets', withHeader('Use-Nickname', `"${'x'.repeat(1_024)}"`)],
  ['is longer than 1,023 octets, not characters', withHeader('Use-Nickname', `"${'ä'.repeat(512)}"`)],
])('CC-190 a Use-Nickname that %s: 424', (_what, request) => {
  expect(() => nicknameOf(request)).toThrow(expect.objectContaining({ statusHint: 424 }));
});

test.each<[string, number | null]>([
  ['000 200 OK', 200],
  ['000 413', 413],
  ['000  481 Gone', 481],
  ['001 200 OK', null],
  ['000 2000', null],
  ['200 OK', null],
  ['', null],
])('Status: %s tells %s (RFC 4975 7.1.2)', (value, status) => {
  expect(reportedStatus(withHeader('Status', value))).toBe(status);
});

test.each([
  ['1-30/30', true],
  ['1-0/0', true],
  ['1-29/30', false],
  ['2-30/30', false],
  ['11-30/30', false],
  ['1-*/30', false],
  ['1-*/*', false],
])('a REPORT with Byte-Range: %s is about all of the message: %s (RFC 4975 7.1.3)', (value, isWhole) => {
  expect(isReportOfWhole(withHeader('Byte-Range', value))).toBe(isWhole);
});

test('a REPORT that does not say how it went, or of what, tells nothing', () => {
  expect([reportedStatus(bare), isReportOfWhole(bare)]).toEqual([null, false]);
});

test.each([
  ['1', true],
  ['x'.repeat(64), true],
  ['', false],
  ['x'.repeat(65), false],
  ['two words', false],
  ['café', false],
])('QK-40 a Message-ID of %j is taken: %s', (text, isOne) => expect(isMessageId(text)).toBe(isOne));

test('frames of text join to what single frames would be, an octet in each character', () => {
  const paths = pathLines([alice], [focus]);
  const headers = [{ name: 'Content-Type', value: 'text/plain' }];
  const content = 'Content-Type: text/plain\r\n\r\n\xc3\xa4\r\n';
  const response = responseTo(bare, 200, 'OK');
  const joined = joinTexts([sendParts('t001', { paths, content, flag: '$' }), responseParts(response)]);
  const send = { method: 'SEND', toPath: [alice], fromPath: [focus], headers, body: Buffer.from('ä') } as const;
  const single = [writeMsrpRequest({ ...send, transactionId: 't001', flag: '$' }), writeMsrpResponse(response)];
  expect(Buffer.from(joined ?? '', 'latin1')).toEqual(Buffer.concat(single));
});

test('frames with a content of octets join to no text', () => {
  const paths = pathLines([alice], [focus]);
  expect(joinTexts([sendParts('t001', { paths, content: Buffer.from('x'), flag: '$' })])).toBeNull();
});
