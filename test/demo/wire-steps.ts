import { header, type SipMessage } from '../../src/wire/sip-message.ts';
import { readRoster, rosterLine } from '../support/conference-document.ts';
import type { Subscription } from '../support/subscription.ts';
import type { WireEntry } from '../support/wire-log.ts';
import type { Step } from './ladder-drawing.ts';

export type Known = {
  /** The Call-ID between Alice and Bob. */
  readonly oneToOne: string;
  /** Whose NOTIFYs there are, once there are any. */
  readonly watcher: Subscription | undefined;
};

/** The steps of a ladder that stand for what went over the wire. */
export function stepsOf(entries: readonly WireEntry[], known: Known): Step[] {
  return entries.flatMap((entry) => (isDrawn(entry, known) ? stepsOfEntry(entry, known) : []));
}

/** What Alice and Bob tell one another is seen by both of them and drawn once; 100 is not worth a line. */
function isDrawn({ direction, message }: WireEntry, { oneToOne }: Known): boolean {
  const isTrying = message.kind === 'response' && message.status === 100;
  return !isTrying && (direction === 'sent' || header(message, 'Call-ID') !== oneToOne);
}

function stepsOfEntry({ owner, direction, message }: WireEntry, { oneToOne, watcher }: Known): Step[] {
  const self = laneOf(owner);
  const other = header(message, 'Call-ID') === oneToOne ? laneOf(owner === 'alice' ? 'bob' : 'alice') : 'focus';
  const [from, to] = direction === 'sent' ? [self, other] : [other, self];
  const note = noteOf(message, watcher);
  const arrow: Step = { kind: 'arrow', from, to, label: labelOf(message), style: 'sip' };
  return note === undefined ? [arrow] : [arrow, { kind: 'note', at: leftmost(from, to), text: note }];
}

function labelOf(message: SipMessage): string {
  if (message.kind === 'response') return `${message.status} ${message.reason}`;
  if (message.method === 'SUBSCRIBE') return 'SUBSCRIBE conference';
  if (message.method === 'NOTIFY') return `NOTIFY ${readRoster(message.body).state}`;
  return isFactoryInvite(message) ? 'INVITE conf-fact' : message.method;
}

/** What makes a message worth looking at. */
function noteOf(message: SipMessage, watcher: Subscription | undefined): string | undefined {
  const replaces = header(message, 'Replaces');
  if (replaces !== undefined) return `Replaces: ${replaces}`;
  if (isFactoryInvite(message)) return 'with the list of Bob (method=INVITE?Replaces=…) and Ted';
  const contact = header(message, 'Contact') ?? '';
  const isInviteAnswer = message.kind === 'response' && /INVITE/.test(header(message, 'CSeq') ?? '');
  if (isInviteAnswer && /;isfocus/.test(contact)) return `Contact: ${contact}`;
  if (message.kind === 'request' && message.method === 'NOTIFY') return noteOfRoster(message, watcher);
  return undefined;
}

/** Who is in now, whether the document tells all of it or only what is new. */
function noteOfRoster(notify: SipMessage, watcher: Subscription | undefined): string | undefined {
  const isOver = readRoster(notify.body).state === 'deleted';
  if (isOver) return `the conference is no more: ${header(notify, 'Subscription-State')}`;
  return watcher && rosterLine(watcher.rosterWith(notify));
}

function isFactoryInvite(message: SipMessage): boolean {
  return message.kind === 'request' && /recipient-list-invite/.test(header(message, 'Require') ?? '');
}

/** The lane of a user agent. */
export function laneOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function leftmost(from: string, to: string): string {
  const lanes = ['Alice', 'focus', 'Bob', 'Ted'];
  return lanes.indexOf(from) < lanes.indexOf(to) ? from : to;
}
