/**
 * Session timers (RFC 4028) with drachtio-srf. No interval is below 90 s, hence the clock is turned, while all
 * messages go over real sockets.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { within } from '../../support/wait.ts';
import { type Peer, type RequestFields, tag, value } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';
import { askedFor, type Dialog, described, type Library, libraryOn, modes, ofSdp, toldBy } from './library.ts';

const knowing = ['Supported: timer', 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

type Call = {
  readonly library: Library;
  readonly alice: Peer;
  readonly dialog: Dialog;
  readonly toTag: string;
  readonly agreed: string;
};

/** Alice calls with a session of 90 s, refreshed by whom she says. */
async function callIn(stage: Stage, refresher: 'uac' | 'uas'): Promise<Call> {
  const library = await libraryOn(stage);
  const invites = askedFor(library, 'invite');
  const alice = await stage.peer('alice', 'tcp');
  const more = [...knowing, `Session-Expires: 90;refresher=${refresher}`, ...ofSdp];
  alice.send(alice.request('INVITE', { more, body: described(1) }));
  const { request, response } = await invites.next();
  const making = library.createUAS(request, response, { localSdp: described(2) });
  const ok = await alice.next('SIP/2.0 200');
  const toTag = tag(ok.text, 'To');
  const dialog = await within('the dialog', making);
  const acknowledged = toldBy(dialog, 'ack');
  alice.send(alice.request('ACK', { toTag }));
  await acknowledged.next();
  return { library, alice, dialog, toTag, agreed: value(ok.text, 'Session-Expires') };
}

/** The application calls Bob with a session of 90 s; he says who refreshes it. */
async function callOut(stage: Stage, refresher: 'uac' | 'uas'): Promise<{ bob: Peer; dialog: Dialog }> {
  const library = await libraryOn(stage);
  const bob = await stage.peer('bob', 'tcp');
  const headers = {
    'Supported': 'timer',
    'Session-Expires': '90',
    'Call-ID': 'out',
    'From': '<sip:f@localhost>;tag=ours',
  };
  const calling = library.createUAC(bob.uri, { localSdp: described(1), headers });
  const invite = await bob.next('INVITE ');
  const more = [...knowing, `Session-Expires: 90;refresher=${refresher}`, 'Require: timer', ...ofSdp];
  bob.answer(invite, '200 OK', { toTag: 'bob', more, body: described(2) });
  await bob.next('ACK ');
  return { bob, dialog: await within('the dialog', calling) };
}

describe.each(modes)('a session that expires (%s)', { timeout: 15_000 }, (mode) => {
  // The daemon refreshes by re-INVITE alone, and sees an end only when the whole time is over.
  const refresh = mode === 'free' ? 'UPDATE' : 'INVITE';
  const endMs = mode === 'free' ? 60_000 : 90_000;

  /** The one refreshed says yes; that has been heard when a question behind it is answered. */
  async function allow(peer: Peer, toTag: string, fields: RequestFields): Promise<void> {
    const request = await peer.next(`${refresh} `);
    expect([tag(request.text, 'From'), value(request.text, 'Session-Expires')]).toEqual([toTag, '90;refresher=uac']);
    const more = ['Session-Expires: 90;refresher=uac', 'Require: timer'];
    const isInvite = refresh === 'INVITE';
    peer.answer(request, '200 OK', isInvite ? { more: [...more, ...ofSdp], body: described(1) } : { more });
    if (isInvite) await peer.next('ACK ');
    peer.send(peer.request('OPTIONS', fields));
    await peer.next('SIP/2.0 200');
  }

  test('the caller was to refresh it and did not: BYE, and the application is told why', () =>
    onStage(mode, async (stage) => {
      const { alice, dialog, agreed } = await callIn(stage, 'uac');
      expect(agreed).toBe('90;refresher=uac');
      const destroyed = toldBy(dialog, 'destroy');
      vi.advanceTimersByTime(endMs - 5_000);
      expect(stage.sipd.counts().dialogs).toBe(1);
      vi.advanceTimersByTime(7_000);
      const bye = await alice.next('BYE ');
      alice.answer(bye, '200 OK');
      expect((await destroyed.next()).second).toBe('Session timer expired');
      expect(alice.ladder).toEqual(['-> INVITE', '<- 200 INVITE', '-> ACK', '<- BYE', '-> 200 BYE']);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('the caller refreshes it: the application is told of a refresh, and the call lasts', () =>
    onStage(mode, async (stage) => {
      const { alice, dialog, toTag } = await callIn(stage, 'uac');
      const refreshed = toldBy(dialog, 'refresh');
      const acknowledged = toldBy(dialog, 'ack');
      for (const cseq of [2, 3, 4]) {
        vi.advanceTimersByTime(45_000);
        const more = [...knowing, 'Session-Expires: 90;refresher=uac', ...ofSdp];
        alice.send(alice.request('INVITE', { toTag, cseq, more, body: described(1) }));
        await refreshed.next();
        await alice.next('SIP/2.0 200');
        alice.send(alice.request('ACK', { toTag, cseq }));
        await acknowledged.next();
      }
      expect(dialog.connected).toBe(true);
      const ending = dialog.destroy();
      alice.answer(await alice.next('BYE '), '200 OK');
      await within('the end', ending);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('the server was to refresh it: at half time, again and again, until the peer has gone', () =>
    onStage(mode, async (stage) => {
      const { alice, dialog, toTag, agreed } = await callIn(stage, 'uas');
      expect(agreed).toBe('90;refresher=uas');
      const destroyed = toldBy(dialog, 'destroy');
      for (let round = 0; round < 3; round += 1) {
        vi.advanceTimersByTime(46_000);
        await allow(alice, toTag, { toTag, cseq: 2 + round });
      }
      vi.advanceTimersByTime(46_000);
      alice.answer(await alice.next(`${refresh} `), '481 Call/Transaction Does Not Exist');
      alice.answer(await alice.next('BYE '), '481 Call/Transaction Does Not Exist');
      await destroyed.next();
      expect(dialog.connected).toBe(false);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a call that goes out and is ours to refresh', () =>
    onStage(mode, async (stage) => {
      const { bob, dialog } = await callOut(stage, 'uac');
      vi.advanceTimersByTime(46_000);
      await allow(bob, 'ours', { callId: 'out', fromTag: 'bob', toTag: 'ours', cseq: 2 });
      const ending = dialog.destroy();
      bob.answer(await bob.next('BYE '), '200 OK');
      await within('the end', ending);
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a call that goes out and is the peer’s to refresh ends when it does not', () =>
    onStage(mode, async (stage) => {
      const { bob, dialog } = await callOut(stage, 'uas');
      const destroyed = toldBy(dialog, 'destroy');
      vi.advanceTimersByTime(endMs + 2_000);
      bob.answer(await bob.next('BYE '), '200 OK');
      expect((await destroyed.next()).second).toBe('Session timer expired');
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));

  test('a refresh that asks for less than 90 s gets 422 by the server, and the session goes on as agreed', () =>
    onStage(mode, async (stage) => {
      const { alice, dialog, toTag } = await callIn(stage, 'uac');
      const told = ['refresh', 'modify'].map((event) => toldBy(dialog, event));
      const more = [...knowing, 'Session-Expires: 30;refresher=uac', ...ofSdp];
      const branch = 'z9hG4bK-short';
      alice.send(alice.request('INVITE', { toTag, cseq: 2, branch, more, body: described(1) }));
      expect(value((await alice.next('SIP/2.0 422')).text, 'Min-SE')).toBe('90');
      alice.send(alice.request('ACK', { toTag, cseq: 2, branch }));
      const ending = dialog.destroy();
      alice.answer(await alice.next('BYE '), '200 OK');
      await within('the end', ending);
      expect(told.every((each) => each.isEmpty)).toBe(true);
    }));
});
