import type { MediaDescription, MsrpMedia, SessionDescription } from '../../wire/sdp.ts';
import { directionIn, msrpMediaOf, writeSdp } from '../../wire/sdp.ts';
import { limits } from '../limits.ts';
import type { MediaRow } from '../rows.ts';

/** Offer and answer of the focus (RFC 3264) for one MSRP session (RFC 4975 8, 6135 4.2, 7701 5.2). */

/** What the focus itself says in every description of one endpoint. */
export type LocalMedia = {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly originId: string;
  readonly audio: 'off' | 'inactive';
  /** RFC 7701 8: what the conference lets its participants do beside writing to all: tokens of `a=chatroom`. */
  readonly chatroom: readonly string[];
  /** RFC 7701 4.1: messages in the clear are refused. */
  readonly secureOnly: boolean;
};

/** What was agreed with one endpoint. */
export type Agreement = {
  readonly media: readonly MediaRow[];
  /** null: no message session, only an inactive audio line. */
  readonly msrp: {
    readonly role: 'active' | 'passive';
    readonly remotePath: readonly string[];
    readonly acceptsWrapped: readonly string[];
    /** RFC 7701 6.2: the peer has said that it takes private messages. */
    readonly privateMessages: boolean;
  } | null;
};

/** The lines that answer an offer, and what they agree to. `silenced`: sound was offered, and is accepted as `inactive`. */
export type Answer = Agreement & { readonly lines: readonly MediaDescription[]; readonly silenced: boolean };

/** A description as it was written, and its lines. */
export type Described = {
  readonly lines: readonly MediaDescription[];
  readonly version: number;
  readonly sdp: string;
};

type Direction = MsrpMedia['direction'];

const chatType = 'message/cpim';

/** Our answer to `offer`, or null when nothing in it can be used (488). */
export function answerTo(offer: SessionDescription, local: LocalMedia): Answer | null {
  const { chosen, usable } = chosenMsrp(offer);
  const rows: MediaRow[] = [];
  let msrp: Agreement['msrp'] = null;
  let silenced = false;
  const lines = offer.media.map((media, index): MediaDescription => {
    if (index === chosen && usable !== null) {
      // RFC 6135 4.2: whoever offers actpass or active connects; the focus waits where it may, for clients behind NAT.
      const role = usable.setup === 'passive' ? 'active' : 'passive';
      const direction = mirrored(usable.direction);
      msrp = {
        role,
        remotePath: usable.path,
        acceptsWrapped: receivable(usable),
        privateMessages: takesPrivate(usable),
      };
      rows.push({ id: String(index + 1), type: 'message', status: usable.direction });
      return messageLine(local, { setup: role, direction });
    }
    if (media.media === 'audio' && media.port !== 0 && local.audio === 'inactive') {
      rows.push({ id: String(index + 1), type: 'audio', status: 'inactive' });
      silenced ||= directionIn(media, offer) !== 'inactive';
      return audioLine(media);
    }
    // RFC 3264 6: a refused m-line is answered with port 0.
    return {
      media: media.media,
      port: 0,
      protocol: media.protocol,
      formats: media.formats,
      connection: null,
      attributes: [],
    };
  });
  if (rows.length === 0) return null;
  return { lines, media: rows, msrp, silenced };
}

/**
 * The line of our own offer: messages, or silent audio for a softphone that has refused them. Not both: it would take no
 * more, and liblinphone 5.1 crashes when an audio line follows one that it refuses.
 */
export function offerOf(local: LocalMedia, withAudio: boolean): readonly MediaDescription[] {
  // RFC 6135 4.2: a reachable offerer says actpass.
  return [withAudio ? audioLine(plainAudio) : messageLine(local, { setup: 'actpass', direction: 'sendrecv' })];
}

/**
 * RFC 3264 8: a later offer keeps every line, in its place; RFC 6135 4.2: it says actpass again. RFC 3264 8.4: hold is a
 * wish of the peer, who may have had it until now and takes it back by its answer; ours are messages both ways.
 */
export function offeredAgain(lines: readonly MediaDescription[]): readonly MediaDescription[] {
  return lines.map((line) => {
    const kept =
      line.media === 'message' ? line.attributes.filter(({ name }) => !directions.has(name)) : line.attributes;
    const attributes = kept.map((attribute) =>
      attribute.name === 'setup' ? { ...attribute, value: 'actpass' } : attribute,
    );
    return { ...line, attributes };
  });
}

/** The same lines for a session with another path of ours. */
export function withPath(lines: readonly MediaDescription[], path: string): readonly MediaDescription[] {
  return lines.map((line) => {
    const attributes = line.attributes.map((each) => (each.name === 'path' ? { ...each, value: path } : each));
    return { ...line, attributes };
  });
}

const directions: ReadonlySet<string> = new Set<Direction>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

/** What the peer's answer to our offer means, or null when it took nothing of it. */
export function agreementFrom(answer: SessionDescription): Agreement | null {
  const { chosen, usable: msrp } = chosenMsrp(answer);
  const rows = answer.media.flatMap((media, index): MediaRow[] => {
    const id = String(index + 1);
    if (index === chosen && msrp !== null) return [{ id, type: 'message', status: msrp.direction }];
    return media.media === 'audio' && media.port !== 0 ? [{ id, type: 'audio', status: 'inactive' }] : [];
  });
  if (rows.length === 0) return null;
  if (msrp === null) return { media: rows, msrp };
  // RFC 6135 4.2 and RFC 4975 5.4: without a=setup in the answer the offerer, here the focus, connects.
  const role = msrp.setup === 'active' ? 'passive' : 'active';
  const acceptsWrapped = receivable(msrp);
  return { media: rows, msrp: { role, remotePath: msrp.path, acceptsWrapped, privateMessages: takesPrivate(msrp) } };
}

/** The first line that can be used, and what it says. */
function chosenMsrp(session: SessionDescription): { chosen: number; usable: MsrpMedia | null } {
  for (const [chosen, media] of session.media.entries()) {
    const usable = usableMsrp(media, session);
    if (usable !== null) return { chosen, usable };
  }
  return { chosen: -1, usable: null };
}

/** RFC 7701 5.2: a chat room needs message/cpim among the types the peer accepts. */
function usableMsrp(media: MediaDescription, session: SessionDescription): MsrpMedia | null {
  const msrp = msrpMediaOf(media, session);
  if (msrp === null || msrp.tls) return null;
  const takesCpim = msrp.acceptTypes.some((type) => type === chatType || type === 'message/*' || type === '*');
  return takesCpim ? msrp : null;
}

/** RFC 4975 8.9: the direction is that of messages. Whoever only sends, or is on hold, is sent nothing. */
function receivable(msrp: MsrpMedia): readonly string[] {
  return msrp.direction === 'sendonly' || msrp.direction === 'inactive' ? [] : wrappedTypes(msrp);
}

/** RFC 7701 8: who does not say so is sent no private messages. */
function takesPrivate({ chatroom }: MsrpMedia): boolean {
  return chatroom?.includes('private-messages') === true;
}

/**
 * What may come wrapped in message/cpim. RFC 4975 8.6: the types of accept-types may come wrapped too. A peer that names
 * nothing but the wrapper is taken to read anything in it, else it could never be told a word.
 */
function wrappedTypes(msrp: MsrpMedia): readonly string[] {
  const types = [
    ...msrp.acceptTypes.filter((type) => type !== chatType && type !== 'message/*'),
    ...msrp.acceptWrappedTypes,
  ];
  return types.length === 0 ? ['*'] : [...new Set(types)];
}

function messageLine(local: LocalMedia, how: { setup: string; direction: Direction }): MediaDescription {
  const attributes = [
    { name: 'accept-types', value: chatType },
    { name: 'accept-wrapped-types', value: 'text/plain text/html *' },
    { name: 'max-size', value: String(limits.messageBytesMax) },
    { name: 'setup', value: how.setup },
    // RFC 7701 8: bare chatroom where there are neither nicknames nor private messages.
    { name: 'chatroom', value: local.chatroom.length === 0 ? null : local.chatroom.join(' ') },
    { name: 'path', value: local.path },
  ];
  if (how.direction !== 'sendrecv') attributes.push({ name: how.direction, value: null });
  return { media: 'message', port: local.port, protocol: 'TCP/MSRP', formats: ['*'], connection: null, attributes };
}

const plainAudio: MediaDescription = {
  media: 'audio',
  port: 9,
  protocol: 'RTP/AVP',
  formats: ['0'],
  connection: null,
  attributes: [],
};

/** Accepted without sound: the discard port, never used. */
function audioLine(offered: MediaDescription): MediaDescription {
  const [format = '0'] = offered.formats;
  // RFC 8866 6.6: a dynamic payload type means nothing without its mapping; RFC 3264 6.1: the offer's numbers stay.
  const meaning = offered.attributes.filter(
    ({ name, value }) => (name === 'rtpmap' || name === 'fmtp') && value?.startsWith(`${format} `),
  );
  return {
    media: 'audio',
    port: 9,
    protocol: offered.protocol,
    formats: [format],
    connection: null,
    attributes: [...meaning, { name: 'inactive', value: null }],
  };
}

/** RFC 3264 8: the version in o= steps by one when anything changed since `last`; else the text is the very same. */
export function describe(local: LocalMedia, lines: readonly MediaDescription[], last: Described | null): Described {
  if (last === null) return { lines, version: 0, sdp: written(local, lines, 0) };
  const unchanged = written(local, lines, last.version);
  if (unchanged === last.sdp) return { ...last, lines };
  return { lines, version: last.version + 1, sdp: written(local, lines, last.version + 1) };
}

function written(local: LocalMedia, lines: readonly MediaDescription[], version: number): string {
  const step = version === 0 ? local.originId : String(BigInt(local.originId) + BigInt(version));
  const origin = { username: 'focus', sessionId: local.originId, version: step, address: local.host };
  return writeSdp({ origin, connection: local.host, media: lines, attributes: [] });
}

/** RFC 3264 6.1: the answer's direction mirrors the offer's. */
function mirrored(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
