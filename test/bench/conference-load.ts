/**
 * Conferences made by a factory and ended by their creators: SIPp with `creator.xml` calls the factory with a list of
 * ten, SIPp with `invitee.xml` is all ten. An invitee that is in tells its creator so, past the focus, and the creator
 * of a conference in which all ten are hangs up. So nobody waits by the clock, and every dialog is made and ended.
 */

import { freeAddress } from '../support/ports.ts';
import { within } from '../support/wait.ts';
import type { LoadResult } from './load.ts';
import { runSipp } from './sipp.ts';

/** Entries of the list in `creator.xml`. */
const invitees = 10;

/** How long the last invitees may wait for their BYEs once the last creator is gone. */
const farewellMs = 30_000;

export type ConferenceLoad = {
  readonly port: number;
  readonly conferences: number;
  /** Conferences that are made or stand at once; a new one begins when a creator is gone. */
  readonly open: number;
};

/** Has `conferences` conferences made at `127.0.0.1:port` over UDP; counts the creators' dialogs and the invitees'. */
export async function conferAll({ port, conferences, open }: ConferenceLoad): Promise<LoadResult> {
  const [creators, invited] = [await freeAddress(), await freeAddress()];
  const answering = runSipp('invitee', conferences * invitees, [
    ...['-p', String(invited.port), '-key', 'creators', String(creators.port), '-key', 'focus', String(port)],
    // SIPp would answer a copy of a message with what it has sent after the first, to wherever it sends at that moment.
    ...['-nr', '-default_behaviors', 'all,-abortunexp'],
  ]);
  const created = await runSipp('creator', conferences, [
    ...[`127.0.0.1:${port}`, '-p', String(creators.port), '-key', 'invitees', String(invited.port)],
    // The invitees find their creator by its Call-ID, which follows from the number that is in their own URI.
    ...['-cid_str', '%u@creators', '-l', String(open), '-r', '100000'],
  ]);
  const answered = await within('all invitees to be hung up', answering, farewellMs);
  const calls = created.successful + answered.successful;
  return {
    calls,
    callsPerSecond: calls / (Math.max(created.endedAt, answered.endedAt) - created.startedAt),
    failed: conferences * (1 + invitees) - calls,
    retransmissions: created.retransmissions + answered.retransmissions,
  };
}
