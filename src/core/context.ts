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

/** Runs `body` as one turn of `conference` and keeps the directory true. */
export function turnOf(
  context: Context,
  conference: Conference,
  change: { actor: string | null; body: () => void },
): Turn {
  const effects = conference.turn(context.now, change.actor, change.body);
  context.directory.note(conference, effects, context.now);
  return { conferenceId: conference.row.id, effects };
}

/** A turn that only answers. */
export function refuse(to: ReplyTo, refused: Refused): Turn {
  return { conferenceId: null, effects: [{ type: 'reply', to, outcome: { kind: 'refused', ...refused } }] };
}
