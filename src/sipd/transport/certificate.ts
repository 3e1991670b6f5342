/** The server's certificate, read again when its files have changed. */

import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { limits } from '../limits.ts';

/** Paths of PEM files: the certificate with its chain, and its key. */
export type CertificateFiles = { readonly certFile: string; readonly keyFile: string };

export type CertificatePair = { readonly cert: Buffer; readonly key: Buffer };

/**
 * Looks at the files before a handshake, at most once a second: no watcher misses a renamed folder, and none is left open.
 * What cannot be used is told to `onTrouble`, and the pair that was there stays.
 */
export class Certificate {
  readonly #files: CertificateFiles;
  readonly #onTrouble: (sentence: string) => void;
  #pair: CertificatePair;
  #stamp: string;
  /** What was told last, and holds still. */
  #trouble: string | null = null;
  #lookedAt = performance.now();

  private constructor(files: CertificateFiles, onTrouble: (sentence: string) => void) {
    this.#files = files;
    this.#onTrouble = onTrouble;
    this.#stamp = stampOf(files);
    this.#pair = readPair(files);
  }

  /** Throws one sentence when the files cannot be used. */
  static read(files: CertificateFiles, onTrouble: (sentence: string) => void): Certificate {
    try {
      return new Certificate(files, onTrouble);
    } catch (error) {
      throw new Error(troubleOf(files, error));
    }
  }

  /** The pair for a handshake that begins now; the same object as long as the files are the same. */
  current(): CertificatePair {
    const now = performance.now();
    if (now - this.#lookedAt < limits.certificateLookMs) return this.#pair;
    this.#lookedAt = now;
    try {
      const stamp = stampOf(this.#files);
      if (stamp === this.#stamp) return this.#pair;
      // Noted before it is read: what is broken is read again when it changes again.
      this.#stamp = stamp;
      this.#pair = readPair(this.#files);
      this.#trouble = null;
    } catch (error) {
      this.#tell(troubleOf(this.#files, error));
    }
    return this.#pair;
  }

  // Once, since files that are missing are missed at every look.
  #tell(trouble: string): void {
    if (trouble !== this.#trouble) this.#onTrouble(trouble);
    this.#trouble = trouble;
  }
}

/** Reads one PEM file of authorities. Throws one sentence. */
export function readAuthorities(file: string): Buffer {
  try {
    const authorities = readFileSync(file);
    createSecureContext({ ca: authorities });
    return authorities;
  } catch (error) {
    throw new Error(`The authorities in ${file} cannot be used: ${reasonOf(error)}.`);
  }
}

/** Throws when a file cannot be read, is no PEM, or the key is not the certificate's. */
function readPair({ certFile, keyFile }: CertificateFiles): CertificatePair {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  createSecureContext(pair);
  return pair;
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
  return `The certificate ${certFile} with the key ${keyFile} cannot be used: ${reasonOf(error)}.`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
