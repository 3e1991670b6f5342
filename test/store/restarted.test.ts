import { expect, test } from 'vitest';
import { dialogsOf, endedByRestart } from '../../src/store/restarted.ts';
import {
  conferenceRow,
  endpointRow,
  noon,
  participantRow,
  referralRow,
  subscriptionRow,
} from '../support/stored-rows.ts';

const conferenceId = 'conf-1';
const later = noon + 60_000;
const alice = participantRow({
  id: 'alice',
  conferenceId,
  endpoints: [
    endpointRow({ id: 'old', status: 'disconnected', leftAt: noon }),
    endpointRow({ id: 'new', dialogId: 'call-1;from-tag=1' }),
  ],
});
const bob = participantRow({ id: 'bob', conferenceId, status: 'pending', joinedAt: null });
const ted = participantRow({
  id: 'ted',
  conferenceId,
  status: 'disconnected',
  leftAt: noon,
  disconnection: { method: 'departed', sipStatus: null, reason: null },
});
const watching = subscriptionRow({ id: 'sub-1', conferenceId, dialogId: 'call-2;from-tag=2' });
const over = subscriptionRow({ id: 'sub-2', conferenceId, state: 'terminated', terminatedReason: 'timeout' });
const record = {
  conference: conferenceRow({ id: conferenceId, participantCount: 1, peakParticipants: 2, version: 7, seq: 9 }),
  participants: [alice, bob, ted],
  subscriptions: [watching, over],
};
const followed = referralRow({ id: 'referral-1', conferenceId });
const ending = { now: later, eventId: 'event-10', referrals: [followed] };

test('an interrupted conference ends as restarted, with one event more and nobody in it', () => {
  const change = endedByRestart(record, ending);
  expect(change.conferenceId).toBe(conferenceId);
  expect(change.conferences).toEqual([
    {
      ...record.conference,
      status: 'ended',
      endedAt: later,
      endReason: 'restarted',
      participantCount: 0,
      version: 8,
      seq: 10,
    },
  ]);
  expect(change.events).toEqual([
    {
      id: 'event-10',
      conferenceId,
      seq: 10,
      type: 'conference.ended',
      time: later,
      version: 8,
      actor: null,
      data: { reason: 'restarted' },
    },
  ]);
});

test('whoever was in it, or was to be, is disconnected as failed; who had left stays as they were', () => {
  const lost = {
    status: 'disconnected',
    leftAt: later,
    disconnection: { method: 'failed', sipStatus: null, reason: 'restarted' },
  };
  const [old, open] = alice.endpoints;
  expect(endedByRestart(record, ending).participants).toEqual([
    { ...alice, ...lost, endpoints: [old, { ...open, ...lost }] },
    { ...bob, ...lost },
  ]);
});

test('live subscriptions are terminated, for the reason that their subscribers are told', () => {
  expect(endedByRestart(record, ending).subscriptions).toEqual([
    { ...watching, state: 'terminated', terminatedReason: 'deactivated' },
  ]);
});

test('nothing more comes of the REFERs that were being followed', () => {
  expect(endedByRestart(record, ending).referrals).toEqual([{ ...followed, state: 'ended', endedAt: later }]);
});

test('the dialogs that may still stand are those of open endpoints and live subscriptions', () => {
  expect(dialogsOf(record)).toEqual({
    conferenceId,
    endpointDialogIds: ['call-1;from-tag=1'],
    subscriptionDialogIds: ['call-2;from-tag=2'],
  });
});
