import { chatRefused } from '../chat-policy.ts';
import type { Context } from '../context.ts';
import type { ConferencePolicy, ConferenceRow } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { shortened } from './participant.ts';
import type { Refused } from './requirements.ts';

/** What is decided of a conference before it is made. */
export type NewConference = Pick<
  ConferenceRow,
  'kind' | 'groupId' | 'factoryUri' | 'subject' | 'locked' | 'maxParticipants' | 'policy' | 'createdBy' | 'labels'
>;

/** The row of a conference that nobody is in yet, with a URI of its own (RFC 4579 5.3). */
export function newConference({ ids, settings, now }: Context, asked: NewConference): ConferenceRow {
  return {
    ...asked,
    id: ids.row(),
    node: settings.node,
    uri: `sip:conf-${ids.conferenceUser()}@${settings.conferenceAuthority}`,
    status: 'creating',
    subject: asked.subject === null ? null : shortened(asked.subject),
    createdAt: now,
    activatedAt: null,
    endedAt: null,
    endReason: null,
    endedBy: null,
    participantCount: 0,
    peakParticipants: 0,
    messageCount: 0,
    version: 0,
    seq: 0,
  };
}

/** What holds in a conference that nobody has said anything else for. */
export function adHocPolicy(settings: Settings): ConferencePolicy {
  const { endPolicy: end, idleSeconds, chat } = settings;
  return { end, idleSeconds, join: 'anyone', subscribe: 'participants', invite: 'participants', ...chat };
}

/** The same for a conference that an operator makes, who is never in it and so cannot leave it. */
export function operatorPolicy(settings: Settings, wanted: Partial<ConferencePolicy>): ConferencePolicy | Refused {
  if (wanted.end === 'creator-leaves')
    return { code: 'validation-failed', detail: 'The creator of this conference is nobody who could leave it' };
  const reason = chatRefused(wanted, settings);
  if (reason !== null) return { code: 'validation-failed', detail: reason };
  const usual = adHocPolicy(settings);
  return { ...usual, end: usual.end === 'creator-leaves' ? 'last-leaves' : usual.end, ...wanted };
}
