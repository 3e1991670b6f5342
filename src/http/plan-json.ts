import { type Static, Type } from 'typebox';
import type { ConferencePlan } from '../core/effect.ts';
import { type RefusalCode, refusals } from '../core/refusal.ts';
import { causeJson, replacesJson, replacesShown, sipCause } from './dial-json.ts';
import { listEntryFields, listEntryJson } from './list-entry-json.ts';
import { closed, nullableObject, nullableText, oneOf } from './schemas.ts';

const codes = Object.keys(refusals) as RefusalCode[];

const entry = Type.Object(
  {
    ...listEntryFields,
    display_name: nullableText({ description: 'Name for people to read.' }),
    replaces: replacesShown('The dialog that the invitation would take over.'),
    verdict: oneOf(['dial', 'dropped', 'refused'], {
      description:
        'Invited; left out, as it names the focus, nobody, or only people whom other entries name; or not invited, for `cause`.',
    }),
    cause: sipCause('Why it would not be invited, as the roster would tell.'),
  },
  closed,
);

export const Plan = Type.Object(
  {
    entries: Type.Array(entry, { description: 'Each participant that was asked for, in order.' }),
    refused: nullableObject(
      {
        code: oneOf(codes, { description: 'The stable word for it.' }),
        detail: Type.String({ description: 'The reason in words.' }),
      },
      { description: 'Why no conference would be made; null when it would.' },
    ),
  },
  {
    ...closed,
    $id: 'Plan',
    description: 'How a conference would be made: nobody was called.',
    examples: [
      {
        entries: [
          {
            raw: 'bob@example.com',
            uri: 'sip:bob@example.com',
            quirks: ['QK-6'],
            position: 0,
            copy_control: 'bcc',
            anonymize: false,
            ignored_headers: [],
            display_name: null,
            replaces: null,
            verdict: 'dial',
            cause: null,
          },
        ],
        refused: null,
      },
    ],
  },
);

/** The plan as the API shows it. */
export function planJson(plan: ConferencePlan): Static<typeof Plan> {
  return {
    entries: plan.entries.map((planned) => ({
      ...listEntryJson(planned.entry),
      display_name: planned.displayName,
      replaces: replacesJson(planned.replaces),
      verdict: planned.verdict,
      cause: causeJson(planned.cause),
    })),
    refused: plan.refused === null ? null : { code: plan.refused.code, detail: plan.refused.detail },
  };
}
