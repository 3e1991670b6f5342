import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waysOf } from '../../../src/sipd/daemon-ways.ts';
import { BadVariable, readSettings, sipdVariables } from '../../../src/sipd/process/settings.ts';

const file = fileURLToPath(import.meta.url);

test('nothing set: on loopback, UDP and TCP, free, with the secret everybody knows', () => {
  expect(readSettings({})).toEqual({
    hosts: ['127.0.0.1'],
    port: 5060,
    publicHost: null,
    tlsPort: null,
    wsPort: null,
    wssPort: null,
    certificate: null,
    trustedPeers: ['127.0.0.0/8', '::1'],
    outboundProxy: null,
    handlers: [],
    mode: 'free',
    ways: waysOf('free'),
    cdrs: false,
    control: { host: '127.0.0.1', port: 9022, tlsPort: null, secret: 'cymru' },
    leastLevel: 'info',
  });
});

test('everything set', () => {
  const settings = readSettings({
    SIP_HOST: '0.0.0.0, ::',
    SIP_PORT: '5070',
    SIP_PUBLIC_HOST: 'sip.example.com',
    SIP_TLS_PORT: '5071',
    SIP_WS_PORT: '8080',
    SIP_WSS_PORT: 'off',
    TLS_CERT: file,
    TLS_KEY: file,
    SIP_TRUSTED_PEERS: '10.0.0.0/8, ::1',
    SIP_OUTBOUND_PROXY: 'sip:proxy.example.com;lr',
    SIPD_HANDLERS: 'invite=http://127.0.0.1/calls?a=b, *=post tls://apps.example.com:3000',
    SIPD_MODE: 'strict',
    SIPD_SWITCHES: '-drops-refer',
    SIPD_CDRS: 'on',
    DRACHTIO_HOST: '::1',
    DRACHTIO_PORT: '9000',
    DRACHTIO_TLS_PORT: '9001',
    DRACHTIO_SECRET: 'only us',
    LOG_LEVEL: 'silent',
  });
  expect(settings).toEqual({
    hosts: ['0.0.0.0', '::'],
    port: 5070,
    publicHost: 'sip.example.com',
    tlsPort: 5071,
    wsPort: 8080,
    wssPort: null,
    certificate: { certFile: file, keyFile: file },
    trustedPeers: ['10.0.0.0/8', '::1'],
    outboundProxy: 'sip:proxy.example.com;lr',
    handlers: [
      { method: 'invite', url: 'http://127.0.0.1/calls?a=b', verb: 'GET' },
      { method: '*', url: 'tls://apps.example.com:3000', verb: 'POST' },
    ],
    mode: 'strict',
    ways: new Set([...waysOf('strict')].filter((way) => way !== 'drops-refer')),
    cdrs: true,
    control: { host: '::1', port: 9000, tlsPort: 9001, secret: 'only us' },
    leastLevel: null,
  });
});

test('free ports may be asked for as often as one likes', () => {
  expect(readSettings({ SIP_PORT: '0', SIP_WS_PORT: '0', DRACHTIO_PORT: '0' })).toMatchObject({ port: 0, wsPort: 0 });
});

test('an IPv6 address is taken however it is written', () => {
  expect(readSettings({ SIP_HOST: '0:0:0:0:0:0:0:1' })).toMatchObject({
    hosts: ['::1'],
    trustedPeers: ['127.0.0.0/8', '::1'],
  });
});

test('on an address that others reach nobody is trusted unless named', () => {
  expect(readSettings({ SIP_HOST: '127.0.0.1,192.0.2.1' }).trustedPeers).toEqual([]);
});

test.each([
  [{ SIP_HOST: 'localhost' }, 'SIP_HOST must be IP addresses, comma separated; "localhost" is none.'],
  [{ SIP_HOST: '127.0.0.1,0.0.0.0' }, 'SIP_PUBLIC_HOST must be set when SIP_HOST is 0.0.0.0.'],
  [{ SIP_HOST: '0::0' }, 'SIP_PUBLIC_HOST must be set when SIP_HOST is ::.'],
  [{ SIP_HOST: '::1,127.0.0.1,0:0::1' }, 'SIP_HOST has ::1 twice.'],
  [{ SIP_PUBLIC_HOST: '0::' }, 'SIP_PUBLIC_HOST must be an address that others can reach, not "0::".'],
  [{ SIP_WS_PORT: '5060' }, 'SIP_WS_PORT must differ from SIP_PORT, and both are 5060.'],
  [
    { SIP_TLS_PORT: '443', SIP_WSS_PORT: '443', TLS_CERT: file, TLS_KEY: file },
    'SIP_WSS_PORT must differ from SIP_TLS_PORT, and both are 443.',
  ],
  [
    { DRACHTIO_TLS_PORT: '9022', TLS_CERT: file, TLS_KEY: file },
    'DRACHTIO_TLS_PORT must differ from DRACHTIO_PORT, and both are 9022.',
  ],
  [{ SIP_PUBLIC_HOST: '::' }, 'SIP_PUBLIC_HOST must be an address that others can reach, not "::".'],
  [{ SIP_PORT: '65536' }, 'SIP_PORT must be a port from 0 to 65535, not "65536".'],
  [{ DRACHTIO_PORT: '-1' }, 'DRACHTIO_PORT must be a port from 0 to 65535, not "-1".'],
  [{ DRACHTIO_HOST: 'a b' }, 'DRACHTIO_HOST must be an address, not "a b".'],
  [{ SIP_WSS_PORT: '0' }, 'TLS_CERT must be set when SIP_WSS_PORT is.'],
  [{ SIP_TLS_PORT: '0', TLS_CERT: file }, 'TLS_KEY must be set when SIP_TLS_PORT is.'],
  [{ DRACHTIO_TLS_PORT: '9023' }, 'TLS_CERT must be set when DRACHTIO_TLS_PORT is.'],
  [{ SIP_TLS_PORT: '0', TLS_CERT: 'nowhere' }, 'TLS_CERT must be a file that can be read, not "nowhere".'],
  [
    { SIP_TRUSTED_PEERS: '10.0.0.1/33' },
    'SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "10.0.0.1/33" is neither.',
  ],
  [{ SIP_OUTBOUND_PROXY: 'proxy' }, 'SIP_OUTBOUND_PROXY must be a SIP URI, not "proxy".'],
  [
    { SIPD_HANDLERS: 'http://127.0.0.1' },
    'SIPD_HANDLERS must be methods with http, https, tcp or tls URLs, comma separated; "http://127.0.0.1" is none.',
  ],
  [
    { SIPD_HANDLERS: 'invite=tcp://127.0.0.1' },
    'SIPD_HANDLERS must be methods with http, https, tcp or tls URLs, comma separated; "invite=tcp://127.0.0.1" is none.',
  ],
  [{ SIPD_HANDLERS: 'invite=http://a,INVITE=http://b' }, 'SIPD_HANDLERS has INVITE twice.'],
  [{ SIPD_MODE: 'loose' }, 'SIPD_MODE must be one of free, strict, not "loose".'],
  [{ SIPD_CDRS: 'yes' }, 'SIPD_CDRS must be one of off, on, not "yes".'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of debug, info, warn, error, silent, not "loud".'],
])('a bad value is told in one sentence that names the variable: %j', (env, sentence) => {
  expect(() => readSettings(env)).toThrow(new BadVariable(sentence));
});

test('a switch there is none of is told with those there are', () => {
  expect(() => readSettings({ SIPD_SWITCHES: 'drop' })).toThrow(BadVariable);
  expect(() => readSettings({ SIPD_SWITCHES: 'drop' })).toThrow(/^SIPD_SWITCHES must be .*; "drop" is none\.$/);
});

test('every variable is described once', () => {
  expect(new Set(sipdVariables.map(({ name }) => name)).size).toBe(sipdVariables.length);
});
