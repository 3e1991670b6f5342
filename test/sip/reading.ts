/** Reading requests as the shell does, for tests of what they are read as. */
import { expect } from 'vitest';
import type { RequestInput } from '../../src/core/input.ts';
import type { Dialog } from '../../src/sip/dialogs.ts';
import type { IdentityRules } from '../../src/sip/identity.ts';
import { inputFor } from '../../src/sip/requests.ts';

export const open: IdentityRules = { auth: 'open', isTrustedPeer: () => false, lenient: true };
export const strict: IdentityRules = { ...open, lenient: false };

export type Given = {
  readonly dialog?: Dialog;
  readonly rules?: IdentityRules;
  /** Methods of the requests in the dialog that are still to be answered. */
  readonly unanswered?: readonly string[];
};

/** What a request is read as. */
export function read(raw: string, { dialog, rules = open, unanswered = [] }: Given = {}): RequestInput {
  const [method = '', uri = ''] = raw.split(' ');
  const from = { sourceAddress: '192.0.2.1', dialogId: dialog?.id ?? '', unanswered };
  return inputFor({ reply: 'sip:1', method, uri, raw, ...from }, dialog ?? null, rules);
}

/** The input, which must be of that type. */
export function as<Type extends RequestInput['type']>(
  type: Type,
  input: RequestInput,
): Extract<RequestInput, { type: Type }> {
  if (input.type !== type) throw new Error(`not ${type}: ${JSON.stringify(input)}`);
  return input as Extract<RequestInput, { type: Type }>;
}

/** The code by which it is refused before the core sees it. */
export function refusedAs(raw: string, given: Given = {}): string {
  const input = as('request-refused', read(raw, given));
  expect(input.detail).not.toBe('');
  return input.code;
}
/** A session of ours, and a subscription of ours. */
export const sessionDialog: Dialog = {
  id: '563b4c76e66712;from-tag=2837302775',
  contact: 'sip:conf-1@conf.example.com',
  session: { endpointId: 'endpoint-1', ackAwaited: null, confirmed: true, ending: false },
  subscription: null,
  referrals: [],
  referred: false,
  remoteCseq: null,
};
export const subscriptionDialog: Dialog = {
  id: 'sub-a11ce-01;from-tag=a11ce5ub',
  contact: 'sip:conf-1@conf.example.com',
  session: null,
  subscription: { subscriptionId: 'subscription-1', ending: false },
  referrals: [],
  referred: false,
  remoteCseq: null,
};
/** The To of requests within that session. */
export const toUs = 'Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0';
