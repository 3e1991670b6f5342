import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { callerOf, credentialsIn, type IdentityRules } from '../../src/sip/identity.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';
import { aorOf, parseSipUri } from '../../src/wire/sip-uri.ts';
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

test('an identity is no longer than a URI in a roster may be', () => {
  const long = (characters: number): string => `sip:${'a'.repeat(characters - 'sip:@x.example'.length)}@x.example`;
  const aor = long(limits.uriCharactersMax);
  expect(caller({ 'From': `<${aor}>;tag=1` }, stranger, { auth: 'open' })?.aor).toBe(aor);
  const longer = `<${long(limits.uriCharactersMax + 1)}>`;
  expect(() => caller({ 'From': `${longer};tag=1` }, stranger, { auth: 'open' })).toThrow(RemoteError);
  expect(() => caller({ 'P-Asserted-Identity': longer }, core)).toThrow(RemoteError);
  const anonymous = `<sip:anonymous@anonymous.invalid>;tag=${'t'.repeat(limits.uriCharactersMax)}`;
  expect(() => caller({ 'From': anonymous }, stranger, { auth: 'open' })).toThrow(RemoteError);
});

test('of a SIP and a tel identity the SIP one names the user, in one header or two', () => {
  const sip = '<sip:alice@atlanta.example.com>';
  const tel = 'tel:+14085264000';
  for (const value of [`${tel}, ${sip}`, [tel, sip], [sip, tel]]) {
    expect(caller({ 'P-Asserted-Identity': value }, core)?.aor).toBe('sip:alice@atlanta.example.com');
  }
  expect(caller({ 'P-Asserted-Identity': tel }, core)?.aor).toBe('tel:+14085264000');
});

test('CC-133 of two SIP identities, or two tel identities, neither is believed (RFC 3325 9.1)', () => {
  const both = (one: string, other: string) => () => caller({ 'P-Asserted-Identity': [one, other] }, core);
  expect(both('<sip:alice@atlanta.example.com>', '<sips:alice@atlanta.example.com>')).toThrow(RemoteError);
  expect(both('<sip:alice@atlanta.example.com>, <tel:+1>', '<sip:bob@biloxi.example.com>')).toThrow(RemoteError);
  expect(both('tel:+14085264000', 'tel:+14085264001')).toThrow(RemoteError);
  expect(both('<sip:alice@atlanta.example.com>', '<sip:%61lice@ATLANTA.example.com>')()?.aor).toBe(
    'sip:alice@atlanta.example.com',
  );
});

describe('the served user (RFC 5502)', () => {
  const served = (value: string | readonly string[], more: Headers = { 'P-Asserted-Identity': null }) => ({
    ...more,
    'P-Served-User': value,
    'Privacy': 'id',
  });
  const orig = '"Alice" <sip:alice@atlanta.example.com>; regstate=reg; sescase=ORIG';

  test('is the caller when a trusted peer says that it originates, and asserts nobody', () => {
    const alice = { aor: 'sip:alice@atlanta.example.com', displayName: 'Alice', private: true };
    expect(caller(served(orig), core)).toEqual(alice);
    expect(caller(served('sip:alice@atlanta.example.com;sescase=orig'), core)).toEqual({ ...alice, displayName: null });
  });

  test('is not who was asserted', () => {
    const both = served(orig, { 'P-Asserted-Identity': '<sip:carol@chicago.example.com>' });
    expect(caller(both, core)?.aor).toBe('sip:carol@chicago.example.com');
  });

  test('is nobody when it is called, or when the session case is not told', () => {
    expect(caller(served('<sip:alice@atlanta.example.com>;sescase=term'), core)).toBeNull();
    expect(caller(served('<sip:alice@atlanta.example.com>'), core)).toBeNull();
  });

  test('CC-133 is nobody when a stranger says it', () => {
    expect(caller(served(orig), stranger)).toBeNull();
    expect(caller(served(orig), stranger, { auth: 'open' })?.aor).toBe('sip:alice@atlanta.example.com');
    const forged = { ...served(orig), 'From': '<sip:eve@elsewhere.example.com>;tag=1' };
    expect(caller(forged, stranger, { auth: 'open' })?.aor).toBe('sip:eve@elsewhere.example.com');
  });

  test('is never guessed', () => {
    expect(() => caller(served([orig, orig]), core)).toThrow(RemoteError);
    expect(() => caller(served('<sip:alice@atlanta.example.com;sescase=orig'), core)).toThrow(RemoteError);
  });
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

describe('a caller without a name (RFC 3323 4.1.1.3)', () => {
  const open = (from: string, changes: Headers = {}) =>
    caller({ 'P-Asserted-Identity': null, 'From': from, ...changes }, stranger, { auth: 'open' });

  test('is somebody of its own, and hidden', () => {
    expect(open('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1928301774')).toEqual({
      aor: 'sip:anonymous-1928301774@anonymous.invalid',
      displayName: null,
      private: true,
    });
    expect(open('<sip:anonymous@anonymous.invalid>;tag=b')?.aor).toBe('sip:anonymous-b@anonymous.invalid');
  });

  test.each(['sip:unavailable@unknown.INVALID', 'sips:a@b.c.invalid:5061', 'sip:a@invalid', 'sip:thisis@a.invalid.'])(
    'may call itself %s',
    (uri) => {
      expect(open(`<${uri}>;tag=x1`)).toMatchObject({ aor: 'sip:anonymous-x1@anonymous.invalid', private: true });
    },
  );

  test('is known again by its tag, whatever stands in it', () => {
    const aor = open("<sip:a@anonymous.invalid>;tag=-.!%*_+`'~x")?.aor;
    expect(aor).toBe("sip:anonymous--.!%25*_%2B%60'~x@anonymous.invalid");
    expect(aorOf(parseSipUri(aor ?? ''))).toBe(aor);
  });

  test('without a tag is known by its Call-ID', () => {
    const one = open('<sip:a@anonymous.invalid>', { 'Call-ID': 'one@x' });
    expect(one?.aor).toBe('sip:anonymous-one%40x@anonymous.invalid');
  });

  test('is the same when a trusted peer says it', () => {
    const headers = {
      'P-Asserted-Identity': '<sip:unknown@unknown.invalid>',
      'From': '<sip:a@anonymous.invalid>;tag=7',
    };
    expect(caller(headers, core)?.aor).toBe('sip:anonymous-7@anonymous.invalid');
    const named = { 'From': '<sip:a@anonymous.invalid>;tag=7', ...asserted };
    expect(caller(named, core)).toMatchObject({ aor: 'sip:alice@atlanta.example.com', private: false });
  });

  test('is not who merely has such a name', () => {
    expect(open('<sip:anonymous@invalid.example.com>;tag=1')?.aor).toBe('sip:anonymous@invalid.example.com');
    expect(open('<sip:a@notinvalid>;tag=1')?.aor).toBe('sip:a@notinvalid');
  });
});

describe('credentials', () => {
  const credentials = (authorization: string | readonly string[]) =>
    credentialsIn(parseSipMessage(factoryInvite({ 'Authorization': authorization })));
  const digest = (realm: string) => `Digest username="a", realm="${realm}", nonce="n", uri="sip:x", response="d"`;

  test('of every realm are read', () => {
    expect(credentials([digest('one'), digest('two')]).map(({ realm }) => realm)).toEqual(['one', 'two']);
  });

  test('of another scheme, or malformed, are none, and the request is read all the same', () => {
    expect(credentials(['NoOneKnowsThisScheme opaque-data=here', 'Digest username="a', 'Basic YTpi'])).toEqual([]);
    expect(credentials(['Digest username="a"', digest('one')]).map(({ realm }) => realm)).toEqual(['one']);
  });

  test('for proxies are not for us', () => {
    expect(credentialsIn(parseSipMessage(factoryInvite({ 'Proxy-Authorization': digest('one') })))).toEqual([]);
  });
});
