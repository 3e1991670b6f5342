import { describe, expect, test } from 'vitest';
import type { SipNotify } from '../../src/core/effect.ts';
import { bounds, pacingBounds } from '../../src/sip/bounds.ts';
import { type AppFrame, headerOf } from '../support/fake-drachtio.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait.ts';
import {
  aliceDialog,
  conferenceUri,
  inDialog,
  type ShellOnStage,
  Stages,
  subscribed,
  subscriptionDialog,
} from './shell-on-stage.ts';
import { requestText, subscribe } from './sip-texts.ts';

const stages = new Stages();

const notify: SipNotify = {
  type: 'sip.notify',
  subscriptionId: 's1',
  dialogId: subscriptionDialog,
  conferenceUri,
  state: { name: 'active', expires: 3_600 },
  body: '<conference-info/>',
};

/** Alice subscribes again, outside her subscription's dialog, but with the Call-ID and tag of that. */
async function beginsAnew(stage: ShellOnStage): Promise<void> {
  const transaction = stages.server.deliver(subscribe({ 'CSeq': '2 SUBSCRIBE' }));
  const { reply } = await stage.input('subscribe-received');
  stage.shell.reply(reply, { ...subscribed, subscriptionId: 's2' });
  await stages.server.response(transaction);
}

describe('a subscription', () => {
  test('M-10 to M-12: 200 with Expires and Contact, then NOTIFYs whose answers are told', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(subscribe());
    const { reply } = await stage.input('subscribe-received');
    stage.shell.reply(reply, subscribed);
    stage.shell.perform(notify);
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK/);
    expect([headerOf(text, 'Expires'), headerOf(text, 'Contact')]).toEqual(['3600', `<${conferenceUri}>;isfocus`]);
    expect(headerOf(text, 'To')).toBe('<sip:conf-7f3a9c51@conf.example.com>;tag=5b5c0f');
    const sent = await stages.server.request('NOTIFY');
    expect(sent.dialogId).toBe(subscriptionDialog);
    expect(headerOf(sent.text, 'Subscription-State')).toBe('active;expires=3600');
    expect(headerOf(sent.text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
    stages.server.respond(sent, '200 OK');
    expect(await stage.input('notify-answered')).toEqual({
      type: 'notify-answered',
      subscriptionId: 's1',
      status: 200,
    });
  });

  test('is refreshed in its dialog and answered with 200 and Contact again', async () => {
    const stage = await stages.withSubscription();
    const raw = subscribe({
      'To': '<sip:conf-7f3a9c51@conf.example.com>;tag=5b5c0f',
      'CSeq': '2 SUBSCRIBE',
      'Expires': '0',
    });
    const transaction = stages.server.deliver(raw, { dialogId: subscriptionDialog });
    const input = await stage.input('subscription-refreshed');
    expect(input).toMatchObject({ subscriptionId: 's1', expires: 0 });
    stage.shell.reply(input.reply, {
      kind: 'subscription-accepted',
      subscriptionId: 's1',
      contact: conferenceUri,
      toTag: null,
      expires: 0,
    });
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK/);
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
  });

  test('ends with its terminated NOTIFY, whatever the answer; a late refresh finds nothing', async () => {
    const stage = await stages.withSubscription();
    stage.shell.perform({ ...notify, state: { name: 'terminated', reason: 'noresource' }, body: null });
    const sent = await stages.server.request('NOTIFY');
    stages.server.deliver(subscribe({ 'To': '<sip:c@conf.example.com>;tag=5b5c0f' }), { dialogId: subscriptionDialog });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
    stages.server.respond(sent, '481 Subscription Does Not Exist');
    expect((await stage.input('notify-answered')).status).toBe(481);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('whose dialog the server does not know answers 481', async () => {
    const stage = await stages.withSubscription();
    stages.server.judge = () => ({ nok: 'Server error: unable to find dialog for dialog id provided' });
    stage.shell.perform(notify);
    expect((await stage.input('notify-answered')).status).toBe(481);
  });

  test('CC-106 whose NOTIFY never ends is told after 40 s as 408, and the late answer means nothing', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const stage = await stages.withSubscription({ clock });
    stage.shell.perform(notify);
    const sent = await stages.server.request('NOTIFY');
    clock.turn(bounds.requestTimeoutMs);
    expect((await stage.input('notify-answered')).status).toBe(408);
    stages.server.respond(sent, '200 OK');
    stages.server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0'));
    await stage.input('options-received');
    expect(stage.inputs).toEqual([]);
  });

  test('whose document does not fit a frame is told as 513, and nothing is sent', async () => {
    const stage = await stages.withSubscription();
    stage.shell.perform({ ...notify, body: 'x'.repeat(pacingBounds.unconfirmedBytesMax) });
    expect((await stage.input('notify-answered')).status).toBe(513);
    expect(stages.server.frames).toEqual([]);
    expect(stage.log.texts('error')).toEqual(['request too large for the SIP server, not sent']);
  });

  test('is released at the server by one more terminated NOTIFY', async () => {
    const stage = await stages.withSubscription();
    stage.shell.perform({ type: 'sip.release', subscriptionId: 's1', dialogId: subscriptionDialog });
    const sent = await stages.server.request('NOTIFY');
    expect(headerOf(sent.text, 'Subscription-State')).toBe('terminated;reason=deactivated');
    expect(headerOf(sent.text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('within a session shares its dialog, and releasing it leaves the session', async () => {
    const stage = await stages.withAlice();
    const asked = inDialog('SUBSCRIBE', { 'Event': 'conference', 'Contact': '<sip:alice@pc33.atlanta.example.com>' });
    stages.server.deliver(asked, { dialogId: aliceDialog });
    const input = await stage.input('subscribe-received');
    expect(input.dialogId).toBe(aliceDialog);
    stage.shell.reply(input.reply, {
      kind: 'subscription-accepted',
      subscriptionId: 's2',
      contact: conferenceUri,
      toTag: 'unused',
      expires: 60,
    });
    stage.shell.perform({ type: 'sip.release', subscriptionId: 's2', dialogId: aliceDialog });
    stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    await stage.input('dialog-ended');
    expect(stage.shell.counts.dialogs).toBe(0);
    expect(stages.server.frames.filter(({ text }) => text.startsWith('NOTIFY'))).toEqual([]);
  });

  test('begun anew with the Call-ID and tag of one that runs takes its place: that has ended', async () => {
    const stage = await stages.withSubscription();
    await beginsAnew(stage);
    expect(await stage.input('notify-answered')).toEqual({
      type: 'notify-answered',
      subscriptionId: 's1',
      status: 481,
    });
    stage.shell.perform({ type: 'sip.release', subscriptionId: 's1', dialogId: subscriptionDialog });
    stage.shell.perform(notify);
    expect(await stage.input('notify-answered')).toMatchObject({ subscriptionId: 's1', status: 481 });
    stage.shell.perform({ ...notify, subscriptionId: 's2', body: '<of-s2/>' });
    const sent = await stages.server.request('NOTIFY');
    expect(sent.text).toContain('<of-s2/>');
    stages.server.respond(sent, '200 OK');
    expect(await stage.input('notify-answered')).toMatchObject({ subscriptionId: 's2', status: 200 });
    expect(stage.shell.counts.dialogs).toBe(1);
  });

  test('begun anew while the one before says its last outlives that', async () => {
    const stage = await stages.withSubscription();
    stage.shell.perform({ ...notify, state: { name: 'terminated', reason: 'timeout' } });
    const last = await stages.server.request('NOTIFY');
    await beginsAnew(stage);
    stages.server.respond(last, '200 OK');
    expect(await stage.input('notify-answered')).toMatchObject({ subscriptionId: 's1', status: 200 });
    const to = { 'To': '<sip:conf-7f3a9c51@conf.example.com>;tag=5b5c0f', 'CSeq': '3 SUBSCRIBE' };
    stages.server.deliver(subscribe(to), { dialogId: subscriptionDialog });
    expect((await stage.input('subscription-refreshed')).subscriptionId).toBe('s2');
    expect(stage.inputs).toEqual([]);
  });

  test('documents of 5 kB for sixty subscribers never overrun the server', async () => {
    const stage = await stages.withSubscription();
    const held: AppFrame[] = [];
    let most = 0;
    stages.server.judge = (frame) => {
      held.push(frame);
      most = Math.max(
        most,
        held.reduce((bytes, each) => bytes + each.bytes, 0),
      );
      setImmediate(() => {
        held.splice(held.indexOf(frame), 1);
        stages.server.confirm(frame);
        stages.server.respond(frame, '200 OK');
      });
      return 'hold';
    };
    for (let at = 0; at < 60; at += 1) stage.shell.perform({ ...notify, body: 'x'.repeat(5_000) });
    await waitFor('all answers', () => stage.inputs.length === 60);
    expect(most).toBeLessThanOrEqual(pacingBounds.unconfirmedBytesMax);
  });
});
