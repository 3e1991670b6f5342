/**
 * SIP request -> input of the core, one small function per method. The text is read with our own parser: the library
 * joins repeated headers and knows few compact names. What cannot be read becomes `request-refused`, so that the
 * core answers it and keeps the attempt.
 */
import type { RequestInput, RequestRefused } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { parseSipMessage, type SipMessage, type SipRequest } from '../wire/sip-message.ts';
import type { Dialog } from './dialogs.ts';
import type { IdentityRules } from './identity.ts';
import { misplacedDialogName } from './readers/dialog-names.ts';
import { readInvite } from './readers/invite.ts';
import { no, ok, once, type Reader } from './readers/reader.ts';
import { readRefer } from './readers/refer.ts';
import { readReinvite } from './readers/reinvite.ts';
import { readSubscribe } from './readers/subscribe.ts';
import {
  type Arrival,
  callerIfReadable,
  excerpt,
  factsOf,
  namesDialog,
  only,
  quirksOfAddresses,
  type Read,
  reading,
} from './request-facts.ts';

const readers: Readonly<Record<string, Reader>> = {
  INVITE: (asked) => (asked.dialog === null ? readInvite(asked) : readReinvite(asked, asked.dialog)),
  SUBSCRIBE: readSubscribe,
  REFER: readRefer,
  OPTIONS: ({ facts }) => ok({ ...facts, type: 'options-received' }),
  UPDATE: (asked) => (asked.dialog === null ? noSuchDialog() : readReinvite(asked, asked.dialog)),
  // RFC 3262 3: a PRACK that matches no reliable provisional response, and we send none.
  PRACK: () => no('no-such-dialog', 'No such provisional response'),
  // RFC 6665 4.1.3: a NOTIFY that matches no subscription, and we have none.
  NOTIFY: () => no('no-such-dialog', 'No such subscription'),
  // RFC 3261 15.1.2: a BYE that matches no session of ours; those that do are answered by the shell itself.
  BYE: () => noSuchDialog(),
};

/** The input that a request means; `dialog` is the one of ours it belongs to. Never throws for what the peer sent. */
export function inputFor(arrival: Arrival, dialog: Dialog | null, rules: IdentityRules): RequestInput {
  const message = reading('bad-request', () => asRequest(parseSipMessage(arrival.raw)));
  if (!message.ok) return refused(arrival, null, { ...message, rules });
  const input = readRequest(arrival, { message: message.value, dialog, rules });
  if (input.ok) return input.value;
  const why = refused(arrival, message.value, { ...input, rules });
  const isWithinDialog = dialog !== null || namesDialog(message.value, rules.lenient);
  return why.caller === null && !isWithinDialog ? { ...why, ...provable(message.value, arrival, rules) } : why;
}

/** What credentials could prove of a request that is refused; nothing of one that says too little of itself. */
function provable(message: SipRequest, arrival: Arrival, rules: IdentityRules): Pick<RequestRefused, 'facts'> {
  const facts = reading('bad-request', () => factsOf(message, arrival, rules));
  return facts.ok ? { facts: facts.value } : {};
}

function readRequest(
  arrival: Arrival,
  given: { readonly message: SipRequest; readonly dialog: Dialog | null; readonly rules: IdentityRules },
): Read<RequestInput> {
  const { message, dialog, rules } = given;
  const isInvite = message.method === 'INVITE';
  // RFC 3261 12.2.2: a request for a dialog that is not there. QK-13: also when it was meant to be a new INVITE.
  if (dialog === null && namesDialog(message, rules.lenient)) return noSuchDialog(isInvite ? ['QK-13'] : []);
  const reader = Object.hasOwn(readers, message.method) ? readers[message.method] : undefined;
  if (reader === undefined) return no('method-not-allowed', `${message.method} is not served here`);
  if (Buffer.byteLength(message.body) > limits.bodyBytesMax) {
    return no('body-too-large', `The body is longer than ${limits.bodyBytesMax} octets`);
  }
  // RFC 3891 3, RFC 3911 4: these headers belong to INVITE alone.
  const misplaced = isInvite ? null : misplacedDialogName(message);
  if (misplaced !== null) return no('bad-request', `${misplaced} in another request than INVITE`);
  const facts = reading('bad-request', () => factsOf(message, arrival, rules));
  if (!facts.ok) return facts;
  const { unanswered } = arrival;
  const trusted = rules.isTrustedPeer(arrival.sourceAddress);
  return reader({ message, facts: facts.value, dialog, unanswered, trusted, lenient: rules.lenient });
}

function noSuchDialog(quirks: readonly string[] = []): ReturnType<typeof no> {
  return no('no-such-dialog', 'No such dialog', quirks);
}

function refused(
  arrival: Arrival,
  message: SipRequest | null,
  why: Extract<Read<never>, { readonly ok: false }> & { readonly rules: IdentityRules },
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
    quirks: [...(why.quirks ?? []), ...(message === null ? [] : quirksOfAddresses(message))].filter(once),
    received: excerpt(arrival.raw),
  };
}

function asRequest(message: SipMessage): SipRequest {
  if (message.kind !== 'request') throw new RemoteError(400, 'A response where a request belongs');
  return message;
}
