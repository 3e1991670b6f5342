import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SipInvite, SipReinvite } from '../../src/core/effect.ts';
import type { Sipd } from '../../src/sipd/sipd.ts';
import { header, headerValues } from '../../src/wire/sip-message.ts';
import { cseqOf } from '../support/sip-dialog.ts';
import { subscriptionState } from '../support/subscription.ts';
import { ringing, type UserAgent } from '../support/user-agent.ts';
import { patienceMs, waitFor } from '../support/wait.ts';
import { accepted, ShellOnStage, subscribed } from './shell-on-stage.ts';
import { offer } from './sip-texts.ts';
import { openStrictStage } from './strict-stage.ts';

/** Real user agents, the embedded SIP server as narrow as the real one, and the shell; only the core is played. */
describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  let sipd: Sipd;
  let stage: ShellOnStage;
  let alice: UserAgent;
  let bob: UserAgent;
  let close: () => Promise<void>;

  beforeEach(async () => {
    ({ sipd, stage, alice, bob, close } = await openStrictStage(transport));
  });

  afterEach(() => close());

  const uri = (user: string): string => `sip:${user}@127.0.0.1:${sipd.addresses[0]?.port}`;

  /** M-03 to M-04a without a list: Alice makes a conference. */
  async function aliceJoins() {
    const invite = alice.invite(uri('conf-fact'));
    const asked = await stage.input('invite-received');
    stage.shell.reply(asked.reply, { ...accepted, contact: uri('conf-1') });
    const call = await invite.established();
    await stage.input('ack-received');
    return { asked, call, response: await invite.final };
  }

  test('Alice is hung up before her ACK: the BYE follows it', async () => {
    const invite = alice.invite(uri('conf-fact'), { acknowledge: 'never' });
    const { reply, dialogId } = await stage.input('invite-received');
    stage.shell.reply(reply, { ...accepted, contact: uri('conf-1') });
    const call = await invite.established();
    stage.shell.perform({ type: 'sip.bye', endpointId: 'alice', dialogId, reason: 'over' });
    const asking = alice.ask('MESSAGE', uri('conf-1'));
    const refused = await stage.input('request-refused');
    stage.shell.reply(refused.reply, { kind: 'refused', code: refused.code, detail: refused.detail });
    await asking;
    expect(call.dialog.state).toBe('confirmed');
    call.acknowledge(cseqOf(invite.request));
    await call.ended;
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
    expect(stage.inputs).toEqual([]);
  });

  function inviteOfBob(changes: Partial<SipInvite> = {}): SipInvite {
    return {
      type: 'sip.invite',
      endpointId: 'bob',
      dialogId: 'to-bob-1;from-tag=7c1b0b',
      target: bob.contact,
      displayName: null,
      conferenceUri: uri('conf-1'),
      callId: 'to-bob-1',
      fromTag: '7c1b0b',
      cseq: 1,
      maxForwards: 69,
      referredBy: alice.aor,
      subject: 'Grüße',
      replaces: null,
      join: null,
      referral: null,
      sessionTimer: null,
      history: null,
      extraHeaders: [],
      sdp: offer,
      ...changes,
    };
  }

  test('Alice makes a conference and leaves it', async () => {
    const { asked, call, response } = await aliceJoins();
    expect(asked.caller).toEqual({ aor: alice.aor, displayName: 'Alice', private: false });
    expect(header(response, 'Contact')).toBe(`<${uri('conf-1')}>;isfocus;+g.oma.sip-im`);
    expect(header(response, 'To')).toContain('tag=fa7e11c0');
    expect(response.body).toBe(offer);
    await call.bye();
    expect(await stage.input('dialog-ended')).toMatchObject({ endpointId: 'alice', by: 'peer' });
    expect((await alice.askIn(call.dialog, 'BYE')).status).toBe(481);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('the focus sends Alice an INVITE within her session, which she answers', async () => {
    const { asked, call } = await aliceJoins();
    stage.shell.perform(reinviteOfAlice(asked.dialogId));
    expect(await stage.input('reinvite-answered')).toMatchObject({
      endpointId: 'alice',
      answer: { media: [{ media: 'message' }] },
    });
    const ack = await call.confirmed;
    const [reinvite] = call.reinvites;
    expect(reinvite && header(reinvite, 'Contact')).toBe(`<${uri('conf-1')}>;isfocus;+g.oma.sip-im`);
    expect(reinvite?.body).toBe(offer);
    expect(reinvite && cseqOf(ack)).toBe(reinvite && cseqOf(reinvite));
    expect((await call.bye()).status).toBe(200);
  });

  test.each([488, 491])('she refuses it with %i, and her call goes on', async (status) => {
    const { asked, call } = await aliceJoins();
    call.reinviteStatus = status;
    stage.shell.perform(reinviteOfAlice(asked.dialogId));
    expect((await stage.input('reinvite-failed')).cause?.status).toBe(status);
    expect(call.dialog.state).toBe('confirmed');
    expect((await call.bye()).status).toBe(200);
    expect(await stage.input('dialog-ended')).toMatchObject({ endpointId: 'alice', by: 'peer' });
  });

  test('her dialog is gone, which ends it here too, though the focus says BYE', async () => {
    const { asked, call } = await aliceJoins();
    call.dialog.state = 'terminated';
    const { dialogId } = asked;
    stage.shell.perform(reinviteOfAlice(dialogId));
    expect((await stage.input('reinvite-failed')).cause?.status).toBe(481);
    stage.shell.perform({ type: 'sip.bye', endpointId: 'alice', dialogId, reason: 'gone' });
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
    await waitFor('the end of every request', () => stage.shell.counts.openRequests === 0);
  });

  function reinviteOfAlice(dialogId: string): SipReinvite {
    const said = { conferenceUri: uri('conf-1'), sdp: offer, sessionTimer: null };
    return { type: 'sip.reinvite', endpointId: 'alice', dialogId, ...said };
  }

  test('the focus invites Bob and hangs up', async () => {
    stage.shell.perform(inviteOfBob());
    await stage.input('endpoint-alerting');
    const answered = await stage.input('endpoint-answered');
    expect(answered).toMatchObject({
      endpointId: 'bob',
      contact: bob.contact,
      answer: { media: [{ media: 'message' }] },
    });
    const [invitation] = bob.invitations;
    expect(invitation && header(invitation, 'Contact')).toBe(`<${uri('conf-1')}>;isfocus;+g.oma.sip-im`);
    expect(invitation && header(invitation, 'Subject')).toBe('Grüße');
    expect(invitation && header(invitation, 'From')).toBe(`<${uri('conf-1')}>;tag=7c1b0b`);
    const call = await bob.firstCall();
    stage.shell.perform({ type: 'sip.bye', endpointId: 'bob', dialogId: 'to-bob-1;from-tag=7c1b0b', reason: 'over' });
    await waitFor('the end of the call', () => call.dialog.state === 'terminated');
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
  });

  test('Bob refuses a Replaces he does not know, and is rung in vain', async () => {
    const replaces = { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774', earlyOnly: false };
    stage.shell.perform(inviteOfBob({ replaces }));
    expect((await stage.input('endpoint-failed')).cause.status).toBe(481);
    bob.answers(ringing);
    stage.shell.perform(inviteOfBob({ callId: 'to-bob-2', dialogId: 'to-bob-2;from-tag=7c1b0b' }));
    await stage.input('endpoint-alerting');
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    expect((await stage.input('endpoint-failed')).cause.status).toBe(487);
  });

  test('Alice subscribes, is notified of the most that fits, refreshes, and is let go', async () => {
    const subscription = alice.subscribe(uri('conf-1'));
    subscription.readsDocuments = false;
    const { reply, dialogId } = await stage.input('subscribe-received');
    const notify = { type: 'sip.notify', subscriptionId: 's1', dialogId, conferenceUri: uri('conf-1') } as const;
    const state = { name: 'active', expires: 3_600 } as const;
    const outcome = { ...subscribed, contact: uri('conf-1') };
    stage.shell.reply(reply, outcome);
    stage.shell.perform({ ...notify, state, body: `<x>${'ü'.repeat(4_900)}</x>` });
    const response = await subscription.response;
    expect([response.status, header(response, 'Expires')]).toEqual([200, '3600']);
    const first = await subscription.notify('active', subscriptionState('active;expires=3600'));
    expect(header(first, 'Contact')).toBe(`<${uri('conf-1')}>;isfocus`);
    expect(first.body).toBe(`<x>${'ü'.repeat(4_900)}</x>`);
    expect((await stage.input('notify-answered')).status).toBe(200);

    const refreshing = subscription.refresh(600);
    const refreshed = await stage.input('subscription-refreshed');
    expect(refreshed).toMatchObject({ subscriptionId: 's1', expires: 600 });
    stage.shell.reply(refreshed.reply, { ...outcome, toTag: null, expires: 600 });
    expect(header(await refreshing, 'Contact')).toBe(`<${uri('conf-1')}>;isfocus`);

    stage.shell.perform({ ...notify, state: { name: 'terminated', reason: 'noresource' }, body: null });
    await subscription.notify('the end', subscriptionState('terminated;reason=noresource'));
    expect((await stage.input('notify-answered')).status).toBe(200);
    const tooLate = subscription.refresh(600);
    const refused = await stage.input('request-refused');
    stage.shell.reply(refused.reply, { kind: 'refused', code: refused.code, detail: refused.detail });
    expect((await tooLate).status).toBe(481);
  });

  test('a burst of large NOTIFYs does not kill the control connection', async () => {
    const subscription = alice.subscribe(uri('conf-1'));
    subscription.readsDocuments = false;
    const { reply, dialogId } = await stage.input('subscribe-received');
    stage.shell.reply(reply, { ...subscribed, contact: uri('conf-1') });
    await subscription.response;
    const state = { name: 'active', expires: 3_600 } as const;
    const notify = { type: 'sip.notify', subscriptionId: 's1', dialogId, conferenceUri: uri('conf-1'), state } as const;
    for (let at = 0; at < 60; at += 1) stage.shell.perform({ ...notify, body: `<x>${'y'.repeat(5_000)}</x>` });
    await waitFor('sixty answers', () => stage.inputs.length === 60, 2 * patienceMs);
    expect(stage.inputs.every((input) => input.type === 'notify-answered' && input.status === 200)).toBe(true);
    expect(stage.shell.connected).toBe(true);
  });

  test('Alice cancels before she is answered', async () => {
    const invite = alice.invite(uri('conf-fact'));
    const { reply, dialogId } = await stage.input('invite-received');
    expect((await invite.cancel()).status).toBe(200);
    expect((await invite.final).status).toBe(487);
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId });
    stage.shell.reply(reply, accepted);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('who is not known is challenged in two headers, what is not served is told what is', async () => {
    const invite = alice.invite(uri('conf-fact'));
    stage.shell.reply((await stage.input('invite-received')).reply, {
      kind: 'refused',
      code: 'unauthenticated',
      detail: '',
    });
    const algorithms = headerValues(await invite.final, 'WWW-Authenticate').map(
      (value) => /algorithm=([^,]*)/.exec(value)?.[1],
    );
    expect(algorithms).toEqual(['SHA-256', 'MD5']);

    const asking = alice.ask('MESSAGE', uri('conf-1'));
    const { reply, code, detail } = await stage.input('request-refused');
    stage.shell.reply(reply, { kind: 'refused', code, detail });
    const answer = await asking;
    expect([answer.status, header(answer, 'Allow')]).toEqual([
      405,
      'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK',
    ]);
  });

  test('a process that died left a call; the next one ends it', async () => {
    const { call } = await aliceJoins();
    const { callId, localTag } = call.dialog.facts;
    await stage.shell.close();
    const next = new ShellOnStage({ host: '127.0.0.1', port: sipd.controlPort, secret: 'secret' });
    await next.shell.connect();
    await next.shell.endDialogs([{ kind: 'session', dialogId: `${callId};from-tag=${localTag}` }]);
    expect(call.dialog.state).toBe('terminated');
    await next.shell.close();
  });
});
