import { describe, expect, test } from 'vitest';
import type { SipInvite } from '../../src/core/effect.ts';
import { bounds } from '../../src/sip/bounds.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { conferenceUri, inDialog, Stages } from './shell-on-stage.ts';
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
  maxForwards: 69,
  referredBy: 'sip:alice@atlanta.example.com',
  subject: null,
  replaces: { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774', earlyOnly: false },
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
    expect(stage.inputs).toEqual([{ type: 'endpoint-alerting', endpointId: 'bob' }]);
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
