import type { Conference } from '../conference/conference.ts';
import { type Context, loose, refuse, type Turn, turnOf } from '../context.ts';
import type { Command, CommandInput } from '../input.ts';
import { answered } from './answered.ts';
import { change } from './change.ts';
import { createConference } from './create.ts';
import { notice } from './notice.ts';
import { dial, remove } from './participants.ts';

/** What an operator asks over REST. It goes the way SIP goes: judged, done in a turn, answered once. */
export function handleCommand(context: Context, input: CommandInput): readonly Turn[] {
  if (input.type === 'shutdown-requested') return shutDown(context, input);
  if (input.type === 'conference-requested') return [createConference(context, input)];
  const conference = context.directory.byId(input.conferenceId);
  if (conference === undefined)
    return [refuse(input.reply, { code: 'no-such-conference', detail: input.conferenceId })];
  if (conference.row.status !== 'active')
    return [refuse(input.reply, { code: 'conference-ended', detail: 'It is over or ending' })];
  switch (input.type) {
    case 'participant-requested':
      return [dial(context, conference, input)];
    case 'change-requested':
      return [change(context, conference, input)];
    case 'removal-requested':
      return [remove(context, conference, input)];
    case 'notice-requested':
      return [notice(context, conference, input)];
    case 'end-requested':
      return [end(context, conference, input)];
  }
}

function end(context: Context, conference: Conference, input: Command<'end-requested'>): Turn {
  const text = input.reason ?? 'Conference ended by the operator';
  const turn = turnOf(context, conference, {
    actor: input.actor,
    body: () => conference.end({ reason: 'operator', by: input.actor, text, subscriptions: 'noresource' }),
  });
  return answered(turn, input.reply, { kind: 'conference-ended', conference: conference.row });
}

function shutDown(context: Context, input: Command<'shutdown-requested'>): readonly Turn[] {
  const ending = {
    reason: 'restarted',
    by: input.actor,
    text: 'Service stopping',
    subscriptions: 'deactivated',
  } as const;
  const turns = context.directory.conferences.map((conference) =>
    turnOf(context, conference, { actor: input.actor, body: () => conference.end(ending) }),
  );
  return [...turns, loose([{ type: 'reply', to: input.reply, outcome: { kind: 'shut-down' } }])];
}
