/** What a drachtio server hands up as it comes, and the standards want refused: copies, and what comes too late. */
import { describe, expect, test } from 'vitest';
import { headerOf } from '../support/fake-drachtio.ts';
import { waitFor } from '../support/wait.ts';
import { accepted, aliceDialog, conferenceUri, inDialog, Stages } from './shell-on-stage.ts';
import { factoryInvite, offer, requestText } from './sip-texts.ts';

const stages = new Stages();

const byAnotherWay = { 'Via': 'SIP/2.0/TCP core.example.com;branch=z9hG4bKother001' };
const toUs = { 'To': '<sip:conf-fact@conf.example.com>;tag=fa7e11c0' };
const existing = 'dialog already exists, rejecting this request';

describe('RFC 3261 8.2.2.2: the same request over another path', () => {
  test('is refused while the first waits for its answer, which counts', async () => {
    const stage = await stages.connected();
    const first = stages.server.deliver(factoryInvite());
    const { reply } = await stage.input('invite-received');
    const second = stages.server.deliver(factoryInvite(byAnotherWay));
    expect((await stages.server.response(second)).text).toMatch(/^SIP\/2.0 482 Loop detected\r\n/);
    stage.shell.reply(reply, accepted);
    expect((await stages.server.response(first)).text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    expect(stage.inputs).toEqual([]);
  });

  test('is refused when the first has been accepted, whose session stands', async () => {
    const stage = await stages.withAlice();
    const second = stages.server.deliver(factoryInvite(byAnotherWay));
    expect((await stages.server.response(second)).text).toMatch(/^SIP\/2.0 482 /);
    expect(stage.inputs).toEqual([]);
    stages.server.deliver(inDialog('BYE', { 'CSeq': '203049 BYE' }), { dialogId: aliceDialog });
    expect(await stage.input('dialog-ended')).toMatchObject({ endpointId: 'alice', by: 'peer' });
  });

  test('is no other request of the same caller, and none after the first was refused', async () => {
    const stage = await stages.connected();
    const options = (cseq: number): string =>
      requestText('OPTIONS sip:conf.example.com SIP/2.0', { 'CSeq': `${cseq} OPTIONS` });
    const first = stages.server.deliver(options(1));
    const { reply } = await stage.input('options-received');
    stages.server.deliver(options(2));
    await stage.input('options-received');
    stage.shell.reply(reply, { kind: 'refused', code: 'busy', detail: '' });
    await stages.server.response(first);
    stages.server.deliver(options(1));
    await stage.input('options-received');
  });
});

test('an INVITE that begins anew in the name of a call that stands leaves that call when the server refuses it', async () => {
  const stage = await stages.withAlice();
  stages.server.judge = ({ text }) => (text.startsWith('SIP/') ? { nok: existing } : 'confirm');
  stages.server.deliver(factoryInvite({ 'CSeq': '203050 INVITE' }));
  const { reply } = await stage.input('invite-received');
  stage.shell.reply(reply, { ...accepted, endpointId: 'alice-again', toTag: 'another' });
  expect(await stage.input('invite-cancelled')).toMatchObject({ dialogId: aliceDialog });
  expect(stage.shell.counts.dialogs).toBe(1);
  stages.server.judge = () => 'confirm';
  stages.server.deliver(inDialog('BYE', { 'CSeq': '203051 BYE' }), { dialogId: aliceDialog });
  expect(await stage.input('dialog-ended')).toMatchObject({ endpointId: 'alice', by: 'peer' });
});

describe('RFC 3261 12.2.2: within a session', () => {
  const again = { 'Contact': '<sip:alice@pc33.atlanta.example.com>', 'Content-Type': 'application/sdp' };

  test('a request that a later one has overtaken is answered 500, and changes nothing', async () => {
    const stage = await stages.withAlice();
    const update = (cseq: number): string =>
      stages.server.deliver(inDialog('UPDATE', { ...again, 'CSeq': `${cseq} UPDATE` }, offer), {
        dialogId: aliceDialog,
      });
    const later = update(203_050);
    const { reply } = await stage.input('reinvite-received');
    stage.shell.reply(reply, { ...accepted, at: 'conference' });
    expect((await stages.server.response(later)).text).toMatch(/^SIP\/2.0 200 OK\r\n/);
    const earlier = await stages.server.response(update(203_049));
    expect(earlier.text).toMatch(/^SIP\/2.0 500 /);
    expect(headerOf(earlier.text, 'Retry-After')).toBeUndefined();
    expect(stage.inputs).toEqual([]);
    update(203_051);
    await stage.input('reinvite-received');
  });

  test('so is one with a number below that of the INVITE', async () => {
    const stage = await stages.withAlice();
    const early = stages.server.deliver(inDialog('OPTIONS', { 'CSeq': '203047 OPTIONS' }), { dialogId: aliceDialog });
    expect((await stages.server.response(early)).text).toMatch(/^SIP\/2.0 500 /);
    expect(stage.inputs).toEqual([]);
  });

  test('a BYE ends it whatever its number is', async () => {
    const stage = await stages.withAlice();
    stages.server.deliver(inDialog('BYE', { 'CSeq': '7 BYE' }), { dialogId: aliceDialog });
    await stage.input('dialog-ended');
    await waitFor('the dialog to be gone', () => stage.shell.counts.dialogs === 0);
  });

  test('what comes in another dialog counts for itself', async () => {
    const stage = await stages.withAlice();
    const other = { ...toUs, 'Call-ID': 'other', 'CSeq': '1 OPTIONS' };
    stages.server.deliver(requestText(`OPTIONS ${conferenceUri} SIP/2.0`, other), { dialogId: 'other;from-tag=1' });
    expect((await stage.input('request-refused')).code).toBe('no-such-dialog');
  });
});
