/** The client's half of Digest (RFC 7616 3.4), written from the text and apart from the service's own. */
import { createHash } from 'node:crypto';
import { header, headerValues, type SipRequest, type SipResponse } from '../../src/wire/sip-message.ts';
import { cseqOf, type Headers } from './sip-dialog.ts';

/** What a WWW-Authenticate header asks for. */
export type Challenge = {
  readonly realm: string;
  readonly nonce: string;
  /** As it stands there: `MD5`, `SHA-256`. */
  readonly algorithm: string;
  readonly opaque: string | null;
  readonly stale: boolean;
};

export type Secret = { readonly username: string; readonly password: string };

export type Proven = {
  readonly method: string;
  readonly uri: string;
  /** The how manieth request with this nonce it is; default 1. */
  readonly count?: number;
  readonly cnonce?: string;
};

/** Reads a challenge of the Digest scheme. */
export function readChallenge(header: string): Challenge {
  const params = new Map(
    [...header.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(([, name = '', quoted, plain]) => [
      name,
      quoted ?? plain ?? '',
    ]),
  );
  return {
    realm: params.get('realm') ?? '',
    nonce: params.get('nonce') ?? '',
    algorithm: params.get('algorithm') ?? 'MD5',
    opaque: params.get('opaque') ?? null,
    stale: params.get('stale') === 'true',
  };
}

/** The Authorization header with which `secret` answers `challenge`. */
export function authorization(challenge: Challenge, { username, password }: Secret, request: Proven): string {
  const { realm, nonce, algorithm, opaque } = challenge;
  const { method, uri, count = 1, cnonce = '0a4f113b' } = request;
  const nc = count.toString(16).padStart(8, '0');
  const digest = (text: string): string =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const ofUser = digest(`${username}:${realm}:${password}`);
  const response = digest(`${ofUser}:${nonce}:${nc}:${cnonce}:auth:${digest(`${method}:${uri}`)}`);
  const quoted = { username, realm, nonce, uri, response, cnonce, ...(opaque === null ? {} : { opaque }) };
  const params = Object.entries(quoted).map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
  return `Digest ${[...params, `algorithm=${algorithm}`, 'qop=auth', `nc=${nc}`].join(', ')}`;
}

/**
 * The headers with which a request is sent again after a 401 (RFC 3261 22.2): credentials for the challenge on top, the
 * dialog as it was, CSeq one higher.
 */
export function answering(refusal: SipResponse, request: SipRequest, secret: Secret): Headers {
  const [challenge = ''] = headerValues(refusal, 'WWW-Authenticate');
  const { method, uri } = request;
  return {
    'From': header(request, 'From') ?? '',
    'Call-ID': header(request, 'Call-ID') ?? '',
    'CSeq': `${cseqOf(request) + 1} ${method}`,
    'Authorization': authorization(readChallenge(challenge), secret, { method, uri }),
  };
}
