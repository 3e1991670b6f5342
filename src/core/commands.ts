import type { Conference } from './conference/conference.ts';
import { privateTargetRefusal } from './conference/invitees.ts';
import { type Context, isFocus, loose, refuse, type Turn, turnOf } from './context.ts';
import type { Outcome } from './effect.ts';
import type { CommandInput } from './input.ts';
import type { ParticipantRow } from './rows.ts';

type Asked<Type extends CommandInput['type']> = Extract<CommandInput, { type: Type }>;

/** What an operator asks over REST. It goes the way SIP goes: judged, done in a turn, answered once. */
export function handleCommand(context: Context, input: CommandInput): readonly Turn[] {
  if (input.type === 'shutdown-requested') return shutDown(context, input);
  if (input.type === 'conference-requested')
    return [refuse(input.reply, { code: 'method-not-allowed', detail: input.type })];
  const conference = context.directory.byId(input.conferenceId);
  if (conference === undefined)
    return [refuse(input.reply, { code: 'no-such-conference', detail: input.conferenceId })];
  if (conference.row.status !== 'active')
    return [refuse(input.reply, { code: 'conference-ended', detail: 'It is over or ending' })];
  switch (input.type) {
    case 'participant-requested':
      return [dial(context, conference, input)];
    case 'change-requested':
      return [refuse(input.reply, { code: 'method-not-allowed', detail: input.type })];
    case 'removal-requested':
      return [remove(context, conference, input)];
    case 'end-requested':
      return [end(context, conference, input)];
  }
}

function dial(context: Context, conference: Conference, input: Asked<'participant-requested'>): Turn {
  if (context.stopping) return refuse(input.reply, { code: 'stopping', detail: 'The service is stopping' });
  if (conference.row.locked) return refuse(input.reply, { code: 'conference-locked', detail: 'Nobody can be added' });
  if (isFocus(context, input.uri)) return refuse(input.reply, { code: 'loop', detail: input.raw });
  const barred = privateTargetRefusal(input.uri, context.settings);
  if (barred !== null) return refuse(input.reply, { code: 'private-target', detail: input.raw });
  let dialled: ReturnType<Conference['invitations']['inviteOne']> = 'internal-error';
  const turn = turnOf(context, conference, {
    actor: input.actor,
    body: () => {
      dialled = conference.invitations.inviteOne(input);
    },
  });
  if (turn.mistake !== undefined) return turn;
  if (typeof dialled === 'string') return refuse(input.reply, { code: dialled, detail: input.raw });
  const participant = conference.ledger.participant((dialled as ParticipantRow).id) ?? dialled;
  return answered(turn, input.reply, { kind: 'participant-dialled', participant });
}

function remove(context: Context, conference: Conference, input: Asked<'removal-requested'>): Turn {
  const participant: ParticipantRow | undefined = conference.ledger.participant(input.participantId);
  if (participant === undefined)
    return refuse(input.reply, { code: 'no-such-participant', detail: input.participantId });
  if (participant.status === 'disconnected')
    return refuse(input.reply, { code: 'participant-gone', detail: participant.uri });
  return turnOf(context, conference, {
    actor: input.actor,
    body: () => {
      conference.remove(participant, input.reason ?? 'Removed by the operator');
      conference.ledger.reply(input.reply, { kind: 'participant-removed' });
    },
  });
}

function end(context: Context, conference: Conference, input: Asked<'end-requested'>): Turn {
  const text = input.reason ?? 'Conference ended by the operator';
  const turn = turnOf(context, conference, {
    actor: input.actor,
    body: () => conference.end({ reason: 'operator', by: input.actor, text, subscriptions: 'noresource' }),
  });
  return answered(turn, input.reply, { kind: 'conference-ended', conference: conference.row });
}

/** The turn with its answer at the end: it tells what the turn came to. */
function answered(turn: Turn, to: string, outcome: Outcome): Turn {
  if (turn.mistake !== undefined) return turn;
  return { ...turn, effects: [...turn.effects, { type: 'reply', to, outcome }] };
}

function shutDown(context: Context, input: Asked<'shutdown-requested'>): readonly Turn[] {
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
