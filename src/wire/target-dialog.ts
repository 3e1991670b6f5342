/** Target-Dialog (RFC 4538): a request outside dialogs names one that its sender and its receiver share. */

import { RemoteError } from './remote-error.ts';
import { isToken, parseParams } from './sip-headers.ts';

/** The dialog as RFC 4538 4 has it named: both tags from the receiver's point of view. */
export type TargetDialogFields = { readonly callId: string; readonly localTag: string; readonly remoteTag: string };

/** Reads the value of a Target-Dialog; parameters it does not know are ignored. RemoteError 400. */
export function parseTargetDialog(value: string): TargetDialogFields {
  const semicolon = value.indexOf(';');
  const callId = (semicolon === -1 ? value : value.slice(0, semicolon)).trim();
  if (callId === '' || /\s/.test(callId)) throw new RemoteError(400, 'Target-Dialog has no valid Call-ID');
  const params = semicolon === -1 ? [] : parseParams(value.slice(semicolon));
  const tag = (name: string): string => {
    const [first, ...others] = params.filter((param) => param.name === name);
    if (first?.value === undefined || first.value === null || !isToken(first.value) || others.length > 0)
      throw new RemoteError(400, `Target-Dialog needs exactly one ${name}`);
    return first.value;
  };
  return { callId, localTag: tag('local-tag'), remoteTag: tag('remote-tag') };
}
