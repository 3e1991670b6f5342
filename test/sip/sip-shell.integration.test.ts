import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SipInvite, SipNotify } from '../../src/core/effect.ts';
import { bounds, pacingBounds } from '../../src/sip/bounds.ts';
import type { SipShellOptions } from '../../src/sip/sip-shell.ts';
import { type AppFrame, FakeDrachtio, headerOf } from '../support/fake-drachtio.ts';
import { waitFor } from '../support/wait.ts';
import { ManualClock } from './manual-clock.ts';
import { ShellOnStage } from './shell-on-stage.ts';
import { factoryInvite, offer, requestText, subscribe } from './sip-texts.ts';

const conferenceUri = 'sip:conf-7f3a9c51@conf.example.com';
const dialogId = '563b4c76e66712;from-tag=2837302775';
const subscriptionDialog = 'sub-a11ce-01;from-tag=a11ce5ub';
const accepted = {
  kind: 'session-accepted',
  endpointId: 'alice',
  contact: conferenceUri,
  toTag: 'fa7e11c0',
  sdp: offer,
  at: 'factory',
} as const;

let server: FakeDrachtio;
const stages: ShellOnStage[] = [];

async function staged(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
  const stage = new ShellOnStage(server.address, changes);
  stages.push(stage);
  await stage.shell.connect();
  return stage;
}

function inDialog(method: string, lines: Record<string, string> = {}, body = ''): string {
  const headers = { 'To': 'Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0', ...lines };
  return requestText(`${method} ${conferenceUri} SIP/2.0`, headers, body);
}

/** Alice is in: INVITE, 200, ACK. */
async function withAlice(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
  const stage = await staged(changes);
  const transaction = server.deliver(factoryInvite());
  const { reply } = await stage.input('invite-received');
  stage.shell.reply(reply, accepted);
  await server.response(transaction);
  server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId });
  await stage.input('ack-received');
  return stage;
}

/** Alice has subscribed. */
async function withSubscription(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
  const stage = await staged(changes);
  const transaction = server.deliver(subscribe());
  const { reply } = await stage.input('subscribe-received');
  stage.shell.reply(reply, {
    kind: 'subscription-accepted',
    subscriptionId: 's1',
    contact: conferenceUri,
    toTag: '5b5c0f',
    expires: 3_600,
  });
  await server.response(transaction);
  return stage;
}

beforeEach(async () => {
  server = await FakeDrachtio.start();
});

afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.shell.close()));
  await server.close();
});

describe('the connection', () => {
  test('is made with the secret, and every method that is served or refused is asked for', async () => {
    const { shell } = await staged();
    expect(shell.connected).toBe(true);
    await waitFor('the routes', () => server.routes.length >= 13);
    expect(server.routes).toEqual(
      expect.arrayContaining(['invite', 'subscribe', 'options', 'bye', 'register', 'refer', 'message']),
    );
  });

  test('with a wrong secret connect says so in one sentence', async () => {
    const { host, port } = server.address;
    const stage = new ShellOnStage({ host, port, secret: 'wrong' });
    await expect(stage.shell.connect()).rejects.toThrow(`The SIP server at ${host}:${port} refuses the secret`);
    expect(stage.shell.connected).toBe(false);
  });

  test('where nobody listens connect gives up after ten seconds, in one sentence', async () => {
    const { address } = server;
    await server.close();
    const clock = new ManualClock();
    const stage = new ShellOnStage(address, { clock });
    const connecting = stage.shell.connect();
    const refused = expect(connecting).rejects.toThrow(
      new RegExp(`^The SIP server at 127.0.0.1:${address.port} did not let us in within 10 s: connect ECONNREFUSED`),
    );
    await waitFor('a refused connection', () => stage.log.texts('debug').length > 0);
    clock.pass(bounds.connectTimeoutMs);
    await refused;
  });

  test('when it is lost, every dialog is; after it is back the server is told to end them', async () => {
    const stage = await withAlice();
    server.drop();
    await stage.input('sip-server-lost');
    expect(stage.shell.connected).toBe(false);
    expect(stage.shell.counts).toEqual({ dialogs: 0, pendingReplies: 0 });
    await waitFor('the connection to come back', () => stage.shell.connected);
    const bye = await server.request('BYE');
    expect(bye.dialogId).toBe(dialogId);
    server.respond(bye, '481 Call Does Not Exist');
    const transaction = server.deliver(inDialog('BYE'), { dialogId });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
    stage.shell.reply('sip:2', { kind: 'refused', code: 'no-such-dialog', detail: '' });
    expect((await server.response(transaction)).text).toMatch(/^SIP\/2.0 481 /);
  });

  test('while it is lost, effects fail as inputs', async () => {
    const stage = await staged();
    server.drop();
    await stage.input('sip-server-lost');
    stage.shell.perform({ ...invite });
    expect((await stage.input('endpoint-failed')).cause.status).toBe(503);
  });

  test('closing it is no loss', async () => {
    const stage = await staged();
    await stage.shell.close();
    expect(stage.inputs).toEqual([]);
  });
});

describe('an INVITE to us', () => {
  test('M-03, M-04: the answer is the core’s, with its tag and the conference URI', async () => {
    const stage = await staged();
    const transaction = server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    expect(reply).toBe('sip:1');
    stage.shell.reply(reply, accepted);
    const { text } = await server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    expect(headerOf(text, 'To')).toBe('Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0');
    expect(headerOf(text, 'From')).toBe('Alice <sip:alice@atlanta.example.com>;tag=2837302775');
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus;+g.oma.sip-im`);
    expect(headerOf(text, 'Content-Type')).toBe('application/sdp');
    expect(text.endsWith(`\r\n\r\n${offer}`)).toBe(true);
    server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId });
    expect(await stage.input('ack-received')).toEqual({ type: 'ack-received', endpointId: 'alice', answer: null });
  });

  test('the answer in the ACK completes a late offer, and a repeated ACK says nothing', async () => {
    const stage = await staged();
    const transaction = server.deliver(factoryInvite({ 'Content-Type': null, 'Require': null }, ''));
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    await server.response(transaction);
    const ack = inDialog('ACK', { 'CSeq': '203048 ACK', 'Content-Type': 'application/sdp' }, offer);
    server.deliver(ack, { dialogId });
    server.deliver(ack, { dialogId });
    server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0'));
    expect((await stage.input('ack-received')).answer).toMatchObject({ media: [{ media: 'message' }] });
    await stage.input('options-received');
    expect(stage.inputs).toEqual([]);
  });

  test('cancelled before the answer, the core is told and its answer goes nowhere', async () => {
    const stage = await staged();
    server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    server.deliver(requestText('CANCEL sip:conf-fact@conf.example.com SIP/2.0'));
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId });
    stage.shell.reply(reply, accepted);
    expect(stage.shell.counts).toEqual({ dialogs: 0, pendingReplies: 0 });
    expect(server.frames).toEqual([]);
  });

  test('whose 200 the server could not send was never answered', async () => {
    const stage = await staged();
    server.judge = () => ({ nok: 'Response not sent due to unknown transaction' });
    server.deliver(factoryInvite());
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId });
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('that cannot be read is refused by the core with its reason', async () => {
    const stage = await staged();
    const transaction = server.deliver(factoryInvite({ 'Contact': null }));
    const input = await stage.input('request-refused');
    stage.shell.reply(input.reply, { kind: 'refused', code: input.code, detail: input.detail });
    const { text } = await server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 400 Bad request\r\n/);
    expect(headerOf(text, 'Warning')).toBe('399 conf.example.com "Contact is missing"');
  });

  test('without identity is challenged twice, in two headers', async () => {
    const stage = await staged({ auth: 'digest' });
    const transaction = server.deliver(factoryInvite());
    const input = await stage.input('invite-received');
    expect(input.caller).toBeNull();
    stage.shell.reply(input.reply, { kind: 'refused', code: 'unauthenticated', detail: '' });
    const { text } = await server.response(transaction);
    expect(text.match(/^www-authenticate: Digest .*algorithm=.*$/gim)).toHaveLength(2);
    expect(headerOf(text, 'WWW-Authenticate')).toContain('algorithm=SHA-256');
  });

  test('whose core stays silent is answered 503 after 32 s, and the late answer goes nowhere', async () => {
    const clock = new ManualClock();
    const stage = await staged({ clock });
    const transaction = server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    clock.pass(bounds.replyTimeoutMs);
    const { text } = await server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 503 /);
    expect(headerOf(text, 'Retry-After')).toBe('10');
    await stage.input('invite-cancelled');
    stage.shell.reply(reply, accepted);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('beyond the bound of requests under way is answered 503 at once', async () => {
    const stage = await staged();
    for (let at = 0; at < bounds.pendingRepliesMax; at += 1) {
      server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'Call-ID': `c${at}` }));
    }
    await waitFor('all of them', () => stage.inputs.length === bounds.pendingRepliesMax);
    const transaction = server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'Call-ID': 'one-more' }));
    expect((await server.response(transaction)).text).toMatch(/^SIP\/2.0 503 /);
    expect(stage.inputs).toHaveLength(bounds.pendingRepliesMax);
  });
});

describe('in a session', () => {
  test('a BYE is answered at once and told, a second one belongs to nothing', async () => {
    const stage = await withAlice();
    const first = server.deliver(inDialog('BYE', { 'Reason': 'SIP;cause=200;text="Bye for now"' }), { dialogId });
    expect((await server.response(first)).text).toMatch(/^SIP\/2.0 200 OK/);
    expect(await stage.input('dialog-ended')).toEqual({
      type: 'dialog-ended',
      endpointId: 'alice',
      by: 'peer',
      reason: 'Bye for now',
    });
    server.deliver(inDialog('BYE'), { dialogId });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
  });

  test('the server’s own BYE is told with its reason and not answered', async () => {
    const stage = await withAlice();
    const bye = inDialog('BYE', { 'Reason': 'SIP;cause=200;text="ACK timeout"' });
    server.deliver(bye, { source: 'application', transactionId: 'unsolicited', dialogId });
    expect(await stage.input('dialog-ended')).toEqual({
      type: 'dialog-ended',
      endpointId: 'alice',
      by: 'server',
      reason: 'ACK timeout',
    });
    expect(server.frames).toEqual([]);
  });

  test('a re-INVITE is answered with Contact and body, its ACK told', async () => {
    const stage = await withAlice();
    const headers = {
      'CSeq': '203049 INVITE',
      'Contact': '<sip:alice@pc33.atlanta.example.com>',
      'Content-Type': 'application/sdp',
    };
    const transaction = server.deliver(inDialog('INVITE', headers, offer), { dialogId });
    const input = await stage.input('reinvite-received');
    expect(input.endpointId).toBe('alice');
    stage.shell.reply(input.reply, { ...accepted, at: 'conference' });
    const { text } = await server.response(transaction);
    expect(headerOf(text, 'To')?.match(/tag=/g)).toHaveLength(1);
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus;+g.oma.sip-im`);
    server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId });
    server.deliver(inDialog('ACK', { 'CSeq': '203049 ACK' }), { dialogId });
    await stage.input('ack-received');
    expect(stage.inputs).toEqual([]);
  });

  test('a refused re-INVITE leaves the session, a cancelled one too', async () => {
    const stage = await withAlice();
    const first = server.deliver(factoryInvite({ 'To': '<sip:conf-fact@conf.example.com>;tag=fa7e11c0' }), {
      dialogId,
    });
    const input = await stage.input('reinvite-received');
    expect(input.carriesList).toBe(true);
    stage.shell.reply(input.reply, {
      kind: 'refused',
      code: 'unknown-extension',
      detail: '',
      headers: { 'Unsupported': 'recipient-list-invite' },
    });
    const { text } = await server.response(first);
    expect(text).toMatch(/^SIP\/2.0 420 Bad Extension/);
    expect(headerOf(text, 'Unsupported')).toBe('recipient-list-invite');
    server.deliver(inDialog('INVITE', { 'Contact': '<sip:alice@pc33.atlanta.example.com>' }), { dialogId });
    await stage.input('reinvite-received');
    server.deliver(inDialog('CANCEL'));
    server.deliver(inDialog('BYE'), { dialogId });
    await stage.input('dialog-ended');
    expect(stage.inputs).toEqual([]);
  });

  test('CC-202 methods that are not served get 405 with Allow, UPDATE during an INVITE too', async () => {
    const stage = await withAlice();
    const refuse = async (transaction: string): Promise<string> => {
      const input = await stage.input('request-refused');
      stage.shell.reply(input.reply, { kind: 'refused', code: input.code, detail: input.detail });
      return (await server.response(transaction)).text;
    };
    const info = await refuse(server.deliver(inDialog('INFO'), { dialogId }));
    expect(info).toMatch(/^SIP\/2.0 405 /);
    expect(headerOf(info, 'Allow')).toBe('INVITE, ACK, CANCEL, BYE, OPTIONS, SUBSCRIBE');
    server.deliver(inDialog('INVITE', { 'Contact': '<sip:alice@pc33.atlanta.example.com>' }), { dialogId });
    await stage.input('reinvite-received');
    expect(await refuse(server.deliver(inDialog('UPDATE'), { dialogId }))).toMatch(/^SIP\/2.0 405 /);
    expect(await refuse(server.deliver(inDialog('PRACK'), { dialogId }))).toMatch(/^SIP\/2.0 405 /);
    expect(await refuse(server.deliver(inDialog('FROBNICATE'), { dialogId }))).toMatch(/^SIP\/2.0 405 /);
  });

  test('our BYE goes out in the dialog; one of the peer that crosses it is answered and means nothing', async () => {
    const stage = await withAlice();
    stage.shell.perform({ type: 'sip.bye', endpointId: 'alice', dialogId, reason: 'Conference ended' });
    const bye = await server.request('BYE');
    expect(bye.text).toMatch(/^BYE sip:placeholder SIP\/2.0\r\n/);
    expect([bye.dialogId, headerOf(bye.text, 'Reason')]).toEqual([dialogId, 'SIP;cause=200;text="Conference ended"']);
    const crossing = server.deliver(inDialog('BYE'), { dialogId });
    expect((await server.response(crossing)).text).toMatch(/^SIP\/2.0 200 OK/);
    server.respond(bye, '200 OK');
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
    expect(stage.inputs).toEqual([]);
  });
});

const notify: SipNotify = {
  type: 'sip.notify',
  subscriptionId: 's1',
  dialogId: subscriptionDialog,
  conferenceUri,
  state: { name: 'active', expires: 3_600 },
  body: '<conference-info/>',
};

describe('a subscription', () => {
  test('M-10 to M-12: 200 with Expires and Contact, then NOTIFYs whose answers are told', async () => {
    const stage = await staged();
    const transaction = server.deliver(subscribe());
    const { reply } = await stage.input('subscribe-received');
    stage.shell.reply(reply, {
      kind: 'subscription-accepted',
      subscriptionId: 's1',
      contact: conferenceUri,
      toTag: '5b5c0f',
      expires: 3_600,
    });
    stage.shell.perform(notify);
    const { text } = await server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK/);
    expect([headerOf(text, 'Expires'), headerOf(text, 'Contact')]).toEqual(['3600', `<${conferenceUri}>;isfocus`]);
    expect(headerOf(text, 'To')).toBe('<sip:conf-7f3a9c51@conf.example.com>;tag=5b5c0f');
    const sent = await server.request('NOTIFY');
    expect(sent.dialogId).toBe(subscriptionDialog);
    expect(headerOf(sent.text, 'Subscription-State')).toBe('active;expires=3600');
    expect(headerOf(sent.text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
    server.respond(sent, '200 OK');
    expect(await stage.input('notify-answered')).toEqual({
      type: 'notify-answered',
      subscriptionId: 's1',
      status: 200,
    });
  });

  test('is refreshed in its dialog and answered with 200 and Contact again', async () => {
    const stage = await withSubscription();
    const raw = subscribe({
      'To': '<sip:conf-7f3a9c51@conf.example.com>;tag=5b5c0f',
      'CSeq': '2 SUBSCRIBE',
      'Expires': '0',
    });
    const transaction = server.deliver(raw, { dialogId: subscriptionDialog });
    const input = await stage.input('subscription-refreshed');
    expect(input).toMatchObject({ subscriptionId: 's1', expires: 0 });
    stage.shell.reply(input.reply, {
      kind: 'subscription-accepted',
      subscriptionId: 's1',
      contact: conferenceUri,
      toTag: null,
      expires: 0,
    });
    const { text } = await server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK/);
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
  });

  test('ends with its terminated NOTIFY, whatever the answer; a late refresh finds nothing', async () => {
    const stage = await withSubscription();
    stage.shell.perform({ ...notify, state: { name: 'terminated', reason: 'noresource' }, body: null });
    const sent = await server.request('NOTIFY');
    server.deliver(subscribe({ 'To': '<sip:c@conf.example.com>;tag=5b5c0f' }), { dialogId: subscriptionDialog });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
    server.respond(sent, '481 Subscription Does Not Exist');
    expect((await stage.input('notify-answered')).status).toBe(481);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('whose dialog the server does not know answers 481', async () => {
    const stage = await withSubscription();
    server.judge = () => ({ nok: 'Server error: unable to find dialog for dialog id provided' });
    stage.shell.perform(notify);
    expect((await stage.input('notify-answered')).status).toBe(481);
  });

  test('whose NOTIFY never ends is told after 40 s as 408, and the late answer means nothing', async () => {
    const clock = new ManualClock();
    const stage = await withSubscription({ clock });
    stage.shell.perform(notify);
    const sent = await server.request('NOTIFY');
    clock.pass(bounds.requestTimeoutMs);
    expect((await stage.input('notify-answered')).status).toBe(408);
    server.respond(sent, '200 OK');
    server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0'));
    await stage.input('options-received');
    expect(stage.inputs).toEqual([]);
  });

  test('whose document does not fit a frame is told as 513, and nothing is sent', async () => {
    const stage = await withSubscription();
    stage.shell.perform({ ...notify, body: 'x'.repeat(pacingBounds.unconfirmedBytesMax) });
    expect((await stage.input('notify-answered')).status).toBe(513);
    expect(server.frames).toEqual([]);
    expect(stage.log.texts('error')).toEqual(['request too large for the SIP server, not sent']);
  });

  test('is released at the server by one more terminated NOTIFY', async () => {
    const stage = await withSubscription();
    stage.shell.perform({ type: 'sip.release', subscriptionId: 's1', dialogId: subscriptionDialog });
    const sent = await server.request('NOTIFY');
    expect(headerOf(sent.text, 'Subscription-State')).toBe('terminated;reason=deactivated');
    expect(headerOf(sent.text, 'Contact')).toBe(`<${conferenceUri}>;isfocus`);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('within a session shares its dialog, and releasing it leaves the session', async () => {
    const stage = await withAlice();
    const asked = inDialog('SUBSCRIBE', { 'Event': 'conference', 'Contact': '<sip:alice@pc33.atlanta.example.com>' });
    server.deliver(asked, { dialogId });
    const input = await stage.input('subscribe-received');
    expect(input.dialogId).toBe(dialogId);
    stage.shell.reply(input.reply, {
      kind: 'subscription-accepted',
      subscriptionId: 's2',
      contact: conferenceUri,
      toTag: 'unused',
      expires: 60,
    });
    stage.shell.perform({ type: 'sip.release', subscriptionId: 's2', dialogId });
    server.deliver(inDialog('BYE'), { dialogId });
    await stage.input('dialog-ended');
    expect(stage.shell.counts.dialogs).toBe(0);
    expect(server.frames.filter(({ text }) => text.startsWith('NOTIFY'))).toEqual([]);
  });

  test('documents of 5 kB for sixty subscribers never overrun the server', async () => {
    const stage = await withSubscription();
    const held: AppFrame[] = [];
    let most = 0;
    server.judge = (frame) => {
      held.push(frame);
      most = Math.max(
        most,
        held.reduce((bytes, each) => bytes + each.bytes, 0),
      );
      setImmediate(() => {
        held.splice(held.indexOf(frame), 1);
        server.confirm(frame);
        server.respond(frame, '200 OK');
      });
      return 'hold';
    };
    for (let at = 0; at < 60; at += 1) stage.shell.perform({ ...notify, body: 'x'.repeat(5_000) });
    await waitFor('all answers', () => stage.inputs.length === 60);
    expect(most).toBeLessThanOrEqual(pacingBounds.unconfirmedBytesMax);
  });
});

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
    const stage = await staged();
    stage.shell.perform(invite);
    const sent = await server.request('INVITE');
    expect(sent.text).toMatch(/^INVITE sip:bob@biloxi.example.com SIP\/2.0\r\n/);
    expect(headerOf(sent.text, 'From')).toBe(`<${conferenceUri}>;tag=7c1b0b`);
    expect(headerOf(sent.text, 'Replaces')).toBe('a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774');
    for (const status of ['100 Trying', '180 Ringing', '183 Session Progress']) server.respond(sent, status);
    server.respond(sent, '200 OK', answer);
    const ack = await server.request('ACK');
    expect(ack.dialogId).not.toBe('');
    expect(await stage.input('endpoint-answered')).toMatchObject({
      endpointId: 'bob',
      contact: 'sip:bob@client.biloxi.example.com;transport=tcp',
      remoteTag: 'peer',
      displayName: 'Bob Bell',
      answer: { media: [{ media: 'message' }] },
    });
    expect(stage.inputs).toEqual([{ type: 'endpoint-alerting', endpointId: 'bob' }]);
    const bye = server.deliver(inDialog('BYE', { 'Call-ID': 'f0c05-b0b-0001' }), { dialogId: invite.dialogId });
    expect((await server.response(bye)).text).toMatch(/^SIP\/2.0 200 OK/);
    expect((await stage.input('dialog-ended')).endpointId).toBe('bob');
  });

  test('answered without a readable description is acknowledged all the same', async () => {
    const stage = await staged();
    stage.shell.perform(invite);
    server.respond(await server.request('INVITE'), '200 OK', {
      body: 'nonsense',
      lines: ['Content-Type: application/sdp'],
    });
    await server.request('ACK');
    expect(await stage.input('endpoint-answered')).toMatchObject({ contact: null, answer: null });
  });

  test('refused tells status, reason and what is unsupported', async () => {
    const stage = await staged();
    stage.shell.perform(invite);
    server.respond(await server.request('INVITE'), '420 Bad Extension', { lines: ['Unsupported: replaces, x-one'] });
    expect(await stage.input('endpoint-failed')).toEqual({
      type: 'endpoint-failed',
      endpointId: 'bob',
      cause: { status: 420, reason: 'Bad Extension' },
      unsupported: ['replaces', 'x-one'],
    });
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('that the server does not send fails with its text', async () => {
    const stage = await staged();
    server.judge = () => ({ nok: 'requested protocol/transport not available' });
    stage.shell.perform(invite);
    expect((await stage.input('endpoint-failed')).cause).toEqual({
      status: 503,
      reason: 'requested protocol/transport not available',
    });
  });

  test('to a tel URI fails 416 without reaching the server', async () => {
    const stage = await staged();
    stage.shell.perform({ ...invite, target: 'tel:+12015550123' });
    expect(stage.inputs).toEqual([]);
    expect((await stage.input('endpoint-failed')).cause.status).toBe(416);
    expect(server.frames).toEqual([]);
  });

  test('is cancelled in its transaction, also when that is not known yet', async () => {
    const stage = await staged();
    stage.shell.perform(invite);
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    const sent = await server.request('INVITE');
    const cancel = await server.request('CANCEL');
    expect(cancel.transactionId).not.toBe('');
    server.respond(sent, '487 Request Terminated');
    expect((await stage.input('endpoint-failed')).cause.status).toBe(487);
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    expect(server.frames).toEqual([]);
  });

  test('whose end is never reported is given up, cancelled, and hung up when it is answered after all', async () => {
    const clock = new ManualClock();
    const stage = await staged({ clock });
    stage.shell.perform(invite);
    const sent = await server.request('INVITE');
    server.respond(sent, '180 Ringing');
    await stage.input('endpoint-alerting');
    clock.pass(bounds.inviteTimeoutMs);
    expect((await stage.input('endpoint-failed')).cause).toEqual({ status: 408, reason: 'Request Timeout' });
    await server.request('CANCEL');
    server.respond(sent, '200 OK', answer);
    await server.request('ACK');
    expect((await server.request('BYE')).dialogId).toBe(invite.dialogId);
    expect(stage.inputs).toEqual([]);
  });

  test('goes to the SIP core where there is one', async () => {
    const stage = await staged({ sipCore: 'sip:core.example.com;transport=tcp' });
    stage.shell.perform(invite);
    expect((await server.request('INVITE')).nextHop).toBe('sip:core.example.com;transport=tcp');
  });
});

test('dialogs of a process that died are ended, and what the server no longer knows is no trouble', async () => {
  const stage = await staged();
  server.judge = ({ dialogId: id }) =>
    id === 'gone;from-tag=1' ? { nok: 'Server error: unable to find dialog for dialog id provided' } : 'confirm';
  const ended = stage.shell.endDialogs([
    { kind: 'session', dialogId: 'gone;from-tag=1' },
    { kind: 'session', dialogId: 'a;from-tag=1' },
    { kind: 'subscription', dialogId: 'b;from-tag=1' },
  ]);
  const bye = await server.next('a BYE', ({ dialogId: id }) => id === 'a;from-tag=1');
  expect(headerOf(bye.text, 'Reason')).toBe('SIP;cause=200;text="The service was restarted"');
  const last = await server.request('NOTIFY');
  expect(headerOf(last.text, 'Subscription-State')).toBe('terminated;reason=deactivated');
  server.respond(bye, '200 OK');
  server.respond(last, '481 Unknown');
  await ended;
  expect(stage.inputs).toEqual([]);
});
