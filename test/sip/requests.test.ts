import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { inputFor } from '../../src/sip/requests.ts';
import { writeSipUri } from '../../src/wire/sip-uri.ts';
import { listPart, multipart } from '../support/bodies.ts';
import { as, type Given, open, read, refusedAs, strict } from './reading.ts';
import { factoryInvite, factoryInviteOfTheDocument, type Headers, list, offer } from './sip-texts.ts';

describe('an INVITE outside dialogs', () => {
  test('M-03 says who calls whom, with which offer and list', () => {
    const input = as('invite-received', read(factoryInvite()));
    expect(writeSipUri(input.target)).toBe('sip:conf-fact@conf.example.com');
    expect(input).toMatchObject({
      reply: 'sip:1',
      method: 'INVITE',
      caller: { aor: 'sip:alice@atlanta.example.com', displayName: 'Alice', private: false },
      callId: '563b4c76e66712',
      fromTag: '2837302775',
      dialogId: '563b4c76e66712;from-tag=2837302775',
      requires: ['recipient-list-invite'],
      accepts: ['application/sdp', 'message/sipfrag'],
      quirks: [],
      contact: 'sip:alice@pc33.atlanta.example.com;transport=tcp',
      subject: 'Project chat',
      maxForwards: 70,
    });
    expect(input.offer?.media.map(({ protocol }) => protocol)).toEqual(['TCP/MSRP']);
    expect(input.list?.map(({ reading }) => reading.ok && writeSipUri(reading.target))).toEqual([
      'sip:bob@biloxi.example.com',
      'sip:ted@example.net',
    ]);
    const replaces = input.list?.map(({ reading }) => reading.ok && reading.replaces);
    expect(replaces).toEqual([
      { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774', earlyOnly: false },
      null,
    ]);
  });

  test('M-03L is read leniently, and every quirk it needs is named', () => {
    const input = as('invite-received', read(factoryInviteOfTheDocument));
    expect(writeSipUri(input.target)).toBe('sip:conf-fact@conf.example.com');
    expect(input.requires).toEqual(['recipient-list-subscribe']);
    expect(new Set(input.quirks)).toEqual(
      new Set(['QK-1', 'QK-4', 'QK-5', 'QK-19', ...(input.list ?? []).flatMap(({ quirks }) => quirks)]),
    );
    expect(input.list?.[0]?.quirks).toEqual(expect.arrayContaining(['QK-6', 'QK-7', 'QK-8']));
    expect(input.list?.[0]?.reading).toMatchObject({
      replaces: { callId: 'a84b4c76e66710', toTag: '1928301774', fromTag: 'a6c85cf' },
    });
    expect(input.offer?.media).toHaveLength(1);
  });

  test('M-03L is refused 400 when not lenient', () => {
    expect(refusedAs(factoryInviteOfTheDocument, { rules: strict })).toBe('bad-request');
  });

  test('QK-1 a Request-URI without a scheme is one of sip, but only leniently and only with a single @', () => {
    const withUri = (uri: string): string =>
      factoryInvite().replace('sip:conf-fact@conf.example.com SIP', `${uri} SIP`);
    const lenient = as('invite-received', read(withUri('conf-fact@conf.example.com:5070')));
    expect([writeSipUri(lenient.target), lenient.quirks]).toEqual(['sip:conf-fact@conf.example.com:5070', ['QK-1']]);
    expect(refusedAs(withUri('conf-fact@conf.example.com'), { rules: strict })).toBe('bad-request');
    expect(refusedAs(withUri('conf-fact'))).toBe('bad-request');
    expect(refusedAs(withUri('a@b@conf.example.com'))).toBe('bad-request');
    expect(refusedAs(withUri('<sip:conf-fact@conf.example.com>'))).toBe('bad-request');
  });

  test('QK-19 blanks within angle brackets are trimmed leniently, refused strictly', () => {
    const raw = factoryInvite({ 'From': 'Alice < sip:alice@atlanta.example.com>;tag=1' });
    expect(as('invite-received', read(raw)).quirks).toEqual(['QK-19']);
    expect(refusedAs(raw, { rules: strict })).toBe('bad-request');
  });

  test('QK-34 blanks within the URI of From or To are trimmed leniently, never in a Request-URI', () => {
    const raw = factoryInvite({ 'From': '<sip: alice@atlanta.example.com >;tag=1' });
    expect(as('invite-received', read(raw))).toMatchObject({
      caller: { aor: 'sip:alice@atlanta.example.com' },
      quirks: ['QK-34'],
    });
    expect(refusedAs(factoryInvite().replace('sip:conf-fact@', 'sip: conf-fact@'))).toBe('bad-request');
  });

  test('QK-37 an address without angle brackets is legal, also strictly: what follows it belongs to the header', () => {
    const raw = factoryInvite({ 'From': 'sip:user1@imserver.com;tag=49583', 'P-Asserted-Identity': null });
    expect(as('invite-received', read(raw, { rules: strict }))).toMatchObject({
      caller: { aor: 'sip:user1@imserver.com' },
      fromTag: '49583',
      quirks: ['QK-37'],
    });
  });

  test('QK-36 a name in c= is legal, also strictly, and told', () => {
    const named = offer.replace(/c=IN IP4 .*/, 'c=IN IP4 user1.imserver.com');
    const raw = factoryInvite({ 'Content-Type': 'application/sdp', 'Require': null }, named);
    const input = as('invite-received', read(raw, { rules: strict }));
    expect([input.offer?.connection, input.quirks]).toEqual(['user1.imserver.com', ['QK-36']]);
  });

  test('QK-16 a Feature-Tag header makes nobody a focus', () => {
    expect(as('invite-received', read(factoryInvite({ 'Feature-Tag': 'isfocus' }))).fromFocus).toBe(false);
    const contact = '<sip:conf-9@elsewhere.example.com>;isfocus';
    expect(as('invite-received', read(factoryInvite({ 'Contact': contact }))).fromFocus).toBe(true);
  });

  test('without a body it is a late offer without a list', () => {
    const raw = factoryInvite({ 'Content-Type': null, 'Require': null, 'Accept': null, 'Subject': null }, '');
    expect(as('invite-received', read(raw))).toMatchObject({
      offer: null,
      list: null,
      accepts: null,
      requires: [],
      subject: null,
    });
  });

  test('a list alone is a late offer with a list', () => {
    const headers = { 'Content-Type': 'application/resource-lists+xml', 'Content-Disposition': 'recipient-list' };
    const input = as('invite-received', read(factoryInvite(headers, list)));
    expect(input.offer).toBeNull();
    expect(input.list).toHaveLength(2);
  });

  test('CC-013 two recipient lists are one, in order', () => {
    const second =
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="sip:carol@chicago.example.com"/></list></resource-lists>';
    const body = multipart([{ type: 'application/sdp', text: offer }, listPart(list), listPart(second)]);
    const input = as('invite-received', read(factoryInvite({}, body)));
    expect(input.list?.map(({ raw, position }) => [raw.slice(0, 9), position])).toEqual([
      ['sip:bob@b', 0],
      ['sip:ted@e', 1],
      ['sip:carol', 2],
    ]);
  });

  test('Max-Forwards that is no number counts as absent, and absent as 70', () => {
    const forwards = (value: string | null) =>
      as('invite-received', read(factoryInvite({ 'Max-Forwards': value }))).maxForwards;
    expect([forwards('3'), forwards('0'), forwards('many'), forwards('4294967296'), forwards(null)]).toEqual([
      3, 0, 70, 70, 70,
    ]);
  });

  test('compact and repeated headers are understood', () => {
    const raw = factoryInvite({
      'Require': ['recipient-list-invite', 'x-one, x-two'],
      'From': null,
      'Call-ID': null,
    }).replace('\r\nCSeq', '\r\nf: <sip:alice@atlanta.example.com>;tag=77\r\ni: abc@host\r\nCSeq');
    expect(as('invite-received', read(raw))).toMatchObject({
      fromTag: '77',
      callId: 'abc@host',
      requires: ['recipient-list-invite', 'x-one', 'x-two'],
    });
  });

  test('options that no answer could name are no options', () => {
    const requiring = (...values: string[]) => refusedAs(factoryInvite({ 'Require': values }));
    expect(requiring('x one')).toBe('bad-request');
    expect(requiring('<sip:x@example.com>')).toBe('bad-request');
    const options = Array.from({ length: 250 }, (_, at) => `x-option-${at}`);
    expect(requiring(options.slice(0, 70).join(','), options.slice(70).join(','))).toBe('bad-request');
    const raw = factoryInvite({ 'Require': options.slice(0, 70) });
    expect(as('invite-received', read(raw)).requires).toHaveLength(70);
  });

  test('the server names the dialog when it already knows one', () => {
    const arrival = {
      reply: 'sip:1',
      method: 'INVITE',
      uri: 'x',
      raw: factoryInvite(),
      sourceAddress: '192.0.2.1',
      dialogId: 'other;from-tag=1',
      unanswered: [],
    };
    expect(inputFor(arrival, null, open)).toMatchObject({ type: 'invite-received', dialogId: 'other;from-tag=1' });
  });
});

describe('an INVITE that cannot be read is refused with the reason', () => {
  const cases: readonly [name: string, raw: string, code: string][] = [
    ['no From', factoryInvite({ 'From': null }), 'bad-request'],
    ['two From', factoryInvite({ 'From': ['<sip:a@x>;tag=1', '<sip:b@x>;tag=2'] }), 'bad-request'],
    ['an unterminated quote in From', factoryInvite({ 'From': '"Alice <sip:a@x>;tag=1' }), 'bad-request'],
    ['no To', factoryInvite({ 'To': null }), 'bad-request'],
    ['a Call-ID beyond measure', factoryInvite({ 'Call-ID': 'c'.repeat(limits.uriCharactersMax + 1) }), 'bad-request'],
    [
      'a tag beyond measure',
      factoryInvite({ 'From': `<sip:a@x>;tag=${'t'.repeat(limits.uriCharactersMax + 1)}` }),
      'bad-request',
    ],
    ['two Call-IDs', factoryInvite({ 'Call-ID': ['a', 'b'] }), 'bad-request'],
    ['CSeq of another method', factoryInvite({ 'CSeq': '1 OPTIONS' }), 'bad-request'],
    ['CSeq out of range', factoryInvite({ 'CSeq': '36893488147419103232 INVITE' }), 'bad-request'],
    ['no Contact', factoryInvite({ 'Contact': null }), 'bad-request'],
    ['a Contact that SIP cannot reach', factoryInvite({ 'Contact': '<mailto:alice@x>' }), 'bad-request'],
    ['a foreign scheme', factoryInvite().replace('sip:conf-fact@', 'soap.beep:'), 'unsupported-scheme'],
    ['an unknown body', factoryInvite({ 'Content-Type': 'application/unknown' }, 'x'), 'unsupported-body'],
    ['an encoded body', factoryInvite({ 'Content-Encoding': 'gzip' }), 'unsupported-encoding'],
    [
      'a multipart without its delimiter',
      factoryInvite({ 'Content-Type': 'multipart/mixed;boundary="other"' }),
      'bad-body',
    ],
    ['a malformed description', factoryInvite({ 'Content-Type': 'application/sdp' }, `${offer}m=audio\r\n`), 'bad-sdp'],
    [
      'a description without v=',
      factoryInvite({ 'Content-Type': 'application/sdp' }, 'm=message 1 TCP/MSRP *\r\n'),
      'media-not-acceptable',
    ],
    ['a malformed list', factoryInvite({}, multipart([listPart('<resource-lists><list>')])), 'bad-list'],
    ['a DOCTYPE', factoryInvite({}, multipart([listPart(`<!DOCTYPE x>${list}`)])), 'bad-list'],
    ['a body over 64 KiB', factoryInvite({}, 'x'.repeat(limits.bodyBytesMax + 1)), 'body-too-large'],
  ];
  test.each(cases)('%s', (_, raw, code) => {
    expect(refusedAs(raw)).toBe(code);
  });

  const bare = 'sip:alice@atlanta.example.com;tag=1';
  test.each([
    ['QK-14', factoryInvite({ 'From': null })],
    ['QK-34', factoryInvite({ 'From': '<sip: alice@atlanta.example.com>;tag=1' })],
    ['QK-19', factoryInvite({ 'To': '< sip:conf-fact@conf.example.com>' })],
    ['QK-37', factoryInvite({ 'From': bare, 'Contact': null })],
  ])('%s is told also of what is refused with 400', (quirk, raw) => {
    expect(as('request-refused', read(raw, { rules: strict }))).toMatchObject({ code: 'bad-request', quirks: [quirk] });
  });

  test('QK-35 a description without v=, o=, s= and t= is none: 488', () => {
    const input = read(factoryInvite({ 'Content-Type': 'application/sdp' }, 'm=message 7777 TCP/MSRP *\r\n'));
    expect(as('request-refused', input)).toMatchObject({ code: 'media-not-acceptable', quirks: ['QK-35'] });
  });

  test('a body of exactly 64 KiB is read', () => {
    const frame = multipart([{ type: 'application/sdp', text: offer }, listPart(list)]);
    const body = frame + 'x'.repeat(limits.bodyBytesMax - frame.length);
    expect(as('invite-received', read(factoryInvite({}, body))).list).toHaveLength(2);
  });

  test('the refusal tells who asked what, and never the credentials', () => {
    const raw = factoryInvite({
      'Contact': null,
      'Authorization': 'Digest username="alice",\r\n response="5ec7e7"',
      'Proxy-Authorization': 'Digest username="a\u2028b", response="5ec7e7"',
    });
    const input = as('request-refused', read(raw));
    expect(input).toMatchObject({
      method: 'INVITE',
      target: 'sip:conf-fact@conf.example.com',
      caller: { aor: 'sip:alice@atlanta.example.com' },
      callId: '563b4c76e66712',
    });
    expect(input.received).toContain('Call-ID: 563b4c76e66712');
    expect(input.received).not.toContain('5ec7e7');
    expect(as('request-refused', read(factoryInvite({ 'Contact': null }, 'x'.repeat(10_000)))).received).toHaveLength(
      limits.receivedTextMax,
    );
  });

  test('nor the password of a URI, wherever it is cut off', () => {
    const uri = 'sip:carol:5ec7e7@example.com';
    const bodyless = factoryInvite({ 'Contact': null, 'X-Pad': '' }, '');
    for (let spare = 0; spare < 40; spare += 1) {
      const pad = 'x'.repeat(Math.max(0, limits.receivedTextMax - bodyless.length - spare));
      const input = as('request-refused', read(factoryInvite({ 'Contact': null, 'X-Pad': pad, 'X-Uri': uri }, uri)));
      expect(input.received).not.toMatch(/carol:5/);
    }
  });

  test('cut off anywhere, nothing is thrown', () => {
    const raw = factoryInvite();
    for (let at = 0; at < raw.length; at += 1) expect(read(raw.slice(0, at)).reply).toBe('sip:1');
  });

  test('where credentials count it comes with what they could prove, unless it is for a dialog or says too little', () => {
    const digest = { rules: { ...open, auth: 'digest' } } as const;
    const malformed = multipart([listPart('<resource-lists><list>')]);
    const factsOf = (changes: Headers, given: Given = digest) =>
      as('request-refused', read(factoryInvite(changes, malformed), given)).facts;
    expect(factsOf({})).toMatchObject({
      method: 'INVITE',
      caller: null,
      claimed: { aor: 'sip:alice@atlanta.example.com' },
    });
    expect(factsOf({}, {})).toBeUndefined();
    expect(factsOf({ From: null })).toBeUndefined();
    expect(factsOf({ To: '<sip:conf-1@conf.example.com>;tag=1' })).toBeUndefined();
  });
});
