/** Digest challenges (RFC 3261 22, RFC 7616 3.3, RFC 8760). */
import { createHmac } from 'node:crypto';
import { makeNonce } from '../core/identity/nonces.ts';
import type { Instant } from '../core/rows.ts';
import type { DigestAlgorithm } from '../core/settings.ts';

export type ChallengeRules = {
  readonly realm: string;
  readonly nonceSecret: string;
  /** The preferred one first. */
  readonly algorithms: readonly DigestAlgorithm[];
};

export type Challenged = {
  readonly now: Instant;
  /** Where the request came from. */
  readonly sourceAddress: string;
  /** The credentials were not looked at, for the age of their nonce: the same user may try again. */
  readonly stale: boolean;
};

/** Values of the WWW-Authenticate headers, one per algorithm; one nonce is good for all. */
export function challenges(rules: ChallengeRules, asked: Challenged): readonly string[] {
  const nonce = makeNonce(rules.nonceSecret, asked);
  const realm = rules.realm.replace(/["\\]/g, '');
  const opaque = createHmac('sha256', rules.nonceSecret).update('opaque').digest('base64url').slice(0, 16);
  const stale = asked.stale ? ', stale=true' : '';
  // RFC 8760 2.3: one header per algorithm, the preferred one on top.
  return rules.algorithms.map(
    (algorithm) =>
      `Digest realm="${realm}", nonce="${nonce}", opaque="${opaque}"${stale}, algorithm=${algorithm}, qop="auth"`,
  );
}
