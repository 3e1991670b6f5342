import { expect, test } from 'vitest';
import { bound } from '../src/listening.ts';
import { StartRefused } from '../src/store/errors.ts';

const at = { host: '127.0.0.1', port: 5060, tlsPort: 5061, wsPort: null, wssPort: 5063 };

/** What a start ends with when the system refuses so. */
function sentence(failure: object): Promise<unknown> {
  const refused = () => Promise.reject(Object.assign(new Error('listen failed'), failure));
  return bound('SIP', at, refused).catch((error: unknown) => error);
}

test.each([
  [{ code: 'EADDRINUSE' }, 'SIP cannot listen on 127.0.0.1 port 5060: the port is already in use; see SIP_PORT.'],
  [
    { code: 'EADDRINUSE', address: '::1', port: 5063 },
    'SIP cannot listen on ::1 port 5063: the port is already in use; see SIP_WSS_PORT.',
  ],
  [
    { code: 'EACCES', port: 5061 },
    'SIP cannot listen on 127.0.0.1 port 5061: no leave for that port; see SIP_TLS_PORT.',
  ],
  [
    { code: 'EADDRNOTAVAIL', address: '192.0.2.1' },
    'SIP cannot listen on 192.0.2.1 port 5060: it is no address of this machine; see SIP_HOST.',
  ],
  [{ code: 'ENOTFOUND' }, 'SIP cannot listen on 127.0.0.1 port 5060: there is no such host; see SIP_HOST.'],
  [{ code: 'EAFNOSUPPORT' }, 'SIP cannot listen on 127.0.0.1 port 5060: EAFNOSUPPORT; see SIP_HOST.'],
  [{}, 'listen failed'],
])('%j is told in one sentence, with the variable that says where', async (failure, expected) => {
  expect(await sentence(failure)).toEqual(new StartRefused(expected));
});

test('what has been opened is given', async () => {
  expect(await bound('SIP', at, () => Promise.resolve(5060))).toBe(5060);
});
