import { describe, expect, test } from 'vitest';
import { answerTo } from '../../../src/core/conference/negotiation.ts';
import { parseSdp, writeSdp } from '../../../src/wire/sdp.ts';
import { crlf } from '../../support/bodies.ts';

const local = { host: '127.0.0.1', port: 2855, path: 'msrp://127.0.0.1:2855/x;tcp', originId: '1' } as const;

const origin = { username: 'focus', sessionId: '1', version: '1', address: '127.0.0.1' };

/** The audio line that answers an offer of these lines, and its attributes. */
function audioAnswer(...lines: readonly string[]): readonly string[] {
  const offer = parseSdp(crlf('v=0', 'o=phone 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines));
  const answer = answerTo(offer, { ...local, audio: 'inactive' });
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
});
