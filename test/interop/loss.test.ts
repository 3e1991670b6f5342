/**
 * 500 calls each way between SIPp and a drachtio-srf application on sipd, over a network that loses datagrams both ways:
 * every call completes or fails within Timer B or F, and nothing is left of it.
 */
import { describe, expect, test } from 'vitest';
import type { Application } from '../sipd/application.ts';
import { onStage, type Stage } from '../sipd/stage.ts';
import { LossyRelay, losingShare } from '../support/lossy-relay.ts';
import { needsPrograms } from '../support/programs.ts';
import { Sipp, type SippTally } from '../support/sipp.ts';
import { unhurried } from '../support/unhurried.ts';
import { waitFor } from '../support/wait.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const calls = 500;

/** A tenth of RFC 3261's, as in the scenarios, so that 64*T1 is 3.2 s. */
const timers = { t1: 50, t2: 400, t4: 500 };
const callsPerSecond = 100;
/** What a busy machine may add to a timer. */
const slackMs = 2_000;

/** SIPp's own way of counting: an INVITE is sent 7 times in 64*T1, other requests 11 times. */
const retransmissions = ['-T2', '400', '-max_invite_retrans', '7', '-max_non_invite_retrans', '11'];

/** What the application knows of its calls; the longest it waited for an answer, in milliseconds. */
type Book = { begun: number; ended: number; waitedMs: number; readonly failures: string[] };

const newBook = (): Book => ({ begun: 0, ended: 0, waitedMs: 0, failures: [] });

/** Takes every call. */
function answerAll(application: Application, book: Book): void {
  application.use('invite', (request, response) => {
    book.begun += 1;
    application.createUAS(request, response, { localSdp: sdp }).then(
      (dialog) => dialog.on('destroy', () => (book.ended += 1)),
      (error: unknown) => book.failures.push(String(error)),
    );
  });
}

/** Calls `uri` as often as is wanted, and hangs each call up. */
async function callAll(application: Application, uri: string, book: Book): Promise<void> {
  const running: Promise<void>[] = [];
  while (book.begun < calls) {
    book.begun += 1;
    running.push(callOnce(application, uri, book));
    await new Promise((resolve) => setTimeout(resolve, 1_000 / callsPerSecond));
  }
  await Promise.all(running);
}

async function callOnce(application: Application, uri: string, book: Book): Promise<void> {
  const headers = { 'Call-ID': `out-${book.begun}` };
  try {
    const dialog = await timed(book, application.createUAC(uri, { localSdp: sdp, headers }));
    await timed(book, dialog.destroy());
  } catch (error) {
    book.failures.push(String(error));
  }
  book.ended += 1;
}

async function timed<T>(book: Book, answer: Promise<T>): Promise<T> {
  const begin = performance.now();
  try {
    return await answer;
  } finally {
    book.waitedMs = Math.max(book.waitedMs, performance.now() - begin);
  }
}

/** Each call is counted, one way or the other, and nearly all got through. */
function judge({ successful, failed }: SippTally, complaints: string): void {
  expect(successful + failed, complaints).toBe(calls);
  expect(failed, complaints).toBeLessThanOrEqual(calls / 50);
}

/** The share of datagrams that did get lost. */
function lostShare(...relays: readonly LossyRelay[]): number {
  const passed = relays.flatMap((relay) => relay.passed);
  return passed.filter(({ lost }) => lost).length / passed.length;
}

async function play(stage: Stage, share: number): Promise<void> {
  const server = { host: '127.0.0.1', port: stage.port };
  const application = await stage.application();
  const [came, went] = [newBook(), newBook()];
  answerAll(application, came);
  await using inward = await LossyRelay.open(server, losingShare(share, 1));
  await using outward = await LossyRelay.open(server, losingShare(share, 2));
  const common = { transport: 'udp', calls } as const;
  await using callee = await Sipp.start({
    ...common,
    scenario: 'lossy-callee',
    behind: outward,
    more: retransmissions,
  });
  await using caller = await Sipp.start({
    ...common,
    scenario: 'lossy-caller',
    behind: inward,
    remote: inward.inner,
    more: [...retransmissions, '-r', String(callsPerSecond), '-cid_str', 'in-%u'],
  });
  await callAll(application, `sip:callee@127.0.0.1:${outward.outer.port}`, went);
  judge(await caller.tally(), await caller.complaints());
  judge(await callee.tally(), await callee.complaints());
  const idle = (): boolean => Object.values(stage.sipd.counts()).every((count) => count === 0);
  await waitFor('sipd to have nothing left', idle).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(stage.sipd.counts())}`);
  });
  expect(came).toMatchObject({ begun: calls, ended: calls, failures: [] });
  expect(went).toMatchObject({ begun: calls, ended: calls });
  expect(went.failures.length).toBeLessThanOrEqual(calls / 50);
  expect(went.waitedMs).toBeLessThan(64 * timers.t1 + slackMs);
  expect(lostShare(inward, outward)).toBeGreaterThan(0.8 * share);
}

describe.each([5, 20])('with %i percent of datagrams lost both ways', (percent) => {
  test('500 calls that come in and 500 that go out each end in time, and nothing is left', async (context) => {
    needsPrograms(context, 'sipp');
    await onStage('free', (stage) => play(stage, percent / 100), { ...unhurried, timers });
  });
});
