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
  nicknames: Type.Boolean({ description: 'Whether participants may give themselves nicknames (RFC 7701 7).' }),
  private_messages: Type.Boolean({ description: 'Whether they may write to one another (RFC 7701 6.2).' }),
  history: oneOf(['off', 'facts', 'content'], {
    description: 'What is kept of each message: nothing, what became of it, or its words too.',
  }),
  history_days: Type.Integer({ minimum: 1, maximum: 365, description: 'How many days that is kept.' }),
  greeting: Type.Boolean({ description: 'Whether everybody is told the subject on coming in.' }),
  announcements: Type.Boolean({ description: 'Whether all are told who has come and who has left.' }),
  transport: oneOf(['any', 'tls'], { description: '`tls`: who offers messages in the clear is refused them.' }),
};

/** What an example says of messages. */
export const usualChatJson = {
  nicknames: true,
  private_messages: true,
  history: 'off',
  history_days: 30,
  greeting: false,
  announcements: false,
  transport: 'any',
} as const;

/** Who may do what. */
export const Policy = Type.Object(fields, {
  ...closed,
  $id: 'Policy',
  description: 'When a conference ends, and who may do what in it beside its chairs, who may do all of it.',
  examples: [
    {
      end: 'creator-leaves',
      idle_seconds: 300,
      join: 'anyone',
      subscribe: 'participants',
      invite: 'participants',
      ...usualChatJson,
    },
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
    nicknames: policy.nicknames,
    private_messages: policy.privateMessages,
    history: policy.history,
    history_days: policy.historyDays,
    greeting: policy.greeting,
    announcements: policy.announcements,
    transport: policy.transport,
  };
}

/** The policy, or the part of one, that a body asks for. */
export function policyOf(body: Static<typeof PolicyChange>): Partial<ConferencePolicy> {
  const { idle_seconds, private_messages, history_days, ...others } = body;
  return {
    ...others,
    ...(idle_seconds === undefined ? {} : { idleSeconds: idle_seconds }),
    ...(private_messages === undefined ? {} : { privateMessages: private_messages }),
    ...(history_days === undefined ? {} : { historyDays: history_days }),
  };
}
