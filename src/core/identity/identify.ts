import { readableSipUri, type SipUri, sameUri, unescapeUser, withoutHeaders } from '../../wire/sip-uri.ts';
import type { Refused } from '../conference/requirements.ts';
import type { Users } from '../definitions/users.ts';
import type { Caller, OptionsReceived, RequestInput, RequestRefused, SipRequestFacts } from '../input.ts';
import type { Instant, UserRow } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { isProvenBy, type Proof, proofIn, secretFor, usernamesOf } from './digest.ts';
import { Nonces } from './nonces.ts';
import { Throttle } from './throttle.ts';

/** What must not be done for a stranger. */
export type Asked = Exclude<RequestInput, RequestRefused | OptionsReceived>;

/** Hashed in place of the secret of a user who has none, so that the answer takes as long. */
const noSecret = '0'.repeat(64);

/**
 * Who asks, where From alone is not believed: whom a trusted peer asserts is known already, anybody else shows by digest
 * to be a user (RFC 3261 22.1, RFC 7616), before anything else is done for the request.
 */
export class Identification {
  readonly #settings: Settings;
  readonly #users: Users;
  readonly #nonces: Nonces;
  readonly #throttle = new Throttle();

  constructor(parts: { settings: Settings; users: Users }) {
    this.#settings = parts.settings;
    this.#users = parts.users;
    this.#nonces = new Nonces(parts.settings.nonceSecret);
  }

  /**
   * `asked` with its caller, or why it is refused. Within a dialog it may come back without: whose the dialog is decides
   * then whether that will do.
   */
  identify<Input extends Asked>(asked: Input, now: Instant): Input | Refused {
    if (asked.caller !== null || this.#settings.auth === 'open') return asked;
    const caller = this.proven(asked, now);
    if (caller === null)
      return isWithinDialog(asked) ? asked : { code: 'unauthenticated', detail: 'Credentials are needed' };
    return 'code' in caller ? caller : { ...asked, caller };
  }

  /** Who the credentials of a request prove to have sent it, or why that is refused; null: they are none that could. */
  proven(asked: SipRequestFacts, now: Instant): Caller | Refused | null {
    const proof = this.#proofOf(asked);
    if (proof === null) return null;
    const user = this.#prover(proof, asked, now);
    return 'code' in user ? user : callerAs(user, asked.claimed);
  }

  /** RFC 3261 22.4: credentials of other realms are for others. */
  #proofOf(asked: SipRequestFacts): Proof | null {
    const { realm, digestAlgorithms } = this.#settings;
    const ours = asked.credentials.filter((one) => one.realm === realm);
    return ours.map((one) => proofIn(one, digestAlgorithms)).find((proof) => proof !== null) ?? null;
  }

  /** The user whose secret made the response. Cheap questions come first, and none that a guesser could learn from. */
  #prover(proof: Proof, asked: SipRequestFacts, now: Instant): UserRow | Refused {
    const asker = this.#nonces.askerOf(proof.nonce, now);
    // RFC 7616 3.3: stale tells the client that a new nonce is all that is wanted.
    if (asker === null || this.#nonces.isReplayed(proof))
      return { code: 'unauthenticated', detail: 'The nonce is no longer valid', stale: true };
    const who = { asker, username: proof.username };
    if (this.#throttle.isClosed(who, now)) return { code: 'too-many-attempts', detail: 'Try again in a minute' };
    // RFC 7616 3.4.6: 400, for what was proven is another request.
    if (!this.#isAimedAt(asked, proof.uri)) return { code: 'bad-request', detail: 'The credentials name another URI' };
    const user = this.#userCalled(proof, asked.claimed);
    const secret = user === undefined ? undefined : secretFor(user, proof);
    const isProven = isProvenBy(secret ?? noSecret, proof, asked.method);
    if (!isProven || user === undefined || secret === undefined) {
      this.#throttle.failed(who, now);
      return { code: 'unauthenticated', detail: 'The credentials are wrong' };
    }
    this.#throttle.succeeded(who);
    this.#nonces.use(proof, now);
    return user;
  }

  /** A username says less than an AOR: From may say the rest, else it is one of our first domain. */
  #userCalled(proof: Proof, claimed: Caller): UserRow | undefined {
    const { username } = proof;
    const { short, long } = usernamesOf(claimed.aor);
    const claimant = username === short || username === long ? this.#users.byUri(claimed.aor) : undefined;
    if (claimant !== undefined) return claimant;
    const at = username.lastIndexOf('@');
    const [name, host] = at === -1 ? [username, proof.realm] : [username.slice(0, at), username.slice(at + 1)];
    return this.#users.byUri(`sip:${escapedUser(name)}@${host.toLowerCase()}`);
  }

  /** Whether `uri` names what is asked for. A proxy may have written it anew, as it may a Request-URI (RFC 3261 16.5). */
  #isAimedAt({ requestUri, target }: SipRequestFacts, uri: string): boolean {
    if (uri === requestUri) return true;
    const named = readableSipUri(uri);
    return named !== null && (sameUri(withoutHeaders(named), target) || this.#isSameOfOurs(named, target));
  }

  /** All our hosts have the same users. */
  #isSameOfOurs(a: SipUri, b: SipUri): boolean {
    const { ownHosts } = this.#settings;
    if (a.user === null || b.user === null || !ownHosts.has(a.host) || !ownHosts.has(b.host)) return false;
    return unescapeUser(a.user) === unescapeUser(b.user);
  }
}

/** Requests within a dialog of ours: its unguessable tags say something of their sender already. */
function isWithinDialog(asked: Asked): boolean {
  switch (asked.type) {
    case 'reinvite-received':
    case 'subscription-refreshed':
    case 'referral-refreshed':
      return true;
    case 'refer-received':
      return asked.endpointId !== null || asked.targetDialog !== null;
    default:
      return false;
  }
}

/** Our rule: a user calls as itself, or (RFC 3323 4.1.1.3) under no name at all. */
function callerAs(user: UserRow, claimed: Caller): Caller | Refused {
  if (claimed.aor !== user.uri && !claimed.aor.endsWith('@anonymous.invalid'))
    return { code: 'not-allowed', detail: 'From names somebody else' };
  return { ...claimed, aor: user.uri };
}

/** RFC 3261 25.1: the characters of a user part that need no escape, besides those that never do. */
function escapedUser(name: string): string {
  const whole = name.replace(/\p{Surrogate}/gu, '\uFFFD');
  return encodeURIComponent(whole).replace(/%(?:26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent);
}
