import type { SipUri } from '../wire/sip-uri.ts';
import type { Conference } from './conference/conference.ts';
import type { Refused } from './conference/requirements.ts';
import type { Groups } from './definitions/groups.ts';
import type { Users } from './definitions/users.ts';
import type { Directory } from './directory.ts';
import type { Effect } from './effect.ts';
import type { Identification } from './identity/identify.ts';
import type { Ids } from './ids.ts';
import type { ReplyTo } from './input.ts';
import type { Rates } from './rates.ts';
import type { Instant } from './rows.ts';
import type { Settings } from './settings.ts';

/** The ordered effects of one input on one conference, or on none. */
export type Turn = {
  readonly conferenceId: string | null;
  readonly effects: readonly Effect[];
  /** The core's way back to before the turn, for when its save fails; later turns of the conference are undone before it. */
  readonly undo: () => void;
  /** A mistake of ours broke the turn; its effects end the conference instead. */
  readonly mistake?: unknown;
};

/** What every decision may look at. */
export type Context = {
  readonly settings: Settings;
  readonly ids: Ids;
  readonly directory: Directory;
  readonly groups: Groups;
  readonly users: Users;
  readonly identification: Identification;
  readonly rates: Rates;
  readonly now: Instant;
  /** The service takes nothing new any more. */
  readonly stopping: boolean;
};

/** Whether `uri` names the factory or a conference of ours, running or just ended: an INVITE to it would come back. */
export function isFocus({ directory, now }: Context, uri: SipUri): boolean {
  return directory.target(uri, now).kind !== 'unknown';
}

/** Runs `body` as one turn of `conference` and keeps the directory true. */
export function turnOf(
  context: Context,
  conference: Conference,
  change: { actor: string | null; body: () => void },
): Turn {
  const { directory, now } = context;
  const known = directory.byId(conference.row.id) !== undefined;
  const back = conference.capture();
  let effects: readonly Effect[];
  let broken: { readonly mistake: unknown } | null = null;
  try {
    effects = conference.turn(now, change.actor, change.body);
  } catch (mistake) {
    effects = conference.collapse();
    broken = { mistake };
  }
  directory.note(conference, effects, now);
  const turn: Turn = {
    conferenceId: conference.row.id,
    effects,
    // A method, as are the bodies of frequent turns: tsx defines the name of an arrow function whenever one is made.
    undo() {
      // Whoever came in that turn is nobody again.
      directory.drop(conference);
      back();
      if (known) directory.add(conference);
    },
  };
  return broken === null ? turn : { ...turn, ...broken };
}

/** A turn that only answers. */
export function refuse(to: ReplyTo, refused: Refused): Turn {
  return loose([{ type: 'reply', to, outcome: { kind: 'refused', ...refused } }]);
}

/** Effects that belong to no conference. */
export function loose(effects: readonly Effect[]): Turn {
  return { conferenceId: null, effects, undo: () => undefined };
}
