import { usualChat } from '../../src/core/chat-policy.ts';
import type {
  AttemptRow,
  ConferenceRow,
  EndpointRow,
  Instant,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
} from '../../src/core/rows.ts';

/** One construction per row, defaults for everything. */

export const startOfTime: Instant = Date.parse('2026-03-01T09:30:00.000Z');

export function conferenceRow(given: Partial<ConferenceRow> = {}): ConferenceRow {
  return {
    id: 'conf-1',
    node: 'node-1',
    uri: 'sip:h7Kx2mQ9@127.0.0.1',
    factoryUri: 'sip:conf-fact@127.0.0.1',
    kind: 'ad_hoc',
    groupId: null,
    status: 'active',
    subject: null,
    locked: false,
    maxParticipants: null,
    policy: {
      end: 'creator-leaves',
      idleSeconds: 300,
      join: 'anyone',
      subscribe: 'participants',
      invite: 'participants',
      ...usualChat,
    },
    createdBy: 'sip:alice@example.com',
    createdAt: startOfTime,
    activatedAt: startOfTime + 12,
    endedAt: null,
    endReason: null,
    endedBy: null,
    participantCount: 2,
    peakParticipants: 3,
    messageCount: 4,
    version: 5,
    seq: 6,
    labels: { desk: 'north' },
    ...given,
  };
}

export function endpointRow(given: Partial<EndpointRow> = {}): EndpointRow {
  return {
    id: 'endpoint-1',
    entity: 'sip:bob@192.0.2.17:5060',
    contact: 'sip:bob@192.0.2.17:5060',
    status: 'connected',
    joiningMethod: 'dialed-out',
    callId: 'call-1',
    localTag: 'local-1',
    remoteTag: 'remote-1',
    dialogId: 'call-1;from-tag=local-1',
    referredBy: 'sip:alice@example.com',
    joinedAt: startOfTime + 1_000,
    leftAt: null,
    disconnection: null,
    media: [{ id: '1', type: 'message', status: 'sendrecv' }],
    sessionTimer: null,
    origin: { by: 'list', received: 'sip:bob@example.com', quirks: [] },
    ...given,
  };
}

export function participantRow(given: Partial<ParticipantRow> = {}): ParticipantRow {
  return {
    id: 'bob',
    conferenceId: 'conf-1',
    uri: 'sip:bob@example.com',
    displayName: 'Bob',
    nickname: null,
    private: false,
    role: 'participant',
    status: 'connected',
    joiningMethod: 'dialed-out',
    referredBy: 'sip:alice@example.com',
    replaces: null,
    muted: false,
    joinedAt: startOfTime + 1_000,
    leftAt: null,
    disconnection: null,
    endpoints: [endpointRow()],
    listEntry: null,
    attempts: [],
    lastError: null,
    position: 0,
    inRoster: true,
    ...given,
  };
}

export function subscriptionRow(given: Partial<SubscriptionRow> = {}): SubscriptionRow {
  return {
    id: 'subscription-1',
    conferenceId: 'conf-1',
    target: 'sip:h7Kx2mQ9@127.0.0.1',
    subscriber: 'sip:alice@example.com',
    event: 'conference',
    state: 'active',
    expiresAt: startOfTime + 3_600_000,
    lastVersionSent: 5,
    role: 'notifier',
    dialogId: 'call-9;from-tag=9',
    terminatedReason: null,
    ...given,
  };
}

export function referralRow(given: Partial<ReferralRow> = {}): ReferralRow {
  return {
    id: 'referral-1',
    conferenceId: 'conf-1',
    by: 'sip:alice@example.com',
    at: startOfTime,
    endedAt: startOfTime + 2_000,
    state: 'ended',
    targets: [
      {
        raw: 'sip:carol@example.com?Replaces=call%3Bto-tag%3D1%3Bfrom-tag%3D2',
        uri: 'sip:carol@example.com',
        method: 'INVITE',
        replaces: { callId: 'call', toTag: '1', fromTag: '2', earlyOnly: false },
        quirks: ['QK-8'],
        participantId: 'carol',
        outcome: { status: 200, reason: 'OK' },
      },
    ],
    dialogId: 'call-1;from-tag=local-1',
    subscription: { eventId: 7 },
    quirks: ['QK-34'],
    received: 'REFER sip:h7Kx2mQ9@127.0.0.1 SIP/2.0',
    ...given,
  };
}

export function messageRow(given: Partial<MessageRow> = {}): MessageRow {
  return {
    id: 'message-1',
    conferenceId: 'conf-1',
    messageId: '87652491',
    from: 'sip:alice@example.com',
    to: ['sip:bob@example.com'],
    contentType: 'text/plain',
    size: 324,
    sentAt: startOfTime + 2_000,
    content: 'Hello',
    deliveries: [
      {
        participantId: 'bob',
        uri: 'sip:bob@example.com',
        endpointId: 'endpoint-1',
        outcome: 'delivered',
        status: 200,
        reason: null,
      },
      { participantId: null, uri: null, endpointId: 'endpoint-2', outcome: 'failed', status: 408, reason: 'no answer' },
    ],
    expiresAt: startOfTime + 2_000 + 86_400_000,
    ...given,
  };
}

export function attemptRow(given: Partial<AttemptRow> = {}): AttemptRow {
  return {
    id: 'attempt-1',
    node: 'node-1',
    at: startOfTime,
    method: 'INVITE',
    target: 'sip:conf-fact@127.0.0.1',
    caller: null,
    callId: 'call-7',
    code: 'bad-list',
    status: 400,
    reason: 'The resource list is not well-formed XML',
    quirks: ['QK-4'],
    received: 'INVITE sip:conf-fact@127.0.0.1 SIP/2.0',
    ...given,
  };
}
