import { describe, expect, test } from 'vitest';
import type { LocalMedia } from '../../../src/core/conference/local-media.ts';
import { type Answer, answerTo } from '../../../src/core/conference/negotiation.ts';
import { parseSdp, writeSdp } from '../../../src/wire/sdp.ts';
import { crlf } from '../../support/bodies.ts';
import { msrpSelf } from '../../support/fixtures.ts';

const local: LocalMedia = {
  msrp: msrpSelf({ host: '127.0.0.1' }),
  sessionId: 'x',
  relays: [],
  originId: '1',
  audio: 'off',
  chatroom: [],
  secureOnly: false,
  lenient: true,
};

const origin = { username: 'focus', sessionId: '1', version: '1', address: '127.0.0.1' };

function answered(lines: readonly string[], audio: 'off' | 'inactive' = 'inactive'): Answer | null {
  const offer = parseSdp(crlf('v=0', 'o=phone 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines));
  return answerTo(offer, { ...local, audio });
}

/** The audio line that answers an offer of these lines, and its attributes. */
function audioAnswer(...lines: readonly string[]): readonly string[] {
  const answer = answered(lines);
  const sdp = writeSdp({ origin, connection: null, attributes: [], media: answer?.lines ?? [] });
  return sdp.split('\r\n').filter((line) => /^[ma]=/.test(line));
}

describe('audio that is accepted without sound', () => {
  test('a static payload type needs no mapping', () => {
    expect(audioAnswer('m=audio 4000 RTP/AVP 0 8')).toEqual(['m=audio 9 RTP/AVP 0', 'a=inactive']);
  });

  // liblinphone hangs up when the answer names a dynamic type and does not say what it is.
  test('a dynamic payload type keeps the mapping and the parameters of the offer, and only its own', () => {
    const answer = audioAnswer(
      'm=audio 7078 RTP/AVP 96 97 101',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1',
      'a=rtpmap:97 speex/16000',
      'a=fmtp:97 vbr=on',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtcp-fb:* trr-int 1000',
    );
    expect(answer).toEqual([
      'm=audio 9 RTP/AVP 96',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1',
      'a=inactive',
    ]);
  });

  const audio = 'm=audio 4000 RTP/AVP 0';
  const messages = ['m=message 9 TCP/MSRP *', 'a=accept-types:message/cpim', 'a=path:msrp://127.0.0.1:9/y;tcp'];

  test.each([
    ['that says nothing of its direction', [audio], true],
    ['sendrecv', [audio, 'a=sendrecv'], true],
    ['sendonly', [audio, 'a=sendonly'], true],
    ['recvonly', [audio, 'a=recvonly'], true],
    ['inactive', [audio, 'a=inactive'], false],
    ['inactive for the whole session', ['a=inactive', audio], false],
    ['with sound in an inactive session', ['a=inactive', audio, 'a=sendrecv'], true],
    ['beside messages', [...messages, audio], true],
    ['refused by its port', [...messages, 'm=audio 0 RTP/AVP 0'], false],
    ['and there are two of them', [audio, 'a=inactive', 'm=audio 4002 RTP/AVP 0'], true],
  ])('an offer %s', (_what, lines, silenced) => {
    expect(answered(lines)?.silenced).toBe(silenced);
  });

  test('audio that is refused silences nobody', () => {
    expect(answered([...messages, audio], 'off')?.silenced).toBe(false);
  });
});
