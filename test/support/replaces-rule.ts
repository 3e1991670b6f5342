import { header, headerValues, type SipRequest } from '../../src/wire/sip-message.ts';
import { type Dialog, uriOf } from './sip-dialog.ts';

/** What a user agent makes of the Replaces header of an INVITE. */
export type ReplacesVerdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'replaces'; readonly dialog: Dialog };

/**
 * RFC 3891 3, strictly, at the user agent that receives the INVITE: `to-tag` is compared with its own local tag,
 * `from-tag` with the remote one. Never lenient: this is the Bob whom the source document's exchanged tags do not fit.
 */
export function judgeReplaces(invite: SipRequest, dialogs: readonly Dialog[]): ReplacesVerdict {
  const values = headerValues(invite, 'Replaces');
  const [value] = values;
  if (value === undefined) return { kind: 'none' };
  if (values.length > 1 || header(invite, 'Join') !== undefined) return refused(400);
  const fields = readReplaces(value);
  if (!fields) return refused(400);
  const matches = dialogs.filter(
    ({ facts }) =>
      facts.usage === 'INVITE' &&
      facts.callId === fields.callId &&
      facts.localTag === fields.toTag &&
      facts.remoteTag === fields.fromTag,
  );
  const [dialog] = matches;
  if (!dialog || matches.length > 1) return refused(481);
  if (dialog.state === 'terminated') return refused(603);
  if (dialog.state === 'confirmed' && fields.earlyOnly) return refused(486);
  if (dialog.state === 'early' && !dialog.facts.initiator) return refused(481);
  if (!isAuthorised(invite, dialog)) return refused(403);
  return { kind: 'replaces', dialog };
}

/** RFC 3891 5: the Referred-By of the INVITE names the party that is to be replaced. */
function isAuthorised(invite: SipRequest, dialog: Dialog): boolean {
  return uriOf(header(invite, 'Referred-By') ?? '') === dialog.facts.remoteUri;
}

function refused(status: number): ReplacesVerdict {
  return { kind: 'refused', status };
}

type Fields = {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  readonly earlyOnly: boolean;
};

/** Reads the header by itself, so that a fault of the code under test is not shared by its judge. */
function readReplaces(value: string): Fields | null {
  const [callId, ...params] = value.split(';').map((part) => part.trim());
  const toTag = params.filter((param) => param.startsWith('to-tag='));
  const fromTag = params.filter((param) => param.startsWith('from-tag='));
  if (!callId || toTag.length !== 1 || fromTag.length !== 1) return null;
  return {
    callId,
    toTag: (toTag[0] ?? '').slice('to-tag='.length),
    fromTag: (fromTag[0] ?? '').slice('from-tag='.length),
    earlyOnly: params.includes('early-only'),
  };
}
