import { usualChat } from '../../src/core/chat-policy.ts';
import { groupPolicy } from '../../src/core/definitions/group-definition.ts';
import type {
  AttemptRow,
  Change,
  ConferenceRow,
  EndpointRow,
  EventRow,
  GroupRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
  UserRow,
} from '../../src/core/rows.ts';

/** One construction per row, with defaults for everything. */

/** The moment at which everything in these rows happens, unless a test says otherwise. */
export const noon = Date.parse('2026-11-22T12:00:00.123Z');

export function conferenceRow(part: Partial<ConferenceRow> & { readonly id: string }): ConferenceRow {
  return {
    node: 'node-1',
    uri: `sip:${part.id}@conf.example.com`,
    factoryUri: 'sip:conf-fact@conf.example.com',
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
    createdAt: noon,
    activatedAt: noon,
    endedAt: null,
    endReason: null,
    endedBy: null,
    participantCount: 0,
    peakParticipants: 0,
    messageCount: 0,
    version: 1,
    seq: 0,
    labels: {},
    ...part,
  };
}

type InConference = { readonly id: string; readonly conferenceId: string };

export function participantRow(part: Partial<ParticipantRow> & InConference): ParticipantRow {
  return {
    uri: 'sip:bob@example.com',
    displayName: null,
    nickname: null,
    private: false,
    role: 'participant',
    status: 'connected',
    joiningMethod: 'dialed-out',
    referredBy: null,
    replaces: null,
    muted: false,
    joinedAt: noon,
    leftAt: null,
    disconnection: null,
    endpoints: [],
    listEntry: null,
    attempts: [],
    lastError: null,
    position: 0,
    inRoster: true,
    ...part,
  };
}

export function endpointRow(part: Partial<EndpointRow> & { readonly id: string }): EndpointRow {
  return {
    entity: 'sip:bob@192.0.2.4',
    contact: 'sip:bob@192.0.2.4:5070',
    status: 'connected',
    joiningMethod: 'dialed-out',
    callId: `call-of-${part.id}`,
    localTag: 'focus-tag',
    remoteTag: 'bob-tag',
    dialogId: `call-of-${part.id};from-tag=focus-tag`,
    referredBy: null,
    joinedAt: noon,
    leftAt: null,
    disconnection: null,
    media: [{ id: '1', type: 'message', status: 'sendrecv' }],
    sessionTimer: null,
    origin: { by: 'list', received: 'sip:bob@example.com', quirks: [] },
    ...part,
  };
}

export function subscriptionRow(part: Partial<SubscriptionRow> & InConference): SubscriptionRow {
  return {
    target: `sip:${part.conferenceId}@conf.example.com`,
    subscriber: 'sip:alice@example.com',
    event: 'conference',
    state: 'active',
    expiresAt: noon + 3_600_000,
    lastVersionSent: -1,
    role: 'notifier',
    dialogId: `call-of-${part.id};from-tag=alice-tag`,
    terminatedReason: null,
    ...part,
  };
}

export function eventRow(part: Partial<EventRow> & { readonly conferenceId: string; readonly seq: number }): EventRow {
  return {
    id: `${part.conferenceId}-event-${part.seq}`,
    type: 'conference.created',
    time: noon,
    version: 1,
    actor: 'sip:alice@example.com',
    data: {},
    ...part,
  };
}

export function referralRow(part: Partial<ReferralRow> & InConference): ReferralRow {
  return {
    by: 'sip:alice@example.com',
    at: noon,
    endedAt: null,
    state: 'trying',
    targets: [
      {
        raw: 'sip:carol@example.com;method=INVITE',
        uri: 'sip:carol@example.com',
        method: 'INVITE',
        replaces: null,
        quirks: [],
        participantId: null,
        outcome: null,
      },
    ],
    dialogId: `call-of-${part.id};from-tag=alice-tag`,
    subscription: { eventId: null },
    quirks: [],
    received: 'REFER sip:conf@conf.example.com SIP/2.0',
    ...part,
  };
}

export function groupRow(part: Partial<GroupRow> & { readonly id: string }): GroupRow {
  return {
    uri: `sip:${part.id}@conf.example.com`,
    subject: null,
    members: [],
    policy: groupPolicy({ idleSeconds: 300, chat: usualChat }),
    maxParticipants: null,
    labels: {},
    createdAt: noon,
    updatedAt: noon,
    revision: 1,
    ...part,
  };
}

export function userRow(part: Partial<UserRow> & { readonly id: string }): UserRow {
  return {
    uri: `sip:${part.id}@example.com`,
    displayName: null,
    secrets: null,
    barred: false,
    mayCreate: true,
    consents: false,
    createdAt: noon,
    updatedAt: noon,
    revision: 1,
    ...part,
  };
}

export function attemptRow(part: Partial<AttemptRow> & { readonly id: string }): AttemptRow {
  return {
    node: 'node-1',
    at: noon,
    method: 'INVITE',
    target: 'sip:conf-fact@conf.example.com',
    caller: 'sip:mallory@example.com',
    callId: 'call-of-mallory',
    code: 'bad-list',
    status: 400,
    reason: 'The resource list cannot be read',
    quirks: ['QK-7'],
    received: 'INVITE sip:conf-fact@conf.example.com SIP/2.0',
    ...part,
  };
}

export function messageRow(part: Partial<MessageRow> & InConference): MessageRow {
  return {
    messageId: `message-of-${part.id}`,
    from: 'sip:alice@example.com',
    to: null,
    contentType: 'text/plain',
    size: 120,
    sentAt: noon,
    content: null,
    deliveries: [],
    expiresAt: noon + 86_400_000,
    ...part,
  };
}

/** A change of the conference of its rows, or of none. */
export function changeOf(part: Partial<Omit<Change, 'conferenceId'>>): Change {
  const owner =
    part.conferences?.[0]?.id ??
    part.participants?.[0]?.conferenceId ??
    part.subscriptions?.[0]?.conferenceId ??
    part.events?.[0]?.conferenceId ??
    part.referrals?.[0]?.conferenceId ??
    part.messages?.[0]?.conferenceId;
  return {
    conferenceId: owner ?? null,
    conferences: [],
    participants: [],
    subscriptions: [],
    events: [],
    attempts: [],
    referrals: [],
    messages: [],
    ...part,
  };
}
