/** Tells applications of the requests that are theirs. */

import type { Context } from '../context.ts';
import { eventPayload } from '../control/frames.ts';
import type { IncomingRequest } from '../message/incoming.ts';

/** Writes the frames; `id` is what the application calls the transaction. */
export class RequestEvents {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** `dialogId` is empty outside dialogs. */
  tell(request: IncomingRequest, to: { readonly id: string; readonly session: number }, dialogId: string): void {
    const own = this.#context.own.of(request.from);
    const payload = eventPayload({
      id: this.#context.ids.uuid(),
      source: 'network',
      bytes: request.bytes,
      protocol: request.method === 'ACK' ? '' : request.from.protocol,
      host: request.from.host,
      port: request.from.port,
      now: this.#context.now,
      transactionId: to.id,
      dialogId,
      receivedOn: dialogId === '' && request.method !== 'CANCEL' ? own : null,
      text: request.text,
    });
    this.#context.frame(to.session, payload);
  }
}
