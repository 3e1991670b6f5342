/**
 * The requests this process has sent and that await their final response. Every request ends exactly once: by its
 * final response, by the SIP server's refusal to send it, or by a timeout of our own, since a drachtio server may never
 * report an end, as it never does of a re-INVITE that was answered 18x.
 */

import type { Clock } from '../core/ports.ts';
import type { SipCause } from '../core/rows.ts';
import { parseSipMessage } from '../wire/sip-message.ts';
import { pacingBounds } from './bounds.ts';
import { type OutgoingRequest, requestFrameBytes } from './outgoing.ts';
import { reading, tokens } from './request-facts.ts';
import type { Log } from './sip-log.ts';
import type { SrfAgent, SrfAnswer, SrfRequest } from './srf.ts';

/** How a request ended. `failed`: without a response; its cause is made up here, the status tells what happened. */
export type Ending =
  | { readonly kind: 'answered'; readonly response: SrfAnswer; readonly acknowledge: () => void }
  | { readonly kind: 'failed'; readonly cause: SipCause };

export type SentWith = {
  readonly timeoutMs: number;
  readonly ended: (ending: Ending) => void;
  /** The connection was lost first; then `ended` is not called. */
  readonly forgotten?: () => void;
  /** The SIP server has sent it. */
  readonly sent?: (request: SrfRequest) => void;
  /** 101 to 199. */
  readonly provisional?: (response: SrfAnswer) => void;
  /** A final response after the request was given up. */
  readonly late?: (response: SrfAnswer, acknowledge: () => void) => void;
};

/** Sends requests and sees each to its one end. */
export class ClientRequests {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #agent: () => SrfAgent | null;
  readonly #open = new Set<{ readonly forget: () => void }>();

  /** `agent` gives the library while it is connected, else null. */
  constructor(parts: { readonly clock: Clock; readonly log: Log; readonly agent: () => SrfAgent | null }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#agent = parts.agent;
  }

  /** Requests without a final response. */
  get size(): number {
    return this.#open.size;
  }

  /** Sends `request`; `ended` is never called before this returns. */
  send(request: OutgoingRequest, how: SentWith): void {
    const end = this.#opened(request, how);
    const bytes = requestFrameBytes(request);
    const agent = this.#agent();
    if (agent === null) {
      later(() => end.fail(503, 'No connection to the SIP server'));
    } else if (bytes > pacingBounds.unconfirmedBytesMax) {
      this.#log.error({ method: request.options.method, bytes }, 'request too large for the SIP server, not sent');
      later(() => end.fail(513, 'Message Too Large'));
    } else {
      this.#hand(agent, request, { how, end });
    }
  }

  #hand(agent: SrfAgent, request: OutgoingRequest, of: { readonly how: SentWith; readonly end: RequestEnd }): void {
    try {
      agent.request(request.uri, request.options, (error, sent) => {
        if (error) of.end.fail(...causeOf(error));
        else this.#follow(sent, of);
      });
    } catch (error) {
      // The library throws when its connection has just gone.
      later(() => of.end.fail(503, textOf(error)));
    }
  }

  /** The connection is gone, and every transaction with it; whoever asked is told of that by other means. */
  forgetAll(): void {
    for (const open of [...this.#open]) open.forget();
  }

  #opened(request: OutgoingRequest, how: SentWith): RequestEnd {
    const { method } = request.options;
    const stopTimer = this.#clock.callAt(this.#clock.now() + how.timeoutMs, () => {
      this.#log.warn({ method, timeoutMs: how.timeoutMs }, 'no end of a request reported, given up');
      end.fail(408, 'Request Timeout');
    });
    const end = new RequestEnd((ending) => {
      stopTimer();
      this.#open.delete(entry);
      if (ending === null) how.forgotten?.();
      else how.ended(ending);
    });
    const entry = { forget: () => end.forget() };
    this.#open.add(entry);
    return end;
  }

  #follow(sent: SrfRequest, of: { readonly how: SentWith; readonly end: RequestEnd }): void {
    const { how, end } = of;
    how.sent?.(sent);
    sent.on('response', (response, acknowledge) => {
      if (response.status < 200) {
        // RFC 3262 4: whatever has become of the request, else its sender repeats it and gives up in the end.
        if (isReliable(response)) acknowledge();
        if (response.status > 100 && !end.reached) how.provisional?.(response);
      } else if (end.reached) {
        how.late?.(response, acknowledge);
      } else {
        end.answer(response, acknowledge);
      }
    });
  }
}

/** The one end of a request. */
class RequestEnd {
  readonly #reach: (ending: Ending | null) => void;
  #reached = false;

  constructor(reach: (ending: Ending | null) => void) {
    this.#reach = reach;
  }

  get reached(): boolean {
    return this.#reached;
  }

  answer(response: SrfAnswer, acknowledge: () => void): void {
    this.#once({ kind: 'answered', response, acknowledge });
  }

  fail(status: number, reason: string): void {
    this.#once({ kind: 'failed', cause: { status, reason } });
  }

  forget(): void {
    this.#once(null);
  }

  #once(ending: Ending | null): void {
    if (this.#reached) return;
    this.#reached = true;
    this.#reach(ending);
  }
}

/** The status for what a drachtio server says in words when it does not send a request. */
function causeOf(error: unknown): [status: number, reason: string] {
  const text = textOf(error);
  if (/unable to find dialog/i.test(text)) return [481, text];
  return [/transport|protocol|route|myself/i.test(text) ? 503 : 500, text];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** RFC 3262 4: a provisional answer that wants a PRACK. The library makes that of the acknowledgement. */
export function isReliable({ status, raw }: SrfAnswer): boolean {
  if (status <= 100 || status >= 200 || !/\nRSeq[ \t]*:/i.test(raw)) return false;
  const required = reading('bad-request', () => tokens(parseSipMessage(raw), 'Require'));
  return required.ok && required.value.some((tag) => tag.toLowerCase() === '100rel');
}

/** Not within the caller's turn: an effect must not become an input while it is being performed. */
function later(callback: () => void): void {
  queueMicrotask(callback);
}
