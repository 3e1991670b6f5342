import type { Conference } from './conference/conference.ts';
import type { Refused } from './conference/requirements.ts';
import type { Directory } from './directory.ts';
import type { Effect } from './effect.ts';
import type { Ids } from './ids.ts';
import type { ReplyTo } from './input.ts';
import type { Instant } from './rows.ts';
import type { Settings } from './settings.ts';

/** The ordered effects of one input on one conference, or on none. */
export type Turn = { readonly conferenceId: string | null; readonly effects: readonly Effect[] };

/** What every decision may look at. */
export type Context = {
  readonly settings: Settings;
  readonly ids: Ids;
  readonly directory: Directory;
  readonly now: Instant;
  /** The service takes nothing new any more. */
  readonly stopping: boolean;
};

/** A mistake of ours broke a turn. `turn` ends the conference it happened in; the process goes on. */
export class TurnFailed extends Error {
  readonly turn: Turn;

  constructor(turn: Turn, cause: unknown) {
    super(`a turn of conference ${turn.conferenceId} failed`, { cause });
    this.turn = turn;
  }
}

/** Runs `body` as one turn of `conference` and keeps the directory true. Throws TurnFailed. */
export function turnOf(
  context: Context,
  conference: Conference,
  change: { actor: string | null; body: () => void },
): Turn {
  try {
    return noted(context, conference, conference.turn(context.now, change.actor, change.body));
  } catch (error) {
    throw new TurnFailed(noted(context, conference, conference.collapse()), error);
  }
}

function noted(context: Context, conference: Conference, effects: readonly Effect[]): Turn {
  context.directory.note(conference, effects, context.now);
  return { conferenceId: conference.row.id, effects };
}

/** A turn that only answers. */
export function refuse(to: ReplyTo, refused: Refused): Turn {
  return { conferenceId: null, effects: [{ type: 'reply', to, outcome: { kind: 'refused', ...refused } }] };
}
