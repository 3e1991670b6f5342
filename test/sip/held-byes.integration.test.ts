/** RFC 3261 15: who was called hangs up only when the ACK of its 200 has come, or its transaction has timed out. */
import { expect, test } from 'vitest';
import { bounds } from '../../src/sip/bounds.ts';
import type { SipShellOptions } from '../../src/sip/sip-shell.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait.ts';
import { accepted, aliceDialog, inDialog, type ShellOnStage, Stages } from './shell-on-stage.ts';
import { factoryInvite, offer, requestText } from './sip-texts.ts';

const stages = new Stages();

const bye = { type: 'sip.bye', endpointId: 'alice', dialogId: aliceDialog, reason: 'Conference ended' } as const;
const nothing = { dialogs: 0, pendingReplies: 0, openRequests: 0 };

/** Alice has our 200 and has not acknowledged it when the core hangs up. */
async function hungUpEarly(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
  const stage = await stages.connected(changes);
  const transaction = stages.server.deliver(factoryInvite());
  stage.shell.reply((await stage.input('invite-received')).reply, accepted);
  await stages.server.response(transaction);
  stage.shell.perform(bye);
  return stage;
}

/** Something else goes to the SIP server and back: what was sent before it is there by then. */
async function roundTrip(stage: ShellOnStage): Promise<void> {
  const transaction = stages.server.deliver(requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'Call-ID': 'trip' }));
  const { reply } = await stage.input('options-received');
  stage.shell.reply(reply, { kind: 'refused', code: 'busy', detail: '' });
  await stages.server.response(transaction);
}

test('a BYE before the ACK waits for it, and the ACK is not told any more', async () => {
  const stage = await hungUpEarly();
  await roundTrip(stage);
  expect(stages.server.frames).toEqual([]);
  expect(stage.shell.counts).toEqual({ dialogs: 1, pendingReplies: 0, openRequests: 1 });
  stages.server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId: aliceDialog });
  const sent = await stages.server.request('BYE');
  expect([sent.dialogId, headerOf(sent.text, 'Reason')]).toEqual([
    aliceDialog,
    'SIP;cause=200;text="Conference ended"',
  ]);
  stages.server.respond(sent, '200 OK');
  await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
  expect(stage.shell.counts).toEqual(nothing);
  expect(stage.inputs).toEqual([]);
});

test('a BYE while a re-INVITE awaits its ACK goes out at once', async () => {
  const stage = await stages.withAlice();
  const headers = { 'CSeq': '203049 INVITE', 'Contact': '<sip:alice@pc33.atlanta.example.com>' };
  const typed = { ...headers, 'Content-Type': 'application/sdp' };
  const transaction = stages.server.deliver(inDialog('INVITE', typed, offer), { dialogId: aliceDialog });
  stage.shell.reply((await stage.input('reinvite-received')).reply, { ...accepted, at: 'conference' });
  await stages.server.response(transaction);
  stage.shell.perform(bye);
  expect((await stages.server.request('BYE')).dialogId).toBe(aliceDialog);
});

test.each([
  ['the peer', { source: 'network' }],
  ['the SIP server', { source: 'application', transactionId: 'unsolicited' }],
] as const)('a BYE of %s ends the wait', async (_whose, delivery) => {
  const stage = await hungUpEarly();
  stages.server.deliver(inDialog('BYE'), { ...delivery, dialogId: aliceDialog });
  await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
  expect(stage.shell.counts).toEqual(nothing);
  stages.server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId: aliceDialog });
  await roundTrip(stage);
  expect(stages.server.frames.filter(({ text }) => text.startsWith('BYE'))).toEqual([]);
  expect(stage.inputs).toEqual([]);
});

test('a 200 that the server could not send leaves nobody to hang up', async () => {
  const stage = await stages.connected();
  stages.server.judge = ({ text }) => (text.startsWith('SIP/2.0 200') ? { nok: 'unknown transaction' } : 'confirm');
  stages.server.deliver(factoryInvite());
  stage.shell.reply((await stage.input('invite-received')).reply, accepted);
  stage.shell.perform(bye);
  await stage.input('invite-cancelled');
  expect(stage.shell.counts).toEqual(nothing);
});

test('a connection that is lost meanwhile ends the wait; the next one ends the dialog', async () => {
  const stage = await hungUpEarly();
  stages.server.drop();
  await stage.input('sip-server-lost');
  const sent = await stages.server.request('BYE');
  expect([sent.dialogId, headerOf(sent.text, 'Reason')]).toEqual([
    aliceDialog,
    'SIP;cause=200;text="The service lost its SIP server"',
  ]);
});

test('a dialog of which nothing is heard any more is hung up all the same', async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const stage = await hungUpEarly({ clock });
  clock.turn(bounds.ackTimeoutMs - 1);
  await roundTrip(stage);
  expect(stages.server.frames).toEqual([]);
  clock.turn(1);
  expect((await stages.server.request('BYE')).dialogId).toBe(aliceDialog);
});
