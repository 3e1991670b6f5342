import { expect, test } from 'vitest';
import { userChanges } from '../../../src/core/conference/roster-changes.ts';
import type { ConferenceInfoEndpoint, ConferenceInfoUser } from '../../../src/wire/conference-info.ts';

const endpoint: ConferenceInfoEndpoint = {
  entity: 'sip:bob@192.0.2.2',
  referred: null,
  joiningInfo: { when: 0, reason: null, by: null },
  disconnectionMethod: null,
  disconnectionInfo: null,
  status: 'connected',
  joiningMethod: 'dialed-in',
  media: [
    { id: '1', type: 'message', status: 'sendrecv' },
    { id: '2', type: 'audio', status: 'inactive' },
  ],
  callInfo: null,
};

const bob: ConferenceInfoUser = {
  entity: 'sip:bob@example.com',
  nickname: null,
  displayText: 'Bob',
  associatedAors: [],
  roles: ['participant'],
  languages: [],
  endpoints: [endpoint],
};

const withEndpoint = (changes: Partial<ConferenceInfoEndpoint>): ConferenceInfoUser => ({
  ...bob,
  endpoints: [{ ...endpoint, ...changes }],
});

test('who is new comes whole, who is gone is deleted, who is as before is not told of (RFC 4575 4.4)', () => {
  expect(userChanges(null, bob)).toEqual([bob]);
  expect(userChanges(bob, null)).toMatchObject([{ entity: bob.entity, state: 'deleted', endpoints: [] }]);
  expect(userChanges(bob, structuredClone(bob))).toEqual([]);
});

test('RFC 4575 4.5: under another entity it is another user', () => {
  const hidden = { ...bob, entity: 'sip:anonymous2@anonymous.invalid' };
  expect(userChanges(bob, hidden)).toMatchObject([{ entity: bob.entity, state: 'deleted' }, { entity: hidden.entity }]);
});

test('of a user only what has changed; what is no more can be told only by all that is', () => {
  const chair = { ...bob, roles: ['chair'] };
  expect(userChanges(bob, chair)).toEqual([
    { entity: bob.entity, state: 'partial', displayText: null, roles: ['chair'], endpoints: [] },
  ]);
  const nameless = { ...bob, displayText: null };
  expect(userChanges(bob, nameless)).toEqual([nameless]);
});

test('endpoints come, change and go by themselves', () => {
  const tablet = { ...endpoint, entity: 'sip:bob@192.0.2.9' };
  expect(userChanges(bob, { ...bob, endpoints: [endpoint, tablet] })).toMatchObject([
    { state: 'partial', endpoints: [tablet] },
  ]);
  expect(userChanges(bob, { ...bob, endpoints: [tablet] })).toMatchObject([
    { state: 'partial', endpoints: [{ entity: endpoint.entity, state: 'deleted' }, tablet] },
  ]);
  expect(userChanges(bob, withEndpoint({ status: 'on-hold' }))).toMatchObject([
    { state: 'partial', endpoints: [{ state: 'partial', status: 'on-hold', joiningInfo: null, media: [] }] },
  ]);
  const unjoined = { joiningInfo: null };
  expect(userChanges(bob, withEndpoint(unjoined))).toMatchObject([
    { state: 'partial', endpoints: [{ ...endpoint, ...unjoined }] },
  ]);
});

test('media merge by id, and cannot be deleted', () => {
  const [message, audio] = endpoint.media;
  if (message === undefined || audio === undefined) throw new Error('no media');
  const muted = { ...message, status: 'recvonly' } as const;
  expect(userChanges(bob, withEndpoint({ media: [muted, audio] }))).toMatchObject([
    { endpoints: [{ state: 'partial', media: [muted] }] },
  ]);
  const [change] = userChanges(bob, withEndpoint({ media: [message] }));
  expect(change?.endpoints).toEqual([{ ...endpoint, media: [message] }]);
});
