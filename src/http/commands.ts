import type { Outcome } from '../core/effect.ts';
import type { CommandInput } from '../core/input.ts';
import type { RouteContext } from './api.ts';
import { Refused } from './problem.ts';

type Accepted = Exclude<Outcome, { kind: 'refused' }>;

type WithoutReply<Input> = Input extends CommandInput ? Omit<Input, 'reply'> : never;

/** What may be asked; the desk adds the token its answer comes back by. */
export type ServiceCommand = WithoutReply<Exclude<CommandInput, { type: 'shutdown-requested' }>>;

/**
 * Puts one command to the core and resolves with what came of it, which must be of `kind`. Throws the core's refusal;
 * one for a conference the core does not know is made more exact from the store.
 */
export async function perform<Kind extends Accepted['kind']>(
  context: RouteContext,
  kind: Kind,
  command: ServiceCommand,
): Promise<Extract<Accepted, { kind: Kind }>> {
  if (context.stopping()) throw new Refused({ code: 'stopping' });
  const outcome = await context.desk.ask((reply) => context.submit({ ...command, reply }));
  if (outcome.kind === 'refused')
    throw await explained(context, outcome, 'conferenceId' in command ? command.conferenceId : null);
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
  const isUnknown = outcome.code === 'no-such-conference' && conferenceId !== null;
  const exact = isUnknown ? await notLive(context, conferenceId) : undefined;
  return exact ?? new Refused({ code: outcome.code, detail: outcome.detail });
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

/** Refuses what is asked of a conference that never was. */
export async function assureConference(context: RouteContext, id: string): Promise<void> {
  if ((await context.reads.conference(id)) === undefined) throw new Refused({ code: 'no-such-conference' });
}
