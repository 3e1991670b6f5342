import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { BadConfig } from '../src/environment.ts';
import { variables } from '../src/variables.ts';

test('nothing set: everything on loopback, open, private', () => {
  expect(readConfig({})).toMatchObject({
    http: { host: '127.0.0.1', port: 8080 },
    sip: { hosts: ['127.0.0.1'], port: 5060, tlsPort: null, wsPort: null, wssPort: null, certificate: null },
    msrp: { host: '127.0.0.1', port: 2855, publicHost: '127.0.0.1' },
    sipdThread: 'main',
    sipdMode: 'free',
    sipdSwitches: [],
    domains: ['127.0.0.1'],
    auth: 'open',
    trustedPeers: ['127.0.0.0/8', '::1'],
    privateTargets: 'allow',
    drachtio: null,
    lenient: true,
  });
});

test('an address that others reach closes what loopback leaves open', () => {
  const config = readConfig({ SIP_HOST: '192.0.2.7' });
  expect(config).toMatchObject({ auth: 'digest', trustedPeers: [], privateTargets: 'refuse', domains: ['192.0.2.7'] });
});

test('digest offers both algorithms, or those that are named, in their order', () => {
  expect(readConfig({}).digestAlgorithms).toEqual(['SHA-256', 'MD5']);
  expect(readConfig({ SIP_DIGEST: 'md5, SHA-256, MD5' }).digestAlgorithms).toEqual(['MD5', 'SHA-256']);
  expect(readConfig({ SIP_DIGEST: 'sha-256' }).digestAlgorithms).toEqual(['SHA-256']);
});

test('several SIP addresses: all are our domains, and loopback is what all are on', () => {
  expect(readConfig({ SIP_HOST: '127.0.0.1, ::1' })).toMatchObject({
    sip: { hosts: ['127.0.0.1', '::1'], publicHost: null },
    domains: ['127.0.0.1', '[::1]'],
    auth: 'open',
  });
  expect(readConfig({ SIP_HOST: '0:0:0:0:0:0:0:1' })).toMatchObject({ domains: ['[::1]'], auth: 'open' });
  expect(readConfig({ SIP_HOST: '127.0.0.1,192.0.2.7' })).toMatchObject({ auth: 'digest', trustedPeers: [] });
});

test('TLS and WebSocket are off until they get ports, and take their certificate from files', () => {
  const file = fileURLToPath(import.meta.url);
  expect(readConfig({ SIP_WS_PORT: '8088', SIP_TLS_PORT: 'off' }).sip).toMatchObject({
    tlsPort: null,
    wsPort: 8088,
    certificate: null,
  });
  expect(readConfig({ SIP_TLS_PORT: '0', SIP_WSS_PORT: '8443', TLS_CERT: file, TLS_KEY: file }).sip).toMatchObject({
    tlsPort: 0,
    wssPort: 8443,
    certificate: { certFile: file, keyFile: file },
  });
});

test('MSRP: over TCP alone, large messages, and sessions known by their ids, unless told otherwise', () => {
  expect(readConfig({}).msrp).toEqual({
    host: '127.0.0.1',
    port: 2855,
    tlsPort: null,
    wsPort: null,
    wssPort: null,
    certificate: null,
    publicHost: '127.0.0.1',
    maxSize: 10_485_760,
    sessionMatch: 'id',
    relay: null,
  });
  const file = fileURLToPath(import.meta.url);
  const config = readConfig({
    MSRP_HOST: '::',
    MSRP_PUBLIC_HOST: '2001:db8::7',
    MSRP_TLS_PORT: '0',
    MSRP_WS_PORT: '8088',
    MSRP_WSS_PORT: '8443',
    TLS_CERT: file,
    TLS_KEY: file,
    MSRP_MAX_SIZE: '2048',
    MSRP_SESSION_MATCH: 'URI',
    MSRP_RELAY: 'msrps://[2001:db8::9]:2855;tcp',
    MSRP_RELAY_USER: 'focus',
    MSRP_RELAY_PASSWORD: 'secret',
  });
  expect(config.msrp).toMatchObject({
    publicHost: '2001:db8::7',
    tlsPort: 0,
    wsPort: 8088,
    wssPort: 8443,
    certificate: { certFile: file, keyFile: file },
    maxSize: 2_048,
    sessionMatch: 'uri',
    relay: { uri: 'msrps://[2001:db8::9]:2855;tcp', user: 'focus', password: 'secret' },
  });
});

test('the embedded server: its thread, its mode and the single switches', () => {
  const config = readConfig({ SIPD_THREAD: 'worker', SIPD_MODE: 'strict', SIPD_SWITCHES: '-drops-refer, any-cseq,' });
  expect(config).toMatchObject({
    sipdThread: 'worker',
    sipdMode: 'strict',
    sipdSwitches: ['-drops-refer', 'any-cseq'],
  });
});

test('a drachtio server is never on loopback for this purpose, and needs its domains named', () => {
  expect(() => readConfig({ DRACHTIO_HOST: '127.0.0.1' })).toThrow('SIP_DOMAINS must be set when DRACHTIO_HOST is.');
  const config = readConfig({
    DRACHTIO_HOST: 'sip.example.com',
    SIP_DOMAINS: 'Conf.Example.com, [2001:db8::1]'.replace(/[[\]]/g, ''),
  });
  expect(config).toMatchObject({
    auth: 'digest',
    drachtio: { host: 'sip.example.com', port: 9022, secret: 'cymru' },
    domains: ['conf.example.com', '[2001:db8::1]'],
  });
});

test('a drachtio server puts its own address in place of localhost: no new URI may have that', () => {
  for (const domain of ['localhost', 'localhost.example.com', 'conf.localhost']) {
    const env = { DRACHTIO_HOST: '127.0.0.1', SIP_DOMAINS: `${domain},conf.example.com` };
    expect(() => readConfig(env)).toThrow(
      `SIP_DOMAINS must begin with a domain without "localhost" when DRACHTIO_HOST is set, not "${domain}".`,
    );
  }
  const second = { DRACHTIO_HOST: '127.0.0.1', SIP_DOMAINS: 'conf.example.com,localhost' };
  expect(readConfig(second).domains).toEqual(['conf.example.com', 'localhost']);
});

test('whom lists may invite, how many conferences may be made, when they end, how long a session lives', () => {
  expect(readConfig({})).toMatchObject({
    consent: 'off',
    creationsPerMinute: 60,
    endPolicy: 'creator-leaves',
    idleSeconds: 300,
    sessionExpires: 1_800,
    minSe: 90,
  });
  const config = readConfig({
    CONSENT: 'ON',
    CREATIONS_PER_MINUTE: '0',
    END_POLICY: 'last-leaves',
    IDLE_SECONDS: '1',
    SESSION_EXPIRES: '120',
    MIN_SE: '120',
  });
  expect(config).toMatchObject({
    consent: 'on',
    creationsPerMinute: 0,
    endPolicy: 'last-leaves',
    idleSeconds: 1,
    sessionExpires: 120,
    minSe: 120,
  });
});

test('what holds of messages where neither a group nor an operator says anything else', () => {
  expect(readConfig({}).chat).toEqual({
    nicknames: true,
    privateMessages: true,
    history: 'off',
    historyDays: 30,
    greeting: false,
    announcements: false,
    transport: 'any',
  });
  const env = { NICKNAMES: 'off', PRIVATE_MESSAGES: 'Off', HISTORY: 'content', HISTORY_DAYS: '365' };
  const file = fileURLToPath(import.meta.url);
  const tls = { MSRP_TRANSPORT: 'tls', MSRP_TLS_PORT: '0', TLS_CERT: file, TLS_KEY: file };
  expect(readConfig({ ...env, ...tls, GREETING: 'on', ANNOUNCEMENTS: 'on' }).chat).toEqual({
    nicknames: false,
    privateMessages: false,
    history: 'content',
    historyDays: 365,
    greeting: true,
    announcements: true,
    transport: 'tls',
  });
});

test('a least interval above the usual one raises it', () => {
  expect(readConfig({ MIN_SE: '3600' })).toMatchObject({ sessionExpires: 3_600, minSe: 3_600 });
});

test.each([
  [{ HISTORY_DAYS: '366' }, 'HISTORY_DAYS must be a whole number from 1 to 365, not "366".'],
  [{ GREETING: 'true' }, 'GREETING must be one of on, off, not "true".'],
  [{ HTTP_PORT: '70000' }, 'HTTP_PORT must be a port from 0 to 65535, not "70000".'],
  [{ SIP_PORT: 'x' }, 'SIP_PORT must be a port from 0 to 65535, not "x".'],
  [{ SIP_HOST: '127.0.0.1, a b' }, 'SIP_HOST must be IP addresses, comma separated; "a b" is none.'],
  [{ SIP_HOST: 'localhost' }, 'SIP_HOST must be IP addresses, comma separated; "localhost" is none.'],
  [{ SIP_HOST: '127.0.0.1, ::' }, 'SIP_PUBLIC_HOST must be set when the server listens on ::.'],
  [{ SIP_HOST: '0::0' }, 'SIP_PUBLIC_HOST must be set when the server listens on ::.'],
  [{ SIP_HOST: '127.0.0.1,::1,127.0.0.1' }, 'SIP_HOST has 127.0.0.1 twice.'],
  [{ SIP_PUBLIC_HOST: '0::0' }, 'SIP_PUBLIC_HOST must be an address that others can reach, not "0::0".'],
  [{ SIP_WS_PORT: '5060' }, 'SIP_WS_PORT must differ from SIP_PORT, and both are 5060.'],
  [{ SIP_WS_PORT: 'on' }, 'SIP_WS_PORT must be a port from 0 to 65535, not "on".'],
  [{ SIP_TLS_PORT: '5061' }, 'TLS_CERT must be set when SIP_TLS_PORT is.'],
  [{ SIP_WSS_PORT: '5061', TLS_CERT: 'package.json' }, 'TLS_KEY must be set when SIP_WSS_PORT is.'],
  [{ SIP_TLS_PORT: '5061', TLS_CERT: 'no-such-file' }, 'TLS_CERT must be a file that can be read, not "no-such-file".'],
  [{ SIP_TLS_PORT: '5061', TLS_CERT: '.' }, 'TLS_CERT must be a file that can be read, not ".".'],
  [{ SIPD_THREAD: 'own' }, 'SIPD_THREAD must be one of main, worker, not "own".'],
  [{ API_KEY: 'short' }, 'API_KEY must have at least 24 characters.'],
  [{ SIP_HOST: '0.0.0.0' }, 'SIP_PUBLIC_HOST must be set when the server listens on 0.0.0.0.'],
  [{ SIP_HOST: '0.0.0.0', SIP_PUBLIC_HOST: '192.0.2.1' }, 'SIP_DOMAINS must be set when SIP_HOST is 0.0.0.0.'],
  [{ MSRP_WS_PORT: '2855' }, 'MSRP_WS_PORT must differ from MSRP_PORT, and both are 2855.'],
  [{ MSRP_TLS_PORT: '2856' }, 'TLS_CERT must be set when MSRP_TLS_PORT is.'],
  [{ MSRP_WSS_PORT: '2856', TLS_CERT: 'package.json' }, 'TLS_KEY must be set when MSRP_WSS_PORT is.'],
  [{ MSRP_TRANSPORT: 'tls' }, 'MSRP_TLS_PORT must be set when MSRP_TRANSPORT is tls.'],
  [
    {
      ...{ MSRP_TRANSPORT: 'tls', MSRP_TLS_PORT: '2856', TLS_CERT: 'package.json', TLS_KEY: 'package.json' },
      ...{ MSRP_RELAY: 'msrp://r:2855;tcp', MSRP_RELAY_USER: 'u', MSRP_RELAY_PASSWORD: 'p' },
    },
    'MSRP_RELAY must be of msrps when MSRP_TRANSPORT is tls.',
  ],
  [{ MSRP_MAX_SIZE: '2047' }, 'MSRP_MAX_SIZE must be a whole number from 2048 to 1073741824, not "2047".'],
  [{ MSRP_MAX_SIZE: '1073741825' }, 'MSRP_MAX_SIZE must be a whole number from 2048 to 1073741824, not "1073741825".'],
  [{ MSRP_SESSION_MATCH: 'host' }, 'MSRP_SESSION_MATCH must be one of uri, id, not "host".'],
  [
    { MSRP_RELAY: 'msrps://relay.example.com;tcp' },
    'MSRP_RELAY must be an MSRP URI such as msrps://relay.example.com:2855;tcp, not "msrps://relay.example.com;tcp".',
  ],
  [{ MSRP_RELAY: 'msrp://r:2855;tcp' }, 'MSRP_RELAY_USER must be set when MSRP_RELAY is.'],
  [{ MSRP_RELAY: 'msrp://r:2855;tcp', MSRP_RELAY_USER: 'u' }, 'MSRP_RELAY_PASSWORD must be set when MSRP_RELAY is.'],
  [{ MSRP_HOST: '::' }, 'MSRP_PUBLIC_HOST must be set when the server listens on ::.'],
  [{ SIP_PUBLIC_HOST: '0.0.0.0' }, 'SIP_PUBLIC_HOST must be an address that others can reach, not "0.0.0.0".'],
  [{ SIP_DOMAINS: 'a b' }, 'SIP_DOMAINS must be domain names or addresses, comma separated; "a b" is neither.'],
  [{ SIP_DIGEST: 'MD5, SHA-1' }, 'SIP_DIGEST must be SHA-256, MD5 or both, comma separated; "SHA-1" is neither.'],
  [{ SIP_AUTH: 'none' }, 'SIP_AUTH must be one of open, digest, not "none".'],
  [
    { SIP_TRUSTED_PEERS: '10.0.0.0/33' },
    'SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "10.0.0.0/33" is neither.',
  ],
  [
    { SIP_TRUSTED_PEERS: '10.0.0.1/' },
    'SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "10.0.0.1/" is neither.',
  ],
  [
    { SIP_TRUSTED_PEERS: '10.0.0.0/1e1' },
    'SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "10.0.0.0/1e1" is neither.',
  ],
  [
    { SIP_TRUSTED_PEERS: '10.0.0.0/8/x' },
    'SIP_TRUSTED_PEERS must be addresses or networks, comma separated; "10.0.0.0/8/x" is neither.',
  ],
  [{ MSRP_PUBLIC_HOST: 'a b;c' }, 'MSRP_PUBLIC_HOST must be an address that others can reach, not "a b;c".'],
  [{ SIP_CORE: 'core.example.com' }, 'SIP_CORE must be a SIP URI, not "core.example.com".'],
  [{ FACTORY_USER: 'a b' }, 'FACTORY_USER must be a plain SIP user part, not "a b".'],
  [{ NODE_ID: 'a/b' }, 'NODE_ID must be 1 to 64 letters, digits, dots, dashes or underscores.'],
  [{ LENIENT: 'yes' }, 'LENIENT must be one of true, false, not "yes".'],
  [{ CONSENT: 'yes' }, 'CONSENT must be one of on, off, not "yes".'],
  [{ END_POLICY: 'never' }, 'END_POLICY must be one of creator-leaves, last-leaves, idle, not "never".'],
  [{ CREATIONS_PER_MINUTE: '-1' }, 'CREATIONS_PER_MINUTE must be a whole number from 0 to 1000000, not "-1".'],
  [
    { CREATIONS_PER_MINUTE: '1000001' },
    'CREATIONS_PER_MINUTE must be a whole number from 0 to 1000000, not "1000001".',
  ],
  [{ IDLE_SECONDS: '0' }, 'IDLE_SECONDS must be a whole number from 1 to 1000000, not "0".'],
  [{ IDLE_SECONDS: '1.5' }, 'IDLE_SECONDS must be a whole number from 1 to 1000000, not "1.5".'],
  [{ MIN_SE: '89' }, 'MIN_SE must be a whole number from 90 to 1000000, not "89".'],
  [{ SESSION_EXPIRES: '89' }, 'SESSION_EXPIRES must be a whole number from 90 to 1000000, not "89".'],
  [{ SESSION_EXPIRES: '100', MIN_SE: '101' }, 'SESSION_EXPIRES must not be less than MIN_SE, which is 101.'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must begin with postgres:// or postgresql://.'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud".'],
])('a bad value is told in one sentence that names the variable: %j', (env, sentence) => {
  expect(() => readConfig(env)).toThrow(new BadConfig(sentence));
});

test('an empty variable is one that is not set', () => {
  expect(readConfig({ SIP_PORT: ' ', DATABASE_URL: '' })).toMatchObject({ sip: { port: 5060 }, databaseUrl: null });
});

test('every variable is described', () => {
  expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
  for (const { meaning } of variables) expect(meaning.length).toBeGreaterThan(5);
});
