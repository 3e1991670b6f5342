/** Our certificate for TLS, read again when its files have changed, and what is shown of certificates in SDP (RFC 8122). */

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Fingerprint } from '../wire/sdp.ts';

/** Paths of PEM files: the certificate with its chain, and its key. */
export type CertificateFiles = { readonly certFile: string; readonly keyFile: string };

export type CertificatePair = { readonly cert: Buffer; readonly key: Buffer; readonly fingerprint: string };

type CertificateParts = {
  readonly files: CertificateFiles;
  readonly clock: Clock;
  /** Told once what is wrong with files that have changed. */
  readonly onTrouble: (sentence: string) => void;
};

/**
 * Looks at the files before a handshake or a description, at most once a second: no watcher misses a renamed folder. What
 * cannot be used is told, and the pair that was there stays.
 */
export class Certificate {
  readonly #parts: CertificateParts;
  #pair: CertificatePair;
  #stamp: string;
  /** What was told last, and holds still. */
  #trouble: string | null = null;
  #lookedAt: number;

  /** Throws one sentence when the files cannot be used. */
  constructor(parts: CertificateParts) {
    this.#parts = parts;
    this.#lookedAt = parts.clock.now();
    try {
      this.#stamp = stampOf(parts.files);
      this.#pair = readPair(parts.files);
    } catch (error) {
      throw new Error(troubleOf(parts.files, error));
    }
  }

  /** The pair as it is now; the same object as long as the files are the same. */
  current(): CertificatePair {
    const { files, clock } = this.#parts;
    const now = clock.now();
    if (now - this.#lookedAt < limits.certificateLookMs) return this.#pair;
    this.#lookedAt = now;
    try {
      const stamp = stampOf(files);
      if (stamp === this.#stamp) return this.#pair;
      // Noted before it is read: what is broken is read again when it changes again.
      this.#stamp = stamp;
      this.#pair = readPair(files);
      this.#trouble = null;
    } catch (error) {
      this.#tell(troubleOf(files, error));
    }
    return this.#pair;
  }

  // Once, since files that are missing are missed at every look.
  #tell(trouble: string): void {
    if (trouble !== this.#trouble) this.#parts.onTrouble(trouble);
    this.#trouble = trouble;
  }
}

/** RFC 8122 5: hash functions, the preferred one first, those that RFC 8122 forbids not among them. */
const hashes = ['sha-512', 'sha-384', 'sha-256', 'sha-224', 'sha-1'];

/** Whether a certificate, in DER, is one that the peer's description has told of. */
export function hasFingerprint(certificate: Buffer | null, told: readonly Fingerprint[]): boolean {
  // RFC 8122 5.1: of several hash functions the preferred one counts, and no other.
  const preferred = hashes.find((name) => told.some(({ hash }) => hash === name));
  if (certificate === null || preferred === undefined) return false;
  const digest = digestOf(certificate, preferred.replace('-', ''));
  return told.some(({ hash, value }) => hash === preferred && value === digest);
}

function digestOf(certificate: Buffer, algorithm: string): string {
  const digest = createHash(algorithm).update(certificate).digest('hex').toUpperCase();
  return digest.match(/../g)?.join(':') ?? '';
}

/** Throws when a file cannot be read, is no PEM, or the key is not the certificate's. */
function readPair({ certFile, keyFile }: CertificateFiles): CertificatePair {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  createSecureContext(pair);
  return { ...pair, fingerprint: `sha-256 ${new X509Certificate(pair.cert).fingerprint256}` };
}

/** Changes whenever one of the files does. */
function stampOf({ certFile, keyFile }: CertificateFiles): string {
  const stamps = [certFile, keyFile].map((file) => {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  });
  return stamps.join();
}

function troubleOf({ certFile, keyFile }: CertificateFiles, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The certificate ${certFile} with the key ${keyFile} cannot be used: ${reason}.`;
}
