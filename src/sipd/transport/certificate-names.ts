/** Whether a certificate is that of the server we wanted to reach (RFC 5922 7). */

import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** What is wrong with the certificate of a server that should be `wanted`, a domain or an IP address; undefined: nothing. */
export function certificateProblem(wanted: string, certificate: PeerCertificate): Error | undefined {
  if (isIP(wanted) !== 0) return checkServerIdentity(wanted, certificate);
  const domains = sipDomains(certificate.subjectaltname ?? '');
  // RFC 5922 7.2: compared as DNS names are, whole; wildcards must not match.
  if (domains.includes(plainName(wanted))) return undefined;
  return new Error(`the certificate is for ${domains.join(', ') || 'no domain'}, not for ${wanted}`);
}

/** The domains a certificate speaks for; `names` is its subjectAltName in OpenSSL's words. */
function sipDomains(names: string): readonly string[] {
  // Values with commas or the like come in quotes, and no name of a server needs them.
  if (names.includes('"')) return [];
  const values = names.split(', ');
  const uris = values.filter((value) => value.toLowerCase().startsWith('uri:sip:')).map((value) => value.slice(8));
  // RFC 5922 7.1: a sip URI with a user part is nobody's domain; DNS names count only where there is no sip URI.
  const domains = uris.filter((uri) => !uri.includes('@')).map(plainName);
  if (domains.length > 0) return domains;
  return values.filter((value) => value.startsWith('DNS:')).map((value) => plainName(value.slice(4)));
}

function plainName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
