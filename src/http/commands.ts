import type { Outcome } from '../core/effect.ts';
import type { CommandInput, ReplyTo } from '../core/input.ts';
import type { RouteContext } from './api.ts';
import { Refused } from './problem.ts';

type Accepted = Exclude<Outcome, { kind: 'refused' }>;

/**
 * Puts one command to the core and resolves with what came of it. Throws the core's refusal; one for a conference the
 * core no longer knows is made more exact from the store.
 */
export async function perform<Kind extends Accepted['kind']>(
  context: RouteContext,
  kind: Kind,
  command: (reply: ReplyTo) => CommandInput,
): Promise<Extract<Accepted, { kind: Kind }>> {
  if (context.stopping()) throw new Refused({ code: 'stopping' });
  let conferenceId: string | null = null;
  const outcome = await context.desk.ask((reply) => {
    const input = command(reply);
    if (input.type !== 'shutdown-requested') conferenceId = input.conferenceId;
    context.submit(input);
  });
  if (outcome.kind === 'refused') throw await explained(context, outcome, conferenceId);
  if (!isOfKind(outcome, kind)) throw new TypeError(`${outcome.kind} is no answer to a request for ${kind}`);
  return outcome;
}

function isOfKind<Kind extends Accepted['kind']>(
  outcome: Accepted,
  kind: Kind,
): outcome is Extract<Accepted, { kind: Kind }> {
  return outcome.kind === kind;
}

async function explained(
  context: RouteContext,
  outcome: Extract<Outcome, { kind: 'refused' }>,
  conferenceId: string | null,
): Promise<Refused> {
  const refused = new Refused({ code: outcome.code, detail: outcome.detail });
  if (outcome.code !== 'no-such-conference' || conferenceId === null) return refused;
  return (await notLive(context, conferenceId)) ?? refused;
}

/** Why a conference that is in the store is not live here; undefined when the store does not know it either. */
export async function notLive(context: RouteContext, conferenceId: string): Promise<Refused | undefined> {
  const row = await context.reads.conference(conferenceId);
  if (row === undefined) return undefined;
  if (row.status !== 'ended' && row.node !== context.stats().node) {
    return new Refused({ code: 'other-node', detail: `It runs on node ${row.node}` });
  }
  return new Refused({ code: 'conference-ended' });
}
