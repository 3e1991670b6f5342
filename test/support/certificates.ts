/** The certificates of `certificates/`, as paths and as PEM. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type TestCertificate = 'server' | 'second' | 'domain';

export const authorityFile = pathOf('authority.pem');
export const authority = readFileSync(authorityFile);

/** Paths of a certificate and its key. */
export function certificateFiles(name: TestCertificate): { readonly certFile: string; readonly keyFile: string } {
  return { certFile: pathOf(`${name}.pem`), keyFile: pathOf(`${name}-key.pem`) };
}

/** PEM of a certificate and its key. */
export function certificatePair(name: TestCertificate): { readonly cert: Buffer; readonly key: Buffer } {
  const { certFile, keyFile } = certificateFiles(name);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

/** For localhost and its addresses. */
export const serverPair = certificatePair('server');

function pathOf(file: string): string {
  return fileURLToPath(new URL(`certificates/${file}`, import.meta.url));
}
