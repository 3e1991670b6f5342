import { expect, test } from 'vitest';
import { ConfirmationReader, frameIdOf } from '../../src/sip/control-frames.ts';

const ours = ['36ef1afa-3574-4488-990b-ea6d07ada401', '9456525b-6093-4ad3-a72a-11593b252f60'];

function framed(payload: string): string {
  return `${Buffer.byteLength(payload)}#${payload}`;
}

const confirmation = framed(
  `2e74060a-5294-4e70-a2ed-0bcd2374316a|response|${ours[0]}|OK|application|235|udp|127.0.0.1|5781|16:03:08.142615|txn|dialog||Msg sent:|\r\nSIP/2.0 180 Ringing\r\nX: 12#response|${ours[1]}\r\n\r\n`,
);
const event = framed(
  `fcb3c99d-1179-4e97-b6c2-95d24896266b|sip|network|228|udp|127.0.0.1|5781|16:03:08.558134|txn|dialog|\r\nSIP/2.0 200 OK\r\nSubject: Grüße\r\n\r\n`,
);
const short = framed(`c94046eb-d230-41a3-8336-fd73129f5053|response|${ours[1]}|OK`);
const stream = Buffer.from(`${confirmation}${event}${short}`);

test('confirmations are told by the id of the frame they answer, events are passed over', () => {
  expect(new ConfirmationReader().push(stream)).toEqual(ours);
});

test('the stream may be split at every octet', () => {
  for (let at = 0; at <= stream.length; at += 1) {
    const reader = new ConfirmationReader();
    expect([...reader.push(stream.subarray(0, at)), ...reader.push(stream.subarray(at))]).toEqual(ours);
  }
});

test('octet by octet', () => {
  const reader = new ConfirmationReader();
  expect([...stream].flatMap((octet) => reader.push(Buffer.of(octet)))).toEqual(ours);
});

test('after a malformed length nothing is believed any more', () => {
  const reader = new ConfirmationReader();
  expect(reader.push(Buffer.from(`x${short}`))).toEqual([]);
  expect(reader.push(Buffer.from(short))).toEqual([]);
  expect(new ConfirmationReader().push(Buffer.from(`1234567890${short}`))).toEqual([]);
});

test('the id of a frame that is written stands between # and the first bar', () => {
  expect(frameIdOf(`41#${ours[0]}|ping`)).toBe(ours[0]);
  expect(frameIdOf('OPTIONS sip:x')).toBeNull();
});
