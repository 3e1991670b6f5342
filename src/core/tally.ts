import type { Effect, Outcome } from './effect.ts';
import type { Input } from './input.ts';
import type { Observer } from './ports.ts';
import type { Change } from './rows.ts';

type WithQuirks = { readonly quirks: readonly string[] };

/** How often each of a few words has been met. */
export class Count {
  readonly #byWord = new Map<string, number>();

  add(word: string): void {
    this.#byWord.set(word, (this.#byWord.get(word) ?? 0) + 1);
  }

  /** Words that were met, in the order in which they first were. */
  get entries(): readonly (readonly [word: string, count: number])[] {
    return [...this.#byWord];
  }
}

/** What both have counted, as one, whenever it is asked for. */
export function sumOf(a: Count, b: Count): Pick<Count, 'entries'> {
  return {
    get entries() {
      const sum = new Map(a.entries);
      for (const [word, count] of b.entries) sum.set(word, (sum.get(word) ?? 0) + count);
      return [...sum];
    },
  };
}

/**
 * What an operator would want to see as a curve, counted as it passes the driver. Every word that is counted is one of
 * ours, or a number between bounds: no peer can make the tally grow.
 */
export class Tally implements Observer {
  /** Quirks that were needed to read what came, or to be understood: `QK-7`. */
  readonly quirks = new Count();
  /** Refused requests, by the code of the refusal. */
  readonly refusals = new Count();
  /** Final answers to INVITEs of the focus, by status. */
  readonly dialAttempts = new Count();
  /** What happened in conferences, by the type of the event: `participant.joined`. */
  readonly events = new Count();
  /** NICKNAMEs that were refused, by their MSRP status. */
  readonly nicknamesRefused = new Count();
  /** Copies of messages that receivers lost. */
  messagesLost = 0;
  /** REFERs that were accepted. */
  referrals = 0;

  readonly took = (input: Input): void => {
    if ('quirks' in input) this.#addQuirks(input);
    if (input.type === 'endpoint-answered') this.#addAnswer(200);
    else if (input.type === 'endpoint-failed') {
      this.#addAnswer(input.cause.status);
      this.#addAllQuirks(input.members);
    } else if (input.type === 'invite-received') this.#addAllQuirks(input.list);
    else if (input.type === 'refer-received') this.#addAllQuirks(input.targets);
    else if (input.type === 'messages-switched') for (const { count } of input.losses) this.messagesLost += count;
  };

  readonly left = (change: Change | null, effects: readonly Effect[]): void => {
    if (change === null) return;
    for (const { type } of change.events) this.events.add(type);
    for (const { attempts } of change.participants) {
      const last = attempts.at(-1);
      // An INVITE that says it in another form than the one before; its row is saved again later, without the INVITE.
      if (last === undefined || last.change === null || !isQuirk(last.change)) continue;
      if (effects.some((effect) => effect.type === 'sip.invite' && effect.endpointId === last.endpointId))
        this.quirks.add(last.change);
    }
  };

  readonly answered = (outcome: Outcome): void => {
    if (outcome.kind === 'refused') this.refusals.add(outcome.code);
    else if (outcome.kind === 'referral-accepted') this.referrals += 1;
    else if (outcome.kind === 'nickname-answered' && outcome.status !== 200)
      this.nicknamesRefused.add(String(outcome.status));
  };

  #addAnswer(status: number): void {
    const isStatus = Number.isInteger(status) && status >= 200 && status <= 699;
    this.dialAttempts.add(isStatus ? String(status) : 'other');
  }

  #addAllQuirks(read: readonly WithQuirks[] | null): void {
    if (read !== null) for (const each of read) this.#addQuirks(each);
  }

  #addQuirks({ quirks }: WithQuirks): void {
    for (const quirk of quirks) if (isQuirk(quirk)) this.quirks.add(quirk);
  }
}

/** QK-1 to QK-40 are the quirks there are. */
function isQuirk(word: string): boolean {
  return /^QK-(?:[1-9]|[1-3]\d|40)$/.test(word);
}
