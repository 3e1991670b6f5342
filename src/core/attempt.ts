import { readableSipUri, withoutPasswords, writeSipUri } from '../wire/sip-uri.ts';
import type { Refused } from './conference/requirements.ts';
import { type Context, loose, type Turn } from './context.ts';
import type { Caller, Command, RequestRefused, SipRequestFacts } from './input.ts';
import { limits } from './limits.ts';
import { refusal } from './refusal.ts';
import type { AttemptRow } from './rows.ts';

/**
 * Refuses a creation or a join and keeps it in the attempts log: it leaves no conference, so the log is where an
 * operator sees what came and why it was refused.
 */
export function refuseAttempt(context: Context, facts: SipRequestFacts, refused: Refused): Turn {
  const row = attemptRow(context, { ...facts, target: writeSipUri(facts.target) }, refused);
  return logged(row, facts.reply, refused);
}

/** What an operator asked, and of which URI of ours. */
type OperatorAsked = { readonly target: string; readonly asked: unknown; readonly refused: Refused };

/** The same for what an operator asks for; what is kept of it reads as it was asked. */
export function refuseCommand(
  context: Context,
  { actor, reply }: Command<'conference-requested' | 'participant-requested'>,
  { target, asked, refused }: OperatorAsked,
): Turn {
  const received = withoutPasswords(JSON.stringify(asked));
  const facts = { method: 'POST', target, caller: { aor: actor }, callId: null, quirks: [], received };
  const row = attemptRow(context, facts, refused);
  return logged({ ...row, status: refusal(refused.code).http }, reply, refused);
}

/** The same for a request that could not even be read. */
export function refuseUnread(context: Context, input: RequestRefused): Turn {
  const refused: Refused = {
    code: input.code,
    detail: input.detail,
    ...(input.headers === undefined ? {} : { headers: input.headers }),
    ...calledAt(context, input),
  };
  return logged(attemptRow(context, input, refused), input.reply, refused);
}

/** RFC 3261 8.2.3: what a body may be depends on what was called. */
function calledAt({ directory, now }: Context, { code, target }: RequestRefused): Pick<Refused, 'at'> {
  if (refusal(code).sip !== 415) return {};
  const uri = readableSipUri(target);
  const kind = uri === null ? 'unknown' : directory.target(uri, now).kind;
  return kind === 'unknown' || kind === 'ended' ? {} : { at: kind };
}

function logged(row: AttemptRow, to: string, refused: Refused): Turn {
  const change = {
    conferenceId: null,
    conferences: [],
    participants: [],
    subscriptions: [],
    events: [],
    attempts: [row],
    referrals: [],
    messages: [],
  };
  return loose([
    { type: 'store.save', change },
    { type: 'reply', to, outcome: { kind: 'refused', ...refused } },
  ]);
}

type Attempted = Pick<RequestRefused, 'method' | 'target' | 'callId' | 'quirks' | 'received'> & {
  readonly caller: Pick<Caller, 'aor'> | null;
};

function attemptRow(context: Context, facts: Attempted, refused: Refused): AttemptRow {
  return {
    id: context.ids.row(),
    node: context.settings.node,
    at: context.now,
    method: facts.method,
    target: withoutPasswords(facts.target).slice(0, limits.uriCharactersMax),
    caller: facts.caller?.aor ?? null,
    callId: facts.callId?.slice(0, limits.uriCharactersMax) ?? null,
    code: refused.code,
    status: refusal(refused.code).sip,
    reason: withoutPasswords(refused.detail).slice(0, limits.uriCharactersMax),
    quirks: [...facts.quirks],
    received: facts.received.slice(0, limits.receivedTextMax),
  };
}
