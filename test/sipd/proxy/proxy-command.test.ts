import { expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { readDuration, readProxyCommand } from '../../../src/sipd/proxy/proxy-command.ts';

/** The frame of an application, with what stands behind `proxy`. */
const read = (...tokens: readonly string[]) =>
  readProxyCommand({ session: 1, messageId: 'm1', tokens: ['proxy', ...tokens], text: '' });

test.each([
  ['2s', 2_000],
  ['1500ms', 1_500],
  ['1500', 1_500],
  ['1', 1],
  ['999999999ms', 999_999_999],
])('%s is a time to wait', (text, ms) => expect(readDuration(text)).toBe(ms));

test.each([
  '',
  '0',
  '0s',
  '0ms',
  '1000000000',
  '1000000000s',
  '-1',
  '1.5s',
  '1e3',
  '2m',
  's',
  'ms',
  '2ss',
  '2 s',
  'soon',
])('%j is none: it is waited as long as SIP allows', (text) => expect(readDuration(text)).toBeNull());

test('what is wished stands by its place, and in its own word', () => {
  const all = ['remainInDialog', 'fullResponse', 'followRedirects', 'simultaneous', '2s', '1m', 'sip:10.0.0.2'];
  expect(read('t1', ...all)).toMatchObject({
    transactionId: 't1',
    remainInDialog: true,
    fullResponse: true,
    followRedirects: true,
    parallel: true,
    provisionalMs: 2_000,
    finalMs: null,
    destinations: ['sip:10.0.0.2'],
  });
  expect(read('t1', '', '', '', 'serial', '', '500ms', '', 'sip:10.0.0.2', '')).toMatchObject({
    remainInDialog: false,
    fullResponse: false,
    followRedirects: false,
    parallel: false,
    provisionalMs: null,
    finalMs: 500,
    destinations: ['sip:10.0.0.2'],
  });
});

test('a frame that breaks off wishes for nothing', () => {
  expect(read()).toMatchObject({ transactionId: '', parallel: false, provisionalMs: null, destinations: [] });
});

test('a request goes to so many targets, and no more', () => {
  const targets = Array.from({ length: limits.proxyTargetsMax + 1 }, (_, index) => `sip:10.0.1.${index}`);
  expect(read('t1', '', '', '', 'serial', '', '', ...targets).destinations).toEqual(targets.slice(0, -1));
});
