/**
 * Who receives a message, and whether it may be sent at all (RFC 7701 6). The core publishes a route per roster
 * version; the MSRP shell applies it to every SEND by `judge`, without an input or an effect per delivery.
 */

import { cpimParties, parseCpim, wrappedTypeOf } from '../../wire/cpim.ts';
import { mediaTypeOf } from '../../wire/msrp.ts';
import { aorOf, readableSipUri, type SipUri } from '../../wire/sip-uri.ts';

export type RouteMember = {
  readonly endpointId: string;
  /** The participant's own URI as the roster shows it: the only From it may use. */
  readonly uri: string;
  /** Media types the endpoint takes inside message/cpim, lower case; `*` and `type/*` are wildcards. */
  readonly acceptsWrapped: readonly string[];
  /** RFC 7701 6.2: whether the endpoint has said that it takes private messages. */
  readonly privateMessages: boolean;
};

export type MsrpRoute = {
  readonly conferenceId: string;
  readonly conferenceUri: string;
  readonly version: number;
  readonly members: readonly RouteMember[];
  /** Whether the conference lets its participants write to each other (RFC 7701 6.2). */
  readonly privateMessages: boolean;
  /** What is told of each message afterwards: that it was, what became of it, or its words too. */
  readonly keeps: 'nothing' | 'facts' | 'content';
};

/** What is judged of a message. URIs as they came. */
export type MessageFacts = {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly cc: readonly string[];
  /** Headers and features the message demands to be understood (RFC 3862 3.5). */
  readonly requires: readonly string[];
  /** Media type of what is wrapped, lower case, no parameters. */
  readonly wrappedType: string;
  /** Octets before what is wrapped. */
  readonly headerBytes: number;
};

/** The MSRP status the sender is answered, and who gets the message: nobody unless it is 200. */
export type Verdict = {
  readonly status: number;
  readonly comment: string;
  readonly recipients: readonly RouteMember[];
  /** Who would get it if it could take what is wrapped. */
  readonly skipped: readonly RouteMember[];
  /** The sender's URI in the roster; null: it is refused. */
  readonly from: string | null;
  /** URI in the roster of the one user it is for; null: everybody. */
  readonly to: string | null;
};

/** RFC 5438: what tells a sender that its message was delivered, displayed or processed. */
const notificationType = 'message/imdn+xml';

/** RFC 3994: what tells that somebody is about to write. */
const composingType = 'application/im-iscomposing+xml';

/** Header names of RFC 3862 4, all that a message may demand of us. */
const understood: ReadonlySet<string> = new Set(['From', 'To', 'cc', 'DateTime', 'Subject', 'NS', 'Require']);

/** Whether a message of this wrapped type is about other messages, and has nothing to say by itself. */
export function isAboutMessages(wrappedType: string): boolean {
  return wrappedType === notificationType || wrappedType === composingType;
}

/**
 * What a message says about itself, as far as its content has come; null when it is no message/cpim. Throws RemoteError 400
 * when it cannot be read, CpimUnfinished when more of it is wanted for that.
 */
export function readMessage(contentType: string | null, content: Buffer): MessageFacts | null {
  if (contentType === null || mediaTypeOf(contentType) !== 'message/cpim') return null;
  const cpim = parseCpim(content);
  // RFC 7701 6.3: it goes on unchanged, so that what we have judged must be what every receiver reads.
  const { from, to, cc, requires } = cpimParties(cpim);
  const headerBytes = content.length - cpim.body.length;
  return { from, to, cc, requires, wrappedType: wrappedTypeOf(cpim), headerBytes };
}

/**
 * Judges a message that the endpoint `senderId` sent into its conference, in the order of RFC 7701 6.1 to 6.3.
 * `message` is null when it is not wrapped in message/cpim.
 */
export function judge(route: MsrpRoute, senderId: string, message: MessageFacts | null): Verdict {
  // RFC 7701 6.3: without the wrapper nobody could tell who speaks to whom.
  if (message === null) return refuse(415, 'Only message/cpim is taken here');
  const sender = route.members.find((member) => member.endpointId === senderId);
  if (sender === undefined) return refuse(403, 'Not in the conference');
  // RFC 7701 6.3: the content is passed on as it is, so only the sender's own URI may stand in From.
  if (!isOwn(message.from, sender)) return refuse(403, 'From is not your URI in the conference');
  // RFC 7701 6.2: several To are refused; cc would be one more recipient.
  if (message.to.length !== 1 || message.cc.length > 0) return refuse(403, 'Exactly one To and no cc is allowed');
  // RFC 3862 3.5: what is demanded and not understood ends the message here, as we pass it on for others to read.
  const unknown = message.requires.find((name) => !understood.has(name));
  if (unknown !== undefined) return refuse(400, 'The message requires what is not understood');
  const [to = ''] = message.to;
  if (!namesRoom(to, route.conferenceUri)) return judgePrivate(route, sender, message);
  return accept(route.members, sender, { wrappedType: message.wrappedType, to: null });
}

// RFC 7701 6.1: everybody but the sender's own session; its user's other endpoints get their copy too. Who cannot take
// the wrapped type is left out, and the sender is not told.
function accept(
  members: readonly RouteMember[],
  sender: RouteMember,
  { wrappedType, to }: { readonly wrappedType: string; readonly to: string | null },
): Verdict {
  const { recipients, skipped } = byWhatTheyTake(members, wrappedType, sender);
  return { status: 200, comment: 'OK', recipients, skipped, from: sender.uri, to };
}

/** Who of `members` but `sender` can take something of this type, and who cannot. */
export function byWhatTheyTake(
  members: readonly RouteMember[],
  wrappedType: string,
  sender: RouteMember | null,
): Pick<Verdict, 'recipients' | 'skipped'> {
  const wholeMajor = `${wrappedType.slice(0, Math.max(wrappedType.indexOf('/'), 0))}/*`;
  const recipients: RouteMember[] = [];
  const skipped: RouteMember[] = [];
  for (const member of members) {
    if (member.endpointId === sender?.endpointId) continue;
    if (takes(member, wrappedType, wholeMajor)) recipients.push(member);
    else skipped.push(member);
  }
  return { recipients, skipped };
}

function takes({ acceptsWrapped }: RouteMember, wrappedType: string, wholeMajor: string): boolean {
  for (const type of acceptsWrapped) if (type === '*' || type === wrappedType || type === wholeMajor) return true;
  return false;
}

/** RFC 7701 6.2: all sessions of the one user who is named get it, if the room and they take private messages. */
function judgePrivate(route: MsrpRoute, sender: RouteMember, message: MessageFacts): Verdict {
  const to = readableSipUri(message.to[0] ?? '');
  const sessions = route.members.filter((member) => isSameUser(readableSipUri(member.uri), to));
  const [addressee] = sessions;
  if (addressee === undefined) return refuse(404, 'To is not in the conference');
  // RFC 5438 8: a notification goes to the sender of the message it is about, and only there; that is no private talk.
  const isNotification = message.wrappedType === notificationType;
  const able = sessions.filter(({ privateMessages }) => isNotification || (route.privateMessages && privateMessages));
  if (able.length === 0) return refuse(428, 'Private messages are not supported');
  // Ours: who writes to itself means its other endpoints.
  if (able.every(({ endpointId }) => endpointId === sender.endpointId)) return refuse(404, 'To has no other session');
  return accept(able, sender, { wrappedType: message.wrappedType, to: addressee.uri });
}

function isOwn(from: readonly string[], sender: RouteMember): boolean {
  const [only, ...more] = from;
  if (only === undefined || more.length > 0) return false;
  return only === sender.uri || isSameUser(readableSipUri(only), readableSipUri(sender.uri));
}

function isSameUser(a: SipUri | null, b: SipUri | null): boolean {
  return a !== null && b !== null && aorOf(a) === aorOf(b);
}

// RFC 7701 9.3 adds a transport parameter to the room's URI, and clients drop the port of our Contact; the user part
// alone is unguessable, so neither can lead a message into a wrong room.
function namesRoom(to: string, conferenceUri: string): boolean {
  return (
    to === conferenceUri || isSameUser(withoutPort(readableSipUri(to)), withoutPort(readableSipUri(conferenceUri)))
  );
}

function withoutPort(uri: SipUri | null): SipUri | null {
  return uri === null ? null : { ...uri, port: null };
}

function refuse(status: number, comment: string): Verdict {
  return { status, comment, recipients: [], skipped: [], from: null, to: null };
}
