import { type Static, Type } from 'typebox';
import { limits } from '../core/limits.ts';
import type { GroupMember, GroupRow } from '../core/rows.ts';
import { roles } from './participant-json.ts';
import { Policy, PolicyChange, policyJson, usualChatJson } from './policy-json.ts';
import {
  closed,
  iso,
  labels,
  maxParticipants,
  named,
  nullableInteger,
  nullableText,
  oneOf,
  pageOf,
  personName,
  printable,
  shownLabels,
  subject,
  time,
} from './schemas.ts';

const role = oneOf(roles, { description: 'What the member may do in a session of the group.' });

export const Member = Type.Object(
  {
    uri: Type.String({ description: 'Address of record of the member.' }),
    display_name: nullableText({ description: 'Name for people to read.' }),
    role,
  },
  {
    ...closed,
    $id: 'Member',
    description: 'A member of a group.',
    examples: [{ uri: 'sip:bob@example.com', display_name: 'Bob', role: 'participant' }],
  },
);

const memberFields = { display_name: Type.Optional(personName), role: Type.Optional(role) };

/** What is said of a member whose address stands in the path. */
export const MemberFields = Type.Object(memberFields, {
  ...closed,
  description: 'What else is said of the member; a `participant` without a name unless said.',
  examples: [{ display_name: 'Bob', role: 'chair' }],
});

const NewMember = Type.Object(
  {
    uri: printable({
      minLength: 1,
      maxLength: 1024,
      description: 'The member: a sip:, sips: or tel: URI, but none of this service itself: no group is a member.',
    }),
    ...memberFields,
  },
  closed,
);

const newMembers = Type.Array(NewMember, {
  maxItems: limits.groupMembersMax,
  description: 'Whom a call to the group invites, and who may join where it is closed.',
});

export const Group = Type.Object(
  {
    id: Type.String({ description: 'Key of the group in this API.' }),
    uri: Type.String({ description: 'The group’s URI: a call to it starts its session, or joins the running one.' }),
    subject: nullableText({ description: 'Subject of its sessions.' }),
    members: Type.Array(named(Member), { description: 'Whom its sessions invite.' }),
    policy: named(Policy),
    max_participants: nullableInteger({ description: 'Bound on participants of a session; null: the service’s own.' }),
    labels: shownLabels,
    created_at: time({ description: 'When it was defined.' }),
    updated_at: time({ description: 'When it was last changed.' }),
    revision: Type.Integer({ description: 'Rises by one with each change; also its `ETag`.' }),
  },
  {
    ...closed,
    $id: 'Group',
    description: 'A pre-arranged group: a standing definition that a call to its URI turns into a conference.',
    examples: [
      {
        id: '01961f6e-0f00-7d21-8b30-4f5061728394',
        uri: 'sip:night-shift@127.0.0.1',
        subject: 'Night shift',
        members: [{ uri: 'sip:bob@example.com', display_name: 'Bob', role: 'chair' }],
        policy: {
          end: 'last-leaves',
          idle_seconds: 300,
          join: 'members',
          subscribe: 'members',
          invite: 'chairs',
          ...usualChatJson,
        },
        max_participants: null,
        labels: { site: 'north' },
        created_at: '2026-03-01T09:00:00.000Z',
        updated_at: '2026-03-01T09:00:00.000Z',
        revision: 1,
      },
    ],
  },
);

export const GroupPage = pageOf('GroupPage', Group);

export const NewGroup = Type.Object(
  {
    uri: printable({
      minLength: 1,
      maxLength: 255,
      description: 'A user part such as `night-shift`, or a whole SIP URI at a domain of this service.',
    }),
    subject: Type.Optional(subject),
    members: Type.Optional(newMembers),
    policy: Type.Optional(PolicyChange),
    max_participants: Type.Optional(maxParticipants),
    labels: Type.Optional(labels),
  },
  {
    ...closed,
    description: 'A group; closed to all but its members unless its policy says otherwise.',
    examples: [{ uri: 'night-shift', members: [{ uri: 'sip:bob@example.com', role: 'chair' }] }],
  },
);

export const GroupChange = Type.Object(
  {
    subject: Type.Optional(subject),
    members: Type.Optional(newMembers),
    policy: Type.Optional(PolicyChange),
    max_participants: Type.Optional(maxParticipants),
    labels: Type.Optional(labels),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'What is absent stays; members and labels are replaced whole.',
    examples: [{ subject: 'Night shift, north' }],
  },
);

/** The row as the API shows it. */
export function groupJson(row: GroupRow): Static<typeof Group> {
  return {
    id: row.id,
    uri: row.uri,
    subject: row.subject,
    members: row.members.map(memberJson),
    policy: policyJson(row.policy),
    max_participants: row.maxParticipants,
    labels: { ...row.labels },
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    revision: row.revision,
  };
}

/** The member as the API shows it. */
export function memberJson(member: GroupMember): Static<typeof Member> {
  return { uri: member.uri, display_name: member.displayName, role: member.role };
}
