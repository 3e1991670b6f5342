/** Whoever is in a conference goes on with another device, or changes the session on the one he has. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header, type SipResponse } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import type { Call } from '../support/call.ts';
import { openCast } from '../support/cast.ts';
import { rosterLine, type SeenRoster } from '../support/conference-document.ts';
import { Service } from '../support/service.ts';
import type { Headers } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';
import { ringing, UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ MIN_SE: '120' });
});
afterAll(async () => {
  await service.dispose();
});

/** What names a call towards the focus: its own tag is the to-tag. */
function dialogOf({ dialog }: Call): string {
  const { callId, localTag, remoteTag } = dialog.facts;
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  /** Alice has made a conference and watches it, Bob has dialled in. */
  async function bobIsIn() {
    const cast = await openCast({ transport });
    const { alice, bob } = cast;
    const made = await alice.call(service.factoryOver(transport));
    const conference = made.dialog.remoteTarget;
    const call = await bob.call(conference);
    const subscription = alice.subscribe(conference);
    await subscription.sees('alice connected, bob connected');
    const tablet = await UserAgent.open({ name: 'tablet', aor: bob.aor, transport, log: bob.log });
    const close = async (): Promise<void> => {
      await tablet.close();
      await cast[Symbol.asyncDispose]();
    };
    return { cast, conference, call, subscription, tablet, [Symbol.asyncDispose]: close };
  }

  test('CC-071 the tablet is answered, the phone is hung up, and nobody sees him leave', async () => {
    await using scene = await bobIsIn();
    const { conference, call, subscription, tablet } = scene;
    const seen = subscription.rosters.length;
    const switched = await tablet.call(conference, { headers: { 'Replaces': dialogOf(call), 'Require': 'replaces' } });
    expect(header(await call.ended, 'Reason')).toContain('Replaced');
    const devicesOf = ({ users }: SeenRoster) => users[1]?.endpoints.map(({ entity }) => entity);
    await subscription.sees('the tablet', (roster) => devicesOf(roster)?.includes(tablet.contact) === true);
    const rosters = subscription.rosters.slice(seen);
    expect(rosters.map(rosterLine)).toEqual(['alice connected, bob connected']);
    expect(rosters.map(({ userCount }) => userCount)).toEqual([2]);
    expect(rosters.map(devicesOf)).toEqual([[tablet.contact]]);
    expect((await switched.bye()).status).toBe(200);
  });

  test('/metrics has how many dialogs are open', async () => {
    await using scene = await bobIsIn();
    const dialogs = async (): Promise<number> => {
      const text = await (await fetch(new URL('/metrics', service.banner.rest))).text();
      return Number(/^isfocus_sip_dialogs (\d+)$/m.exec(text)?.[1]);
    };
    const before = await dialogs();
    expect(before).toBeGreaterThanOrEqual(3);
    await scene.call.bye();
    expect(await dialogs()).toBeLessThan(before);
  });

  test('CC-063 CC-065 CC-066 CC-067 CC-068 CC-069 whoever names a dialog wrongly is told how, and it goes on', async () => {
    await using scene = await bobIsIn();
    const { cast, conference, call, tablet } = scene;
    const named = dialogOf(call);
    const status = async (agent: UserAgent, headers: Headers) =>
      (await agent.invite(conference, { headers }).final).status;
    expect(await status(tablet, { 'Replaces': [named, named] })).toBe(400);
    expect(await status(tablet, { 'Replaces': named, 'Join': named })).toBe(400);
    expect(await status(tablet, { 'Replaces': `x${named}` })).toBe(481);
    expect(await status(tablet, { 'Replaces': `${named};early-only` })).toBe(486);
    expect(await status(cast.ted, { 'Replaces': named })).toBe(403);
    expect(call.dialog.state).toBe('confirmed');
    await call.bye();
    expect(await status(tablet, { 'Replaces': named })).toBe(603);
  });

  test('CC-070 an offer that cannot be used leaves him where he is', async () => {
    await using scene = await bobIsIn();
    const { conference, call, tablet } = scene;
    const body = tablet.media.offer().replace('message/cpim', 'text/plain');
    const refused = await tablet.invite(conference, { body, headers: { 'Replaces': dialogOf(call) } }).final;
    expect(refused.status).toBe(488);
    expect((await call.bye()).status).toBe(200);
  });

  test('CC-093 Ted joins by naming Bob’s dialog, at a URI that is none', async () => {
    await using scene = await bobIsIn();
    const { cast, call, subscription } = scene;
    const elsewhere = service.factoryOver(transport).replace('conf-fact', 'conf-nowhere');
    await cast.ted.call(elsewhere, { headers: { 'Join': dialogOf(call) } });
    const roster = await subscription.sees('alice connected, bob connected, ted connected');
    expect(roster.users.map(({ entity }) => entity)).toContain(cast.ted.aor);
    const unknown = { headers: { 'Join': `x${dialogOf(call)}` } };
    expect((await cast.ted.invite(elsewhere, unknown).final).status).toBe(481);
  });

  test('an UPDATE puts him on hold and takes him back; CC-091 one that changes nothing gets the same description', async () => {
    await using scene = await bobIsIn();
    const { cast, call, subscription } = scene;
    const offer = cast.bob.media.offer();
    const update = (body: string): Promise<SipResponse> =>
      call.ask('UPDATE', { headers: { 'Content-Type': 'application/sdp', 'Supported': 'timer' }, body });
    const held = await update(`${offer}a=inactive\r\n`);
    expect([held.status, held.body.includes('a=inactive')]).toEqual([200, true]);
    const onHold = await subscription.sees('alice connected, bob on-hold');
    const back = await update(offer);
    const again = await update(offer);
    expect(again.body).toBe(back.body);
    expect(header(again, 'Session-Expires')).toBe('1800;refresher=uas');
    const later = await subscription.sees('Bob back', ({ version }) => version > onHold.version);
    expect(rosterLine(later)).toBe('alice connected, bob connected');
    const refresh = await call.ask('UPDATE');
    expect([refresh.status, refresh.body, header(refresh, 'Content-Type')]).toEqual([200, '', undefined]);
  });

  test('RFC 3311 5.2: an invitee who rings may refresh by UPDATE, but not offer: 491', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    bob.answers(ringing);
    const entries = [{ uri: bob.address }];
    const made = await inviteFactory(alice, service.factoryOver(transport), { entries }).established();
    const early = await waitFor('Bob to ring', () => bob.dialogs[0]);
    expect((await bob.askIn(early, 'UPDATE')).status).toBe(200);
    const offer = { headers: { 'Content-Type': 'application/sdp' }, body: bob.media.offer() };
    expect((await bob.askIn(early, 'UPDATE', offer)).status).toBe(491);
    expect((await made.bye()).status).toBe(200);
    await waitFor('Bob to be cancelled', () => bob.log.requests('bob', 'CANCEL').length === 1);
  });

  test('CC-007 a re-INVITE that requires lists is 420, and the session goes on', async () => {
    await using scene = await bobIsIn();
    const { cast, call } = scene;
    const body = cast.bob.media.offer();
    const headers = { 'Require': 'recipient-list-invite', 'Content-Type': 'application/sdp' };
    const refused = await call.ask('INVITE', { headers, body });
    expect([refused.status, header(refused, 'Unsupported')]).toEqual([420, 'recipient-list-invite']);
    expect((await call.bye()).status).toBe(200);
  });

  test('CC-089 a session timer below the least is 422 with that, and what is granted stands in the 200', async () => {
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const factory = service.factoryOver(transport);
    const timed = (value: string): Headers => ({ 'Supported': 'timer', 'Session-Expires': value });
    const refused = await alice.invite(factory, { headers: timed('100') }).final;
    expect([refused.status, header(refused, 'Min-SE')]).toEqual([422, '120']);
    const invite = alice.invite(factory, { headers: timed('600;refresher=uas') });
    const answer = await invite.final;
    expect([header(answer, 'Session-Expires'), header(answer, 'Require')]).toEqual(['600;refresher=uas', 'timer']);
    await (await invite.established()).bye();
  });

  test('RFC 3262 3: whoever requires 100rel is answered at once, which needs no provisional response', async () => {
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const call = await alice.call(service.factoryOver(transport), { headers: { 'Require': '100rel' } });
    expect((await call.bye()).status).toBe(200);
  });
});
