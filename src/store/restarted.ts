import type {
  Change,
  ConferenceRecord,
  Disconnection,
  EndpointRow,
  EventRow,
  Instant,
  ParticipantRow,
  ReferralRow,
} from '../core/rows.ts';

/** A conference whose process died, as it was closed, and the dialogs that may still stand at the SIP server. */
export type Interrupted = {
  readonly conferenceId: string;
  /** Dialogs made by INVITE, in drachtio's form. */
  readonly endpointDialogIds: readonly string[];
  /** Dialogs made by SUBSCRIBE. */
  readonly subscriptionDialogIds: readonly string[];
};

const lost: Disconnection = { method: 'failed', sipStatus: null, reason: 'restarted' };

export type Ending = {
  readonly now: Instant;
  /** Id of the event that tells of it. */
  readonly eventId: string;
  /** REFERs that were still being followed. */
  readonly referrals: readonly ReferralRow[];
};

/** The change that ends an interrupted conference: nobody is in it, and its log says why. */
export function endedByRestart(record: ConferenceRecord, { now, eventId, referrals }: Ending): Change {
  const { conference } = record;
  const seq = conference.seq + 1;
  const version = conference.version + 1;
  const ended: EventRow = {
    id: eventId,
    conferenceId: conference.id,
    seq,
    type: 'conference.ended',
    time: now,
    version,
    actor: null,
    data: { reason: 'restarted' },
  };
  return {
    conferenceId: conference.id,
    conferences: [
      {
        ...conference,
        status: 'ended',
        endedAt: now,
        endReason: 'restarted',
        endedBy: null,
        participantCount: 0,
        version,
        seq,
      },
    ],
    participants: record.participants
      .filter((participant) => participant.status !== 'disconnected' || participant.endpoints.some(isOpen))
      .map((participant) => disconnected(participant, now)),
    subscriptions: record.subscriptions
      .filter(({ state }) => state !== 'terminated')
      // RFC 6665 4.1.3: what their last NOTIFY says once the SIP server is reached (`endDialogs` of the SIP shell).
      .map((subscription) => ({ ...subscription, state: 'terminated', terminatedReason: 'deactivated' })),
    events: [ended],
    attempts: [],
    messages: [],
    referrals: referrals.map((referral) => ({ ...referral, state: 'ended', endedAt: now })),
  };
}

/** What may still stand outside of an interrupted conference. */
export function dialogsOf(record: ConferenceRecord): Interrupted {
  const open = record.participants.flatMap(({ endpoints }) => endpoints.filter(isOpen));
  const live = record.subscriptions.filter(({ state }) => state !== 'terminated');
  return {
    conferenceId: record.conference.id,
    endpointDialogIds: open.map(({ dialogId }) => dialogId),
    subscriptionDialogIds: live.map(({ dialogId }) => dialogId),
  };
}

function disconnected(participant: ParticipantRow, now: Instant): ParticipantRow {
  return {
    ...participant,
    ...gone(participant, now),
    endpoints: participant.endpoints.map((endpoint) =>
      isOpen(endpoint) ? { ...endpoint, ...gone(endpoint, now) } : endpoint,
    ),
  };
}

function gone(row: Pick<EndpointRow, 'leftAt' | 'disconnection'>, now: Instant) {
  return { status: 'disconnected', leftAt: row.leftAt ?? now, disconnection: row.disconnection ?? lost } as const;
}

function isOpen(endpoint: EndpointRow): boolean {
  return endpoint.status !== 'disconnected';
}
