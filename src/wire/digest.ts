/** Credentials of the Digest scheme as a request carries them (RFC 7616 3.4, RFC 3261 25.1). */
import { RemoteError } from './remote-error.ts';

/** One Authorization header of the Digest scheme, unquoted; what is absent is null. */
export type DigestCredentials = {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** As it came; null means MD5. */
  readonly algorithm: string | null;
  readonly cnonce: string | null;
  readonly qop: string | null;
  /** Eight hexadecimal digits. */
  readonly nc: string | null;
};

const scheme = /^\s*([^\s,="]+)(?:\s+|$)/;
// RFC 3261 25.1: EQUAL and COMMA may have blanks around them, and so may a comma that separates nothing (RFC 9110 5.6.1).
const parameter = /([A-Za-z0-9\-.!%*_+`'~]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,[\s,]*|$)/sy;

/**
 * Reads the value of an Authorization header, already unfolded. Quotes are optional around every value, and escapes
 * within them are undone; parameters with other names are passed over. Null for any other scheme. RemoteError 400 when a
 * parameter is missing, stands twice or cannot be read.
 */
export function parseDigestCredentials(value: string): DigestCredentials | null {
  const given = digestParameters(value);
  if (given === null) return null;
  const nc = given.get('nc') ?? null;
  if (nc !== null && !/^[0-9a-f]{8}$/i.test(nc)) throw new RemoteError(400, 'nc of the credentials is malformed');
  return {
    username: needed(given, 'username'),
    realm: needed(given, 'realm'),
    nonce: needed(given, 'nonce'),
    uri: needed(given, 'uri'),
    response: needed(given, 'response'),
    algorithm: given.get('algorithm') ?? null,
    cnonce: given.get('cnonce') ?? null,
    qop: given.get('qop') ?? null,
    nc,
  };
}

/** The parameters of the Digest scheme, names in lower case, values unquoted; null for any other. Throws RemoteError 400. */
export function digestParameters(value: string): ReadonlyMap<string, string> | null {
  const begin = scheme.exec(value);
  if (begin?.[1]?.toLowerCase() !== 'digest') return null;
  const given = new Map<string, string>();
  let at = begin[0].length;
  while (at < value.length) {
    parameter.lastIndex = at;
    const [whole, name, quoted, plain] = parameter.exec(value) ?? [];
    if (whole === undefined || name === undefined) throw new RemoteError(400, 'The credentials are malformed', at);
    const key = name.toLowerCase();
    // Of two nobody could say which one was meant.
    if (given.has(key)) throw new RemoteError(400, `The credentials have two ${key}`, at);
    given.set(key, plain ?? (quoted ?? '').replace(/\\(.)/gs, '$1'));
    at += whole.length;
  }
  return given;
}

function needed(given: ReadonlyMap<string, string>, name: string): string {
  const value = given.get(name);
  if (value === undefined) throw new RemoteError(400, `The credentials lack ${name}`);
  return value;
}
