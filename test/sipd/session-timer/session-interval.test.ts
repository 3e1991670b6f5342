import { expect, test } from 'vitest';
import {
  allowsUpdate,
  leastAccepted,
  sessionExpires,
  supportsTimer,
} from '../../../src/sipd/session-timer/session-interval.ts';
import { scanSipMessage } from '../../../src/wire/sip-message.ts';

function message(...lines: string[]) {
  return scanSipMessage(['INVITE sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n'));
}

test('a Session-Expires is read with its refresher, in its compact form too; what is none counts as absent', () => {
  for (const [line, wanted] of [
    ['Session-Expires: 1800;refresher=uac', { seconds: 1800, refresher: 'uac' }],
    ['x: 90 ; Refresher = UAS ;more', { seconds: 90, refresher: 'uas' }],
    ['Session-Expires: 300', { seconds: 300, refresher: null }],
    ['Session-Expires: 300;refresher=me', { seconds: 300, refresher: null }],
    ['Session-Expires: soon', null],
    ['Session-Expires: 9999999999', null],
    ['Subject: none', null],
  ] as const) {
    expect(sessionExpires(message(line))).toEqual(wanted);
  }
});

test('a Min-SE is never less than 90', () => {
  expect(leastAccepted(message('Min-SE: 120;x=y'))).toBe(120);
  expect(leastAccepted(message('Min-SE: 5'))).toBe(90);
  expect(leastAccepted(message('Subject: none'))).toBe(90);
});

test('what the sender takes', () => {
  expect(supportsTimer(message('Supported: path, TIMER'))).toBe(true);
  expect(supportsTimer(message('k: timer'))).toBe(true);
  expect(supportsTimer(message('Require: timer'))).toBe(true);
  expect(supportsTimer(message('Supported: timers'))).toBe(false);
  expect(allowsUpdate(message('Allow: INVITE, UPDATE'))).toBe(true);
  expect(allowsUpdate(message('Allow: INVITE'))).toBe(false);
  expect(allowsUpdate(message('Supported: timer'))).toBeNull();
});
