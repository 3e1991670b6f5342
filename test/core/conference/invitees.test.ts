import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inviteesOf } from '../../../src/core/conference/invitees.ts';
import { parseSipUri, type SipUri, sameUri } from '../../../src/wire/sip-uri.ts';
import { recipients, settings } from '../../support/fixtures.ts';

const reading = {
  creatorAor: 'sip:alice@atlanta.example.com',
  settings: settings(),
  isFocus: () => false,
  isBarred: () => false,
};

const uris = fc.tuple(
  fc.constantFrom('sip:', 'SIP:', 'sips:'),
  fc.constantFrom('bob', '%62ob', 'Bob', 'b%20b', 'bob:x', 'bob:y'),
  fc.constantFrom('biloxi.example.com', 'BILOXI.example.com', '[2001:db8::1]', '[2001:DB8:0:0::1]', '192.0.2.4'),
  fc.constantFrom('', ':5060', ':5070'),
  fc.constantFrom('', ';transport=tcp', ';transport=TCP', ';x=1', ';user=phone'),
);

test('whoever is the same by RFC 3261 19.1.4 as one before is invited once, and nobody else is missed', () => {
  fc.assert(
    fc.property(fc.array(uris, { maxLength: 12 }), (parts) => {
      const list = parts.map(([scheme, user, ...rest]) => `${scheme}${user}@${rest.join('')}`);
      const distinct: SipUri[] = [];
      for (const uri of list.map(parseSipUri)) if (!distinct.some((other) => sameUri(other, uri))) distinct.push(uri);
      expect(inviteesOf(recipients(list), reading).map(({ target }) => target)).toEqual(distinct);
    }),
  );
});

test('a conference that nobody of SIP has made drops nobody as its creator', () => {
  const list = recipients(['alice', 'bob']);
  expect(inviteesOf(list, reading)).toHaveLength(1);
  expect(inviteesOf(list, { ...reading, creatorAor: null })).toHaveLength(2);
});

test('RFC 3261 19.1.1: an entry is kept without the password of its URI, and dialled with it', () => {
  const list = recipients(['sip:bob:5ec7e7@example.com', 'sip:carol:5ec7e7@not a host']);
  const invitees = inviteesOf(list, reading);
  expect(invitees[0]?.target).toMatchObject({ password: '5ec7e7' });
  expect(JSON.stringify(invitees.map(({ aor, listEntry }) => [aor, listEntry]))).not.toContain('5ec7e7');
});
