import { expect, test } from 'vitest';
import type { Conference, Participant, Subscription } from '../../src/store/generated/client.ts';
import { attemptRow, conferenceRow, keyRow, participantRow, subscriptionRow } from '../../src/store/rows.ts';
import * as rows from '../support/stored-rows.ts';

// As Prisma gives them: moments as Date, JSON as values. The way through a database is in the contract suite.

const conference = rows.conferenceRow({ id: 'conf-1', endReason: 'idle', endedAt: rows.noon, labels: { a: 'b' } });
const keptConference: Conference = {
  ...conference,
  createdAt: new Date(rows.noon),
  activatedAt: new Date(rows.noon),
  endedAt: new Date(rows.noon),
  labels: { a: 'b' },
};
const keptParticipant: Participant & { endpointRows: [] } = {
  ...rows.participantRow({ id: 'part-1', conferenceId: 'conf-1' }),
  joinedAt: new Date(rows.noon),
  leftAt: null,
  replaces: null,
  disconnection: null,
  endpoints: [],
  endpointRows: [],
  listEntry: null,
  attempts: [],
  lastError: null,
};
const subscription = rows.subscriptionRow({ id: 'sub-1', conferenceId: 'conf-1' });
const keptSubscription: Subscription = { ...subscription, expiresAt: new Date(subscription.expiresAt) };

test('each kept row is read as the row it was', () => {
  expect(conferenceRow(keptConference)).toEqual(conference);
  expect(participantRow(keptParticipant)).toEqual(rows.participantRow({ id: 'part-1', conferenceId: 'conf-1' }));
  expect(subscriptionRow(keptSubscription)).toEqual(subscription);
  const attempt = rows.attemptRow({ id: 'att-1' });
  expect(attemptRow({ ...attempt, at: new Date(attempt.at), quirks: [...attempt.quirks] })).toEqual(attempt);
  const key = { id: 'key-1', name: 'first', hash: '00', scopes: ['a:read'], createdAt: rows.noon };
  expect(keyRow({ ...key, createdAt: new Date(rows.noon) })).toEqual(key);
});

test('a policy that was written before it said anything of messages says what is usual', () => {
  const { end, idleSeconds, join, subscribe, invite } = conference.policy;
  const former = { ...keptConference, policy: { end, idleSeconds, join, subscribe, invite } };
  expect(conferenceRow(former).policy).toEqual(conference.policy);
  const chosen = { ...former, policy: { ...former.policy, history: 'content', nicknames: false } };
  expect(conferenceRow(chosen).policy).toEqual({ ...conference.policy, history: 'content', nicknames: false });
});

test.each([
  ['status', () => conferenceRow({ ...keptConference, status: 'paused' })],
  ['kind', () => conferenceRow({ ...keptConference, kind: 'toString' })],
  ['end reason', () => conferenceRow({ ...keptConference, endReason: 'boredom' })],
  ['role', () => participantRow({ ...keptParticipant, role: 'king' })],
  ['endpoint status', () => participantRow({ ...keptParticipant, status: 'asleep' })],
  ['joining method', () => participantRow({ ...keptParticipant, joiningMethod: 'walked-in' })],
  ['subscription state', () => subscriptionRow({ ...keptSubscription, state: 'gone' })],
  ['event package', () => subscriptionRow({ ...keptSubscription, event: 'presence' })],
])('a %s that is no word of ours is refused', (_, read) => {
  expect(read).toThrow('The database holds the unknown word');
});
