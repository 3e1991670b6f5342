/** Call detail records of what we forward: one call towards the caller, one towards each target. */

import type { CallRecords } from '../control/call-records.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import { writeOwnResponse } from '../message/own-response.ts';
import type { BranchResult } from './best-response.ts';
import type { FinalAnswer } from './response-context.ts';

/** Keeps the records of one request: an INVITE that begins a call, or the BYE that ends it; of others there are none. */
export class PassageRecords {
  readonly #records: CallRecords;
  readonly #request: IncomingRequest;
  readonly #begins: boolean;

  constructor(records: CallRecords, request: IncomingRequest) {
    this.#records = records;
    this.#request = request;
    this.#begins = request.method === 'INVITE' && request.toTag === null;
  }

  /** A copy has gone to a target. */
  sent(text: string): void {
    if (this.#begins) this.#records.attempt('application', text);
  }

  /** A target has given its final answer, or none. */
  concluded({ status, response }: BranchResult): void {
    if (this.#begins) {
      const text = response?.text ?? writeOwnResponse(this.#request, { status, toTag: null });
      if (status < 300) this.#records.start('network', text, 'proxy-uac');
      else this.#records.refused('network', text, status);
    } else if (this.#request.method === 'BYE' && status !== 401 && status !== 407) {
      // A BYE that is challenged comes again.
      this.#records.stop('network', this.#request.text, 'normal-release');
      this.#records.stop('application', this.#request.text, 'normal-release');
    }
  }

  /** The caller has got its final answer. */
  answered(answer: FinalAnswer): void {
    if (!this.#begins || answer.kind === 'none') return;
    if (answer.status < 300) this.#records.start('application', answer.text, 'proxy-uas');
    else this.#records.refused('application', answer.text, answer.status);
  }
}
