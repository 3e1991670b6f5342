import assert from 'node:assert/strict';
import type { Outcome } from '../core/effect.ts';
import type { ReplyTo } from '../core/input.ts';
import type { Clock, HttpPort } from '../core/ports.ts';
import { httpLimits } from './http-limits.ts';

type Waiting = { readonly settle: (outcome: Outcome) => void; readonly stopTimer: () => void };

export type ReplyDeskOptions = { readonly clock: Clock; readonly newToken: () => ReplyTo };

/**
 * Where HTTP requests wait for the core's answer: each gets a token, the core's one reply to that token settles it.
 * Bounded in number and in time; whoever is turned away or waits too long gets a refusal, never silence.
 */
export class ReplyDesk implements HttpPort {
  readonly #waitingByToken = new Map<ReplyTo, Waiting>();
  readonly #options: ReplyDeskOptions;
  #closed = false;

  constructor(options: ReplyDeskOptions) {
    this.#options = options;
  }

  /** Hands a fresh token to `submit` and resolves with the outcome replied to it. Rejects only when `submit` throws. */
  ask(submit: (reply: ReplyTo) => void): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(stopping);
    if (this.#waitingByToken.size >= httpLimits.waitingRepliesMax) return Promise.resolve(tooMany);
    const token = this.#options.newToken();
    assert(!this.#waitingByToken.has(token), 'reply tokens are unique');
    return new Promise((resolve, reject) => {
      const { clock } = this.#options;
      const stopTimer = clock.callAt(clock.now() + httpLimits.replyTimeoutMs, () => this.reply(token, tooLate));
      this.#waitingByToken.set(token, { settle: resolve, stopTimer });
      try {
        submit(token);
      } catch (error) {
        this.#take(token);
        reject(error);
      }
    });
  }

  /** Settles the request behind `to`. A reply that comes after the timeout finds nobody and is dropped. */
  readonly reply = (to: ReplyTo, outcome: Outcome): void => {
    this.#take(to)?.settle(outcome);
  };

  /** Answers all who wait, and all who come later, that the service stops. */
  close(): void {
    this.#closed = true;
    for (const token of [...this.#waitingByToken.keys()]) this.reply(token, stoppedMeanwhile);
  }

  #take(token: ReplyTo): Waiting | undefined {
    const waiting = this.#waitingByToken.get(token);
    this.#waitingByToken.delete(token);
    waiting?.stopTimer();
    return waiting;
  }
}

const tooMany: Outcome = { kind: 'refused', code: 'busy', detail: 'Too many commands are waiting; try again shortly' };
const stopping: Outcome = { kind: 'refused', code: 'stopping', detail: 'The service is stopping' };
const stoppedMeanwhile: Outcome = {
  kind: 'refused',
  code: 'stopping',
  detail: 'The service is stopping; the command may still take effect',
};
const tooLate: Outcome = {
  kind: 'refused',
  code: 'busy',
  detail: 'No answer in time; the command may still take effect, so read the conference before you repeat it',
};
