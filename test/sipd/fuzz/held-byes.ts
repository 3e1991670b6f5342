/** BYEs of the application that wait for the ACK of their call: all that a request of a peer may set free. */
import { tagOf } from '../../../src/sipd/message/address.ts';
import { RemoteError } from '../../../src/wire/remote-error.ts';
import { scanSipMessage } from '../../../src/wire/sip-message.ts';

/** Those the application was told are sent, and that have neither gone out nor failed. */
export class HeldByes {
  readonly #byId = new Map<string, { readonly call: string; readonly cseq: string }>();

  /** The application was told that this request is sent. */
  confirmed(transactionId: string, request: string): void {
    const call = request.startsWith('BYE ') ? callOf(request, 'to') : null;
    if (call !== null) this.#byId.set(transactionId, { call, cseq: headerOf(request, 'cseq') });
  }

  /** A request has gone out; whether it is one of them. */
  released(request: string): boolean {
    const call = callOf(request, 'to');
    const cseq = headerOf(request, 'cseq');
    for (const [id, held] of this.#byId) {
      if (held.call === call && held.cseq === cseq) return this.#byId.delete(id);
    }
    return false;
  }

  /** The application was told how it ended. */
  ended(transactionId: string): void {
    this.#byId.delete(transactionId);
  }

  /** Whether the request of a peer is one of the call that such a BYE is to end. */
  areOfCallOf(request: string): boolean {
    const call = callOf(request, 'from');
    return [...this.#byId.values()].some((held) => held.call === call);
  }
}

/** What names the call for both: its Call-ID and the peer's tag, which the peer has in From and we in To. */
function callOf(request: string, side: 'from' | 'to'): string | null {
  try {
    return `${headerOf(request, 'call-id')} ${tagOf(headerOf(request, side)) ?? ''}`;
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

function headerOf(request: string, key: string): string {
  return scanSipMessage(request).headers.find((each) => each.key === key)?.value ?? '';
}
