import type { Conference } from '../conference/conference.ts';
import type { Ledger } from '../conference/ledger.ts';
import { shortened } from '../conference/participant.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { Command } from '../input.ts';
import type { ConferenceRow } from '../rows.ts';
import { answered } from './answered.ts';

/** An operator changes what is said of a conference, or who may still come. Nobody is sent away by it. */
export function change(context: Context, conference: Conference, input: Command<'change-requested'>): Turn {
  const { asKnown } = input;
  if (asKnown !== undefined && !isSameState(asKnown, conference.row))
    return refuse(input.reply, { code: 'changed-meanwhile', detail: `It is at version ${conference.row.version} now` });
  const turn = turnOf(context, conference, {
    actor: input.actor,
    body: () => {
      describe(conference.ledger, input);
      lock(conference.ledger, input.locked);
    },
  });
  return answered(turn, input.reply, { kind: 'conference-changed', conference: conference.row });
}

type State = Pick<ConferenceRow, 'version' | 'labels'>;

/** Labels alone change without the roster. The store gives them in an order of its own. */
function isSameState(a: State, b: State): boolean {
  const names = Object.keys(a.labels);
  const isSame =
    names.length === Object.keys(b.labels).length && names.every((name) => a.labels[name] === b.labels[name]);
  return isSame && a.version === b.version;
}

/** What is asked for and stands already is no change: no version, no NOTIFY, no event. */
function describe(ledger: Ledger, input: Command<'change-requested'>): void {
  const { conference } = ledger;
  const subject = typeof input.subject === 'string' ? shortened(input.subject) : input.subject;
  const { maxParticipants, labels } = input;
  const changed: string[] = [];
  if (subject !== undefined && subject !== conference.subject) {
    ledger.describe({ subject });
    changed.push('subject');
  }
  if (maxParticipants !== undefined && maxParticipants !== conference.maxParticipants) {
    ledger.describe({ maxParticipants });
    changed.push('max_participants');
  }
  if (labels !== undefined && JSON.stringify(labels) !== JSON.stringify(conference.labels)) {
    ledger.patchConference({ labels });
    changed.push('labels');
  }
  if (changed.length > 0) ledger.event('conference.updated', { changed });
}

function lock(ledger: Ledger, locked: boolean | undefined): void {
  if (locked === undefined || locked === ledger.conference.locked) return;
  ledger.describe({ locked });
  ledger.event(locked ? 'conference.locked' : 'conference.unlocked', {});
}
