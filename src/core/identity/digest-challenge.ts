/** Digest as a client needs it (RFC 7616 3.3, 3.4): what a challenge asks for, and the credentials that answer it. */
import { createHash } from 'node:crypto';
import { digestParameters } from '../../wire/digest.ts';

/** A challenge that we can answer. */
export type DigestChallenge = {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly algorithm: 'MD5' | 'SHA-256';
  /** Whether the algorithm was named. */
  readonly namesAlgorithm: boolean;
  /** False: a server of RFC 2069, which counts nothing. */
  readonly hasQop: boolean;
};

/** Who answers, and what for. */
export type DigestAnswer = {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
};

/** Reads a WWW-Authenticate value; null when it asks for what we cannot give. Throws RemoteError 400 when it is malformed. */
export function parseDigestChallenge(value: string): DigestChallenge | null {
  const given = digestParameters(value);
  const [realm, nonce] = [given?.get('realm'), given?.get('nonce')];
  if (given === null || realm === undefined || nonce === undefined) return null;
  const named = given.get('algorithm');
  const algorithm = (['MD5', 'SHA-256'] as const).find((one) => one === (named ?? 'MD5').toUpperCase());
  const qop = given.get('qop');
  const isAuth = qop?.split(',').some((each) => each.trim().toLowerCase() === 'auth') ?? true;
  if (algorithm === undefined || !isAuth) return null;
  const opaque = given.get('opaque') ?? null;
  return { realm, nonce, opaque, algorithm, namesAlgorithm: named !== undefined, hasQop: qop !== undefined };
}

/** The value of Authorization for the first request with this nonce. */
export function answerDigest(challenge: DigestChallenge, answer: DigestAnswer): string {
  const { realm, nonce, opaque, algorithm, namesAlgorithm, hasQop } = challenge;
  const { user, password, method, uri, cnonce } = answer;
  const digest = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const secret = digest(`${user}:${realm}:${password}`);
  const ofRequest = digest(`${method}:${uri}`);
  // RFC 7616 3.4.1, and RFC 2069 2.1.2 where no qop is offered.
  const counted = hasQop ? `${nonce}:${firstCount}:${cnonce}:auth` : nonce;
  const params = [
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response=${quoted(digest(`${secret}:${counted}:${ofRequest}`))}`,
    ...(namesAlgorithm ? [`algorithm=${algorithm}`] : []),
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hasQop ? ['qop=auth', `nc=${firstCount}`, `cnonce=${quoted(cnonce)}`] : []),
  ];
  return `Digest ${params.join(', ')}`;
}

const firstCount = '00000001';

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
