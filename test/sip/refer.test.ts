import { describe, expect, test } from 'vitest';
import type { SipNotifyReferral, SipRefer } from '../../src/core/effect.ts';
import type { ReferReceived, RequestInput } from '../../src/core/input.ts';
import { allow, allowEvents } from '../../src/sip/capabilities.ts';
import { type Dialog, Dialogs } from '../../src/sip/dialogs.ts';
import { notifyReferralRequest, referRequest } from '../../src/sip/outgoing-referrals.ts';
import { inputFor } from '../../src/sip/requests.ts';
import { splitMultipart } from '../../src/wire/multipart.ts';
import { parseSipUri, writeSipUri } from '../../src/wire/sip-uri.ts';
import { boundary, crlf, multipart, resourceList } from '../support/bodies.ts';
import { conferenceUri } from './shell-on-stage.ts';
import { type Headers, requestText } from './sip-texts.ts';

const contact = '<sip:alice@pc33.atlanta.example.com>';

function referText(changes: Headers = {}, body = ''): string {
  const own = { 'To': `<${conferenceUri}>`, 'Contact': contact, 'Refer-To': '<sip:carol@chicago.example.com>' };
  return requestText(`REFER ${conferenceUri} SIP/2.0`, { ...own, ...changes }, body);
}

function read(
  raw: string,
  dialog: Dialog | null = null,
  { lenient = true, unanswered = [] }: { lenient?: boolean; unanswered?: readonly string[] } = {},
): RequestInput {
  const [method = '', uri = ''] = raw.split(' ');
  const from = { sourceAddress: '192.0.2.1', dialogId: dialog?.id ?? '', unanswered };
  return inputFor({ reply: 'sip:1', method, uri, raw, ...from }, dialog, {
    auth: 'open',
    isTrustedPeer: () => false,
    lenient,
  });
}

function refer(raw: string, dialog: Dialog | null = null): ReferReceived {
  const input = read(raw, dialog);
  if (input.type !== 'refer-received') throw new Error(`not read: ${JSON.stringify(input)}`);
  return input;
}

function refusal(raw: string, dialog: Dialog | null = null): unknown {
  const input = read(raw, dialog);
  return input.type === 'request-refused' ? input.code : input.type;
}

const session: Dialog = {
  id: '563b4c76e66712;from-tag=2837302775',
  contact: conferenceUri,
  session: { endpointId: 'endpoint-1', ackAwaited: null, confirmed: true, ending: false },
  subscription: null,
  referrals: [],
  referred: false,
  remoteCseq: null,
};
const withTag = { 'To': `<${conferenceUri}>;tag=fa7e11c0` };

describe('a REFER', () => {
  test('CC-072 outside dialogs says who asks for what', () => {
    const input = refer(referText({ 'Refer-To': '"Carol" <sip:carol@chicago.example.com>' }));
    expect(input).toMatchObject({
      method: 'REFER',
      caller: { aor: 'sip:alice@atlanta.example.com' },
      endpointId: null,
      further: false,
      contact: 'sip:alice@pc33.atlanta.example.com',
      maxForwards: 70,
      viaList: false,
      wantsSubscription: true,
      referredBy: null,
      targetDialog: null,
      targets: [{ raw: 'sip:carol@chicago.example.com', displayName: 'Carol', quirks: [] }],
    });
  });

  test('CC-082 within a session says whose it is, and whether the dialog had one before', () => {
    expect(refer(referText(withTag), session)).toMatchObject({ endpointId: 'endpoint-1', further: false });
    expect(refer(referText(withTag), { ...session, referred: true })).toMatchObject({ further: true });
  });

  test('CC-082 RFC 3515 2.4.6: a second one is one though the first is still to be answered', () => {
    const raw = referText(withTag);
    expect(read(raw, session, { unanswered: ['INFO'] })).toMatchObject({ further: false });
    expect(read(raw, session, { unanswered: ['REFER'] })).toMatchObject({ further: true });
  });

  test.each(['Replaces', 'Join'])('CC-064 RFC 3891 3: with a %s header is refused', (name) => {
    expect(refusal(referText({ [name]: 'a;to-tag=1;from-tag=2' }))).toBe('bad-request');
  });

  test('CC-074 RFC 3515 2.4.2: with no Refer-To, or more than one, is refused', () => {
    expect(refusal(referText({ 'Refer-To': null }))).toBe('bad-request');
    expect(refusal(referText({ 'Refer-To': ['<sip:a@b.example>', '<sip:c@d.example>'] }))).toBe('bad-request');
    expect(refusal(referText({ 'Refer-To': '<sip:a@b.example>, <sip:c@d.example>' }))).toBe('bad-request');
    expect(refusal(referText({ 'Refer-To': null, 'r': '<sip:a@b.example>' }))).toBe('refer-received');
  });

  test('without Contact, or in a session that ends, is refused', () => {
    expect(refusal(referText({ 'Contact': null }))).toBe('bad-request');
    const ending = { ...session, session: { endpointId: 'e', ackAwaited: null, confirmed: true, ending: true } };
    expect(refusal(referText(withTag), ending)).toBe('no-such-dialog');
    expect(refusal(referText(withTag))).toBe('no-such-dialog');
  });

  test('QK-6, QK-7, QK-8, QK-19 Refer-To is read as a list entry is', () => {
    const literal = '< bob@biloxi.example.com;method=INVITE?Replaces: 7;to-tag=1;from-tag= 2>';
    const input = refer(referText({ 'Refer-To': literal }));
    expect(input.quirks).toEqual(['QK-19', 'QK-6', 'QK-7', 'QK-8']);
    expect(input.targets).toMatchObject([
      { reading: { ok: true, replaces: { callId: '7', toTag: '1', fromTag: '2' } } },
    ]);
    expect(read(referText({ 'Refer-To': literal }), null, { lenient: false })).toMatchObject({ code: 'bad-request' });
  });

  test.each([
    ['false', false],
    ['FALSE ;x=y', false],
    ['true', true],
    ['', true],
    ['falsehood', true],
  ])('CC-077 Refer-Sub: %j is read for what it can mean', (value, wants) => {
    expect(refer(referText({ 'Refer-Sub': value })).wantsSubscription).toBe(wants);
  });

  test('RFC 4538: Target-Dialog names a dialog with the tags as we have them', () => {
    const input = refer(referText({ 'Target-Dialog': 'a@b;local-tag=ours;remote-tag=theirs' }));
    expect(input.targetDialog).toEqual({ callId: 'a@b', toTag: 'ours', fromTag: 'theirs', earlyOnly: false });
    expect(refusal(referText({ 'Target-Dialog': 'a@b' }))).toBe('bad-request');
  });
});

const pointer = {
  'Refer-To': '<cid:list@x>',
  'Require': 'multiple-refer',
  'Content-Type': `multipart/mixed;boundary=${boundary}`,
};

function listBody(id = 'list@x'): string {
  const text = resourceList([{ uri: 'sip:carol@chicago.example.com' }, { uri: 'sip:ted@example.net?method=BYE' }]);
  const head = crlf(
    'Content-Type: application/resource-lists+xml',
    'Content-Disposition: recipient-list',
    `Content-ID: <${id}>`,
  );
  return `--${boundary}\r\n${head}\r\n${text}\r\n--${boundary}--\r\n`;
}

describe('a REFER of several (RFC 5368)', () => {
  test('CC-078 has the entries of the list that Refer-To points at, each with its method', () => {
    const input = refer(referText(pointer, listBody()));
    expect(input.viaList).toBe(true);
    expect(input.targets.map(({ reading }) => reading.ok && [writeSipUri(reading.target), reading.method])).toEqual([
      ['sip:carol@chicago.example.com', null],
      ['sip:ted@example.net', 'BYE'],
    ]);
  });

  test('CC-079 without the part that Refer-To points at is refused', () => {
    expect(refusal(referText(pointer, listBody('other@x')))).toBe('bad-request');
    expect(refusal(referText({ ...pointer, 'Content-Type': null }))).toBe('bad-request');
  });

  test('RFC 5368 4: without Require: multiple-refer is refused, and so is a list that nothing points at', () => {
    expect(refusal(referText({ ...pointer, 'Require': null }, listBody()))).toBe('bad-request');
    expect(refusal(referText({ ...pointer, 'Refer-To': '<sip:carol@x.example>' }, listBody()))).toBe('bad-request');
  });

  test('with an empty list, or one that is none, is refused', () => {
    const empty = listBody().replaceAll(/ +<entry[^>]*>\r\n/g, '');
    expect(refusal(referText(pointer, empty))).toBe('bad-list');
    expect(refusal(referText(pointer, listBody().replace('<list>', '<lost>')))).toBe('bad-list');
  });
});

const token = '-----BEGIN-----\r\nFrom: alice\r\n-----END-----';
const tokenHead = crlf(
  'Content-Type: message/sipfrag',
  'Content-Disposition: aib;handling=optional',
  'Content-ID: <t@x>',
);
const withToken = {
  'Referred-By': '<sip:alice@atlanta.example.com>;cid="t@x"',
  'Content-Type': `multipart/mixed;boundary=${boundary}`,
};

describe('Referred-By (RFC 3892)', () => {
  test('comes with its token, both as they were', () => {
    const body = `--${boundary}\r\n${tokenHead}\r\n${token}\r\n--${boundary}--\r\n`;
    const { referredBy } = refer(referText(withToken, body));
    expect(referredBy && writeSipUri(referredBy.uri)).toBe('sip:alice@atlanta.example.com');
    expect(referredBy).toMatchObject({ value: withToken['Referred-By'], token: { contentId: 't@x', body: token } });
  });

  test('QK-19, QK-34 with blanks around its URI goes on so, and is told; strictly it is refused', () => {
    const raw = referText({ 'Referred-By': '< sip:alice@atlanta.example.com >' });
    const input = refer(raw);
    expect(input.quirks).toEqual(['QK-19', 'QK-34']);
    expect(input.referredBy?.value).toBe('< sip:alice@atlanta.example.com >');
    expect(read(raw, null, { lenient: false })).toMatchObject({ code: 'bad-request' });
  });

  test('that points at nothing, or stands twice, is refused', () => {
    expect(refusal(referText({ ...withToken, 'Content-Type': null }))).toBe('bad-request');
    expect(refusal(referText({ 'Referred-By': ['<sip:a@b.example>', '<sip:a@b.example>'] }))).toBe('bad-request');
  });

  test('a body that nothing explains is not passed over', () => {
    const body = multipart([{ type: 'application/sdp', text: 'v=0\r\n' }]);
    expect(refusal(referText({ 'Content-Type': withToken['Content-Type'] }, body))).toBe('unsupported-body');
  });
});

describe('a SUBSCRIBE within a REFER’s dialog (RFC 3515 2.4.4)', () => {
  const told = new Dialogs();
  told.refer(session.id, { referralId: 'r1', cseq: 2, contact: conferenceUri });
  told.refer(session.id, { referralId: 'r2', cseq: 5, contact: conferenceUri });
  const asks = (event: string): unknown => {
    const raw = requestText(`SUBSCRIBE ${conferenceUri} SIP/2.0`, { ...withTag, 'Contact': contact, 'Event': event });
    const input = read(raw, told.find(session.id));
    return input.type === 'referral-refreshed' ? input.referralId : refusal(raw, told.find(session.id));
  };

  test('means the REFER that its Event names, the first one also without a number', () => {
    expect([asks('refer'), asks('refer;id=2'), asks('refer;id=5')]).toEqual(['r1', 'r1', 'r2']);
  });

  test('means nothing once the last NOTIFY is on its way', () => {
    told.endingReferral(session.id, 'r2');
    expect([asks('refer;id=5'), asks('refer;id=9')]).toEqual(['no-such-dialog', 'no-such-dialog']);
  });
});

const notify: SipNotifyReferral = {
  type: 'sip.notify-referral',
  referralId: 'r1',
  dialogId: session.id,
  conferenceUri,
  eventId: null,
  state: { name: 'active', expires: 180 },
  cause: { status: 100, reason: 'Trying' },
};

describe('a NOTIFY of the refer package', () => {
  test('CC-072 RFC 3515 2.4.5: has these headers and no others, and a status line', () => {
    expect(notifyReferralRequest(notify)).toEqual({
      uri: 'sip:placeholder',
      options: {
        method: 'NOTIFY',
        stackDialogId: session.id,
        headers: {
          'Contact': `<${conferenceUri}>;isfocus`,
          'Event': 'refer',
          'Subscription-State': 'active;expires=180',
          'Allow-Events': allowEvents,
          'User-Agent': 'isfocus',
          'Content-Type': 'message/sipfrag;version=2.0',
        },
        body: 'SIP/2.0 100 Trying\r\n',
      },
    });
  });

  test('CC-082 RFC 3515 2.4.6, 2.4.7: names its REFER, and is the last with noresource', () => {
    const last = { ...notify, eventId: 7, state: { name: 'terminated', reason: 'noresource' } as const };
    expect(notifyReferralRequest(last).options.headers).toMatchObject({
      'Event': 'refer;id=7',
      'Subscription-State': 'terminated;reason=noresource',
    });
  });
});

const refers: SipRefer = {
  type: 'sip.refer',
  referralId: 'r1',
  target: 0,
  uri: 'sip:carol@chicago.example.com',
  conferenceUri,
  callId: 'f0c05-cab01-0001',
  fromTag: '7c1b0b',
  maxForwards: 69,
  referredBy: 'sip:alice@atlanta.example.com',
  referral: null,
};
const direct = { sipCore: null, isTrustedPeer: () => false };

describe('a REFER of the focus', () => {
  test('CC-080 RFC 4579 5.7, RFC 4488: has these headers and no others', () => {
    expect(referRequest(refers, direct)).toEqual({
      uri: 'sip:carol@chicago.example.com',
      options: {
        method: 'REFER',
        headers: {
          'To': '<sip:carol@chicago.example.com>',
          'From': `<${conferenceUri}>;tag=7c1b0b`,
          'Call-ID': 'f0c05-cab01-0001',
          'Max-Forwards': '69',
          'Contact': `<${conferenceUri}>;isfocus`,
          'Refer-To': `<${conferenceUri}>`,
          'Referred-By': '<sip:alice@atlanta.example.com>',
          'Refer-Sub': 'false',
          'Supported': 'norefersub',
          'Allow': allow,
          'Allow-Events': allowEvents,
          'User-Agent': 'isfocus',
        },
      },
    });
  });

  test('RFC 3892 2.2: passes Referred-By on with its token', () => {
    const uri = parseSipUri('sip:alice@atlanta.example.com');
    const headers = [{ name: 'Content-Type', value: 'message/sipfrag' }];
    const referral = { uri, value: withToken['Referred-By'], token: { contentId: 't@x', headers, body: token } };
    const { options } = referRequest({ ...refers, referral }, direct) ?? {};
    expect(options?.headers['Referred-By']).toBe(withToken['Referred-By']);
    const mark = /boundary="([^"]+)"/.exec(options?.headers['Content-Type'] ?? '')?.[1] ?? '';
    expect(splitMultipart(options?.body ?? '', mark, { parts: 2 })).toEqual([
      { headers: [...headers, { name: 'Content-ID', value: '<t@x>' }], body: token },
    ]);
  });

  test('goes by the SIP core where there is one, and to a telephone number only there', () => {
    const core = { sipCore: parseSipUri('sip:core.example.com'), isTrustedPeer: () => false };
    const sent = referRequest({ ...refers, uri: 'tel:+12015550123', referredBy: null }, core);
    expect(sent?.uri).toBe('sip:+12015550123@core.example.com;user=phone');
    expect(sent?.options).toMatchObject({
      proxy: 'sip:core.example.com',
      headers: { 'P-Asserted-Identity': `<${conferenceUri}>` },
    });
    expect(sent?.options.headers).not.toHaveProperty('Referred-By');
    expect(referRequest({ ...refers, uri: 'tel:+12015550123' }, direct)).toBeNull();
  });
});
