import { describe, expect, test } from 'vitest';
import { bounds, pacingBounds } from '../../src/sip/bounds.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait.ts';
import { accepted, aliceDialog, conferenceUri, inDialog, type ShellOnStage, Stages } from './shell-on-stage.ts';
import { factoryInvite, offer, requestText } from './sip-texts.ts';

const stages = new Stages();

/** The answer to a request that the core refuses as the shell has read it. */
async function refused(stage: ShellOnStage, transaction: string): Promise<string> {
  const { reply, code, detail } = await stage.input('request-refused');
  stage.shell.reply(reply, { kind: 'refused', code, detail });
  return (await stages.server.response(transaction)).text;
}

describe('an INVITE to us', () => {
  test('M-03, M-04: the answer is the core’s, with its tag and the conference URI', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    expect(reply).toBe('sip:1');
    stage.shell.reply(reply, accepted);
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    expect(headerOf(text, 'To')).toBe('Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0');
    expect(headerOf(text, 'From')).toBe('Alice <sip:alice@atlanta.example.com>;tag=2837302775');
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus;+g.oma.sip-im`);
    expect(headerOf(text, 'Content-Type')).toBe('application/sdp');
    expect(text.endsWith(`\r\n\r\n${offer}`)).toBe(true);
    stages.server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId: aliceDialog });
    expect(await stage.input('ack-received')).toEqual({ type: 'ack-received', endpointId: 'alice', answer: null });
  });

  test('the answer in the ACK completes a late offer, and a repeated ACK says nothing', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(factoryInvite({ 'Content-Type': null, 'Require': null }, ''));
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    await stages.server.response(transaction);
    const ack = inDialog('ACK', { 'CSeq': '203048 ACK', 'Content-Type': 'application/sdp' }, offer);
    stages.server.deliver(ack, { dialogId: aliceDialog });
    stages.server.deliver(ack, { dialogId: aliceDialog });
    stages.server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0'));
    expect((await stage.input('ack-received')).answer).toMatchObject({ media: [{ media: 'message' }] });
    await stage.input('options-received');
    expect(stage.inputs).toEqual([]);
  });

  test('cancelled before the answer, the core is told and its answer goes nowhere', async () => {
    const stage = await stages.connected();
    stages.server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    stages.server.deliver(requestText('CANCEL sip:conf-fact@conf.example.com SIP/2.0'));
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId: aliceDialog });
    stage.shell.reply(reply, accepted);
    expect(stage.shell.counts).toEqual({ dialogs: 0, pendingReplies: 0, openRequests: 0 });
    expect(stages.server.frames).toEqual([]);
  });

  test('whose 200 the server could not send was never answered', async () => {
    const stage = await stages.connected();
    stages.server.judge = () => ({ nok: 'Response not sent due to unknown transaction' });
    stages.server.deliver(factoryInvite());
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId: aliceDialog });
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('whose 200 would be longer than the server takes is answered all the same, by 500', async () => {
    const stage = await stages.connected();
    const name = 'x'.repeat(pacingBounds.unconfirmedBytesMax);
    const transaction = stages.server.deliver(factoryInvite({ 'To': `${name} <sip:conf-fact@conf.example.com>` }));
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 500 /);
    expect([headerOf(text, 'Contact'), text.split('\r\n\r\n')[1]]).toEqual([undefined, '']);
    expect(await stage.input('invite-cancelled')).toEqual({ type: 'invite-cancelled', dialogId: aliceDialog });
  });

  test('that cannot be read is refused by the core with its reason', async () => {
    const stage = await stages.connected();
    const transaction = stages.server.deliver(factoryInvite({ 'Contact': null }));
    const input = await stage.input('request-refused');
    stage.shell.reply(input.reply, { kind: 'refused', code: input.code, detail: input.detail });
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 400 Bad request\r\n/);
    expect(headerOf(text, 'Warning')).toBe('399 conf.example.com "Contact is missing"');
  });

  test('without identity is challenged twice, in two headers', async () => {
    const stage = await stages.connected({ auth: 'digest' });
    const transaction = stages.server.deliver(factoryInvite());
    const input = await stage.input('invite-received');
    expect(input.caller).toBeNull();
    stage.shell.reply(input.reply, { kind: 'refused', code: 'unauthenticated', detail: '' });
    const { text } = await stages.server.response(transaction);
    expect(text.match(/^www-authenticate: Digest .*algorithm=.*$/gim)).toHaveLength(2);
    expect(headerOf(text, 'WWW-Authenticate')).toContain('algorithm=SHA-256');
  });

  test('whose core stays silent is answered 503 after 32 s, and the late answer goes nowhere', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const stage = await stages.connected({ clock });
    const transaction = stages.server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    clock.turn(bounds.replyTimeoutMs);
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 503 /);
    expect(headerOf(text, 'Retry-After')).toBe('10');
    await stage.input('invite-cancelled');
    stage.shell.reply(reply, accepted);
    expect(stage.shell.counts.dialogs).toBe(0);
  });

  test('that breaks us is answered 500, and told in the log', async () => {
    const stage = await stages.connected({
      submit: () => {
        throw new Error('a mistake of ours');
      },
    });
    const transaction = stages.server.deliver(factoryInvite());
    expect((await stages.server.response(transaction)).text).toMatch(/^SIP\/2.0 500 /);
    expect(stage.log.texts('error')).toEqual(['a request broke us']);
    expect(stage.shell.counts.pendingReplies).toBe(0);
  });

  test('beyond the bound of requests under way is answered 503 at once', async () => {
    const stage = await stages.connected();
    for (let at = 0; at < bounds.pendingRepliesMax; at += 1) {
      stages.server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'Call-ID': `c${at}` }));
    }
    await waitFor('all of them', () => stage.inputs.length === bounds.pendingRepliesMax);
    const transaction = stages.server.deliver(
      requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'Call-ID': 'one-more' }),
    );
    expect((await stages.server.response(transaction)).text).toMatch(/^SIP\/2.0 503 /);
    expect(stage.inputs).toHaveLength(bounds.pendingRepliesMax);
  });
});

describe('in a session', () => {
  test('a BYE is answered at once and told, a second one belongs to nothing', async () => {
    const stage = await stages.withAlice();
    const first = stages.server.deliver(inDialog('BYE', { 'Reason': 'SIP;cause=200;text="Bye for now"' }), {
      dialogId: aliceDialog,
    });
    expect((await stages.server.response(first)).text).toMatch(/^SIP\/2.0 200 OK/);
    expect(await stage.input('dialog-ended')).toEqual({
      type: 'dialog-ended',
      endpointId: 'alice',
      by: 'peer',
      reason: 'Bye for now',
    });
    stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
  });

  test('the server’s own BYE is told with its reason and not answered', async () => {
    const stage = await stages.withAlice();
    const bye = inDialog('BYE', { 'Reason': 'SIP;cause=200;text="ACK timeout"' });
    stages.server.deliver(bye, { source: 'application', transactionId: 'unsolicited', dialogId: aliceDialog });
    expect(await stage.input('dialog-ended')).toEqual({
      type: 'dialog-ended',
      endpointId: 'alice',
      by: 'server',
      reason: 'ACK timeout',
    });
    expect(stages.server.frames).toEqual([]);
  });

  test('a re-INVITE is answered with Contact and body, its ACK told', async () => {
    const stage = await stages.withAlice();
    const headers = {
      'CSeq': '203049 INVITE',
      'Contact': '<sip:alice@pc33.atlanta.example.com>',
      'Content-Type': 'application/sdp',
    };
    const transaction = stages.server.deliver(inDialog('INVITE', headers, offer), { dialogId: aliceDialog });
    const input = await stage.input('reinvite-received');
    expect(input.endpointId).toBe('alice');
    stage.shell.reply(input.reply, { ...accepted, at: 'conference' });
    const { text } = await stages.server.response(transaction);
    expect(headerOf(text, 'To')?.match(/tag=/g)).toHaveLength(1);
    expect(headerOf(text, 'Contact')).toBe(`<${conferenceUri}>;isfocus;+g.oma.sip-im`);
    stages.server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId: aliceDialog });
    stages.server.deliver(inDialog('ACK', { 'CSeq': '203049 ACK' }), { dialogId: aliceDialog });
    await stage.input('ack-received');
    expect(stage.inputs).toEqual([]);
  });

  test('a refused re-INVITE leaves the session, a cancelled one too', async () => {
    const stage = await stages.withAlice();
    const first = stages.server.deliver(factoryInvite({ 'To': '<sip:conf-fact@conf.example.com>;tag=fa7e11c0' }), {
      dialogId: aliceDialog,
    });
    const input = await stage.input('reinvite-received');
    expect(input.carriesList).toBe(true);
    stage.shell.reply(input.reply, {
      kind: 'refused',
      code: 'unknown-extension',
      detail: '',
      headers: { 'Unsupported': 'recipient-list-invite' },
    });
    const { text } = await stages.server.response(first);
    expect(text).toMatch(/^SIP\/2.0 420 Bad Extension/);
    expect(headerOf(text, 'Unsupported')).toBe('recipient-list-invite');
    stages.server.deliver(inDialog('INVITE', { 'Contact': '<sip:alice@pc33.atlanta.example.com>' }), {
      dialogId: aliceDialog,
    });
    await stage.input('reinvite-received');
    stages.server.deliver(inDialog('CANCEL'));
    stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    await stage.input('dialog-ended');
    expect(stage.inputs).toEqual([]);
  });

  test('CC-202 methods that are not served get 405 with Allow', async () => {
    const stage = await stages.withAlice();
    for (const method of ['INFO', 'FROBNICATE']) {
      const text = await refused(stage, stages.server.deliver(inDialog(method), { dialogId: aliceDialog }));
      expect(text).toMatch(/^SIP\/2.0 405 /);
      expect(headerOf(text, 'Allow')).toBe(
        'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK',
      );
    }
  });

  test('a PRACK of nothing, and a NOTIFY of no subscription, are 481', async () => {
    const stage = await stages.withAlice();
    for (const method of ['PRACK', 'NOTIFY']) {
      const text = await refused(stage, stages.server.deliver(inDialog(method), { dialogId: aliceDialog }));
      expect(text).toMatch(/^SIP\/2.0 481 /);
    }
  });

  test('an UPDATE is answered like a re-INVITE, but waits for no ACK', async () => {
    const stage = await stages.withAlice();
    const headers = { 'CSeq': '203049 UPDATE', 'Content-Type': 'application/sdp', 'Session-Expires': '600' };
    const transaction = stages.server.deliver(inDialog('UPDATE', headers, offer), { dialogId: aliceDialog });
    const input = await stage.input('reinvite-received');
    expect(input).toMatchObject({ method: 'UPDATE', endpointId: 'alice', sessionTimer: { expires: 600 } });
    const sessionTimer = { expires: 600, refresher: 'uac', required: true } as const;
    stage.shell.reply(input.reply, { ...accepted, at: 'conference', sessionTimer });
    const { text } = await stages.server.response(transaction);
    expect(text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    expect(headerOf(text, 'Session-Expires')).toBe('600;refresher=uac');
    expect(headerOf(text, 'Require')).toBe('timer');
    stages.server.deliver(inDialog('ACK', { 'CSeq': '203049 ACK' }), { dialogId: aliceDialog });
    stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    await stage.input('dialog-ended');
    expect(stage.inputs).toEqual([]);
  });

  test('what comes while an INVITE of the peer waits for our answer is told to overlap, until that is given', async () => {
    const stage = await stages.withAlice();
    const again = { 'Contact': '<sip:alice@pc33.atlanta.example.com>' };
    const deliver = (method: string, body = ''): string =>
      stages.server.deliver(inDialog(method, { ...again, 'Content-Type': 'application/sdp' }, body), {
        dialogId: aliceDialog,
      });
    const first = deliver('INVITE', offer);
    const { reply } = await stage.input('reinvite-received');
    const overlaps: boolean[] = [];
    for (const [method, body] of [
      ['INVITE', offer],
      ['UPDATE', offer],
      ['UPDATE', ''],
    ] as const) {
      const transaction = deliver(method, body);
      const input = await stage.input('reinvite-received');
      overlaps.push(input.overlaps);
      const headers = { 'Retry-After': '7' };
      stage.shell.reply(input.reply, { kind: 'refused', code: 'request-overlaps', detail: '', headers });
      const { text } = await stages.server.response(transaction);
      expect([text.split(' ')[1], headerOf(text, 'Retry-After')]).toEqual(['500', '7']);
    }
    stage.shell.reply(reply, { ...accepted, at: 'conference' });
    await stages.server.response(first);
    deliver('UPDATE', offer);
    overlaps.push((await stage.input('reinvite-received')).overlaps);
    expect(overlaps).toEqual([true, true, false, false]);
  });

  test('our BYE goes out in the dialog; one of the peer that crosses it is answered and means nothing', async () => {
    const stage = await stages.withAlice();
    stage.shell.perform({ type: 'sip.bye', endpointId: 'alice', dialogId: aliceDialog, reason: 'Conference ended' });
    const bye = await stages.server.request('BYE');
    expect(bye.text).toMatch(/^BYE sip:placeholder SIP\/2.0\r\n/);
    expect([bye.dialogId, headerOf(bye.text, 'Reason')]).toEqual([
      aliceDialog,
      'SIP;cause=200;text="Conference ended"',
    ]);
    const crossing = stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    expect((await stages.server.response(crossing)).text).toMatch(/^SIP\/2.0 200 OK/);
    stages.server.respond(bye, '200 OK');
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
    expect(stage.inputs).toEqual([]);
  });
});
