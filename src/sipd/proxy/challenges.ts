/**
 * Who has challenged a caller lately. Of several targets one wants credentials; when the caller sends them, the request
 * belongs to that target, since nobody else can check them.
 */

import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import { allValues, type IncomingRequest } from '../message/incoming.ts';
import type { TimerHandle } from '../timer-lanes.ts';

/** Destinations by call, forgotten after `limits.challengeMs`. */
export class Challenges {
  readonly #context: Context;
  readonly #byCall = new Map<string, { readonly destination: string; readonly timer: TimerHandle }>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A destination has answered 401 or 407. */
  note(request: IncomingRequest, destination: string): void {
    const key = callKey(request);
    this.#context.stop(this.#byCall.get(key)?.timer ?? null);
    const timer = this.#context.after(limits.challengeMs, () => this.#byCall.delete(key));
    this.#byCall.set(key, { destination, timer });
  }

  /** Of the destinations the one that has challenged, when the request brings credentials; else all. */
  narrow(request: IncomingRequest, destinations: readonly string[]): readonly string[] {
    const found = this.#byCall.get(callKey(request));
    if (found === undefined || !destinations.includes(found.destination)) return destinations;
    const keys = ['authorization', 'proxy-authorization'];
    return keys.some((key) => allValues(request, key).length > 0) ? [found.destination] : destinations;
  }
}

function callKey(request: IncomingRequest): string {
  return `${request.callId} ${request.fromTag ?? ''}`;
}
