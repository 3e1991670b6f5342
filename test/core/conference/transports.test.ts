import { describe, expect, test } from 'vitest';
import type { LocalMedia } from '../../../src/core/conference/local-media.ts';
import { agreementFrom, answerTo, describe as described, offerOf } from '../../../src/core/conference/negotiation.ts';
import type { MsrpPresent, MsrpSelf } from '../../../src/core/settings.ts';
import { randomIds } from '../../../src/ids.ts';
import { parseSdp } from '../../../src/wire/sdp.ts';
import { crlf } from '../../support/bodies.ts';
import { msrpSelf } from '../../support/fixtures.ts';

const fingerprint = 'sha-256 AA:BB';
const relays = ['msrps://outer.example.com:9000/o;tcp', 'msrps://inner.example.com:2855/i;tcp'];

type Wish = Partial<Pick<LocalMedia, 'secureOnly' | 'lenient'>> & {
  msrp?: Partial<MsrpSelf>;
  present?: Partial<MsrpPresent>;
};

/** The focus at 192.0.2.1, with every transport. */
function local({ msrp = {}, present = {}, ...rest }: Wish = {}): LocalMedia {
  const ports = { host: '192.0.2.1', tlsPort: 2856, wsPort: 8080, wssPort: 8443 };
  const now = { fingerprint, relays: [], ...present };
  return {
    msrp: msrpSelf({ ...ports, present: () => now, ...msrp }),
    sessionId: 'Our1d',
    relays: now.relays,
    originId: '1',
    audio: 'off',
    chatroom: [],
    secureOnly: false,
    lenient: true,
    ...rest,
  };
}

/** A peer at 192.0.2.9. */
function peerSdp(protocol: string, path: string, ...attributes: readonly string[]): string {
  return crlf(
    'v=0',
    'o=peer 1 1 IN IP4 192.0.2.9',
    's=-',
    'c=IN IP4 192.0.2.9',
    't=0 0',
    `m=message 7654 ${protocol} *`,
    'a=accept-types:message/cpim',
    `a=path:${path}`,
    ...attributes,
  );
}

const plainPath = 'msrp://192.0.2.9:7654/p;tcp';
const securePath = 'msrps://192.0.2.9:7654/p;tcp';

/** Lines of our answer that say how we are reached, or null. */
function answered(sdp: string, wish: Wish = {}): readonly string[] | null {
  const ours = local(wish);
  const answer = answerTo(parseSdp(sdp), ours);
  return answer === null ? null : reachLines(described(ours, answer.lines, null).sdp);
}

function offered(wish: Wish = {}): readonly string[] {
  const ours = local(wish);
  return reachLines(described(ours, offerOf(ours, false), null).sdp);
}

function reachLines(sdp: string): readonly string[] {
  return sdp.split('\r\n').filter((line) => /^(c=|m=|a=(path|setup|fingerprint|msrp-cema|max-size))/.test(line));
}

const [inet, size] = ['c=IN IP4 192.0.2.1', 'a=max-size:10485760'];

describe('our answer takes the transport that is offered', () => {
  test('CC-171 TCP: m= and c= say what the path does', () => {
    expect(answered(peerSdp('TCP/MSRP', plainPath, 'a=setup:active'))).toEqual([
      inet,
      'm=message 2855 TCP/MSRP *',
      size,
      'a=setup:passive',
      'a=path:msrp://192.0.2.1:2855/Our1d;tcp',
    ]);
  });

  test('CC-171 TLS, with the fingerprint of our certificate (RFC 8122 5)', () => {
    expect(answered(peerSdp('TCP/TLS/MSRP', securePath))).toEqual([
      inet,
      'm=message 2856 TCP/TLS/MSRP *',
      size,
      'a=setup:passive',
      'a=path:msrps://192.0.2.1:2856/Our1d;tcp',
      `a=fingerprint:${fingerprint}`,
    ]);
  });

  test('WebSocket, plain and secure (RFC 7977)', () => {
    const plain = answered(peerSdp('TCP/MSRP', 'msrp://x.invalid:2855/p;ws', 'a=setup:active'));
    expect(plain).toContain('m=message 8080 TCP/MSRP *');
    expect(plain).toContain('a=path:msrp://192.0.2.1:8080/Our1d;ws');
    const secure = answered(peerSdp('TCP/TLS/MSRP', 'msrps://x.invalid:2855/p;ws', 'a=setup:active'));
    expect(secure).toContain('m=message 8443 TCP/TLS/MSRP *');
    expect(secure).toContain('a=path:msrps://192.0.2.1:8443/Our1d;ws');
  });

  test('IPv6 stands in brackets in the path, and without in c=', () => {
    const ours = answered(peerSdp('TCP/MSRP', plainPath), { msrp: { host: '2001:db8::1' } });
    expect(ours).toContain('c=IN IP6 2001:db8::1');
    expect(ours).toContain('a=path:msrp://[2001:db8::1]:2855/Our1d;tcp');
  });

  test.each([
    ['TCP/TLS/MSRP', securePath, { tlsPort: null }],
    ['TCP/MSRP', 'msrp://x.invalid:2855/p;ws', { wsPort: null }],
    ['TCP/TLS/MSRP', 'msrps://x.invalid:2855/p;ws', { wssPort: null }],
    ['TCP/MSRP', 'msrp://192.0.2.9:7654/p;sctp', {}],
  ])('%s with %s is not taken where that is off', (protocol, path, msrp) => {
    expect(answered(peerSdp(protocol, path), { msrp })).toBeNull();
  });

  test('a second line that can be taken is', () => {
    const both = `${peerSdp('TCP/TLS/MSRP', securePath)}m=message 7655 TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://192.0.2.9:7655/q;tcp\r\n`;
    const ours = answered(both, { msrp: { tlsPort: null } });
    expect(ours?.filter((line) => line.startsWith('m='))).toEqual([
      'm=message 0 TCP/TLS/MSRP *',
      'm=message 2855 TCP/MSRP *',
    ]);
  });
});

test('QK-36 QK-38 a name in c= and a short session id are taken; ours has at least 80 random bits', () => {
  const named = peerSdp('TCP/MSRP', 'msrp://user2.imserver.com:7654/iau39;tcp').replace(
    'c=IN IP4 192.0.2.9',
    'c=IN IP4 user2.imserver.com',
  );
  expect(answered(named, { lenient: false })).not.toBeNull();
  const ids = Array.from({ length: 1_000 }, () => randomIds.msrpSession());
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) expect(Buffer.from(id, 'base64url').length * 8).toBeGreaterThanOrEqual(80);
});

describe('where the conference wants TLS', () => {
  test('CC-173 TCP/MSRP is not taken', () => {
    expect(answered(peerSdp('TCP/MSRP', plainPath), { secureOnly: true })).toBeNull();
    expect(answered(peerSdp('TCP/TLS/MSRP', securePath), { secureOnly: true })).toContain(
      'm=message 2856 TCP/TLS/MSRP *',
    );
  });

  test('our offers are of TLS; everywhere else they are of TCP', () => {
    expect(offered({ secureOnly: true })).toEqual([
      inet,
      'm=message 2856 TCP/TLS/MSRP *',
      size,
      'a=setup:actpass',
      'a=path:msrps://192.0.2.1:2856/Our1d;tcp',
      'a=msrp-cema',
      `a=fingerprint:${fingerprint}`,
    ]);
    expect(offered()).toContain('m=message 2855 TCP/MSRP *');
  });

  test('without TLS there is nothing to offer', () => {
    expect(offered({ secureOnly: true, msrp: { tlsPort: null } })).toContain('m=message 0 TCP/TLS/MSRP *');
  });
});

describe('what is agreed of the peer', () => {
  const offer = (): ReturnType<typeof offerOf> => offerOf(local(), false);

  test('its fingerprints, of the line before those of the session', () => {
    const sdp = peerSdp('TCP/TLS/MSRP', securePath, 'a=fingerprint:SHA-1 aa:bb', 'a=fingerprint:sha-256 CC:DD');
    const session = sdp.replace('t=0 0', 't=0 0\r\na=fingerprint:sha-256 EE:FF');
    const told = [
      { hash: 'sha-1', value: 'AA:BB' },
      { hash: 'sha-256', value: 'CC:DD' },
    ];
    expect(answerTo(parseSdp(session), local())?.msrp?.fingerprints).toEqual(told);
    const alone = session.replace(/a=fingerprint:(SHA-1|sha-256 CC).*\r\n/g, '');
    expect(answerTo(parseSdp(alone), local())?.msrp?.fingerprints).toEqual([{ hash: 'sha-256', value: 'EE:FF' }]);
  });

  test('RFC 6714 the address of c= and m= with CEMA on both sides, else the path alone', () => {
    const cema = peerSdp('TCP/MSRP', 'msrp://10.0.0.1:7000/p;tcp', 'a=msrp-cema');
    const without = cema.replace('a=msrp-cema\r\n', '');
    const address = { host: '192.0.2.9', port: 7_654 };
    expect(answered(cema)).toContain('a=msrp-cema');
    expect(answered(without)).not.toContain('a=msrp-cema');
    expect(answerTo(parseSdp(cema), local())?.msrp?.connectTo).toEqual(address);
    expect(answerTo(parseSdp(without), local())?.msrp?.connectTo).toBeNull();
    expect(agreementFrom(parseSdp(cema), offer())?.msrp?.connectTo).toEqual(address);
    expect(agreementFrom(parseSdp(without), offer())?.msrp?.connectTo).toBeNull();
  });

  test('RFC 6714 an offer without CEMA whose c= and m= say something else: taken by its path, refused where strict', () => {
    const changed = peerSdp('TCP/MSRP', 'msrp://10.0.0.1:7000/p;tcp');
    expect(answered(changed)).not.toBeNull();
    expect(answered(changed, { lenient: false })).toBeNull();
    expect(answered(peerSdp('TCP/MSRP', plainPath), { lenient: false })).not.toBeNull();
  });

  test('RFC 3264 an answer of another protocol than was offered takes nothing', () => {
    expect(agreementFrom(parseSdp(peerSdp('TCP/TLS/MSRP', securePath)), offer())).toBeNull();
    expect(agreementFrom(parseSdp(peerSdp('TCP/MSRP', 'msrp://x.invalid:9/p;ws')), offer())).toBeNull();
    expect(agreementFrom(parseSdp(peerSdp('TCP/MSRP', plainPath)), offer())).not.toBeNull();
  });
});

describe('CC-172 who connects (RFC 6135 4.2)', () => {
  test.each([
    ['a=setup:actpass', 'passive'],
    ['a=setup:active', 'passive'],
    ['a=setup:passive', 'active'],
    ['a=setup:holdconn', 'passive'],
    ['a=x', 'passive'],
  ])('offered %s: we answer %s', (attribute, setup) => {
    const answer = answerTo(parseSdp(peerSdp('TCP/TLS/MSRP', securePath, attribute)), local());
    expect(answer?.msrp?.role).toBe(setup);
    expect(answered(peerSdp('TCP/TLS/MSRP', securePath, attribute))).toContain(`a=setup:${setup}`);
  });

  test('RFC 7977 nobody connects to a WebSocket client, whatever it says', () => {
    const path = 'msrp://x.invalid:2855/p;ws';
    const ours = local();
    const answer = answerTo(parseSdp(peerSdp('TCP/MSRP', path, 'a=setup:passive')), ours);
    expect(answer?.msrp?.role).toBe('passive');
    for (const said of ['a=setup:passive', 'a=x'])
      expect(agreementFrom(parseSdp(peerSdp('TCP/MSRP', path, said)), answer?.lines ?? [])?.msrp?.role).toBe('passive');
  });

  test('RFC 7977 5.2.2 who is behind a WebSocket relay is reached there, by TCP', () => {
    const path = 'msrps://a.example.com:2855/jui787s2f;tcp msrps://df7jal23ls0d.invalid/98cjs;ws';
    const answer = answerTo(parseSdp(peerSdp('TCP/TLS/MSRP', path, 'a=setup:passive')), local());
    expect(answer?.msrp).toMatchObject({ role: 'active', remotePath: path.split(' ') });
    expect(answered(peerSdp('TCP/TLS/MSRP', path))).toContain('a=path:msrps://192.0.2.1:2856/Our1d;tcp');
  });

  test.each([
    ['a=setup:active', 'passive'],
    ['a=setup:passive', 'active'],
    ['a=x', 'active'],
  ])('answered %s to our actpass: we are %s', (attribute, role) => {
    const lines = offerOf(local({ secureOnly: true }), false);
    expect(agreementFrom(parseSdp(peerSdp('TCP/TLS/MSRP', securePath, attribute)), lines)?.msrp?.role).toBe(role);
  });
});

describe('behind relays (RFC 4976 5.1)', () => {
  test('the path begins with them, m= and c= name the first, and the fingerprint is theirs to show', () => {
    expect(answered(peerSdp('TCP/TLS/MSRP', securePath), { present: { relays } })).toEqual([
      inet,
      'm=message 9000 TCP/TLS/MSRP *',
      'c=IN IP4 outer.example.com',
      size,
      'a=setup:passive',
      `a=path:${relays.join(' ')} msrps://192.0.2.1:2856/Our1d;tcp`,
    ]);
  });

  test('what we offer is of TLS when they want it, and has no CEMA', () => {
    const lines = offered({ present: { relays } });
    expect(lines).toContain('m=message 9000 TCP/TLS/MSRP *');
    expect(lines).not.toContain('a=msrp-cema');
    expect(offered({ present: { relays: ['msrp://outer.example.com:9000/o;tcp'] } })).toContain(
      'm=message 9000 TCP/MSRP *',
    );
  });

  test('RFC 7977 a WebSocket client cannot connect to them, but to us', () => {
    const ws = peerSdp('TCP/TLS/MSRP', 'msrps://x.invalid:2855/p;ws', 'a=setup:active');
    expect(answered(ws, { present: { relays } })).toContain('a=path:msrps://192.0.2.1:8443/Our1d;ws');
    expect(answered(ws, { present: { relays }, msrp: { wssPort: null } })).toBeNull();
  });

  test('a relay in the clear is not enough where the conference wants TLS', () => {
    const wish = { secureOnly: true, present: { relays: ['msrp://outer.example.com:9000/o;tcp'] } };
    expect(answered(peerSdp('TCP/TLS/MSRP', securePath), wish)).toBeNull();
  });
});
