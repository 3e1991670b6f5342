/** compose.yaml, held against what the service reads and what the other two are told. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { variables } from '../src/variables.ts';
import { at, interpolate, readYaml, strings, type Yaml } from './support/compose-file.ts';

const source = readFileSync(new URL('../compose.yaml', import.meta.url), 'utf8');
const written = readYaml(source);

const environment = {
  PUBLIC_ADDRESS: '192.0.2.7',
  SIP_DOMAINS: 'conf.example.com',
  SIP_TRUSTED_PEERS: '192.0.2.1',
  DRACHTIO_SECRET: 'between-the-two',
  POSTGRES_PASSWORD: 'of-the-database',
};

const filledIn = interpolate(written, environment);

test('the service is told only variables it knows, and starts with them', () => {
  const told = strings(filledIn, 'services', 'isfocus', 'environment');
  const known: ReadonlySet<string> = new Set(variables.map(({ name }) => name));
  expect(Object.keys(told).filter((name) => !known.has(name))).toEqual([]);
  expect(readConfig(told)).toMatchObject({
    drachtio: { host: '127.0.0.1', port: 9022, secret: 'between-the-two' },
    domains: ['conf.example.com'],
    auth: 'digest',
    trustedPeers: ['192.0.2.1'],
    msrp: { host: '192.0.2.7', publicHost: '192.0.2.7' },
    databaseUrl: 'postgresql://isfocus:of-the-database@127.0.0.1:5432/isfocus',
    apiKey: null,
    sipCore: null,
  });
});

test.each(Object.keys(environment))('compose asks for %s when .env has none', (name) => {
  expect(() => interpolate(written, { ...environment, [name]: '' })).toThrow(`${name} is wanted in .env`);
});

test('no secret has a default, and none is written down', () => {
  const secrets = source.match(/\$\{\w*(?:SECRET|PASSWORD|KEY)\w*[^}]*\}/g) ?? [];
  expect(secrets.length).toBeGreaterThan(4);
  for (const secret of secrets) expect(secret).toMatch(/:\?is wanted in \.env\}$|:-\}$/);
  for (const line of source.split('\n').filter((text) => /^\s*\w*(SECRET|PASSWORD|KEY)\w*:/.test(text))) {
    expect(line).toMatch(/: \$\{/);
  }
});

test('the drachtio server listens where the service looks for it, with the same secret', () => {
  const { DRACHTIO_HOST, DRACHTIO_PORT, DRACHTIO_SECRET } = strings(filledIn, 'services', 'isfocus', 'environment');
  const drachtio = at(filledIn, 'services', 'drachtio');
  const [program, ...options] = items(drachtio, 'command');
  const option = (name: string): string | undefined => options[options.indexOf(`--${name}`) + 1];
  expect(program).toBe('drachtio');
  expect([option('address'), option('port')]).toEqual([DRACHTIO_HOST, DRACHTIO_PORT]);
  expect(strings(drachtio, 'environment')).toEqual({ DRACHTIO_SECRET });
  expect(option('contact')).toBe('sip:192.0.2.7:5060;transport=udp,tcp');
  expect(items(drachtio, 'healthcheck', 'test').at(-1)).toContain(`/${DRACHTIO_HOST}/${DRACHTIO_PORT}`);
});

test('the database is the one of the service’s URL, and only for this machine', () => {
  const url = new URL(String(at(filledIn, 'services', 'isfocus', 'environment', 'DATABASE_URL')));
  const postgres = at(filledIn, 'services', 'postgres');
  expect(strings(postgres, 'environment')).toEqual({
    POSTGRES_USER: url.username,
    POSTGRES_PASSWORD: url.password,
    POSTGRES_DB: url.pathname.slice(1),
  });
  expect(items(postgres, 'ports')).toEqual([`${url.hostname}:${url.port}:5432`]);
});

test('what lasts lies in volumes, and the service waits for the health of both', () => {
  const volumes = ['isfocus', 'postgres'].map((name) => items(at(filledIn, 'services', name), 'volumes'));
  expect(volumes).toEqual([['isfocus:/data'], ['postgres:/var/lib/postgresql']]);
  expect(Object.keys(at(filledIn, 'volumes') ?? {})).toEqual(['isfocus', 'postgres']);
  const waitsFor = at(filledIn, 'services', 'isfocus', 'depends_on');
  expect(waitsFor).toEqual({
    drachtio: { condition: 'service_healthy' },
    postgres: { condition: 'service_healthy' },
  });
  for (const name of Object.keys(waitsFor ?? {})) {
    expect(items(at(filledIn, 'services', name), 'healthcheck', 'test')[0]).toBe('CMD');
  }
  // The service's own is in its image.
  expect(readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')).toContain('\nHEALTHCHECK ');
});

function items(value: Yaml, ...path: readonly string[]): readonly string[] {
  const found = at(value, ...path);
  if (!Array.isArray(found)) throw new Error(`no list at ${path.join(' ')}`);
  return found.map(String);
}
