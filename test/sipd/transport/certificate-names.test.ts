import type { PeerCertificate } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { certificateProblem } from '../../../src/sipd/transport/certificate-names.ts';

/** A certificate as far as its names go. */
function named(subjectaltname?: string): PeerCertificate {
  return {
    subject: { CN: 'example.com' },
    ...(subjectaltname === undefined ? {} : { subjectaltname }),
  } as PeerCertificate;
}

describe('whose certificate it is (RFC 5922 7)', () => {
  test.each([
    ['example.com', 'URI:sip:example.com'],
    ['EXAMPLE.com.', 'URI:SIP:Example.COM'],
    ['example.com', 'DNS:example.com'],
    ['example.com', 'DNS:other.org, DNS:example.com, IP Address:10.0.0.1'],
    ['example.com', 'URI:https://example.org/, DNS:example.com'],
    ['example.com', 'URI:sip:alice@example.org, DNS:example.com'],
    ['10.0.0.1', 'DNS:example.com, IP Address:10.0.0.1'],
  ])('%s by %s', (wanted, names) => {
    expect(certificateProblem(wanted, named(names))).toBeUndefined();
  });

  test.each([
    ['a wildcard', 'a.example.com', 'DNS:*.example.com'],
    ['a DNS name beside a sip URI', 'host.example.com', 'DNS:host.example.com, URI:sip:example.com'],
    ['a sip URI with a user', 'example.com', 'URI:sip:alice@example.com'],
    ['a sips URI', 'example.com', 'URI:sips:example.com'],
    ['an address', '10.0.0.2', 'IP Address:10.0.0.1'],
    ['an address as a DNS name', '10.0.0.1', 'DNS:10.0.0.1'],
    ['names in quotes', 'example.com', 'DNS:"a, DNS:example.com"'],
    ['the common name alone', 'example.com', undefined],
    ['nothing', 'example.com', ''],
  ])('not by %s', (_, wanted, names) => {
    expect(certificateProblem(wanted, named(names))).toBeInstanceOf(Error);
  });
});
