import type { Conference } from '../conference/conference.ts';
import { isPresent } from '../conference/participant.ts';
import type { Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { Command } from '../input.ts';
import type { ParticipantRow } from '../rows.ts';

/** An operator says something in a conference: to all in it, or to some. */
export function notice(context: Context, conference: Conference, input: Command<'notice-requested'>): Turn {
  const { contentType, text, participantIds } = input;
  const to = participantIds === null ? null : present(conference, participantIds);
  if (to !== null && 'code' in to) return refuse(input.reply, to);
  return turnOf(context, conference, {
    actor: input.actor,
    body: () => {
      const message = conference.notices.post({ contentType, text, to });
      conference.ledger.reply(input.reply, { kind: 'notice-sent', message, isKept: conference.messages.isKept });
    },
  });
}

/** Each of them once, or why one of them cannot be told anything. */
function present({ ledger }: Conference, ids: readonly string[]): readonly ParticipantRow[] | Refused {
  const found: ParticipantRow[] = [];
  for (const id of new Set(ids)) {
    const participant = ledger.participant(id);
    if (participant === undefined) return { code: 'no-such-participant', detail: id };
    if (!isPresent(participant.status)) return { code: 'not-in-conference', detail: participant.uri };
    found.push(participant);
  }
  return found;
}
