/**
 * SIP request -> input of the core, one small function per method. The text is read with our own parser: the library
 * joins repeated headers and knows few compact names. What cannot be read becomes `request-refused`, so that the
 * core answers it and keeps the attempt.
 */
import type { RequestInput, RequestRefused } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { RefusalCode } from '../core/refusal.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { parseSipMessage, type SipMessage, type SipRequest } from '../wire/sip-message.ts';
import type { Dialog } from './dialogs.ts';
import type { IdentityRules } from './identity.ts';
import { readInvite } from './readers/invite.ts';
import { no, ok, type Reader } from './readers/reader.ts';
import { readReinvite } from './readers/reinvite.ts';
import { readSubscribe } from './readers/subscribe.ts';
import {
  type Arrival,
  callerIfReadable,
  excerpt,
  factsOf,
  namesDialog,
  only,
  type Read,
  reading,
} from './request-facts.ts';

const readers: Readonly<Record<string, Reader>> = {
  INVITE: (asked) => (asked.dialog === null ? readInvite(asked) : readReinvite(asked, asked.dialog)),
  SUBSCRIBE: readSubscribe,
  OPTIONS: ({ facts }) => ok({ ...facts, type: 'options-received' }),
  // RFC 3261 15.1.2: a BYE that matches no session of ours; those that do are answered by the shell itself.
  BYE: () => no('no-such-dialog', 'No such dialog'),
};

/** The input that a request means; `dialog` is the one of ours it belongs to. Never throws for what the peer sent. */
export function inputFor(arrival: Arrival, dialog: Dialog | null, rules: IdentityRules): RequestInput {
  const message = reading('bad-request', () => asRequest(parseSipMessage(arrival.raw)));
  if (!message.ok) return refused(arrival, null, { ...message, rules });
  const input = readRequest(arrival, { message: message.value, dialog, rules });
  return input.ok ? input.value : refused(arrival, message.value, { ...input, rules });
}

function readRequest(
  arrival: Arrival,
  given: { readonly message: SipRequest; readonly dialog: Dialog | null; readonly rules: IdentityRules },
): Read<RequestInput> {
  const { message, dialog, rules } = given;
  // RFC 3261 12.2.2: a request for a dialog that is not there.
  if (dialog === null && namesDialog(message, rules.lenient)) return no('no-such-dialog', 'No such dialog');
  const reader = Object.hasOwn(readers, message.method) ? readers[message.method] : undefined;
  if (reader === undefined) return no('method-not-allowed', `${message.method} is not served here`);
  if (Buffer.byteLength(message.body) > limits.bodyBytesMax) {
    return no('body-too-large', `The body is longer than ${limits.bodyBytesMax} octets`);
  }
  const facts = reading('bad-request', () => factsOf(message, arrival, rules));
  return facts.ok ? reader({ message, facts: facts.value, dialog, lenient: rules.lenient }) : facts;
}

function refused(
  arrival: Arrival,
  message: SipRequest | null,
  why: { readonly code: RefusalCode; readonly detail: string; readonly rules: IdentityRules },
): RequestRefused {
  return {
    type: 'request-refused',
    reply: arrival.reply,
    method: arrival.method,
    target: arrival.uri,
    caller: message === null ? null : callerIfReadable(message, arrival.sourceAddress, why.rules),
    callId: message === null ? null : only(message, 'Call-ID') || null,
    code: why.code,
    detail: why.detail,
    quirks: [],
    received: excerpt(arrival.raw),
  };
}

function asRequest(message: SipMessage): SipRequest {
  if (message.kind !== 'request') throw new RemoteError(400, 'A response where a request belongs');
  return message;
}
