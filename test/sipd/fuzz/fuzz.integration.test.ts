import { expect, test } from 'vitest';
import { Chance } from './chance.ts';
import { fuzz, shrink } from './fuzz.ts';
import { HeldByes } from './held-byes.ts';
import { garbage } from './mutate.ts';
import type { Episode, Step } from './script.ts';
import { faultOfFrame, faultOfMessage } from './well-formed.ts';

// The same every time; `npm run fuzz -- --seed N --messages N` goes further.
test.each([1, 2_147_483_647])(
  '10,000 messages of seed %i break no rule',
  (seed) => {
    const { messages } = fuzz(seed, 10_000);
    expect(messages).toBeGreaterThanOrEqual(10_000);
  },
  300_000,
);

test('the same seed says the same', () => {
  expect(garbage(new Chance(7))).toBe(garbage(new Chance(7)));
  expect(garbage(new Chance(7))).not.toBe(garbage(new Chance(8)));
});

test('the rules see what they are to see', () => {
  const good = 'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nContent-Length: 0\r\n\r\n';
  expect(faultOfMessage(good)).toBeNull();
  expect(faultOfMessage(good.replace('\r\nC', '\nC'))).toBe('a bare line end');
  expect(faultOfMessage(good.replace('UDP a', 'UDP a\rx'))).toBe('A line is no header field');
  expect(faultOfMessage(`${good}x`)).toBe('Content-Length is not that of the body');
  expect(faultOfMessage(good.replace('SIP/2.0 200', 'SIP/2.0 2000'))).toBe('Malformed status line');
  const event = `u|sip|network|5|udp|10.0.0.1|5060|12:00:00.000000|t|c;from-tag=a|\r\n${good}`;
  expect(faultOfFrame(event)).toBeNull();
  expect(faultOfFrame(event.replace('c;from', 'c|d;from'))).toBe('12 fields');
  expect(faultOfFrame(event.replace('udp|', 'udp|x|'))).toBe('a field is not in its place');
});

test('only a request of its own call sets a BYE free that waits, and only once', () => {
  const bye = 'BYE sip:a@b SIP/2.0\r\nFrom: <sip:f>;tag=f\r\nTo: <sip:a>;tag=a\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n';
  const ack = 'ACK sip:f SIP/2.0\r\nFrom: <sip:a>;tag=a\r\nTo: <sip:f>;tag=f\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n\r\n';
  const byes = new HeldByes();
  expect(byes.areOfCallOf(ack)).toBe(false);
  byes.confirmed('t1', bye.replaceAll('BYE', 'INFO'));
  expect(byes.areOfCallOf(ack)).toBe(false);
  byes.confirmed('t2', bye);
  const strangers = ['tag=a', 'Call-ID: c', '<sip:a>'].map((what) => ack.replace(what, `${what}x"`));
  expect([ack, ...strangers].map((request) => byes.areOfCallOf(request))).toEqual([true, false, false, false]);
  expect([bye.replace('2 BYE', '3 BYE'), bye, bye].map((request) => byes.released(request))).toEqual([
    false,
    true,
    false,
  ]);
  expect(byes.areOfCallOf(ack)).toBe(false);
  byes.confirmed('t3', bye);
  byes.ended('t3');
  expect(byes.areOfCallOf(ack)).toBe(false);
});

test('of a failing episode the steps are left that it takes to fail', () => {
  const steps: Step[] = Array.from({ length: 40 }, (_, ms) => ({ kind: 'time', ms }));
  const breaks = (episode: Episode): boolean =>
    [3, 17].every((wanted) => episode.steps.some((step) => step.kind === 'time' && step.ms === wanted));
  const small = shrink({ mode: 'free', bound: false, steps }, breaks);
  expect(small.steps).toEqual([steps[3], steps[17]]);
});
