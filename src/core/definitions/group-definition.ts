import { RemoteError } from '../../wire/remote-error.ts';
import { aorOf, parseSipUri, unescapeUser } from '../../wire/sip-uri.ts';
import type { ConferencePolicy } from '../rows.ts';
import type { Settings } from '../settings.ts';

/** What the user parts of conference URIs begin with; no group may be called so. */
const conferencePrefix = 'conf-';

export type GroupName = { readonly ok: true; readonly uri: string } | { readonly ok: false; readonly detail: string };

type Names = Pick<Settings, 'factoryUser' | 'ownHosts' | 'conferenceAuthority'>;

/**
 * The URI of a group from what an operator calls it: a user part, which is put before the domain of new conference URIs,
 * or a whole SIP URI at a domain of ours. Otherwise why it cannot be one, in words that follow its name.
 */
export function groupUri(text: string, { factoryUser, ownHosts, conferenceAuthority }: Names): GroupName {
  const uri = readUri(/[:@]/.test(text) ? text : `sip:${text}@${conferenceAuthority}`);
  if (uri?.scheme !== 'sip' || uri.user === null) return no('must be a user part or a SIP URI with one');
  if (uri.password !== null || uri.params.length > 0 || uri.headers.length > 0)
    return no('may have neither password nor parameters nor headers');
  if (!ownHosts.has(uri.host)) return no(`is not at a domain of ours: ${[...ownHosts].join(', ')}`);
  const user = unescapeUser(uri.user);
  if (user === uri.user && user.includes('%')) return no('has escapes that are not UTF-8');
  if (user === factoryUser) return no('is the factory’s');
  if (user.startsWith(conferencePrefix)) return no(`begins as those of conferences do, with ${conferencePrefix}`);
  return { ok: true, uri: aorOf({ ...uri, user: writeUser(user) }) };
}

/**
 * The one form of a user part: a group is found by what stands behind the escapes, hence its name is taken in whichever
 * form. RFC 3261 25.1: of what is escaped elsewhere, these may stand for themselves.
 */
function writeUser(user: string): string {
  return encodeURIComponent(user).replace(/%(?:26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent);
}

/** What holds of a group that nothing else is said of: closed to all but its members, led by its chairs. */
export function groupPolicy({ idleSeconds, chat }: Pick<Settings, 'idleSeconds' | 'chat'>): ConferencePolicy {
  return { end: 'last-leaves', idleSeconds, join: 'members', subscribe: 'members', invite: 'chairs', ...chat };
}

function no(detail: string): GroupName {
  return { ok: false, detail };
}

function readUri(text: string) {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}
