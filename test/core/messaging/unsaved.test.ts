import { expect, test } from 'vitest';
import type { Input } from '../../../src/core/input.ts';
import { limits } from '../../../src/core/limits.ts';
import type { SwitchedMessage } from '../../../src/core/messaging/switched.ts';
import { bearable } from '../../../src/core/messaging/unsaved.ts';
import { messageRow } from '../../support/stored-rows.ts';

const facts = { from: 'sip:conf-1@conf.example.com', to: null, contentType: 'text/plain', content: null };

function message(part: Partial<SwitchedMessage> = {}): SwitchedMessage {
  return { messageId: '87652', ...facts, size: 200, sentAt: 1, deliveries: [], ...part };
}

function switched(messages: readonly SwitchedMessage[]): Input {
  return { type: 'messages-switched', conferenceId: 'conf-1', count: 1, messages, losses: [] };
}

test('as many messages as can be borne are taken, and of one more it is known only that it was', () => {
  const waiting = switched(Array.from({ length: limits.unsavedMessagesMax - 1 }, () => message()));
  const last = switched([message()]);
  expect(bearable(last, () => [waiting])).toBe(last);
  expect(bearable(switched([message(), message()]), () => [waiting])).toEqual(switched([]));
});

test('what became of a notice is taken all the same: the history has it as being on its way', () => {
  const full = switched(Array.from({ length: limits.unsavedMessagesMax }, () => message()));
  const notice = message({ kept: messageRow({ id: 'said', conferenceId: 'conf-1' }) });
  expect(bearable(switched([message(), notice]), () => [full])).toEqual(switched([notice]));
});
