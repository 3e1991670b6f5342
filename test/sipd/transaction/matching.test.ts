import { describe, expect, test } from 'vitest';
import {
  type Asked,
  answers,
  clientKey,
  type MatchedRequest,
  serverKey,
} from '../../../src/sipd/transaction/matching.ts';
import { parseVia } from '../../../src/wire/via.ts';

const invite: MatchedRequest = {
  method: 'INVITE',
  uri: 'sip:focus@example.com',
  via: parseVia('SIP/2.0/UDP a:5070;branch=z9hG4bK1'),
  callId: 'c',
  fromTag: 'f',
  cseq: 1,
};

function hop(via: string, rest: Partial<MatchedRequest> = {}): MatchedRequest {
  return { ...invite, ...rest, via: parseVia(via) };
}

test('RFC 3261 8.2.6.2: an answer repeats From tag, Call-ID and CSeq, and the To tag if there was one', () => {
  const outside: Asked = { callId: 'c', cseq: 1, fromTag: 'f', toTag: null };
  const within: Asked = { ...outside, toTag: 't' };
  const answer: Asked = { ...within };
  expect([answers(answer, outside), answers(answer, within)]).toEqual([true, true]);
  expect(answers({ ...answer, fromTag: 'F', toTag: 'T' }, within)).toBe(true);
  expect(answers({ ...answer, toTag: null }, outside)).toBe(true);
  const others: readonly Partial<Asked>[] = [{ callId: 'C' }, { cseq: 2 }, { fromTag: 't' }, { fromTag: null }];
  expect(others.map((other) => answers({ ...answer, ...other }, outside))).toEqual([false, false, false, false]);
  expect([answers({ ...answer, toTag: 'u' }, within), answers({ ...answer, toTag: null }, within)]).toEqual([
    false,
    false,
  ]);
  // A peer of RFC 2543 has no tag.
  expect(answers({ ...answer, toTag: null }, { ...within, toTag: '' })).toBe(true);
});

describe('RFC 3261 17.2.3: matching requests', () => {
  test('branch, sent-by and method name the transaction', () => {
    expect(serverKey(invite)).toBe(serverKey({ ...invite, uri: 'sip:other@x', cseq: 2 }));
    expect(serverKey(invite)).not.toBe(serverKey(hop('SIP/2.0/UDP a:5070;branch=z9hG4bK2')));
    expect(serverKey(invite)).not.toBe(serverKey(hop('SIP/2.0/UDP b:5070;branch=z9hG4bK1')));
    expect(serverKey(invite)).not.toBe(serverKey({ ...invite, method: 'CANCEL' }));
  });

  test('an ACK is of its INVITE, and a CANCEL finds it', () => {
    expect(serverKey({ ...invite, method: 'ACK' })).toBe(serverKey(invite));
    expect(serverKey({ ...invite, method: 'CANCEL' }, 'INVITE')).toBe(serverKey(invite));
  });

  test('no port is port 5060', () => {
    expect(serverKey(hop('SIP/2.0/UDP a;branch=z9hG4bK1'))).toBe(serverKey(hop('SIP/2.0/UDP a:5060;branch=z9hG4bK1')));
  });

  test('without the cookie, or with nothing behind it, the old rules hold', () => {
    for (const via of ['SIP/2.0/UDP a', 'SIP/2.0/UDP a;branch=1', 'SIP/2.0/UDP a;branch=z9hG4bK']) {
      const old = hop(via);
      expect(serverKey(old)).toBe(serverKey({ ...old, method: 'ACK' }));
      expect(serverKey(old)).not.toBe(serverKey({ ...old, cseq: 2 }));
      expect(serverKey(old)).not.toBe(serverKey({ ...old, callId: 'd' }));
      expect(serverKey(old)).not.toBe(serverKey({ ...old, fromTag: 'g' }));
      expect(serverKey(old)).not.toBe(serverKey({ ...old, uri: 'sip:x@y' }));
    }
  });

  test('17.1.3: a response is of its branch and method', () => {
    expect(clientKey('z9hG4bK1', 'INVITE')).not.toBe(clientKey('z9hG4bK1', 'CANCEL'));
  });
});
