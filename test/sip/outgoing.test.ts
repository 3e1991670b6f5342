import { describe, expect, test } from 'vitest';
import type { SipInvite, SipNotify } from '../../src/core/effect.ts';
import { acceptAt, allow, allowEvents, supportedAt } from '../../src/sip/capabilities.ts';
import {
  byeRequest,
  farewellRequest,
  inviteRequest,
  notifyRequest,
  reinviteRequest,
  requestFrameBytes,
} from '../../src/sip/outgoing.ts';
import { splitMultipart } from '../../src/wire/multipart.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';

const conferenceUri = 'sip:conf-7f3a9c51@conf.example.com';

const invite: SipInvite = {
  type: 'sip.invite',
  endpointId: 'endpoint-bob',
  dialogId: 'f0c05-b0b-0001;from-tag=7c1b0b',
  target: 'sip:bob@biloxi.example.com',
  displayName: null,
  conferenceUri,
  callId: 'f0c05-b0b-0001',
  fromTag: '7c1b0b',
  cseq: 1,
  maxForwards: 69,
  referredBy: 'sip:alice@atlanta.example.com',
  subject: 'Project chat',
  replaces: { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774', earlyOnly: false },
  join: null,
  referral: null,
  sessionTimer: { expires: 1_800, minSe: null },
  history: null,
  extraHeaders: [],
  sdp: 'v=0\r\n',
};

const direct = { sipCore: null, isTrustedPeer: (address: string) => address === '192.0.2.1' };

function headersOf(changes: Partial<SipInvite> = {}, rules = direct as Parameters<typeof inviteRequest>[1]) {
  return inviteRequest({ ...invite, ...changes }, rules)?.options.headers ?? {};
}

describe('the INVITE of the focus to an invitee', () => {
  test('M-05 has these headers and no others', () => {
    expect(inviteRequest(invite, direct)).toEqual({
      uri: 'sip:bob@biloxi.example.com',
      options: {
        method: 'INVITE',
        headers: {
          'To': '<sip:bob@biloxi.example.com>',
          'From': `<${conferenceUri}>;tag=7c1b0b`,
          'Call-ID': 'f0c05-b0b-0001',
          'CSeq': '1 INVITE',
          'Max-Forwards': '69',
          'Contact': `<${conferenceUri}>;isfocus;+g.oma.sip-im`,
          'Accept-Contact': '*;+g.oma.sip-im',
          'Referred-By': '<sip:alice@atlanta.example.com>',
          'Subject': 'Project chat',
          'Allow': allow,
          'Allow-Events': allowEvents,
          'Accept': acceptAt('conference'),
          'Supported': supportedAt('conference'),
          'Session-Expires': '1800',
          'Require': 'replaces',
          'Replaces': 'a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774',
          'User-Agent': 'isfocus',
          'Content-Type': 'application/sdp',
        },
        body: 'v=0\r\n',
      },
    });
  });

  test('To has no tag, the display name is quoted', () => {
    expect(headersOf({ displayName: 'Bob "B" Bell' })['To']).toBe('"Bob \\"B\\" Bell" <sip:bob@biloxi.example.com>');
  });

  test('without Replaces nothing is required', () => {
    const headers = headersOf({ replaces: null, referredBy: null, subject: null, sessionTimer: null });
    for (const name of ['Require', 'Replaces', 'Join', 'Referred-By', 'Subject', 'Session-Expires', 'Min-SE'])
      expect(headers).not.toHaveProperty(name);
  });

  test('the focus asserts itself only towards those who trust it', () => {
    const trusted = { target: 'sip:bob@192.0.2.1:5070' };
    expect(headersOf()).not.toHaveProperty('P-Asserted-Identity');
    expect(headersOf({ target: 'sip:bob@192.0.2.1;maddr=elsewhere.example' })).not.toHaveProperty(
      'P-Asserted-Identity',
    );
    expect(headersOf(trusted)['P-Asserted-Identity']).toBe(`<${conferenceUri}>`);
    expect(headersOf({}, { ...direct, sipCore: parseSipUri('sip:core.example.com') })['P-Asserted-Identity']).toBe(
      `<${conferenceUri}>`,
    );
  });

  test('a SIP core is the next hop, whatever the target', () => {
    const request = inviteRequest(invite, { ...direct, sipCore: parseSipUri('sip:core.example.com;transport=tcp') });
    expect(request?.uri).toBe('sip:bob@biloxi.example.com');
    expect(request?.options.proxy).toBe('sip:core.example.com;transport=tcp');
  });

  test('a tel target never reaches the SIP server: unreachable alone, a SIP URI of the core with one', () => {
    const target = 'tel:+1-201-555-0123;phone-context=example.com';
    expect(inviteRequest({ ...invite, target }, direct)).toBeNull();
    const request = inviteRequest(
      { ...invite, target },
      { ...direct, sipCore: parseSipUri('sip:core.example.com:5070') },
    );
    const uri = 'sip:+1-201-555-0123;phone-context=example.com@core.example.com:5070;user=phone';
    expect(request?.uri).toBe(uri);
    expect(request?.options.headers['To']).toBe(`<${uri}>`);
  });

  test("headers of the entry's URI are added, never in place of ours, never as a line of their own", () => {
    const headers = headersOf({
      extraHeaders: [
        { name: 'Priority', value: 'urgent\r\nX-Evil: 1' },
        { name: 'subject', value: 'Another' },
        { name: 'Accept-Contact', value: '*;audio' },
      ],
    });
    expect(headers).toMatchObject({
      'Priority': 'urgent X-Evil: 1',
      'Subject': 'Project chat',
      'Accept-Contact': '*;+g.oma.sip-im, *;audio',
    });
    expect(Object.keys(headers).filter((name) => /^subject$/i.test(name))).toEqual(['Subject']);
  });
});

describe('the body of the INVITE', () => {
  const history =
    '<?xml version="1.0" encoding="UTF-8"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  const token = {
    contentId: 'token-1@atlanta.example.com',
    headers: [
      { name: 'Content-Type', value: 'multipart/signed;boundary=inner' },
      { name: 'Content-ID', value: '<token-1@atlanta.example.com>' },
    ],
    body: '--inner\r\n\r\nsigned\r\n--inner--\r\n',
  };
  const referral = {
    uri: parseSipUri('sip:alice@atlanta.example.com'),
    value: 'Alice <sip:alice@atlanta.example.com>;cid="token-1@atlanta.example.com"',
    token,
  };

  test('CC-023 beside the description stands the history, which may be passed over', () => {
    const options = inviteRequest({ ...invite, history }, direct)?.options;
    expect(options?.headers['Content-Type']).toBe('multipart/mixed;boundary="isfocus-7c1b0b"');
    expect(options?.body).toBe(
      [
        '--isfocus-7c1b0b',
        'Content-Type: application/sdp',
        '',
        'v=0',
        '',
        '--isfocus-7c1b0b',
        'Content-Type: application/resource-lists+xml',
        'Content-Disposition: recipient-list-history; handling=optional',
        '',
        history,
        '--isfocus-7c1b0b--',
        '',
      ].join('\r\n'),
    );
  });

  test('a token goes on as it came, and Referred-By as it came points at it (RFC 3892 2.2)', () => {
    const options = inviteRequest({ ...invite, referral }, direct)?.options;
    expect(options?.headers['Referred-By']).toBe(referral.value);
    const parts = splitMultipart(options?.body ?? '', 'isfocus-7c1b0b', { parts: 3 });
    expect(parts).toEqual([
      { headers: [{ name: 'Content-Type', value: 'application/sdp' }], body: 'v=0\r\n' },
      { headers: token.headers, body: token.body },
    ]);
  });

  test('a token whose part does not bear its name is given it', () => {
    const nameless = { ...token, headers: [{ name: 'Content-Type', value: 'text/plain' }] };
    const body = inviteRequest({ ...invite, history, referral: { ...referral, token: nameless } }, direct)?.options
      .body;
    const parts = splitMultipart(body ?? '', 'isfocus-7c1b0b', { parts: 3 });
    expect(parts[2]?.headers).toContainEqual({ name: 'Content-ID', value: '<token-1@atlanta.example.com>' });
    expect(parts).toHaveLength(3);
  });

  test('a Referred-By without token stands alone', () => {
    const options = inviteRequest({ ...invite, referral: { ...referral, token: null } }, direct)?.options;
    expect(options?.headers).toMatchObject({ 'Referred-By': referral.value, 'Content-Type': 'application/sdp' });
    expect(options?.body).toBe('v=0\r\n');
  });

  test('the boundary occurs in no part, whatever stands there', () => {
    const hostile = `${history}\r\n--isfocus-7c1b0b--\r\nisfocus-7c1b0b-1`;
    const options = inviteRequest({ ...invite, history: hostile }, direct)?.options;
    expect(options?.headers['Content-Type']).toBe('multipart/mixed;boundary="isfocus-7c1b0b-2"');
    expect(splitMultipart(options?.body ?? '', 'isfocus-7c1b0b-2', { parts: 2 })[1]?.body).toBe(hostile);
  });
});

test('CC-053 an INVITE that is sent again says so, and the least interval it takes', () => {
  expect(headersOf({ cseq: 2, sessionTimer: { expires: 3_600, minSe: 3_600 } })).toMatchObject({
    'Call-ID': invite.callId,
    'CSeq': '2 INVITE',
    'Session-Expires': '3600',
    'Min-SE': '3600',
  });
});

test('a call to join is named, and nothing required of whoever cannot', () => {
  const headers = headersOf({ replaces: null, join: 'a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774' });
  expect(headers['Join']).toBe('a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774');
  expect(headers).not.toHaveProperty('Require');
});

test('the INVITE of the focus within a session has these headers and no others', () => {
  const { dialogId, sdp } = invite;
  const sessionTimer = { expires: 600, refresher: 'uas' } as const;
  expect(
    reinviteRequest({ type: 'sip.reinvite', endpointId: 'e1', dialogId, conferenceUri, sdp, sessionTimer }),
  ).toEqual({
    uri: 'sip:placeholder',
    options: {
      method: 'INVITE',
      stackDialogId: dialogId,
      headers: {
        'Contact': `<${conferenceUri}>;isfocus;+g.oma.sip-im`,
        'Allow': allow,
        'Allow-Events': allowEvents,
        'Accept': acceptAt('conference'),
        'Supported': supportedAt('conference'),
        'Session-Expires': '600;refresher=uas',
        'User-Agent': 'isfocus',
        'Content-Type': 'application/sdp',
      },
      body: 'v=0\r\n',
    },
  });
});

describe('within a dialog', () => {
  const notify: SipNotify = {
    type: 'sip.notify',
    subscriptionId: 's',
    dialogId: 'sub-a11ce-01;from-tag=a11ce5ub',
    conferenceUri,
    state: { name: 'active', expires: 3_600 },
    body: '<conference-info/>',
  };

  test('CC-108 M-12 a NOTIFY has Contact, Event, state and document', () => {
    expect(notifyRequest(notify)).toEqual({
      uri: 'sip:placeholder',
      options: {
        method: 'NOTIFY',
        stackDialogId: 'sub-a11ce-01;from-tag=a11ce5ub',
        headers: {
          'Contact': `<${conferenceUri}>;isfocus`,
          'Event': 'conference',
          'Subscription-State': 'active;expires=3600',
          'Allow-Events': 'conference, refer',
          'User-Agent': 'isfocus',
          'Content-Type': 'application/conference-info+xml',
        },
        body: '<conference-info/>',
      },
    });
  });

  test('CC-108 M-16 a terminated one has its reason and no expiry; without a document there is no type', () => {
    const { options } = notifyRequest({ ...notify, state: { name: 'terminated', reason: 'noresource' }, body: null });
    expect(options.headers['Subscription-State']).toBe('terminated;reason=noresource');
    expect(options.headers).not.toHaveProperty('Content-Type');
    expect(options).not.toHaveProperty('body');
  });

  test('M-15 a BYE says why', () => {
    expect(byeRequest('d', 'Conference ended').options.headers['Reason']).toBe('SIP;cause=200;text="Conference ended"');
    expect(byeRequest('d', 'say "no"\n').options.headers['Reason']).toBe(`SIP;cause=200;text="say 'no'"`);
    expect(byeRequest('d', 'SIP;cause=488;text="Not Acceptable Here"').options.headers['Reason']).toBe(
      'SIP;cause=488;text="Not Acceptable Here"',
    );
  });

  test('a farewell has a Contact when the conference is still known', () => {
    expect(farewellRequest({ dialogId: 'd' }, 'deactivated').options.headers).toEqual({
      'Event': 'conference',
      'Subscription-State': 'terminated;reason=deactivated',
      'User-Agent': 'isfocus',
    });
    expect(farewellRequest({ dialogId: 'd', contact: conferenceUri }, 'x').options.headers['Contact']).toBe(
      `<${conferenceUri}>;isfocus`,
    );
  });

  test('the length of the frame is never told too small', () => {
    const { uri, options } = notifyRequest({ ...notify, body: 'ü'.repeat(500) });
    const headers = Object.entries(options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `NOTIFY ${uri} SIP/2.0\r\n${headers.join('')}Content-Length: 1000\r\n\r\n${options.body}`;
    const id = '00000000-0000-4000-8000-000000000000';
    const payload = `${id}|sip||${options.stackDialogId}\r\n${text}`;
    const actual = Buffer.byteLength(`${Buffer.byteLength(payload)}#${payload}`);
    expect(requestFrameBytes({ uri, options })).toBeGreaterThanOrEqual(actual);
    expect(requestFrameBytes({ uri, options })).toBeLessThan(actual + 150);
  });
});
