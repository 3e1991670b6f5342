import { aorOf, writeSipUri } from '../../wire/sip-uri.ts';
import { refuseCommand } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { consentRefused, permissionUri } from '../conference/consent.ts';
import { privateTargetRefusal } from '../conference/invitees.ts';
import { ownUriRefused } from '../conference/own-groups.ts';
import { isFull } from '../conference/policy.ts';
import type { Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { Command } from '../input.ts';
import { limits } from '../limits.ts';
import { barredRefused } from '../requests/permission.ts';
import type { ParticipantRow } from '../rows.ts';
import { answered } from './answered.ts';

/** An operator asks one more in. */
export function dial(context: Context, conference: Conference, input: Command<'participant-requested'>): Turn {
  const refused = dialRefused(context, conference, input);
  if (refused !== null) return refuseDialOut(context, input, { conference, refused });
  let dialled: ReturnType<Conference['invitations']['inviteOne']> = 'internal-error';
  const turn = turnOf(context, conference, {
    actor: input.actor,
    body: () => {
      dialled = conference.invitations.inviteOne(input);
    },
  });
  if (turn.mistake !== undefined) return turn;
  if (typeof dialled === 'string') {
    const refusedNow = { code: dialled, detail: input.raw };
    return refuseDialOut(context, input, { conference, refused: refusedNow });
  }
  const participant = conference.ledger.participant((dialled as ParticipantRow).id) ?? dialled;
  return answered(turn, input.reply, { kind: 'participant-dialled', participant });
}

function dialRefused(
  context: Context,
  { row }: Conference,
  { uri, raw }: Command<'participant-requested'>,
): Refused | null {
  if (context.stopping) return { code: 'stopping', detail: 'The service is stopping' };
  if (row.locked) return { code: 'conference-locked', detail: 'Nobody can be added' };
  if (isFull(row)) return { code: 'conference-full', detail: `${row.participantCount} participants are in it` };
  const own = ownUriRefused(context, uri);
  if (own !== null) return own;
  if (writeSipUri(uri).length > limits.uriCharactersMax)
    return { code: 'uri-too-long', detail: 'It cannot be dialled' };
  if (privateTargetRefusal(uri, context.settings) !== null) return { code: 'private-target', detail: raw };
  return barredRefused(context, aorOf(uri)) ?? consentRefused([permissionUri(uri)], context);
}

/** Refuses what leaves no endpoint: the attempts log is where it is seen. */
function refuseDialOut(
  context: Context,
  input: Command<'participant-requested'>,
  { conference, refused }: { readonly conference: Conference; readonly refused: Refused },
): Turn {
  const { displayName, raw } = input;
  return refuseCommand(context, input, {
    target: conference.row.uri,
    asked: { display_name: displayName, uri: raw },
    refused,
  });
}

/** An operator has one taken out. */
export function remove(context: Context, conference: Conference, input: Command<'removal-requested'>): Turn {
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
