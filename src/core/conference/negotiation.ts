import type { MediaDescription, MsrpMedia, SessionDescription } from '../../wire/sdp.ts';
import { msrpMediaOf, writeSdp } from '../../wire/sdp.ts';
import { limits } from '../limits.ts';
import type { MediaRow } from '../rows.ts';

/** Offer and answer of the focus (RFC 3264) for one MSRP session (RFC 4975 8, 6135 4.2, 7701 5.2). */

/** What the focus itself says in every description of one endpoint; the o= line never changes meaning. */
export type LocalMedia = {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly originId: string;
  readonly audio: 'off' | 'inactive';
};

/** What was agreed with one endpoint. */
export type Agreement = {
  readonly media: readonly MediaRow[];
  /** null: no message session, only an inactive audio line. */
  readonly msrp: {
    readonly role: 'active' | 'passive';
    readonly remotePath: readonly string[];
    readonly acceptsWrapped: readonly string[];
  } | null;
};

export type Answer = Agreement & { readonly sdp: string };

type Direction = MsrpMedia['direction'];

const chatType = 'message/cpim';

/** Our answer to `offer`, or null when nothing in it can be used (488). */
export function answerTo(offer: SessionDescription, local: LocalMedia): Answer | null {
  const chosen = offer.media.findIndex((media) => usableMsrp(media, offer) !== null);
  const rows: MediaRow[] = [];
  let msrp: Agreement['msrp'] = null;
  const lines = offer.media.map((media, index): MediaDescription => {
    const usable = index === chosen ? usableMsrp(media, offer) : null;
    if (usable !== null) {
      // RFC 6135 4.2: whoever offers actpass or active connects; the focus waits where it may, for clients behind NAT.
      const role = usable.setup === 'passive' ? 'active' : 'passive';
      const direction = mirrored(usable.direction);
      msrp = { role, remotePath: usable.path, acceptsWrapped: wrappedTypes(usable) };
      rows.push({ id: String(index + 1), type: 'message', status: usable.direction });
      return messageLine(local, { setup: role, direction });
    }
    if (media.media === 'audio' && media.port !== 0 && local.audio === 'inactive') {
      rows.push({ id: String(index + 1), type: 'audio', status: 'inactive' });
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
  return { sdp: describe(local, lines), media: rows, msrp };
}

/** Our own offer: one message line, and an inactive audio line for softphones when asked for. */
export function offerOf(local: LocalMedia, withAudio: boolean): string {
  // RFC 6135 4.2: a reachable offerer says actpass.
  const lines = [messageLine(local, { setup: 'actpass', direction: 'sendrecv' })];
  if (withAudio)
    lines.push(
      audioLine({ media: 'audio', port: 9, protocol: 'RTP/AVP', formats: ['0'], connection: null, attributes: [] }),
    );
  return describe(local, lines);
}

/** What the peer's answer to our offer means, or null when it took nothing of it. */
export function agreementFrom(answer: SessionDescription): Agreement | null {
  const rows: MediaRow[] = [];
  let msrp: Agreement['msrp'] = null;
  for (const [index, media] of answer.media.entries()) {
    const usable = index === 0 ? usableMsrp(media, answer) : null;
    if (usable !== null) {
      // RFC 6135 4.2 and RFC 4975 5.4: without a=setup in the answer the offerer, here the focus, connects.
      const role = usable.setup === 'active' ? 'passive' : 'active';
      msrp = { role, remotePath: usable.path, acceptsWrapped: wrappedTypes(usable) };
      rows.push({ id: String(index + 1), type: 'message', status: usable.direction });
    } else if (media.media === 'audio' && media.port !== 0) {
      rows.push({ id: String(index + 1), type: 'audio', status: 'inactive' });
    }
  }
  return rows.length === 0 ? null : { media: rows, msrp };
}

/** RFC 7701 5.2: a chat room needs message/cpim among the types the peer accepts. */
function usableMsrp(media: MediaDescription, session: SessionDescription): MsrpMedia | null {
  const msrp = msrpMediaOf(media, session);
  if (msrp === null || msrp.tls) return null;
  const takesCpim = msrp.acceptTypes.some((type) => type === chatType || type === 'message/*' || type === '*');
  return takesCpim ? msrp : null;
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
    // RFC 7701 8: bare chatroom, since neither nicknames nor private messages are offered.
    { name: 'chatroom', value: null },
    { name: 'path', value: local.path },
  ];
  if (how.direction !== 'sendrecv') attributes.push({ name: how.direction, value: null });
  return { media: 'message', port: local.port, protocol: 'TCP/MSRP', formats: ['*'], connection: null, attributes };
}

/** Accepted without sound: the discard port, never used. */
function audioLine(offered: MediaDescription): MediaDescription {
  return {
    media: 'audio',
    port: 9,
    protocol: offered.protocol,
    formats: offered.formats.slice(0, 1),
    connection: null,
    attributes: [{ name: 'inactive', value: null }],
  };
}

function describe(local: LocalMedia, media: readonly MediaDescription[]): string {
  return writeSdp({
    origin: { username: 'focus', sessionId: local.originId, version: local.originId, address: local.host },
    connection: local.host,
    media,
    attributes: [],
  });
}

/** RFC 3264 6.1: the answer's direction mirrors the offer's. */
function mirrored(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
