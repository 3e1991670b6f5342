import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { as, open, read } from './reading.ts';
import { factoryInvite, type Headers } from './sip-texts.ts';

/** What an INVITE says of who sends it, beside the name. */

function inviteWith(headers: Headers, isTrustedPeer = false) {
  const rules = { ...open, isTrustedPeer: () => isTrustedPeer };
  return as('invite-received', read(factoryInvite(headers), { rules }));
}

const languages = (value: string | readonly string[] | null): readonly string[] =>
  inviteWith({ 'Accept-Language': value }).languages;

describe('Accept-Language (RFC 3261 20.3)', () => {
  test('tells languages, the best first, those of one weight in their order', () => {
    expect(languages('da, en-gb;q=0.8, en;q=0.7')).toEqual(['da', 'en-gb', 'en']);
    expect(languages(['en;q=0.7,de', 'FR ; Q = 1.000, sr-Latn-RS;q=0.75;level=1'])).toEqual([
      'de',
      'FR',
      'sr-Latn-RS',
      'en',
    ]);
    expect(languages('es-419')).toEqual(['es-419']);
  });

  test('tells each once, by its best weight', () => {
    expect(languages('en;q=0.1, de;q=0.5, EN')).toEqual(['EN', 'de']);
  });

  test.each([
    ['nothing', null],
    ['an empty one', ''],
    ['any language', '*, *;q=0.5'],
    ['what is not wanted', 'de;q=0, en;q=0.000'],
    ['no language tag', 'd_e, 419, de-, -de, abcdefghi, de-abcdefghi, <de/>, d\u00e9'],
    ['no weight', 'de;q=2, de;q=, de;q, de;q=0.1234, de;q="1', 'de;;q=1'],
    ['a quote that is not closed', 'de, en;x="'],
  ])('of %s: none', (_what, ...values) => {
    for (const value of values) expect(languages(value)).toEqual([]);
  });

  test('tells the rest where something in it cannot be read', () => {
    expect(languages('d_e, *, en;q=nan, fr;x="a,it"')).toEqual(['fr']);
  });

  test('no more than rosters tell, and none that is too long', () => {
    const many = ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'].slice(0, limits.languagesMax + 1);
    expect(many).toHaveLength(limits.languagesMax + 1);
    expect(languages(many.join())).toEqual(many.slice(0, limits.languagesMax));
    const longest = 'aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa';
    expect(longest).toHaveLength(limits.languageCharactersMax);
    expect(languages(`${longest}, ${longest.replace('-', '-a-')}`)).toEqual([longest]);
  });
});

describe('a tel URI in P-Asserted-Identity (RFC 3325 9.1)', () => {
  const sip = '<sip:alice@atlanta.example.com>';
  const both = { 'P-Asserted-Identity': [sip, '"Alice" <tel:+1-408-526-4000>'] };

  test('is a further AOR of the caller, when a trusted peer says so', () => {
    const { caller, associatedAors } = inviteWith(both, true);
    expect(caller?.aor).toBe('sip:alice@atlanta.example.com');
    expect(associatedAors).toEqual(['tel:+14085264000']);
  });

  test('CC-133 is as if it were not there when anybody else does', () => {
    expect(inviteWith(both).associatedAors).toEqual([]);
  });

  test('no sip URI is one', () => {
    expect(inviteWith({ 'P-Asserted-Identity': sip }, true).associatedAors).toEqual([]);
  });

  test('is no longer than a URI in a roster may be', () => {
    const tel = (length: number): string => `tel:+${'1'.repeat(length - 'tel:+'.length)}`;
    const aors = (length: number) =>
      inviteWith({ 'P-Asserted-Identity': `${sip}, <${tel(length)}>` }, true).associatedAors;
    expect(aors(limits.uriCharactersMax)).toEqual([tel(limits.uriCharactersMax)]);
    expect(aors(limits.uriCharactersMax + 1)).toEqual([]);
  });
});
