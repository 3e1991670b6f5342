/** Digest as a server computes it (RFC 7616 3.4): what is kept in place of a password, and what a response must be. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { DigestCredentials } from '../../wire/digest.ts';
import { unescapeUser } from '../../wire/sip-uri.ts';
import { limits } from '../limits.ts';
import type { DigestHashes, DigestSecrets } from '../rows.ts';
import type { DigestAlgorithm } from '../settings.ts';

type Algorithm = keyof DigestHashes;

const hashNames: Readonly<Record<DigestAlgorithm, Algorithm>> = { 'SHA-256': 'sha256', 'MD5': 'md5' };

/** Credentials that can prove something: whole, and with an algorithm and a qop that we offer. */
export type Proof = {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  readonly cnonce: string;
  /** As it came: it is hashed so. */
  readonly qop: string;
  /** As it came, and what it counts. */
  readonly nc: string;
  readonly count: number;
};

/** What `credentials` can prove; null when they use what was not offered. Algorithms with `-sess` never are. */
export function proofIn(credentials: DigestCredentials, offered: readonly DigestAlgorithm[]): Proof | null {
  const { cnonce, qop, nc } = credentials;
  // RFC 7616 3.4: without an algorithm it is MD5.
  const name = (credentials.algorithm ?? 'MD5').toUpperCase();
  const algorithm = offered.find((one) => one === name);
  // RFC 8760 2.6: qop is no longer optional. Without it neither nc nor cnonce would be hashed, and all could be replayed.
  if (algorithm === undefined || cnonce === null || nc === null || qop?.toLowerCase() !== 'auth') return null;
  if (credentials.username.length > limits.usernameCharactersMax) return null;
  return { ...credentials, algorithm: hashNames[algorithm], cnonce, qop, nc, count: Number.parseInt(nc, 16) };
}

/** Whether the response was made by somebody who knows `secret`, H(username:realm:password). RFC 7616 3.4.1, 3.4.3. */
export function isProvenBy(secret: string, proof: Proof, method: string): boolean {
  const { algorithm, nonce, nc, cnonce, qop } = proof;
  const ofRequest = hash(algorithm, `${method}:${proof.uri}`);
  const expected = hash(algorithm, `${secret}:${nonce}:${nc}:${cnonce}:${qop}:${ofRequest}`);
  return sameText(expected, proof.response.toLowerCase());
}

/** The names under which a user may authenticate: the user part of its AOR, and all of the AOR but the scheme. */
export function usernamesOf(aor: string): { readonly short: string; readonly long: string } {
  const long = unescapeUser(aor.slice(aor.indexOf(':') + 1));
  const at = long.lastIndexOf('@');
  return { short: at === -1 ? long : long.slice(0, at), long };
}

/** What is kept of a password: enough to judge responses, of no use in another realm. `aor`: canonical. */
export function digestSecrets(aor: string, realm: string, password: string): DigestSecrets {
  const { short, long } = usernamesOf(aor);
  const hashesFor = (username: string): DigestHashes => ({
    md5: hash('md5', `${username}:${realm}:${password}`),
    sha256: hash('sha256', `${username}:${realm}:${password}`),
  });
  return { realm, ...hashesFor(short), long: hashesFor(long) };
}

/** The secret of a user who calls itself `username`; undefined when there is none for this name, realm and algorithm. */
export function secretFor(user: { uri: string; secrets: DigestSecrets | null }, proof: Proof): string | undefined {
  const { secrets } = user;
  if (secrets === null || secrets.realm !== proof.realm) return undefined;
  const { short, long } = usernamesOf(user.uri);
  if (proof.username === short) return secrets[proof.algorithm];
  return proof.username === long ? secrets.long?.[proof.algorithm] : undefined;
}

/** Compares in a time that tells nothing of where two texts differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function hash(algorithm: Algorithm, text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}
