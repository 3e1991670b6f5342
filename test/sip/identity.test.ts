import { describe, expect, test } from 'vitest';
import { callerOf, type IdentityRules } from '../../src/sip/identity.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';
import { factoryInvite, type Headers } from './sip-texts.ts';

const core = '192.0.2.1';
const stranger = '198.51.100.7';

function caller(headers: Headers, source: string, changes: Partial<IdentityRules> = {}) {
  const rules: IdentityRules = {
    auth: 'digest',
    isTrustedPeer: (address) => address === core,
    lenient: true,
    ...changes,
  };
  return callerOf(parseSipMessage(factoryInvite(headers)), source, rules);
}

const asserted = { 'P-Asserted-Identity': '"Alice" <sip:alice@atlanta.example.com>' };

test('CC-133 P-Asserted-Identity of an untrusted source is as if it were not there', () => {
  expect(caller(asserted, stranger)).toBeNull();
  const forged = { 'From': '<sip:eve@elsewhere.example.com>;tag=1', ...asserted };
  expect(caller(forged, stranger, { auth: 'open' })?.aor).toBe('sip:eve@elsewhere.example.com');
});

test('CC-134 the identity is that of P-Asserted-Identity, not of From', () => {
  const headers = { 'From': '"Somebody" <sip:anybody@elsewhere.example.com>;tag=1', ...asserted };
  const alice = { aor: 'sip:alice@atlanta.example.com', displayName: 'Alice', private: false };
  expect(caller(headers, core)).toEqual(alice);
  expect(caller(headers, core, { auth: 'open' })).toEqual(alice);
});

describe('without an asserted identity', () => {
  const bare = { 'P-Asserted-Identity': null };

  test('From is believed where authentication is open', () => {
    const headers = { ...bare, 'From': 'Alice <sip:%61lice@ATLANTA.example.com;transport=tcp>;tag=1' };
    expect(caller(headers, stranger, { auth: 'open' })).toEqual({
      aor: 'sip:alice@atlanta.example.com',
      displayName: 'Alice',
      private: false,
    });
  });

  test('nobody is believed where it is not, not even a trusted peer', () => {
    expect(caller(bare, stranger)).toBeNull();
    expect(caller(bare, core)).toBeNull();
  });

  test('P-Preferred-Identity is no identity', () => {
    expect(caller({ ...bare, 'P-Preferred-Identity': '<sip:alice@atlanta.example.com>' }, core)).toBeNull();
  });
});

test('of a SIP and a tel identity the SIP one names the user, in one header or two', () => {
  const sip = '<sip:alice@atlanta.example.com>';
  const tel = 'tel:+14085264000';
  for (const value of [`${tel}, ${sip}`, [tel, sip], [sip, tel]]) {
    expect(caller({ 'P-Asserted-Identity': value }, core)?.aor).toBe('sip:alice@atlanta.example.com');
  }
  expect(caller({ 'P-Asserted-Identity': tel }, core)?.aor).toBe('tel:+14085264000');
});

test.each([
  ['id', true],
  ['critical; ID', true],
  ['user', true],
  ['header;none', true],
  ['none', false],
  ['session', false],
])('Privacy: %s hides the caller: %s', (privacy, hidden) => {
  expect(caller({ ...asserted, 'Privacy': privacy }, core)?.private).toBe(hidden);
});

test('an identity that cannot be read is refused, never guessed', () => {
  expect(() => caller({ 'P-Asserted-Identity': '"Alice <sip:alice@x>' }, core)).toThrow(RemoteError);
  expect(() => caller({ 'From': '<nonsense>;tag=1' }, stranger, { auth: 'open' })).toThrow(RemoteError);
});
