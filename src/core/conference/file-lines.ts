/** Lines of an offer by which a peer pushes files (RFC 5547): each is a session of its own beside that of messages. */

import { type FileSelector, parseFileSelector } from '../../wire/file-selector.ts';
import { writeMsrpUri } from '../../wire/msrp-uri.ts';
import { RemoteError } from '../../wire/remote-error.ts';
import { type MediaDescription, type MsrpMedia, msrpMediaOf, type SessionDescription } from '../../wire/sdp.ts';
import type { MsrpOpen } from '../effect.ts';
import { limits } from '../limits.ts';
import type { MediaRow } from '../rows.ts';
import { answeredRole, attributeOf, isFileLine, type LocalMedia, ourPath, wayOf } from './local-media.ts';

/** A file on its way to the conference. */
export type FileSession = {
  /** RFC 5547 6: names the transfer, so that a later offer with the same does not begin it again. */
  readonly transferId: string;
  readonly open: Pick<
    MsrpOpen,
    'sessionId' | 'localPath' | 'relays' | 'remotePath' | 'connectTo' | 'fingerprints' | 'role'
  > & {
    readonly file: NonNullable<MsrpOpen['file']>;
  };
};

/** The lines that answer those of files, by their places in the offer, and the sessions that run after it. */
export type AnsweredFiles = {
  readonly lines: ReadonlyMap<number, MediaDescription>;
  readonly sessions: readonly FileSession[];
};

/** Accepts what is pushed and not too large; other lines of files have no answer here, i.e. are refused. */
export function answerFiles(
  offer: SessionDescription,
  local: LocalMedia,
  { known, newSessionId }: { readonly known: readonly FileSession[]; readonly newSessionId: () => string },
): AnsweredFiles {
  const lines = new Map<number, MediaDescription>();
  const sessions: FileSession[] = [];
  for (const [index, media] of offer.media.entries()) {
    const pushed = isFileLine(media) ? pushedFile(media, offer, local) : null;
    if (pushed === null || sessions.length >= limits.filesPerEndpointMax) continue;
    const { transferId, msrp } = pushed;
    // RFC 5547 8.4: the same transfer on the same path goes on as it is.
    const before = known.find((each) => each.transferId === transferId && samePath(each.open.remotePath, msrp.path));
    const session = before ?? begun(pushed, { ...local, sessionId: newSessionId() });
    if (session === null) continue;
    sessions.push(session);
    lines.set(index, fileLine(media, session, local));
  }
  return { lines, sessions };
}

type Pushed = { readonly transferId: string; readonly selector: FileSelector; readonly msrp: MsrpMedia };

/** RFC 5547 8.2.1: a push is `sendonly`, says which file, and has an id. What we would have to ask for is not ours. */
function pushedFile(media: MediaDescription, offer: SessionDescription, local: LocalMedia): Pushed | null {
  const msrp = msrpMediaOf(media, offer);
  const transferId = attributeOf(media, 'file-transfer-id');
  const selector = readSelector(attributeOf(media, 'file-selector'));
  if (msrp === null || transferId === null || selector === null || msrp.direction !== 'sendonly') return null;
  // Whoever goes on with a file that broke off is not understood by those who have nothing of it.
  if (!/^1-/.test(attributeOf(media, 'file-range') ?? '1-*')) return null;
  return (selector.size ?? 0) > local.msrp.maxSize ? null : { transferId, selector, msrp };
}

function begun({ transferId, selector, msrp }: Pushed, local: LocalMedia): FileSession | null {
  const way = wayOf(msrp);
  const ours = way === null ? null : ourPath(local, way);
  if (ours === null) return null;
  const uris = ours.map(writeMsrpUri);
  const [localPath = ''] = uris.slice(-1);
  const { sessionId } = local;
  // RFC 6714 4: as for messages, what middleboxes wrote counts where no relay stands.
  const connectTo = msrp.cema && msrp.path.length === 1 && uris.length === 1 ? msrp.address : null;
  const { path: remotePath, fingerprints } = msrp;
  const role = answeredRole(msrp);
  const { name, type } = selector;
  const open = { sessionId, localPath, relays: uris.slice(0, -1), remotePath, connectTo, fingerprints, role } as const;
  return { transferId, open: { ...open, file: { name, type } } };
}

/** RFC 5547 8.3.1: what is accepted is named again, and received only. */
function fileLine(offered: MediaDescription, { open }: FileSession, local: LocalMedia): MediaDescription {
  const path = [...open.relays, open.localPath];
  const [, host = '', port = ''] = /^msrps?:\/\/(.*):(\d+)\//.exec(path[0] ?? '') ?? [];
  const kept = offered.attributes.filter(({ name }) => name === 'file-selector' || name === 'file-transfer-id');
  const attributes = [
    { name: 'accept-types', value: '*' },
    { name: 'max-size', value: String(local.msrp.maxSize) },
    { name: 'setup', value: open.role },
    { name: 'path', value: path.join(' ') },
    ...kept,
    { name: 'recvonly', value: null },
  ];
  if (open.connectTo !== null) attributes.push({ name: 'msrp-cema', value: null });
  const connection = path.length === 1 ? null : host;
  return { media: 'message', port: Number(port), protocol: offered.protocol, formats: ['*'], connection, attributes };
}

/**
 * The media of an endpoint, those of its files among them. RFC 4575 5.8: each stream between us is one; `ours` are our lines
 * as they were described last, `peers` those of the peer's answer to them, if they were offered.
 */
export function withFiles(
  media: readonly MediaRow[],
  ours: readonly MediaDescription[],
  peers: readonly MediaDescription[] | null,
): readonly MediaRow[] {
  const files = ours.flatMap((line, index): MediaRow[] => {
    const runs = isFileLine(line) && line.port !== 0 && peers?.[index]?.port !== 0;
    return runs ? [{ id: String(index + 1), type: 'message', status: 'sendonly' }] : [];
  });
  return files.length === 0 ? media : [...media, ...files].toSorted((a, b) => Number(a.id) - Number(b.id));
}

function readSelector(text: string | null): FileSelector | null {
  if (text === null) return null;
  try {
    return parseFileSelector(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.join(' ') === b.join(' ');
}
