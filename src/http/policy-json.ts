import { type Static, Type } from 'typebox';
import type { ConferencePolicy } from '../core/rows.ts';
import { closed, oneOf } from './schemas.ts';

const fields = {
  end: oneOf(['creator-leaves', 'last-leaves', 'idle'], {
    description: 'When it ends by itself: with its creator, with the last one in it, or after nobody was for a while.',
  }),
  idle_seconds: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'How long it may stand empty: under `idle`, and under every policy before the first one has come.',
  }),
  join: oneOf(['anyone', 'members'], {
    description: 'Who may dial in: anyone, or whoever was invited or is a member.',
  }),
  subscribe: oneOf(['anyone', 'members', 'participants'], { description: 'Who may watch its roster.' }),
  invite: oneOf(['chairs', 'participants'], { description: 'Who may bring others in by REFER.' }),
};

/** Who may do what. */
export const Policy = Type.Object(fields, {
  ...closed,
  $id: 'Policy',
  description: 'When a conference ends, and who may do what in it beside its chairs, who may do all of it.',
  examples: [
    { end: 'creator-leaves', idle_seconds: 300, join: 'anyone', subscribe: 'participants', invite: 'participants' },
  ],
});

/** As much of a policy as differs from what would hold otherwise. */
export const PolicyChange = Type.Partial(Type.Object(fields), {
  ...closed,
  description: 'What differs from what would hold otherwise.',
});

/** The policy as the API shows it. */
export function policyJson(policy: ConferencePolicy): Static<typeof Policy> {
  return {
    end: policy.end,
    idle_seconds: policy.idleSeconds,
    join: policy.join,
    subscribe: policy.subscribe,
    invite: policy.invite,
  };
}

/** The policy, or the part of one, that a body asks for. */
export function policyOf(body: Static<typeof PolicyChange>): Partial<ConferencePolicy> {
  const { idle_seconds, ...others } = body;
  return { ...others, ...(idle_seconds === undefined ? {} : { idleSeconds: idle_seconds }) };
}
