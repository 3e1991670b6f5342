import type { ReferReceived, ReferredBy } from '../../core/input.ts';
import type { ReplacesValue } from '../../core/rows.ts';
import { readRecipientUri } from '../../wire/recipient-uri.ts';
import { type ReferBody, readReferBody } from '../../wire/refer-body.ts';
import { parseReferTo, type ReferTo } from '../../wire/refer-to.ts';
import { parseReferredBy, type ReferredByFields } from '../../wire/referred-by.ts';
import { RemoteError } from '../../wire/remote-error.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { splitList } from '../../wire/sip-headers.ts';
import { headerValues, type SipRequest } from '../../wire/sip-message.ts';
import { parseTargetDialog } from '../../wire/target-dialog.ts';
import { maxForwardsOf, only, type Read, reading } from '../request-facts.ts';
import { bodyLimits, entriesOf } from './body.ts';
import { contactOf } from './contact.ts';
import { type Asked, no, ok, once } from './reader.ts';

/** A REFER, outside any dialog or within one. */
export function readRefer(asked: Asked): Read<ReferReceived> {
  const { message, facts, dialog, lenient } = asked;
  if (dialog?.session?.ending === true) return no('no-such-dialog', 'The session has ended');
  const head = reading('bad-request', () => headOf(message, lenient));
  if (!head.ok) return head;
  const { contact, referTo, referrer, targetDialog } = head.value;
  const body = reading('bad-body', () => bodyOf(message, { referTo, referrer }));
  if (!body.ok) return body;
  const targets = targetsOf(asked, referTo, body.value);
  if (!targets.ok) return targets;
  const { token } = body.value;
  if (referrer !== null && referrer.contentId !== null && token === null)
    return no('bad-request', 'Referred-By points at no part of the body');
  return ok({
    ...facts,
    type: 'refer-received',
    quirks: [facts, contact, ...(referrer === null ? [] : [referrer]), ...targets.value]
      .flatMap(({ quirks }) => quirks)
      .filter(once),
    endpointId: dialog?.session?.endpointId ?? null,
    // Those that are still to be answered may be accepted yet.
    further: dialog?.referred === true || asked.unanswered.includes('REFER'),
    contact: contact.uri,
    maxForwards: maxForwardsOf(message),
    targets: targets.value,
    viaList: referTo.kind === 'list',
    wantsSubscription: !isSubscriptionDeclined(message),
    referredBy: referrer === null ? null : referredByOf(message, referrer, token),
    targetDialog,
  });
}

type Head = {
  readonly contact: ReturnType<typeof contactOf>;
  readonly referTo: ReferTo;
  readonly referrer: ReferredByFields | null;
  readonly targetDialog: ReplacesValue | null;
};

/** The headers that say what is asked for, and by whom. RemoteError 400. */
function headOf(message: SipRequest, lenient: boolean): Head {
  const contact = contactOf(message, lenient);
  const [referTo, ...others] = headerValues(message, 'Refer-To').flatMap(splitList);
  // RFC 3515 2.4.2: none, or more than one, is refused.
  if (referTo === undefined || others.length > 0) throw new RemoteError(400, 'There is not exactly one Refer-To');
  return {
    contact,
    referTo: parseReferTo(referTo, { lenient }),
    referrer: oneOf(message, 'Referred-By', (value) => parseReferredBy(value, { lenient })),
    targetDialog: oneOf(message, 'Target-Dialog', namedDialog),
  };
}

function oneOf<Value>(message: SipRequest, name: string, parse: (value: string) => Value): Value | null {
  const [value, ...others] = headerValues(message, name);
  // RFC 3892 3, RFC 4538 7: at most one.
  if (others.length > 0) throw new RemoteError(400, `There are several ${name} headers`);
  return value === undefined ? null : parse(value);
}

function namedDialog(value: string): ReplacesValue {
  const { callId, localTag, remoteTag } = parseTargetDialog(value);
  return { callId, toTag: localTag, fromTag: remoteTag, earlyOnly: false };
}

function bodyOf(message: SipRequest, { referTo, referrer }: Pick<Head, 'referTo' | 'referrer'>): ReferBody {
  const listId = referTo.kind === 'list' ? referTo.contentId : null;
  return readReferBody(message, { ...bodyLimits, listId, tokenId: referrer?.contentId ?? null });
}

/** What Refer-To names: one URI, or the entries of the list it points at. */
function targetsOf({ facts, lenient }: Asked, referTo: ReferTo, body: ReferBody): Read<readonly RecipientEntry[]> {
  if (referTo.kind === 'uri') {
    if (body.lists.length > 0) return no('bad-request', 'Refer-To does not point at the list');
    const { uri: raw, displayName } = referTo;
    const { quirks, reading: read } = readRecipientUri(raw, { lenient, purpose: 'refer' });
    const entry = { raw, position: 0, displayName, copyControl: 'bcc', anonymize: false, reading: read } as const;
    return ok([{ ...entry, quirks: [...referTo.quirks, ...quirks].filter(once) }]);
  }
  // RFC 5368 4: whoever points at a list must require that it is understood.
  if (!facts.requires.some((option) => option.toLowerCase() === 'multiple-refer'))
    return no('bad-request', 'Refer-To points at a list, and multiple-refer is not required');
  if (!body.hasPointedList) return no('bad-request', 'Refer-To points at no list of the body');
  const list = reading('bad-list', () => entriesOf(body.lists, lenient, 'refer'));
  if (!list.ok) return list;
  const entries = list.value?.entries ?? [];
  return entries.length === 0 ? no('bad-list', 'The list is empty') : ok(entries);
}

/** RFC 4488 4; what is no `false` asks for what REFER always brings. */
function isSubscriptionDeclined(message: SipRequest): boolean {
  return /^\s*false\s*(?:;|$)/i.test(only(message, 'Refer-Sub'));
}

/** RFC 3892 2.2: as it came, since it goes on so. */
function referredByOf(
  message: SipRequest,
  { uri, contentId }: ReferredByFields,
  token: ReferBody['token'],
): ReferredBy {
  const proof = token === null || contentId === null ? null : { contentId, ...token };
  return { uri, value: only(message, 'Referred-By'), token: proof };
}
