/** NICKNAMEs (RFC 7701 7) on their way to the core, and its answers on their way back. */

import type { Outcome } from '../core/effect.ts';
import type { Input, ReplyTo } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import { Count } from '../core/tally.ts';
import { nicknameOf } from '../wire/msrp.ts';
import { RemoteError } from '../wire/remote-error.ts';
import type { Answer } from './connection.ts';
import type { NicknameRequest } from './reception.ts';
import type { Session } from './session.ts';

export type NicknameDeskOptions = { readonly clock: Clock; readonly submit: (input: Input) => void };

/** What one session has asked in the minute that began with the first time, or longer while some of it waits. */
type Minute = { readonly until: Instant; count: number; waiting: number };

type Asked = { readonly minute: Minute; readonly answer: (answer: Answer) => void };

const malformed: Answer = { status: 424, comment: 'Malformed nickname' };
// RFC 4975 10.3: what was asked is not allowed. RFC 7701 has no status of its own for who asks too often.
const tooOften: Answer = { status: 403, comment: 'Too many nicknames, try again in a minute' };
// RFC 7701 7.1: whatever the reason, the name is not to be had now.
const notNow: Answer = { status: 403, comment: 'Not possible now' };

/** Asks the core what may be asked. However slow the store is, what waits is bounded for each session. */
export class NicknameDesk {
  /** What the core was not asked, by the status that it was answered. */
  readonly turnedAway = new Count();
  readonly #options: NicknameDeskOptions;
  readonly #asked = new Map<ReplyTo, Asked>();
  readonly #minutes = new WeakMap<Session, Minute>();
  #askedCount = 0;

  constructor(options: NicknameDeskOptions) {
    this.#options = options;
  }

  ask(session: Session, request: NicknameRequest): void {
    const { conferenceId, endpointId, connection } = session;
    const answer = (given: Answer): void => connection?.respond(request, given);
    const nickname = readNickname(request);
    const minute = this.#minuteOf(session);
    const isTooOften = minute.count >= limits.nicknamesPerMinuteMax;
    if (nickname === 'malformed' || isTooOften) return this.#turnAway(isTooOften ? tooOften : malformed, answer);
    minute.count += 1;
    minute.waiting += 1;
    this.#askedCount += 1;
    const reply = `msrp:${this.#askedCount}`;
    this.#asked.set(reply, { minute, answer });
    this.#options.submit({ type: 'nickname-asked', reply, conferenceId, endpointId, nickname });
  }

  /** As the core decided. */
  answer(to: ReplyTo, outcome: Outcome): void {
    const asked = this.#asked.get(to);
    if (asked === undefined) return;
    this.#asked.delete(to);
    asked.minute.waiting -= 1;
    asked.answer(outcome.kind === 'nickname-answered' ? outcome : notNow);
  }

  #minuteOf(session: Session): Minute {
    const now = this.#options.clock.now();
    const known = this.#minutes.get(session);
    if (known !== undefined && (now < known.until || known.waiting > 0)) return known;
    const minute = { until: now + 60_000, count: 0, waiting: 0 };
    this.#minutes.set(session, minute);
    return minute;
  }

  #turnAway(given: Answer, answer: (answer: Answer) => void): void {
    this.turnedAway.add(String(given.status));
    answer(given);
  }
}

function readNickname(request: NicknameRequest): string | null | 'malformed' {
  try {
    return nicknameOf(request);
  } catch (error) {
    if (error instanceof RemoteError) return 'malformed';
    throw error;
  }
}
