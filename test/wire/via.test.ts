import { describe, expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { firstVia, markVia, parseVia, viaParam, writeVia } from '../../src/wire/via.ts';

describe('Via', () => {
  test('a hop is transport, host, port and parameters', () => {
    const via = parseVia('SIP/2.0/udp Pc33.Atlanta.com:5070;branch=z9hG4bK776;rport;MADDR=10.0.0.1');
    expect(via).toMatchObject({ transport: 'UDP', host: 'pc33.atlanta.com', port: 5070 });
    expect(viaParam(via, 'branch')).toBe('z9hG4bK776');
    expect(viaParam(via, 'rport')).toBeNull();
    expect(viaParam(via, 'maddr')).toBe('10.0.0.1');
    expect(viaParam(via, 'received')).toBeUndefined();
  });

  test('blanks may stand around every separator (RFC 4475 wsinv)', () => {
    const via = parseVia('SIP  / 2.0  / TCP     spindle.example.com : 5060   ; branch  =   z9hG4bK9ikj8  ');
    expect(writeVia(via)).toBe('SIP/2.0/TCP spindle.example.com:5060;branch=z9hG4bK9ikj8');
  });

  test('an IPv6 host keeps its brackets', () => {
    expect(parseVia('SIP/2.0/TCP [2001:DB8::9]:5061;branch=z9')).toMatchObject({ host: '[2001:db8::9]', port: 5061 });
    expect(parseVia('SIP/2.0/TCP [2001:db8::9];branch=z9')).toMatchObject({ host: '[2001:db8::9]', port: null });
  });

  test('what was written reads the same', () => {
    for (const text of ['SIP/2.0/UDP a', 'SIP/2.0/UDP a:1;b', 'SIP/2.0/UNKNOWN a;branch=z9hG4bK1;x="y;z,w";rport']) {
      expect(writeVia(parseVia(text))).toBe(text);
    }
  });

  test('malformed hops are refused with 400', () => {
    for (const text of [
      '',
      'SIP/2.0',
      'SIP/2.0/UDP',
      'SIP/2.0/UDP ',
      'SIP/3.0/UDP a',
      'HTTP/2.0/UDP a',
      'SIP/2.0/UDP a b',
      'SIP/2.0/UDP a:0',
      'SIP/2.0/UDP a:65536',
      'SIP/2.0/UDP a:x',
      'SIP/2.0/UDP a:',
      'SIP/2.0/UDP 192.0.2.15;;',
      'SIP/2.0/UDP a;,b',
      'SIP/2.0/UDP a;b c=d',
    ]) {
      expect(() => parseVia(text), text).toThrow(RemoteError);
    }
  });

  test('truncated at every byte it is read or refused', () => {
    const text = 'SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bK1;x="y;z"';
    for (let length = 0; length < text.length; length += 1) {
      try {
        expect(parseVia(text.slice(0, length)).transport).toBe('TCP');
      } catch (error) {
        expect(error).toBeInstanceOf(RemoteError);
      }
    }
  });

  test('a list is split after its first hop, not within quotes', () => {
    expect(firstVia('SIP/2.0/UDP a;x="1,2" , SIP/2.0/UDP b, SIP/2.0/UDP c')).toEqual({
      first: 'SIP/2.0/UDP a;x="1,2"',
      rest: 'SIP/2.0/UDP b, SIP/2.0/UDP c',
    });
    expect(firstVia('SIP/2.0/UDP a')).toEqual({ first: 'SIP/2.0/UDP a', rest: '' });
  });

  test('RFC 3261 18.2.1, RFC 3581 4: the server notes the source, and nobody can pretend to one', () => {
    const source = { host: '127.0.0.1', port: 5099 };
    expect(writeVia(markVia(parseVia('SIP/2.0/UDP 127.0.0.1:5060;branch=z;rport'), source))).toBe(
      'SIP/2.0/UDP 127.0.0.1:5060;branch=z;rport=5099',
    );
    expect(writeVia(markVia(parseVia('SIP/2.0/UDP example.com;received=9.9.9.9;rport=1;branch=z'), source))).toBe(
      'SIP/2.0/UDP example.com;branch=z;received=127.0.0.1;rport=5099',
    );
    expect(writeVia(markVia(parseVia('SIP/2.0/TCP [::1];branch=z'), { host: '::1', port: 7 }))).toBe(
      'SIP/2.0/TCP [::1];branch=z;rport=7',
    );
  });
});
