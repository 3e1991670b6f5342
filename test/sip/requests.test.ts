import { describe, expect, test } from 'vitest';
import type { InviteReceived, RequestInput } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import type { Dialog } from '../../src/sip/dialogs.ts';
import type { IdentityRules } from '../../src/sip/identity.ts';
import { answerIn } from '../../src/sip/readers/body.ts';
import { inputFor } from '../../src/sip/requests.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';
import { writeSipUri } from '../../src/wire/sip-uri.ts';
import { boundary, listPart, multipart } from '../support/bodies.ts';
import {
  factoryInvite,
  factoryInviteOfTheDocument,
  type Headers,
  list,
  offer,
  requestText,
  subscribe,
} from './sip-texts.ts';

const open: IdentityRules = { auth: 'open', isTrustedPeer: () => false, lenient: true };
const strict: IdentityRules = { ...open, lenient: false };

type Given = {
  readonly dialog?: Dialog;
  readonly rules?: IdentityRules;
  /** Methods of the requests in the dialog that are still to be answered. */
  readonly unanswered?: readonly string[];
};

function read(raw: string, { dialog, rules = open, unanswered = [] }: Given = {}): RequestInput {
  const [method = '', uri = ''] = raw.split(' ');
  const from = { sourceAddress: '192.0.2.1', dialogId: dialog?.id ?? '', unanswered };
  return inputFor({ reply: 'sip:1', method, uri, raw, ...from }, dialog ?? null, rules);
}

function as<Type extends RequestInput['type']>(type: Type, input: RequestInput): Extract<RequestInput, { type: Type }> {
  if (input.type !== type) throw new Error(`not ${type}: ${JSON.stringify(input)}`);
  return input as Extract<RequestInput, { type: Type }>;
}

function refusedAs(raw: string, given: Given = {}): string {
  const input = as('request-refused', read(raw, given));
  expect(input.detail).not.toBe('');
  return input.code;
}

const sessionDialog: Dialog = {
  id: '563b4c76e66712;from-tag=2837302775',
  contact: 'sip:conf-1@conf.example.com',
  session: { endpointId: 'endpoint-1', ackAwaited: null, confirmed: true, ending: false },
  subscription: null,
  referrals: [],
  referred: false,
};
const subscriptionDialog: Dialog = {
  id: 'sub-a11ce-01;from-tag=a11ce5ub',
  contact: 'sip:conf-1@conf.example.com',
  session: null,
  subscription: { subscriptionId: 'subscription-1', ending: false },
  referrals: [],
  referred: false,
};
const toUs = 'Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0';

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

describe('an INVITE that names a dialog', () => {
  const value = 'a84b4c76e66710;to-tag=fa7e11c0;from-tag=2837302775';
  const named = { callId: 'a84b4c76e66710', toTag: 'fa7e11c0', fromTag: '2837302775', earlyOnly: false };

  test('to take it over (RFC 3891), or to join it (RFC 3911)', () => {
    const replacing = read(factoryInvite({ 'Replaces': `${value};early-only` }));
    expect(replacing).toMatchObject({ replaces: { ...named, earlyOnly: true }, join: null, quirks: [] });
    expect(read(factoryInvite({ 'Join': value }))).toMatchObject({ replaces: null, join: named });
    expect(read(factoryInvite())).toMatchObject({ replaces: null, join: null, referredBy: null });
  });

  test('QK-10 blanks around = are legal, also strictly, and told', () => {
    const raw = factoryInvite({ 'Replaces': 'a84b4c76e66710;to-tag = fa7e11c0;from-tag= 2837302775' });
    expect(read(raw, { rules: strict })).toMatchObject({ replaces: named, quirks: ['QK-10'] });
  });

  test('CC-063 twice is refused, and so is one that is malformed', () => {
    expect(refusedAs(factoryInvite({ 'Replaces': [value, value] }))).toBe('bad-request');
    expect(refusedAs(factoryInvite({ 'Join': [value, 'other;to-tag=1;from-tag=2'] }))).toBe('bad-request');
    for (const malformed of ['', 'a84b', 'a84b;to-tag=1', 'a84b;to-tag=1;to-tag=2;from-tag=3', `${value}, ${value}`]) {
      expect(refusedAs(factoryInvite({ 'Replaces': malformed }))).toBe('bad-request');
    }
  });

  test('CC-065 to take it over and to join it is refused', () => {
    expect(refusedAs(factoryInvite({ 'Replaces': value, 'Join': value }))).toBe('bad-request');
  });

  test.each(['Replaces', 'Join'])('%s in anything but an INVITE that begins something is refused', (name) => {
    for (const method of ['SUBSCRIBE', 'OPTIONS']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { [name]: value });
      expect(as('request-refused', read(raw)).detail).toBe(`${name} in another request than INVITE`);
    }
    for (const method of ['INVITE', 'UPDATE']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs, [name]: value });
      expect(refusedAs(raw, { dialog: sessionDialog })).toBe('bad-request');
    }
  });

  test('on whose behalf it comes is told; what cannot be read names nobody', () => {
    const referredBy = (header: string | string[]) =>
      as('invite-received', read(factoryInvite({ 'Referred-By': header }))).referredBy;
    expect(referredBy('Bob <sip:bob@biloxi.example.com>')).toMatchObject({
      uri: { user: 'bob', host: 'biloxi.example.com' },
      value: 'Bob <sip:bob@biloxi.example.com>',
    });
    expect(referredBy('nobody')).toBeNull();
    expect(referredBy(['<sip:bob@biloxi.example.com>', '<sip:ted@example.net>'])).toBeNull();
  });
});

describe('a session timer (RFC 4028)', () => {
  const timer = (headers: Headers) => as('invite-received', read(factoryInvite(headers))).sessionTimer;

  test.each<[Headers, InviteReceived['sessionTimer']]>([
    [{}, { expires: null, refresher: null, minSe: null }],
    [{ 'Session-Expires': '1800' }, { expires: 1_800, refresher: null, minSe: null }],
    [
      { 'Session-Expires': '600 ; x=1; Refresher = UAC', 'Min-SE': '120;y' },
      { expires: 600, refresher: 'uac', minSe: 120 },
    ],
    [{ 'x': '90;refresher=uas' }, { expires: 90, refresher: 'uas', minSe: null }],
    [{ 'Session-Expires': '90;refresher=both' }, { expires: 90, refresher: null, minSe: null }],
    [
      { 'Session-Expires': 'soon', 'Min-SE': '-1' },
      { expires: null, refresher: null, minSe: null },
    ],
  ])('%j', (headers, expected) => {
    expect(timer(headers)).toEqual(expected);
  });

  test('and who knows it is told by Supported or Require', () => {
    const supports = (headers: Headers) => as('invite-received', read(factoryInvite(headers))).supports;
    expect(supports({ 'Supported': 'Timer, 100rel' })).toEqual(['timer', '100rel', 'recipient-list-invite']);
    expect(supports({ 'Supported': null, 'Require': 'timer' })).toEqual(['timer']);
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
    { quirk: 'QK-14', raw: factoryInvite({ 'From': null }) },
    { quirk: 'QK-34', raw: factoryInvite({ 'From': '<sip: alice@atlanta.example.com>;tag=1' }) },
    { quirk: 'QK-19', raw: factoryInvite({ 'To': '< sip:conf-fact@conf.example.com>' }) },
    { quirk: 'QK-37', raw: factoryInvite({ 'From': bare, 'Contact': null }) },
  ])('$quirk is told also of what is refused with 400', ({ quirk, raw }) => {
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

describe('within a session', () => {
  test('an INVITE is a re-INVITE of its endpoint', () => {
    const raw = factoryInvite({ 'To': toUs, 'Require': null, 'Content-Type': 'application/sdp' }, offer);
    const input = as('reinvite-received', read(raw, { dialog: sessionDialog }));
    expect(input).toMatchObject({ endpointId: 'endpoint-1', carriesList: false, dialogId: sessionDialog.id });
    expect(input.offer?.media).toHaveLength(1);
  });

  test('an UPDATE is another such offer, or none', () => {
    const update = (headers: Headers, body?: string) =>
      requestText('UPDATE sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs, ...headers }, body);
    const offering = update({ 'Content-Type': 'application/sdp', 'Session-Expires': '600;refresher=uac' }, offer);
    expect(as('reinvite-received', read(offering, { dialog: sessionDialog }))).toMatchObject({
      method: 'UPDATE',
      endpointId: 'endpoint-1',
      offer: { media: [{ media: 'message' }] },
      sessionTimer: { expires: 600, refresher: 'uac' },
    });
    expect(as('reinvite-received', read(update({}), { dialog: sessionDialog })).offer).toBeNull();
  });

  test.each([
    { before: 'INVITE', method: 'INVITE', body: offer, overlaps: true },
    { before: 'INVITE', method: 'UPDATE', body: offer, overlaps: true },
    { before: 'INVITE', method: 'UPDATE', body: '', overlaps: false },
    { before: 'UPDATE', method: 'INVITE', body: '', overlaps: true },
    { before: 'UPDATE', method: 'UPDATE', body: '', overlaps: true },
    { before: 'OPTIONS', method: 'INVITE', body: offer, overlaps: false },
  ])('while an $before of the peer waits, its $method overlaps or not: $overlaps', (story) => {
    const { before, method, body, overlaps } = story;
    const type = body === '' ? {} : { 'Content-Type': 'application/sdp' };
    const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs, ...type }, body);
    const input = as('reinvite-received', read(raw, { dialog: sessionDialog, unanswered: [before] }));
    expect(input.overlaps).toBe(overlaps);
  });

  test('a list or its option is told', () => {
    const carries = (raw: string) => as('reinvite-received', read(raw, { dialog: sessionDialog })).carriesList;
    expect(carries(factoryInvite({ 'To': toUs }))).toBe(true);
    expect(carries(factoryInvite({ 'To': toUs, 'Content-Type': 'application/sdp' }, offer))).toBe(true);
  });

  test('a SUBSCRIBE asks for a subscription that shares the dialog', () => {
    const input = as('subscribe-received', read(subscribe({ 'To': toUs }), { dialog: sessionDialog }));
    expect(input.dialogId).toBe(sessionDialog.id);
  });

  test('OPTIONS is answered as outside', () => {
    const raw = requestText('OPTIONS sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs });
    expect(read(raw, { dialog: sessionDialog }).type).toBe('options-received');
  });

  test('an INVITE in a session that is being ended, or in a subscription, belongs to nothing', () => {
    const raw = factoryInvite({ 'To': toUs });
    const ending = {
      ...sessionDialog,
      session: { endpointId: 'endpoint-1', ackAwaited: null, confirmed: true, ending: true },
    };
    expect(refusedAs(raw, { dialog: ending })).toBe('no-such-dialog');
    expect(refusedAs(raw, { dialog: subscriptionDialog })).toBe('no-such-dialog');
  });
});

describe('a SUBSCRIBE', () => {
  test('M-10 names event and expiry', () => {
    expect(as('subscribe-received', read(subscribe()))).toMatchObject({
      event: 'conference',
      expires: 3_600,
      accepts: ['application/conference-info+xml'],
      dialogId: 'sub-a11ce-01;from-tag=a11ce5ub',
    });
  });

  test('absent Event and Expires are null, and so is an Expires that is no number', () => {
    const absent = read(subscribe({ 'Event': null, 'Expires': null }));
    expect(as('subscribe-received', absent)).toMatchObject({ event: null, expires: null });
    expect(as('subscribe-received', read(subscribe({ 'Expires': '4294967296' }))).expires).toBeNull();
  });

  test('the compact Event and its parameters', () => {
    expect(as('subscribe-received', read(subscribe({ 'Event': null, 'o': 'presence;id=7' }))).event).toBe('presence');
  });

  test('a body is refused, an unreadable Event too', () => {
    expect(refusedAs(subscribe({ 'Content-Type': 'application/simple-filter+xml' }, '<x/>'))).toBe('unsupported-body');
    expect(refusedAs(subscribe({ 'Event': '@@' }))).toBe('bad-event');
  });

  test('in its dialog it refreshes the subscription, until that ends', () => {
    const raw = subscribe({ 'To': '<sip:conf-1@conf.example.com>;tag=5b5c0f', 'Expires': '0' });
    const refreshed = as('subscription-refreshed', read(raw, { dialog: subscriptionDialog }));
    expect(refreshed).toMatchObject({ subscriptionId: 'subscription-1', event: 'conference', expires: 0 });
    const ended = { ...subscriptionDialog, subscription: { subscriptionId: 'subscription-1', ending: true } };
    expect(refusedAs(raw, { dialog: ended })).toBe('no-such-dialog');
  });
});

describe('what belongs to no dialog of ours, or is not served', () => {
  test('CC-202 an unknown dialog is 481 for every method, an unknown method 405', () => {
    for (const method of ['INVITE', 'SUBSCRIBE', 'OPTIONS', 'BYE', 'NOTIFY', 'INFO', 'REFER', 'FOO']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs });
      expect(refusedAs(raw)).toBe('no-such-dialog');
    }
    expect(refusedAs(requestText('BYE sip:conf-1@conf.example.com SIP/2.0'))).toBe('no-such-dialog');
    for (const method of ['REGISTER', 'MESSAGE', 'PUBLISH', 'INFO', 'FOO']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`);
      expect(refusedAs(raw)).toBe('method-not-allowed');
      expect(refusedAs(raw, { dialog: sessionDialog })).toBe('method-not-allowed');
    }
  });

  test('a PRACK or NOTIFY belongs to nothing of ours, nor does an UPDATE outside a session', () => {
    const text = (method: string): string => requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`);
    for (const method of ['PRACK', 'NOTIFY']) {
      expect(refusedAs(text(method))).toBe('no-such-dialog');
      expect(refusedAs(text(method), { dialog: sessionDialog })).toBe('no-such-dialog');
    }
    expect(refusedAs(text('UPDATE'))).toBe('no-such-dialog');
    expect(refusedAs(text('UPDATE'), { dialog: subscriptionDialog })).toBe('no-such-dialog');
  });

  test('QK-13 an INVITE with a To tag that is not ours is 481, and told as such', () => {
    const input = as('request-refused', read(factoryInvite({ 'To': 'Bob <sip:bob@biloxi.com>;tag=2837302775' })));
    expect(input).toMatchObject({ code: 'no-such-dialog', quirks: ['QK-13'] });
    const bye = requestText('BYE sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs });
    expect(as('request-refused', read(bye)).quirks).toEqual([]);
  });

  test('a method named like something of the language is unknown too', () => {
    expect(refusedAs(requestText('constructor sip:conf-1@conf.example.com SIP/2.0'))).toBe('method-not-allowed');
  });
});

describe('the answer in an ACK or a response', () => {
  const ack = (headers: Record<string, string>, body: string) =>
    answerIn(parseSipMessage(requestText('ACK sip:conf-1@conf.example.com SIP/2.0', headers, body)), true);

  test('is read from a description, also within a multipart', () => {
    expect(ack({ 'Content-Type': 'application/sdp' }, offer)).toMatchObject({ media: [{ media: 'message' }] });
    const body = multipart([{ type: 'application/sdp', text: offer }]);
    const type = `multipart/mixed;boundary="${boundary}"`;
    expect(ack({ 'Content-Type': type }, body)).toMatchObject({ media: [{ media: 'message' }] });
  });

  test('is null without a body, unreadable when it makes no sense', () => {
    expect(ack({}, '')).toBeNull();
    expect(ack({ 'Content-Type': 'application/sdp' }, 'nonsense')).toBe('unreadable');
    expect(ack({ 'Content-Type': 'text/plain' }, offer)).toBe('unreadable');
  });
});
