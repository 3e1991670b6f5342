import { describe, expect, test } from 'vitest';
import type { SipInvite, SipReinvite } from '../../src/core/effect.ts';
import { bounds } from '../../src/sip/bounds.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { unexplained } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aliceDialog, conferenceUri, inDialog, Stages } from './shell-on-stage.ts';
import { offer } from './sip-texts.ts';

const stages = new Stages();

const invite: SipInvite = {
  type: 'sip.invite',
  endpointId: 'bob',
  dialogId: 'f0c05-b0b-0001;from-tag=7c1b0b',
  target: 'sip:bob@biloxi.example.com',
  displayName: 'Bob',
  conferenceUri,
  callId: 'f0c05-b0b-0001',
  fromTag: '7c1b0b',
  cseq: 1,
  maxForwards: 69,
  referredBy: 'sip:alice@atlanta.example.com',
  subject: null,
  replaces: { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774', earlyOnly: false },
  join: null,
  referral: null,
  sessionTimer: null,
  history: null,
  extraHeaders: [],
  sdp: offer,
};

describe('an INVITE of ours', () => {
  const answer = {
    lines: ['Contact: "Bob Bell" <sip:bob@client.biloxi.example.com;transport=tcp>', 'Content-Type: application/sdp'],
    body: offer,
  };

  test('M-05, M-07: alerting once, then acknowledged and told', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    const sent = await stages.server.request('INVITE');
    expect(sent.text).toMatch(/^INVITE sip:bob@biloxi.example.com SIP\/2.0\r\n/);
    expect(headerOf(sent.text, 'From')).toBe(`<${conferenceUri}>;tag=7c1b0b`);
    expect(headerOf(sent.text, 'Replaces')).toBe('a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774');
    for (const status of ['100 Trying', '180 Ringing', '183 Session Progress']) stages.server.respond(sent, status);
    stages.server.respond(sent, '200 OK', answer);
    const ack = await stages.server.request('ACK');
    expect(ack.dialogId).not.toBe('');
    expect(await stage.input('endpoint-answered')).toMatchObject({
      endpointId: 'bob',
      contact: 'sip:bob@client.biloxi.example.com;transport=tcp',
      remoteTag: 'peer',
      displayName: 'Bob Bell',
      answer: { media: [{ media: 'message' }] },
    });
    expect(stage.inputs).toEqual([{ type: 'endpoint-alerting', endpointId: 'bob', remoteTag: null }]);
    const bye = stages.server.deliver(inDialog('BYE', { 'Call-ID': 'f0c05-b0b-0001' }), { dialogId: invite.dialogId });
    expect((await stages.server.response(bye)).text).toMatch(/^SIP\/2.0 200 OK/);
    expect((await stage.input('dialog-ended')).endpointId).toBe('bob');
  });

  test.each([
    ['none', 'Robert'],
    ['id', null],
    ['header;critical', null],
    ['USER', null],
  ])('answered with Privacy: %s by a trusted peer names %s', async (privacy, displayName) => {
    const stage = await stages.connected({ isTrustedPeer: () => true });
    stage.shell.perform(invite);
    const lines = [
      ...answer.lines,
      'P-Asserted-Identity: "Robert" <sip:bob@biloxi.example.com>',
      `Privacy: ${privacy}`,
    ];
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, lines });
    expect((await stage.input('endpoint-answered')).displayName).toBe(displayName);
  });

  test('answered without a readable description is acknowledged all the same', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', {
      body: 'nonsense',
      lines: ['Content-Type: application/sdp'],
    });
    await stages.server.request('ACK');
    expect(await stage.input('endpoint-answered')).toMatchObject({ contact: null, answer: null });
  });

  test('refused tells status, reason and what is unsupported', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    stages.server.respond(await stages.server.request('INVITE'), '420 Bad Extension', {
      lines: ['Unsupported: replaces, x-one'],
    });
    expect(await stage.input('endpoint-failed')).toEqual({
      type: 'endpoint-failed',
      endpointId: 'bob',
      cause: { status: 420, reason: 'Bad Extension' },
      unsupported: ['replaces', 'x-one'],
      ...unexplained,
    });
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('that the server does not send fails with its text', async () => {
    const stage = await stages.connected();
    stages.server.judge = () => ({ nok: 'requested protocol/transport not available' });
    stage.shell.perform(invite);
    expect((await stage.input('endpoint-failed')).cause).toEqual({
      status: 503,
      reason: 'requested protocol/transport not available',
    });
  });

  test('to a tel URI fails 416 without reaching the server', async () => {
    const stage = await stages.connected();
    stage.shell.perform({ ...invite, target: 'tel:+12015550123' });
    expect(stage.inputs).toEqual([]);
    expect((await stage.input('endpoint-failed')).cause.status).toBe(416);
    expect(stages.server.frames).toEqual([]);
  });

  test('is cancelled in its transaction, also when that is not known yet', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    const sent = await stages.server.request('INVITE');
    const cancel = await stages.server.request('CANCEL');
    expect(cancel.transactionId).not.toBe('');
    stages.server.respond(sent, '487 Request Terminated');
    expect((await stage.input('endpoint-failed')).cause.status).toBe(487);
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    expect(stages.server.frames).toEqual([]);
  });

  test('whose end is never reported is given up, cancelled, and hung up when it is answered after all', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const stage = await stages.connected({ clock });
    stage.shell.perform(invite);
    const sent = await stages.server.request('INVITE');
    stages.server.respond(sent, '180 Ringing');
    await stage.input('endpoint-alerting');
    clock.turn(bounds.inviteTimeoutMs);
    expect((await stage.input('endpoint-failed')).cause).toEqual({ status: 408, reason: 'Request Timeout' });
    await stages.server.request('CANCEL');
    stages.server.respond(sent, '200 OK', answer);
    await stages.server.request('ACK');
    expect((await stages.server.request('BYE')).dialogId).toBe(invite.dialogId);
    expect(stage.inputs).toEqual([]);
  });

  test('a SIP core that cannot be read is refused before anything is sent', async () => {
    for (const sipCore of ['sip:[::1', 'sip:core.example.com:0', 'sip:core.example.com;a;a', 'tel:+12015550123'])
      await expect(stages.connected({ sipCore })).rejects.toThrow();
  });

  test('goes to the SIP core where there is one', async () => {
    const stage = await stages.connected({ sipCore: 'sip:core.example.com;transport=tcp' });
    stage.shell.perform(invite);
    expect((await stages.server.request('INVITE')).nextHop).toBe('sip:core.example.com;transport=tcp');
  });
});

describe('an INVITE of ours within a session', () => {
  const reinvite: SipReinvite = {
    type: 'sip.reinvite',
    endpointId: 'alice',
    dialogId: aliceDialog,
    conferenceUri,
    sdp: offer,
  };
  const answer = { lines: ['Content-Type: application/sdp'], body: offer };

  test('names the focus as its Contact, is acknowledged, and its answer told', async () => {
    const stage = await stages.withAlice();
    stage.shell.perform(reinvite);
    const sent = await stages.server.request('INVITE');
    expect(sent.dialogId).toBe(aliceDialog);
    expect(headerOf(sent.text, 'Contact')).toBe(`<${conferenceUri}>;isfocus;+g.oma.sip-im`);
    expect(sent.text.endsWith(`\r\n\r\n${offer}`)).toBe(true);
    stages.server.respond(sent, '200 OK', answer);
    expect((await stages.server.request('ACK')).dialogId).toBe(aliceDialog);
    expect(await stage.input('reinvite-answered')).toMatchObject({
      endpointId: 'alice',
      answer: { media: [{ media: 'message' }] },
    });
    expect(stage.shell.counts).toEqual({ dialogs: 1, pendingReplies: 0, openRequests: 0 });
  });

  test('is acknowledged as well when its answer cannot be read', async () => {
    const stage = await stages.withAlice();
    stage.shell.perform(reinvite);
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, body: 'nonsense' });
    await stages.server.request('ACK');
    expect((await stage.input('reinvite-answered')).answer).toBeNull();
  });

  test('refused tells why, and leaves the dialog', async () => {
    const stage = await stages.withAlice();
    stage.shell.perform(reinvite);
    stages.server.respond(await stages.server.request('INVITE'), '488 Not Acceptable Here');
    expect((await stage.input('reinvite-failed')).cause).toEqual({ status: 488, reason: 'Not Acceptable Here' });
    expect(stage.shell.counts.dialogs).toBe(1);
  });

  test('in a dialog that the server has forgotten is as if it were answered 481', async () => {
    const stage = await stages.withAlice();
    stages.server.judge = () => ({ nok: 'Server error: unable to find dialog for dialog id provided' });
    stage.shell.perform(reinvite);
    expect((await stage.input('reinvite-failed')).cause?.status).toBe(481);
  });

  // A drachtio server tells no final answer after an 18x.
  test('whose end is never reported is given up, cancelled, and acknowledged when it is answered after all', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const stage = await stages.withAlice({ clock });
    stage.shell.perform(reinvite);
    const sent = await stages.server.request('INVITE');
    stages.server.respond(sent, '180 Ringing');
    clock.turn(bounds.requestTimeoutMs);
    expect(await stage.input('reinvite-failed')).toEqual({ type: 'reinvite-failed', endpointId: 'alice', cause: null });
    await stages.server.request('CANCEL');
    stages.server.respond(sent, '200 OK', answer);
    await stages.server.request('ACK');
    expect(stage.inputs).toEqual([]);
    expect(stage.shell.counts.dialogs).toBe(1);
  });

  test('that nobody answered is told as the server tells it: 408', async () => {
    const stage = await stages.withAlice();
    stage.shell.perform(reinvite);
    stages.server.respond(await stages.server.request('INVITE'), '408 Request Timeout');
    expect((await stage.input('reinvite-failed')).cause?.status).toBe(408);
  });
});
