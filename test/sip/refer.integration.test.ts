import { describe, expect, test } from 'vitest';
import type { SipNotifyReferral, SipRefer } from '../../src/core/effect.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { aliceDialog, conferenceUri, inDialog, type ShellOnStage, Stages } from './shell-on-stage.ts';
import { requestText } from './sip-texts.ts';

const stages = new Stages();

const contact = '<sip:alice@pc33.atlanta.example.com>';
const referDialog = 'refer-01;from-tag=a11ceref';
const headers = { 'Contact': contact, 'Refer-To': '<sip:carol@chicago.example.com>' };

const outside = requestText(`REFER ${conferenceUri} SIP/2.0`, {
  'To': `<${conferenceUri}>`,
  'From': '<sip:alice@atlanta.example.com>;tag=a11ceref',
  'Call-ID': 'refer-01',
  ...headers,
});

const accepted = {
  kind: 'referral-accepted',
  referralId: 'r1',
  contact: conferenceUri,
  toTag: 'f0c05',
  subscribes: true,
} as const;

const notify: SipNotifyReferral = {
  type: 'sip.notify-referral',
  referralId: 'r1',
  dialogId: referDialog,
  conferenceUri,
  eventId: null,
  state: { name: 'active', expires: 180 },
  cause: { status: 100, reason: 'Trying' },
};
const last = { ...notify, state: { name: 'terminated', reason: 'noresource' } as const };

/** A shell that has accepted a REFER outside any dialog. */
async function referred(): Promise<ShellOnStage> {
  const stage = await stages.connected();
  const transaction = stages.server.deliver(outside);
  stage.shell.reply((await stage.input('refer-received')).reply, accepted);
  await stages.server.response(transaction);
  return stage;
}

describe('a REFER outside any dialog', () => {
  test('CC-072 RFC 3515 2.4.4, RFC 7647 5: 200 with Contact makes a dialog, in which its NOTIFYs go until the last', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(outside);
    const input = await stage.input('refer-received');
    expect(input.dialogId).toBe(referDialog);
    stage.shell.reply(input.reply, accepted);
    stage.shell.perform(notify);
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK/);
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
    expect(headerOf(text, 'Refer-Sub')).toBeUndefined();
    const sent = await stages.server.request('NOTIFY');
    expect([sent.dialogId, headerOf(sent.text, 'Event')]).toEqual([referDialog, 'refer']);
    stages.server.respond(sent, '200 OK');
    expect(await stage.input('referral-notify-answered')).toEqual({
      type: 'referral-notify-answered',
      referralId: 'r1',
      status: 200,
    });
    stage.shell.perform(last);
    stages.server.respond(await stages.server.request('NOTIFY'), '200 OK');
    await stage.input('referral-notify-answered');
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('CC-077 RFC 4488 4: with Refer-Sub: false in the 200 makes none', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(outside);
    const { reply } = await stage.input('refer-received');
    stage.shell.reply(reply, { ...accepted, toTag: null, subscribes: false });
    const { text } = await stages.server.response(transaction);
    expect(headerOf(text, 'Refer-Sub')).toBe('false');
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('is forgotten when its sender refuses a NOTIFY', async () => {
    const stage = await referred();
    stage.shell.perform(notify);
    stages.server.respond(await stages.server.request('NOTIFY'), '481 Subscription Does Not Exist');
    expect((await stage.input('referral-notify-answered')).status).toBe(481);
    stage.shell.perform({ type: 'sip.release-referral', referralId: 'r1', dialogId: referDialog });
    expect(stage.shell.counts.dialogs).toBe(0);
    expect(stages.server.frames).toEqual([]);
  });

  test('may be asked for more time in its dialog', async () => {
    const stage = await referred();
    const subscribe = requestText(`SUBSCRIBE ${conferenceUri} SIP/2.0`, {
      'To': `<${conferenceUri}>;tag=f0c05`,
      'Contact': contact,
      'Event': 'refer',
      'Expires': '300',
    });
    const transaction = stages.server.deliver(subscribe, { dialogId: referDialog });
    const input = await stage.input('referral-refreshed');
    expect(input).toMatchObject({ referralId: 'r1', expires: 300 });
    const refreshed = { kind: 'referral-refreshed', referralId: 'r1', contact: conferenceUri, expires: 300 } as const;
    stage.shell.reply(input.reply, refreshed);
    const { text } = await stages.server.response(transaction);
    expect([headerOf(text, 'Expires'), headerOf(text, 'Contact')]).toEqual(['300', `<${conferenceUri}>;isfocus`]);
  });

  test('whose dialog outlives the connection to the SIP server is ended by a last NOTIFY', async () => {
    const stage = await referred();
    stages.server.drop();
    await stage.input('sip-server-lost');
    const sent = await stages.server.request('NOTIFY');
    expect(sent.dialogId).toBe(referDialog);
    expect(headerOf(sent.text, 'Subscription-State')).toBe('terminated;reason=noresource');
    expect([headerOf(sent.text, 'Event'), headerOf(sent.text, 'Content-Type')]).toEqual([
      'refer',
      'message/sipfrag;version=2.0',
    ]);
  });
});

test('CC-082 RFC 3515 2.4.6: the second REFER of a session is one, whatever became of the first', async () => {
  const stage = await stages.withAlice();
  const asks = async (cseq: number) => {
    stages.server.deliver(inDialog('REFER', { ...headers, 'CSeq': `${cseq} REFER` }), { dialogId: aliceDialog });
    return await stage.input('refer-received');
  };
  const first = await asks(203_049);
  expect([first.endpointId, first.further]).toEqual(['alice', false]);
  stage.shell.reply(first.reply, { ...accepted, toTag: null, subscribes: false });
  const second = await asks(203_050);
  expect(second.further).toBe(true);
  stage.shell.reply(second.reply, { ...accepted, referralId: 'r2', toTag: null });
  stage.shell.perform({ ...last, referralId: 'r2', dialogId: aliceDialog, eventId: 203_050 });
  const sent = await stages.server.request('NOTIFY');
  expect([sent.dialogId, headerOf(sent.text, 'Event')]).toEqual([aliceDialog, 'refer;id=203050']);
  stages.server.respond(sent, '200 OK');
  await stage.input('referral-notify-answered');
  // The session it came in stays.
  expect(stage.shell.counts.dialogs).toBe(1);
});

const refers: SipRefer = {
  type: 'sip.refer',
  referralId: 'r1',
  target: 3,
  uri: 'sip:carol@chicago.example.com',
  conferenceUri,
  callId: 'f0c05-cab01-0001',
  fromTag: '7c1b0b',
  maxForwards: 69,
  referredBy: null,
  referral: null,
};

describe('CC-080 a REFER of the focus', () => {
  test('tells its answer', async () => {
    const stage = await stages.connected();
    stage.shell.perform(refers);
    const sent = await stages.server.request('REFER');
    expect([sent.dialogId, headerOf(sent.text, 'Refer-To')]).toEqual(['', `<${conferenceUri}>`]);
    stages.server.respond(sent, '202 Accepted');
    const cause = { status: 202, reason: 'Accepted' };
    expect(await stage.input('refer-answered')).toEqual({ type: 'refer-answered', referralId: 'r1', target: 3, cause });
  });

  test('that cannot be sent is answered all the same', async () => {
    const stage = await stages.connected();
    stage.shell.perform({ ...refers, uri: 'tel:+12015550123' });
    expect((await stage.input('refer-answered')).cause.status).toBe(416);
    stages.server.judge = () => ({ nok: 'no such host' });
    stage.shell.perform(refers);
    expect((await stage.input('refer-answered')).cause.status).toBe(500);
  });

  test('RFC 4488 4: whoever sends NOTIFYs all the same is told that there is no such subscription', async () => {
    const stage = await stages.connected();
    const raw = requestText(`NOTIFY ${conferenceUri} SIP/2.0`, {
      'To': `<${conferenceUri}>;tag=7c1b0b`,
      'Call-ID': 'f0c05-cab01-0001',
      'Event': 'refer',
      'Subscription-State': 'active',
    });
    stages.server.deliver(raw, { dialogId: 'f0c05-cab01-0001;from-tag=7c1b0b' });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
  });
});
