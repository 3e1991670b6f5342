import { canonicalIp } from '../../wire/ip-address.ts';
import { type MsrpUri, parseMsrpUri } from '../../wire/msrp-uri.ts';
import type { Fingerprint, MediaDescription, MsrpMedia, SessionDescription } from '../../wire/sdp.ts';
import { directionIn, msrpMediaOf, writeSdp } from '../../wire/sdp.ts';
import type { MediaRow } from '../rows.ts';
import {
  answeredRole,
  chatType,
  isFileLine,
  type LocalMedia,
  messageLine,
  ourPath,
  wayOf,
  withFingerprint,
} from './local-media.ts';

/** Offer and answer of the focus (RFC 3264) for one MSRP session (RFC 4975 8, 6135 4.2, 7701 5.2). */

/** What was agreed with one endpoint. */
export type Agreement = {
  readonly media: readonly MediaRow[];
  /** null: no message session, only an inactive audio line. */
  readonly msrp: {
    readonly role: 'active' | 'passive';
    readonly remotePath: readonly string[];
    /** RFC 6714 4: what is connected to in place of the first of `remotePath`; null: nothing else. */
    readonly connectTo: { readonly host: string; readonly port: number } | null;
    /** RFC 8122 5: one of them is that of the peer's certificate; empty: the peer said none. */
    readonly fingerprints: readonly Fingerprint[];
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

/** Our answer to `offer`, or null when nothing in it can be used (488). */
export function answerTo(offer: SessionDescription, local: LocalMedia): Answer | null {
  const { chosen, usable } = chosenMsrp(offer, (media) => usableOffer(media, offer, local));
  const rows: MediaRow[] = [];
  let msrp: Agreement['msrp'] = null;
  let silenced = false;
  const lines = offer.media.map((media, index): MediaDescription => {
    if (index === chosen && usable !== null) {
      const role = answeredRole(usable);
      const direction = mirrored(usable.direction);
      const { protocol } = media;
      msrp = agreed(usable, { role, cema: usable.cema && usable.ours.length === 1 });
      rows.push({ id: String(index + 1), type: 'message', status: usable.direction });
      return messageLine(local, usable.ours, { protocol, setup: role, direction, cema: usable.cema });
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
  if (withAudio) return [audioLine(plainAudio)];
  // RFC 4976: peers come over TLS to a relay that wants it.
  const secure = local.secureOnly || local.relays[0]?.startsWith('msrps:') === true;
  const path = ourPath(local, { secure, transport: 'tcp' }) ?? [];
  const protocol = secure ? tlsProtocol : 'TCP/MSRP';
  return [messageLine(local, path, { protocol, setup: 'actpass', direction: 'sendrecv', cema: true })];
}

/**
 * RFC 3264 8: a later offer keeps every line, in its place; RFC 6135 4.2: it says actpass again. RFC 3264 8.4: hold is a
 * wish of the peer, who may have had it until now and takes it back by its answer; ours are messages both ways.
 */
export function offeredAgain(lines: readonly MediaDescription[]): readonly MediaDescription[] {
  return lines.map((line) => {
    const kept =
      line.media === 'message' && !isFileLine(line)
        ? line.attributes.filter(({ name }) => !directions.has(name))
        : line.attributes;
    const attributes = kept.map((attribute) =>
      attribute.name === 'setup' ? { ...attribute, value: 'actpass' } : attribute,
    );
    return { ...line, attributes };
  });
}

const directions: ReadonlySet<string> = new Set<Direction>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

/** What the peer's answer to the lines that we offered means, or null when it took nothing of them. */
export function agreementFrom(answer: SessionDescription, offered: readonly MediaDescription[]): Agreement | null {
  const { chosen, usable: msrp } = chosenMsrp(answer, (media, index) => usableAnswer(media, answer, offered[index]));
  const rows = answer.media.flatMap((media, index): MediaRow[] => {
    const id = String(index + 1);
    if (index === chosen && msrp !== null) return [{ id, type: 'message', status: msrp.direction }];
    return media.media === 'audio' && media.port !== 0 ? [{ id, type: 'audio', status: 'inactive' }] : [];
  });
  if (rows.length === 0) return null;
  if (msrp === null) return { media: rows, msrp };
  // RFC 6135 4.2 and RFC 4975 5.4: without a=setup in the answer the offerer, here the focus, connects; RFC 7977: where it can.
  const role = msrp.setup === 'active' || msrp.transport === 'ws' ? 'passive' : 'active';
  const weOffered = offered[chosen]?.attributes.some(({ name }) => name === 'msrp-cema') === true;
  return { media: rows, msrp: agreed(msrp, { role, cema: msrp.cema && weOffered }) };
}

/** RFC 6714 4: with CEMA on both sides what middleboxes wrote into c= and m= is connected to, relays aside. */
function agreed(
  peer: MsrpMedia,
  how: { readonly role: 'active' | 'passive'; readonly cema: boolean },
): Agreement['msrp'] {
  const connectTo = how.cema && peer.path.length === 1 ? peer.address : null;
  return {
    role: how.role,
    remotePath: peer.path,
    connectTo,
    fingerprints: peer.fingerprints,
    acceptsWrapped: receivable(peer),
    privateMessages: takesPrivate(peer),
  };
}

/** The first line that can be used, and what it says. */
function chosenMsrp<Usable>(
  session: SessionDescription,
  usableOf: (media: MediaDescription, index: number) => Usable | null,
): { chosen: number; usable: Usable | null } {
  for (const [chosen, media] of session.media.entries()) {
    const usable = usableOf(media, chosen);
    if (usable !== null) return { chosen, usable };
  }
  return { chosen: -1, usable: null };
}

/** With `ours`: our path for the way that the line asks for. */
function usableOffer(
  media: MediaDescription,
  offer: SessionDescription,
  local: LocalMedia,
): (MsrpMedia & { readonly ours: readonly MsrpUri[] }) | null {
  const msrp = usableMsrp(media, offer);
  const way = msrp === null ? null : wayOf(msrp);
  const ours = way === null ? null : ourPath(local, way);
  if (msrp === null || ours === null) return null;
  // RFC 6714 4.3: a middlebox that knows no CEMA has changed it. Clients that put something else there are more.
  if (!local.lenient && !msrp.cema && !isConsistent(msrp)) return null;
  return { ...msrp, ours };
}

/** RFC 3264 6: an answer keeps the protocol of the line; RFC 7977: nobody connects to a WebSocket client. */
function usableAnswer(
  media: MediaDescription,
  answer: SessionDescription,
  offered: MediaDescription | undefined,
): MsrpMedia | null {
  // RFC 3264 6: nor can it take what was not offered: there is no path of ours in it.
  if (offered === undefined || offered.port === 0 || isFileLine(offered)) return null;
  if (media.protocol.toUpperCase() !== offered.protocol.toUpperCase()) return null;
  const msrp = usableMsrp(media, answer);
  const isWebSocket = offered.attributes.some(({ name, value }) => name === 'path' && value?.endsWith(';ws') === true);
  return msrp?.transport === (isWebSocket ? 'ws' : 'tcp') ? msrp : null;
}

/** RFC 7701 5.2: a chat room needs message/cpim among the types the peer accepts. */
function usableMsrp(media: MediaDescription, session: SessionDescription): MsrpMedia | null {
  const msrp = isFileLine(media) ? null : msrpMediaOf(media, session);
  const takesCpim = msrp?.acceptTypes.some((type) => type === chatType || type === 'message/*' || type === '*');
  return takesCpim === true ? msrp : null;
}

/** RFC 4975 8.1: whether m= and c= name what the path does, or the address is unknown. */
function isConsistent({ path, address }: MsrpMedia): boolean {
  const [first] = path.map(parseMsrpUri);
  if (first === undefined || address === null) return true;
  const plain = (host: string): string => {
    const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
    return canonicalIp(bare) ?? bare;
  };
  return first.port === address.port && plain(first.host) === plain(address.host);
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

const tlsProtocol = 'TCP/TLS/MSRP';

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
export function describe(local: LocalMedia, wanted: readonly MediaDescription[], last: Described | null): Described {
  const lines = withFingerprint(wanted, local);
  if (last === null) return { lines, version: 0, sdp: written(local, lines, 0) };
  const unchanged = written(local, lines, last.version);
  if (unchanged === last.sdp) return { ...last, lines };
  return { lines, version: last.version + 1, sdp: written(local, lines, last.version + 1) };
}

function written(local: LocalMedia, lines: readonly MediaDescription[], version: number): string {
  const step = version === 0 ? local.originId : String(BigInt(local.originId) + BigInt(version));
  const { host } = local.msrp;
  const origin = { username: 'focus', sessionId: local.originId, version: step, address: host };
  return writeSdp({ origin, connection: host, media: lines, attributes: [] });
}

/** RFC 3264 6.1: the answer's direction mirrors the offer's. */
function mirrored(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
