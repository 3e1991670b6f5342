import { type Static, Type } from 'typebox';
import { limits } from '../core/limits.ts';
import type { ServiceCommand } from './commands.ts';
import { NewParticipant, replacesOf } from './new-participant.ts';
import { PolicyChange, policyOf } from './policy-json.ts';
import { closed, labels, maxParticipants, subject } from './schemas.ts';

export const NewConference = Type.Object(
  {
    subject: Type.Optional(subject),
    participants: Type.Optional(
      Type.Array(NewParticipant, {
        maxItems: limits.listEntriesMax,
        description:
          'Whom to invite. Each URI is read as the entry of a list at the factory: its headers are heeded, known mistakes mended; one that cannot be read is kept, with the reason.',
      }),
    ),
    policy: Type.Optional(PolicyChange),
    max_participants: Type.Optional(maxParticipants),
    locked: Type.Optional(Type.Boolean({ description: 'Nobody but those who are invited may join.' })),
    labels: Type.Optional(labels),
  },
  {
    ...closed,
    description: 'A conference, and whom it invites at once.',
    examples: [
      { subject: 'Incident 4711', participants: [{ uri: 'sip:bob@example.com' }, { uri: 'sip:ted@example.com' }] },
    ],
  },
);

export const ConferenceChange = Type.Object(
  {
    subject: Type.Optional(subject),
    locked: Type.Optional(Type.Boolean({ description: 'Nobody new may join while locked.' })),
    max_participants: Type.Optional(maxParticipants),
    labels: Type.Optional(labels),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'What is absent stays; labels are replaced whole.',
    examples: [{ locked: true }],
  },
);

type Wanted = Extract<ServiceCommand, { type: 'conference-requested' }>;
type Changed = Extract<ServiceCommand, { type: 'change-requested' }>;

/** What a body asks of the core, but for who asks, and whether in earnest. */
export function conferenceWanted(body: Static<typeof NewConference>): Omit<Wanted, 'actor' | 'dryRun'> {
  return {
    type: 'conference-requested',
    subject: body.subject ?? null,
    participants: (body.participants ?? []).map((participant) => ({
      raw: participant.uri,
      displayName: participant.display_name ?? null,
      role: participant.role ?? 'participant',
      replaces: replacesOf(participant),
    })),
    policy: policyOf(body.policy ?? {}),
    maxParticipants: body.max_participants ?? null,
    locked: body.locked ?? false,
    labels: body.labels ?? {},
  };
}

/** What a body changes; what it does not name is absent. */
export function changeWanted(
  body: Static<typeof ConferenceChange>,
): Pick<Changed, 'subject' | 'locked' | 'maxParticipants' | 'labels'> {
  const { subject: title, locked, max_participants, labels: tags } = body;
  return {
    ...(title === undefined ? {} : { subject: title }),
    ...(locked === undefined ? {} : { locked }),
    ...(max_participants === undefined ? {} : { maxParticipants: max_participants }),
    ...(tags === undefined ? {} : { labels: tags }),
  };
}
