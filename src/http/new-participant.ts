import { type Static, Type } from 'typebox';
import type { ReplacesValue } from '../core/rows.ts';
import { roles } from './participant-json.ts';
import { closed, oneOf, personName, printable } from './schemas.ts';

// RFC 3261 25.1: token, and word [ "@" word ] for Call-ID. What passes here goes verbatim into a Replaces header.
const token = (description: string) =>
  Type.String({ minLength: 1, maxLength: 255, pattern: "^[A-Za-z0-9.!%*_+`'~-]+$", description });
const callId = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9.!%*_+`\'~()<>:\\\\"\\/\\[\\]?{}-]+(@[A-Za-z0-9.!%*_+`\'~()<>:\\\\"\\/\\[\\]?{}-]+)?$',
  description: 'Call-ID of the dialog to take over.',
});

export const NewParticipant = Type.Object(
  {
    uri: printable({ minLength: 1, maxLength: 1024, description: 'Whom to dial: a sip:, sips: or tel: URI.' }),
    display_name: Type.Optional(personName),
    role: Type.Optional(
      oneOf(roles, {
        description: 'What it may do; unless said, `participant`, or what it was before if it was in already.',
      }),
    ),
    replaces: Type.Optional(
      Type.Object(
        {
          call_id: callId,
          to_tag: token('The invitee’s own tag in it (RFC 3891 3).'),
          from_tag: token('The other side’s tag in it.'),
          early_only: Type.Optional(Type.Boolean({ description: 'Take it over only while it is not yet answered.' })),
        },
        { ...closed, description: 'A dialog of the invitee that the invitation takes over.' },
      ),
    ),
  },
  {
    ...closed,
    description: 'Whom to invite.',
    examples: [{ uri: 'sip:ted@example.com', display_name: 'Ted' }],
  },
);

/** The Replaces of a body as the core takes it. */
export function replacesOf(body: Static<typeof NewParticipant>): ReplacesValue | null {
  const { replaces } = body;
  if (replaces === undefined) return null;
  return {
    callId: replaces.call_id,
    toTag: replaces.to_tag,
    fromTag: replaces.from_tag,
    earlyOnly: replaces.early_only ?? false,
  };
}
