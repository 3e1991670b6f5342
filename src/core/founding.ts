import { Conference } from './conference/conference.ts';
import type { Refused } from './conference/requirements.ts';
import { type Context, type Turn, turnOf } from './context.ts';
import { limits } from './limits.ts';
import type { ConferenceRow } from './rows.ts';

/** A conference to be made: its row, and who comes or is asked in at once; what `begin` refuses is not made. */
export type Founding = { readonly row: ConferenceRow; readonly begin: (conference: Conference) => Refused | null };

/** Why no conference can be made at present, whoever asks. */
export function foundingRefused({ stopping, directory }: Context): Refused | null {
  if (stopping) return { code: 'stopping', detail: 'The service is stopping' };
  return directory.count < limits.conferencesMax ? null : { code: 'busy', detail: 'Too many conferences' };
}

/** Makes a conference in one turn of its creator's. */
export function found(
  context: Context,
  { row, begin }: Founding,
): { readonly turn: Turn; readonly conference: Conference } | Refused {
  const { settings, ids, directory } = context;
  const record = { conference: row, participants: [], subscriptions: [] };
  const conference = new Conference({ ids, settings, record });
  let refused: Refused | null = null;
  const turn = turnOf(context, conference, {
    actor: row.createdBy,
    body() {
      refused = begin(conference);
    },
  });
  // Nothing of a refused conference is kept: it was never added, its effects are never performed.
  if (refused !== null) {
    directory.drop(conference);
    return refused;
  }
  if (conference.row.status !== 'ended') directory.add(conference);
  return { turn, conference };
}
