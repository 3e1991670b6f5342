/** What the real server does otherwise than the standards want, as strict mode copies it, and what the shell makes of it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SipInvite } from '../../src/core/effect.ts';
import type { Sipd } from '../../src/sipd/sipd.ts';
import type { SipRequest, SipResponse } from '../../src/wire/sip-message.ts';
import type { UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';
import { accepted, type ShellOnStage, subscribed } from './shell-on-stage.ts';
import { offer } from './sip-texts.ts';
import { openStrictStage } from './strict-stage.ts';

let sipd: Sipd;
let stage: ShellOnStage;
let alice: UserAgent;
let bob: UserAgent;
let close: () => Promise<void>;

beforeEach(async () => {
  ({ sipd, stage, alice, bob, close } = await openStrictStage('udp'));
});

afterEach(() => close());

const uri = (user: string): string => `sip:${user}@127.0.0.1:${sipd.addresses[0]?.port}`;
const sends = (request: SipRequest): Promise<SipResponse> =>
  alice.transactions.send(request, alice.addressOf(uri('conf-fact'))).final;

async function aliceJoins() {
  const invite = alice.invite(uri('conf-fact'));
  const { reply, dialogId } = await stage.input('invite-received');
  stage.shell.reply(reply, { ...accepted, contact: uri('conf-1') });
  const call = await invite.established();
  await stage.input('ack-received');
  return { call, dialogId };
}

function invites(changes: Partial<SipInvite> = {}): void {
  stage.shell.perform({
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
    referredBy: null,
    subject: null,
    replaces: null,
    join: null,
    referral: null,
    sessionTimer: null,
    history: null,
    extraHeaders: [],
    sdp: offer,
    ...changes,
  });
}

test('an INVITE that comes over two paths makes one conference', async () => {
  const common = {
    'Call-ID': 'forked',
    'From': `<${alice.aor}>;tag=1`,
    'Contact': `<${alice.contact}>`,
    'Content-Type': 'application/sdp',
  };
  const copy = (): SipRequest => alice.request('INVITE', uri('conf-fact'), { headers: common, body: offer });
  const one = sends(copy());
  const { reply } = await stage.input('invite-received');
  expect((await sends(copy())).status).toBe(482);
  stage.shell.reply(reply, { ...accepted, contact: uri('conf-1') });
  expect((await one).status).toBe(200);
  // A dialog that stands is the server's to refuse.
  expect((await sends(copy())).status).toBe(480);
  expect(stage.inputs).toEqual([]);
});

test('a request that another of its dialog has overtaken is refused', async () => {
  const { call } = await aliceJoins();
  const [first, second] = [alice.requestIn(call.dialog, 'OPTIONS'), alice.requestIn(call.dialog, 'OPTIONS')];
  const later = sends(second);
  const { reply } = await stage.input('options-received');
  stage.shell.reply(reply, { kind: 'capabilities', at: 'conference', contact: uri('conf-1') });
  expect((await later).status).toBe(200);
  expect((await sends(first)).status).toBe(500);
  expect((await call.bye()).status).toBe(200);
});

test('a subscription in the dialog of a call is over when its subscriber hangs up', async () => {
  const { call, dialogId } = await aliceJoins();
  const subscribing = call.ask('SUBSCRIBE', { headers: { 'Event': 'conference', 'Expires': '600' } });
  const { reply } = await stage.input('subscribe-received');
  stage.shell.reply(reply, { ...subscribed, contact: uri('conf-1'), toTag: null });
  expect((await subscribing).status).toBe(200);
  await call.bye();
  await stage.input('dialog-ended');
  const state = { name: 'active', expires: 600 } as const;
  const notify = { type: 'sip.notify', subscriptionId: 's1', dialogId, conferenceUri: uri('conf-1'), state } as const;
  stage.shell.perform({ ...notify, body: '<conference-info/>' });
  expect(await stage.input('notify-answered')).toMatchObject({ subscriptionId: 's1', status: 481 });
});

test('an invitee who accepts without a Contact has failed', async () => {
  bob.answers((invite) => invite.accept({ 'Contact': [] }));
  invites();
  expect((await stage.input('endpoint-failed')).cause).toEqual({ status: 400, reason: 'No Contact in the answer' });
  await waitFor('the end of every request', () => stage.shell.counts.openRequests === 0);
  expect(stage.shell.counts.dialogs).toBe(0);
});

test.each([
  ['the server itself', () => uri('somebody'), 503],
  ['a sips URI, where the server has no TLS', () => 'sips:bob@127.0.0.1:5061', 416],
  ['a transport that the server has not', () => 'sip:bob@127.0.0.1;transport=tls', 503],
  ['a telephone number', () => 'tel:+12015550123', 416],
])('an invitee whose address is %s has failed', async (_, target, status) => {
  invites({ target: target() });
  expect((await stage.input('endpoint-failed')).cause.status).toBe(status);
  expect(stage.shell.connected).toBe(true);
});
