import { describe, expect, test } from 'vitest';
import type { Outcome, Place } from '../../src/core/effect.ts';
import { type RefusalCode, refusals } from '../../src/core/refusal.ts';
import { challenges } from '../../src/sip/challenge.ts';
import { type Answer, answerFor } from '../../src/sip/responses.ts';
import { refusedListsIn } from '../../src/wire/refused-uri-list.ts';
import type { SipResponse } from '../../src/wire/sip-message.ts';

const rules = {
  method: 'INVITE',
  isWithinDialog: false,
  agent: 'conf.example.com',
  challenges: (stale: boolean) => ['Digest one', stale ? 'Digest two, stale=true' : 'Digest two'],
};
const extensions = 'replaces, join, timer, norefersub, multiple-refer, tdialog, 100rel';
const conferenceUri = 'sip:conf-7f3a9c51@conf.example.com';

function refused(code: RefusalCode, detail = '', headers?: Record<string, string>): Answer {
  return answerFor({ kind: 'refused', code, detail, ...(headers === undefined ? {} : { headers }) }, rules);
}

/** A message as it would be read from the wire. */
function asMessage({ status, reason, headers, body }: Answer): SipResponse {
  const named = headers.map(([name, value]) => ({ name, value }));
  return { kind: 'response', status, reason, headers: named, body: body ?? '' };
}

function values(answer: Answer, name: string): string[] {
  return answer.headers.filter(([each]) => each === name).map(([, value]) => value);
}

describe('a session that is accepted', () => {
  const accepted = {
    kind: 'session-accepted',
    endpointId: 'e',
    contact: conferenceUri,
    toTag: 'fa7e11c0',
    sdp: 'v=0\r\n',
    sessionTimer: null,
  } as const;

  test('gets 200 with the conference URI as Contact, isfocus outside the brackets', () => {
    const answer = answerFor({ ...accepted, at: 'factory' }, rules);
    expect(answer).toMatchObject({ status: 200, reason: 'OK', body: 'v=0\r\n', toTag: 'fa7e11c0' });
    expect(values(answer, 'Contact')).toEqual([`<${conferenceUri}>;isfocus;+g.oma.sip-im`]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'Allow': 'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK',
      'Allow-Events': 'conference, refer',
      'Accept': 'application/sdp, multipart/mixed, application/resource-lists+xml',
      'Supported': `recipient-list-invite, ${extensions}`,
      'Content-Type': 'application/sdp',
    });
  });

  test('at a conference lists are neither accepted nor supported', () => {
    const answer = answerFor({ ...accepted, at: 'conference' }, rules);
    expect(values(answer, 'Accept')).toEqual(['application/sdp, multipart/mixed']);
    expect(values(answer, 'Supported')).toEqual([extensions]);
    expect([...values(answer, 'Session-Expires'), ...values(answer, 'Require')]).toEqual([]);
  });

  test.each([
    { refresher: 'uac', required: true, require: ['timer'] },
    { refresher: 'uas', required: false, require: [] },
  ] as const)('says when it expires, and that $refresher refreshes it', ({ refresher, required, require }) => {
    const sessionTimer = { expires: 1_800, refresher, required };
    const answer = answerFor({ ...accepted, at: 'conference', sessionTimer }, rules);
    expect(values(answer, 'Session-Expires')).toEqual([`1800;refresher=${refresher}`]);
    expect(values(answer, 'Require')).toEqual(require);
  });

  test('to an UPDATE without an offer has no description', () => {
    const answer = answerFor({ ...accepted, at: 'conference', sdp: null }, { ...rules, method: 'UPDATE' });
    expect([answer.body, values(answer, 'Content-Type')]).toEqual([null, []]);
    expect(values(answer, 'Contact')).toEqual([`<${conferenceUri}>;isfocus;+g.oma.sip-im`]);
  });
});

test('a subscription that is accepted gets 200 with what was granted', () => {
  const outcome: Outcome = {
    kind: 'subscription-accepted',
    subscriptionId: 's',
    contact: conferenceUri,
    toTag: 't',
    expires: 1_800,
  };
  const answer = answerFor(outcome, { ...rules, method: 'SUBSCRIBE' });
  expect(answer).toMatchObject({ status: 200, body: null, toTag: 't' });
  expect(answer.headers).toEqual([
    ['Contact', `<${conferenceUri}>;isfocus`],
    ['Expires', '1800'],
    ['Allow-Events', 'conference, refer'],
    ['Server', 'isfocus'],
  ]);
});

describe('OPTIONS', () => {
  const options = (at: Place, contact: string | null): Answer =>
    answerFor({ kind: 'capabilities', at, contact }, { ...rules, method: 'OPTIONS' });

  test('at the factory lists recipient-list-invite', () => {
    const answer = options('factory', null);
    expect(values(answer, 'Supported')).toEqual([`recipient-list-invite, ${extensions}`]);
    expect(values(answer, 'Contact')).toEqual([]);
  });

  test.each(['conference', 'group'] as const)('at a %s does not, and its Contact has isfocus', (at) => {
    const answer = options(at, conferenceUri);
    expect(values(answer, 'Supported')).toEqual([extensions]);
    expect(values(answer, 'Contact')).toEqual([`<${conferenceUri}>;isfocus`]);
    const told = 'application/sdp, multipart/mixed, application/conference-info+xml, message/sipfrag';
    expect(values(answer, 'Accept')).toEqual([told]);
  });

  test('elsewhere a Contact is no focus', () => {
    expect(values(options('server', 'sip:conf.example.com'), 'Contact')).toEqual(['<sip:conf.example.com>']);
  });
});

describe('a refusal', () => {
  test.each(Object.entries(refusals))('%s has its status and text', (code, { sip, text }) => {
    expect(refused(code as RefusalCode)).toMatchObject({ status: sip, reason: text, body: null, toTag: null });
  });

  test('says in a Warning what was wrong, 305 for media, on one line', () => {
    expect(values(refused('bad-list', 'Element <a> is "not"\r\nclosed'), 'Warning')).toEqual([
      `399 conf.example.com "Element <a> is 'not' closed"`,
    ]);
    expect(values(refused('media-not-acceptable'), 'Warning')).toEqual([
      '305 conf.example.com "No usable MSRP session is offered"',
    ]);
    expect(values(refused('not-allowed'), 'Warning')).toEqual([]);
    expect(values(refused('not-allowed', 'x'.repeat(999)), 'Warning')[0]).toHaveLength(
      '399 conf.example.com ""'.length + 200,
    );
  });

  test.each([
    ['method-not-allowed', 'Allow', 'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK'],
    ['bad-event', 'Allow-Events', 'conference, refer'],
    ['interval-too-brief', 'Min-Expires', '60'],
    ['busy', 'Retry-After', '10'],
    ['stopping', 'Retry-After', '10'],
    ['unsupported-body', 'Accept', 'application/sdp, multipart/mixed, application/resource-lists+xml'],
    ['unsupported-encoding', 'Accept-Encoding', 'identity'],
  ] as const)('%s carries %s', (code, name, value) => {
    expect(values(refused(code), name)).toEqual([value]);
  });

  test.each(['INVITE', 'UPDATE'])(
    'an %s within a session is told that no list belongs there (RFC 3261 8.2.3)',
    (method) => {
      const within = { ...rules, method, isWithinDialog: true };
      const answer = answerFor({ kind: 'refused', code: 'unsupported-body', detail: '' }, within);
      expect(values(answer, 'Accept')).toEqual(['application/sdp, multipart/mixed']);
    },
  );

  test('CC-015 a 415 of a conference does not name the lists of the factory (RFC 5366 5.1)', () => {
    const answer = answerFor({ kind: 'refused', code: 'unsupported-body', detail: '', at: 'conference' }, rules);
    expect(values(answer, 'Accept')).toEqual(['application/sdp, multipart/mixed']);
  });

  test('420 carries the Unsupported that the core gives', () => {
    expect(values(refused('unknown-extension', 'x-one', { 'Unsupported': 'x-one' }), 'Unsupported')).toEqual(['x-one']);
  });

  test('a header the core gives stands in place of ours', () => {
    expect(values(refused('interval-too-brief', '', { 'Min-Expires': '120' }), 'Min-Expires')).toEqual(['120']);
  });

  test('401 carries a challenge per algorithm, each in a header of its own', () => {
    expect(values(refused('unauthenticated'), 'WWW-Authenticate')).toEqual(['Digest one', 'Digest two']);
  });

  test('CC-199 a 401 for the age of a nonce says so (RFC 7616 3.3)', () => {
    const stale = answerFor({ kind: 'refused', code: 'unauthenticated', detail: '', stale: true }, rules);
    expect(values(stale, 'WWW-Authenticate')).toEqual(['Digest one', 'Digest two, stale=true']);
  });
});

test('the list that a refusal points at is a part of its body, to be found by its Content-ID', () => {
  const contentId = 'tag-1@conf.example.com';
  const text = '<?xml version="1.0"?><resource-lists/>';
  const headers = { 'P-Refused-URI-List': `<sip:team@conf.example.com>;members="<cid:${contentId}>"` };
  const body = { contentId, type: 'application/resource-lists+xml', text };
  const answer = answerFor({ kind: 'refused', code: 'list-of-lists', detail: '', headers, body }, rules);
  expect(answer.status).toBe(403);
  expect(values(answer, 'Content-Type')[0]).toMatch(/^multipart\/mixed;boundary="[^"]+"$/);
  expect(refusedListsIn(asMessage(answer), { partsMax: 4, depthMax: 1, lenient: true })).toEqual([text]);
});

test('an outcome of another protocol becomes a 500', () => {
  expect(answerFor({ kind: 'participant-removed' }, rules).status).toBe(500);
});

describe('challenges', () => {
  const given = { realm: 'conf.example.com', nonceSecret: 'secret', algorithms: ['SHA-256', 'MD5'] } as const;
  const asked = { now: 1_700_000_000_000, sourceAddress: '192.0.2.1', stale: false };

  test('SHA-256 before MD5, the same realm, nonce and opaque, qop (RFC 8760 2.3, 2.6)', () => {
    const [sha, md5, ...others] = challenges(given, asked);
    const nonce = /nonce="([^"]+)"/.exec(sha ?? '')?.[1] ?? '';
    const opaque = /opaque="([^"]+)"/.exec(sha ?? '')?.[1] ?? '';
    const common = `Digest realm="conf.example.com", nonce="${nonce}", opaque="${opaque}"`;
    expect(sha).toBe(`${common}, algorithm=SHA-256, qop="auth"`);
    expect(md5).toBe(`${common}, algorithm=MD5, qop="auth"`);
    expect(others).toEqual([]);
    expect(Number.parseInt(nonce.split('.')[0] ?? '', 36)).toBe(1_700_000_000_000);
    expect(challenges(given, { ...asked, now: asked.now + 1 })[0]).not.toBe(sha);
    expect(challenges({ ...given, nonceSecret: 'other' }, asked)[0]).not.toBe(sha);
  });

  test('only what is offered, in the order in which it is', () => {
    const offered = (algorithms: readonly ('SHA-256' | 'MD5')[]) =>
      challenges({ ...given, algorithms }, asked).map((challenge) => /algorithm=([^,]+)/.exec(challenge)?.[1]);
    expect(offered(['MD5', 'SHA-256'])).toEqual(['MD5', 'SHA-256']);
    expect(offered(['SHA-256'])).toEqual(['SHA-256']);
  });

  test('stale is said in both', () => {
    for (const challenge of challenges(given, { ...asked, stale: true })) expect(challenge).toContain(', stale=true,');
  });

  test('a realm breaks out of no quotes', () => {
    expect(challenges({ ...given, realm: 'a"\\b' }, asked)[0]).toContain('realm="ab", ');
  });
});
