/** What applications hear of the answers to their requests: those that came, and those nobody will ever send. */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { type EventFields, eventPayload } from '../control/frames.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import { type ClientCall, madeUpResponse } from './client-call.ts';

/** Events of responses, for the application that sent the request; nothing when it has gone. */
export class AnswerEvents {
  readonly #context: Context;
  readonly #apps: Apps;

  constructor(context: Context, apps: Apps) {
    this.#context = context;
    this.#apps = apps;
  }

  /** An answer has come. */
  received(call: ClientCall, { from, bytes, text }: IncomingResponse): void {
    this.#event(call, { bytes, protocol: from.protocol, host: from.host, port: from.port, text });
  }

  /** No answer can come any more: the server makes one up. Gives its text. */
  madeUp(call: ClientCall, status: number, reason: string): string {
    const text = madeUpResponse(call.identity, status, { reason, tag: this.#context.ids.tag() });
    this.#event(call, { bytes: 0, protocol: call.identity.own.protocol, host: '', port: 0, text });
    return text;
  }

  #event(call: ClientCall, shown: Pick<EventFields, 'bytes' | 'protocol' | 'host' | 'port' | 'text'>): void {
    if (call.session === null || !this.#apps.isOpen(call.session)) return;
    const payload = eventPayload({
      bytes: shown.bytes,
      protocol: shown.protocol,
      host: shown.host,
      port: shown.port,
      text: shown.text,
      id: this.#context.ids.uuid(),
      source: 'network',
      now: this.#context.now,
      transactionId: call.id,
      dialogId: call.dialog?.id ?? '',
      receivedOn: null,
    });
    this.#context.frame(call.session, payload);
  }
}
