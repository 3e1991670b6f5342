import type { Conference } from '../conference/conference.ts';
import type { NicknameAnswer } from '../conference/nicknames.ts';
import { isPresent } from '../conference/participant.ts';
import { type Context, loose, type Turn, turnOf } from '../context.ts';
import type { NicknameAsked } from '../input.ts';
import type { ParticipantRow } from '../rows.ts';

/** Somebody in a conference takes a nickname, changes it, or gives it up (RFC 7701 7). */
export function askNickname(context: Context, input: NicknameAsked): Turn {
  const conference = context.directory.byId(input.conferenceId);
  const asking = conference === undefined ? undefined : whoAsks(conference, input);
  if (conference === undefined || asking === undefined) return answer(input, notInConference);
  // RFC 7701 7.1: 403 where the policy allows no nicknames.
  if (!conference.row.policy.nicknames) return answer(input, notAllowed);
  return turnOf(context, conference, {
    actor: asking.uri,
    body: () => {
      const { nicknames, ledger } = conference;
      const { reply, nickname } = input;
      const answered = nickname === null ? nicknames.remove(asking) : nicknames.take(asking, nickname);
      ledger.reply(reply, { kind: 'nickname-answered', ...answered });
    },
  });
}

const notInConference = { status: 403, comment: 'Not in the conference' };
const notAllowed = { status: 403, comment: 'Nicknames are not allowed' };

function whoAsks({ row, ledger }: Conference, { endpointId }: NicknameAsked): ParticipantRow | undefined {
  const place = row.status === 'active' ? ledger.participantOf(endpointId) : undefined;
  return place !== undefined && isPresent(place.endpoint.status) ? place.participant : undefined;
}

function answer({ reply: to }: NicknameAsked, answered: NicknameAnswer): Turn {
  return loose([{ type: 'reply', to, outcome: { kind: 'nickname-answered', ...answered } }]);
}
