import { describe, expect, test } from 'vitest';
import type { SipInvite } from '../../src/core/effect.ts';
import { bounds, pacingBounds } from '../../src/sip/bounds.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait.ts';
import { aliceDialog, conferenceUri, inDialog, ShellOnStage, Stages } from './shell-on-stage.ts';
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

describe('the connection', () => {
  test('is made with the secret, and every method that is served or refused is asked for', async () => {
    const { shell } = await stages.connected();
    expect(shell.connected).toBe(true);
    await waitFor('the routes', () => stages.server.routes.length >= 13);
    expect(stages.server.routes).toEqual(
      expect.arrayContaining(['invite', 'subscribe', 'options', 'bye', 'register', 'refer', 'message']),
    );
  });

  test('with a wrong secret connect says so in one sentence', async () => {
    const { host, port } = stages.server.address;
    const stage = new ShellOnStage({ host, port, secret: 'wrong' });
    await expect(stage.shell.connect()).rejects.toThrow(`The SIP server at ${host}:${port} refuses the secret`);
    expect(stage.shell.connected).toBe(false);
  });

  test('where nobody listens connect gives up after ten seconds, in one sentence', async () => {
    const { address } = stages.server;
    await stages.server.close();
    const clock = new ManualClock(1_700_000_000_000);
    const stage = new ShellOnStage(address, { clock });
    const connecting = stage.shell.connect();
    const refused = expect(connecting).rejects.toThrow(
      new RegExp(`^The SIP server at 127.0.0.1:${address.port} did not let us in within 10 s: connect ECONNREFUSED`),
    );
    await waitFor('a refused connection', () => stage.log.texts('debug').length > 0);
    clock.turn(bounds.connectTimeoutMs);
    await refused;
  });

  test('when it is lost, every dialog is; after it is back the server is told to end them', async () => {
    const stage = await stages.withAlice();
    stages.server.drop();
    await stage.input('sip-server-lost');
    expect(stage.shell.connected).toBe(false);
    expect(stage.shell.counts).toEqual({ dialogs: 0, pendingReplies: 0, openRequests: 0 });
    await waitFor('the connection to come back', () => stage.shell.connected);
    const bye = await stages.server.request('BYE');
    expect(bye.dialogId).toBe(aliceDialog);
    stages.server.respond(bye, '481 Call Does Not Exist');
    const transaction = stages.server.deliver(inDialog('BYE'), { dialogId: aliceDialog });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
    stage.shell.reply('sip:2', { kind: 'refused', code: 'no-such-dialog', detail: '' });
    expect((await stages.server.response(transaction)).text).toMatch(/^SIP\/2.0 481 /);
  });

  test('while it is lost, effects fail as inputs', async () => {
    const stage = await stages.connected();
    stages.server.drop();
    await stage.input('sip-server-lost');
    stage.shell.perform({ ...invite });
    expect((await stage.input('endpoint-failed')).cause.status).toBe(503);
  });

  test('closing it is no loss', async () => {
    const stage = await stages.connected();
    await stage.shell.close();
    expect(stage.inputs).toEqual([]);
  });
});

test('dialogs of a process that died are ended, and what the server no longer knows is no trouble', async () => {
  const stage = await stages.connected();
  stages.server.judge = ({ dialogId: id }) =>
    id === 'gone;from-tag=1' ? { nok: 'Server error: unable to find dialog for dialog id provided' } : 'confirm';
  const ended = stage.shell.endDialogs([
    { kind: 'session', dialogId: 'gone;from-tag=1' },
    { kind: 'session', dialogId: 'a;from-tag=1' },
    { kind: 'subscription', dialogId: 'b;from-tag=1' },
  ]);
  const bye = await stages.server.next('a BYE', ({ dialogId: id }) => id === 'a;from-tag=1');
  expect(headerOf(bye.text, 'Reason')).toBe('SIP;cause=200;text="The service was restarted"');
  const last = await stages.server.request('NOTIFY');
  expect(headerOf(last.text, 'Subscription-State')).toBe('terminated;reason=deactivated');
  stages.server.respond(bye, '200 OK');
  stages.server.respond(last, '481 Unknown');
  await ended;
  expect(stage.inputs).toEqual([]);
});

test('more dialogs than the connection takes at once are all ended, and the connection lives', async () => {
  const stage = await stages.connected();
  stages.server.judge = (frame) => {
    setImmediate(() => stages.server.respond(frame, '200 OK'));
    return 'confirm';
  };
  const ids = Array.from({ length: pacingBounds.queuedFramesMax + 500 }, (_, index) => `${index};from-tag=1`);
  await stage.shell.endDialogs(ids.map((dialogId) => ({ kind: 'subscription', dialogId })));
  expect(stages.server.frames.map(({ dialogId }) => dialogId)).toEqual(ids);
  expect(stage.inputs).toEqual([]);
  expect(stage.log.texts('error')).toEqual([]);
});
