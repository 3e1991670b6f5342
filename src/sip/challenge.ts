/** Digest challenges (RFC 3261 22, RFC 8760). */
import { createHmac } from 'node:crypto';
import type { Instant } from '../core/rows.ts';

export type ChallengeRules = { readonly realm: string; readonly nonceSecret: string };

/**
 * Values of the WWW-Authenticate headers, one per algorithm. The nonce tells when it was made and is signed, so that it
 * can be judged later without being kept.
 */
export function challenges(rules: ChallengeRules, now: Instant): readonly string[] {
  const nonce = signedNonce(rules.nonceSecret, now);
  const realm = rules.realm.replace(/["\\]/g, '');
  // RFC 8760 2.4: one header per algorithm, the preferred one on top.
  return ['SHA-256', 'MD5'].map(
    (algorithm) => `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`,
  );
}

function signedNonce(secret: string, now: Instant): string {
  const made = now.toString(36);
  const signature = createHmac('sha256', secret).update(made).digest('base64url').slice(0, 32);
  return `${made}.${signature}`;
}
