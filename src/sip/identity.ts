/** Who sends a request, as far as that is believed (RFC 3323, RFC 3325, RFC 5502), and what it shows to be believed. */
import type { Caller } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import { type DigestCredentials, parseDigestCredentials } from '../wire/digest.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { parseNameAddr, splitList } from '../wire/sip-headers.ts';
import { header, headerValues, type SipMessage } from '../wire/sip-message.ts';
import { aorOf, parseSipUri, type SipUri } from '../wire/sip-uri.ts';

export type IdentityRules = {
  /** `open`: From is believed; `digest`: only trusted peers are, and what the core finds proven. */
  readonly auth: 'open' | 'digest';
  readonly isTrustedPeer: (address: string) => boolean;
  readonly lenient: boolean;
};

type Named = { readonly uri: SipUri; readonly displayName: string | null };

/**
 * The caller, or null when nobody trusted says who it is. `sourceAddress` is where the packet came from. Throws
 * RemoteError when the header that would be believed cannot be read: an identity is never guessed.
 */
export function callerOf(message: SipMessage, sourceAddress: string, rules: IdentityRules): Caller | null {
  const asked = privacyAsked(message);
  // RFC 3325 5: P-Asserted-Identity counts only from a trusted peer, from anyone else it is as if it were not there.
  if (rules.isTrustedPeer(sourceAddress)) {
    const asserted = assertedIdentity(message, rules.lenient) ?? servedUser(message, rules.lenient);
    if (asserted !== null) return callerNamed(asserted, message, asked);
  }
  return rules.auth === 'digest' ? null : claimedCaller(message, rules.lenient);
}

/** Who From says it is. RemoteError for what cannot be read. */
export function claimedCaller(message: SipMessage, lenient: boolean): Caller {
  return callerNamed(named(header(message, 'From') ?? '', lenient), message, privacyAsked(message));
}

/** The credentials of the Digest scheme. What cannot be read, or is of another scheme, shows nothing. */
export function credentialsIn(message: SipMessage): readonly DigestCredentials[] {
  return headerValues(message, 'Authorization').flatMap((value) => readable(value) ?? []);
}

function readable(value: string): DigestCredentials | null {
  try {
    return parseDigestCredentials(value);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

/** RFC 3323 4.2, RFC 3325 9.3: the levels that hide who the user is. Heeded from everyone: the wish does no harm. */
export function privacyAsked(message: SipMessage): boolean {
  return headerValues(message, 'Privacy')
    .flatMap((value) => value.split(/[;,]/))
    .some((level) => ['id', 'user', 'header'].includes(level.trim().toLowerCase()));
}

function callerNamed({ uri, displayName }: Named, message: SipMessage, asked: boolean): Caller {
  // RFC 3323 4.1.1.3: a host under `.invalid` names nobody, so that all who hide behind it must be told apart.
  if (/(?:^|\.)invalid\.?$/.test(uri.host))
    return { aor: bounded(anonymousAor(message)), displayName: null, private: true };
  return { aor: bounded(aorOf(uri)), displayName, private: asked };
}

/** It enters rosters, and tables that strangers fill. */
function bounded(aor: string): string {
  if (aor.length > limits.uriCharactersMax)
    throw new RemoteError(400, `The identity is longer than ${limits.uriCharactersMax} characters`);
  return aor;
}

/** An identity that lasts as long as the caller's dialog: by its From tag, or by its Call-ID where it has no tag. */
function anonymousAor(message: SipMessage): string {
  const { params } = parseNameAddr(header(message, 'From') ?? '', { lenient: true });
  const mark = params.find((param) => param.name === 'tag')?.value ?? header(message, 'Call-ID') ?? '';
  return `sip:anonymous-${encodeURIComponent(mark.trim())}@anonymous.invalid`;
}

function assertedIdentity(message: SipMessage, lenient: boolean): Named | null {
  const { sip, tel } = assertedIdentities(message, lenient);
  return sip[0] ?? tel[0] ?? null;
}

type Asserted = { readonly sip: readonly Named[]; readonly tel: readonly Named[] };

const nobody: Asserted = { sip: [], tel: [] };

/** RFC 3325 9.1: at most one sip or sips URI, which names the user best, and one tel URI. RemoteError for more. */
function assertedIdentities(message: SipMessage, lenient: boolean): Asserted {
  const values = headerValues(message, 'P-Asserted-Identity');
  if (values.length === 0) return nobody;
  const identities = values.flatMap(splitList).map((value) => named(value, lenient));
  const isTel = ({ uri }: Named): boolean => uri.scheme === 'tel';
  const [sip, tel] = [identities.filter((identity) => !isTel(identity)), identities.filter(isTel)];
  for (const ofKind of [sip, tel]) {
    if (new Set(ofKind.map(({ uri }) => aorOf(uri))).size > 1)
      throw new RemoteError(400, 'P-Asserted-Identity names several users');
  }
  return { sip, tel };
}

/**
 * The further AORs of whoever sent a message that came from a trusted peer. RFC 3325 9.1: one tel URI, beside the sip or
 * sips URI or alone. What cannot be believed as an identity, or would not fit into a roster, is none.
 */
export function associatedAorsOf(message: SipMessage, lenient: boolean): readonly string[] {
  const { tel } = assertedIdentities(message, lenient);
  const aors = tel.slice(0, 1).map(({ uri }) => aorOf(uri));
  return aors.filter(({ length }) => length <= limits.uriCharactersMax);
}

/** RFC 5502 6: the user on whose behalf a proxy hands over a request; with `sescase=orig` it is who sent it. */
function servedUser(message: SipMessage, lenient: boolean): Named | null {
  const [value, ...others] = headerValues(message, 'P-Served-User');
  if (value === undefined) return null;
  if (others.length > 0) throw new RemoteError(400, 'P-Served-User stands twice');
  const { params } = parseNameAddr(value, { lenient });
  const originates = params.some(({ name, value: word }) => name === 'sescase' && word?.toLowerCase() === 'orig');
  return originates ? named(value, lenient) : null;
}

function named(value: string, lenient: boolean): Named {
  const { displayName, uri } = parseNameAddr(value, { lenient });
  return { uri: parseSipUri(uri), displayName: displayName === '' ? null : displayName };
}
