import { describe, expect, test } from 'vitest';
import type { SipInvite, SipReinvite } from '../../src/core/effect.ts';
import { bounds } from '../../src/sip/bounds.ts';
import { parseSdp } from '../../src/wire/sdp.ts';
import { headerOf } from '../support/fake-drachtio.ts';
import { unexplained } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait.ts';
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
    expect(stage.inputs).toEqual([{ type: 'endpoint-alerting', endpointId: 'bob', remoteTag: 'peer' }]);
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
    expect(await stage.input('endpoint-answered')).toMatchObject({ displayName, private: displayName === null });
  });

  test.each([
    [true, ['tel:+4930123']],
    [false, []],
  ])('answered, tells which languages are read there; trusted: %s, also of which tel URI', async (trusted, aors) => {
    const stage = await stages.connected({ isTrustedPeer: () => trusted });
    stage.shell.perform(invite);
    const lines = [
      ...answer.lines,
      'Accept-Language: en;q=0.5, de',
      'P-Asserted-Identity: <sip:bob@biloxi.example.com>, <tel:+49-30-123>',
    ];
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, lines });
    expect(await stage.input('endpoint-answered')).toMatchObject({ languages: ['de', 'en'], associatedAors: aors });
  });

  test('answered with identities of which none can be believed it tells of none', async () => {
    const stage = await stages.connected({ isTrustedPeer: () => true });
    stage.shell.perform(invite);
    const lines = [...answer.lines, 'P-Asserted-Identity: <tel:+4930123>, <tel:+4930124>'];
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, lines });
    expect(await stage.input('endpoint-answered')).toMatchObject({ associatedAors: [] });
  });

  test('answered without a readable description is acknowledged all the same', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', {
      ...answer,
      body: 'nonsense',
    });
    await stages.server.request('ACK');
    expect(await stage.input('endpoint-answered')).toMatchObject({ endpointId: 'bob', answer: null });
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

  test('refused tells what Reason says, and the least interval of a 422', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    stages.server.respond(await stages.server.request('INVITE'), '422 Session Interval Too Small', {
      lines: ['Min-SE: 3600;x=1', 'Reason: Q.850;cause=34;text="No circuit"'],
    });
    expect(await stage.input('endpoint-failed')).toMatchObject({
      cause: { status: 422 },
      minSe: 3_600,
      reasonHeader: 'Q.850;cause=34;text="No circuit"',
      members: null,
    });
  });

  test('CC-053 sent again is an INVITE of the same call, and may be answered', async () => {
    const stage = await stages.connected();
    stage.shell.perform({ ...invite, sessionTimer: { expires: 1_800, minSe: null } });
    const first = await stages.server.request('INVITE');
    expect(headerOf(first.text, 'CSeq')).toBe('1 INVITE');
    stages.server.respond(first, '422 Session Interval Too Small', { lines: ['Min-SE: 3600'] });
    await stage.input('endpoint-failed');
    stage.shell.perform({ ...invite, cseq: 2, sessionTimer: { expires: 3_600, minSe: 3_600 } });
    const second = await stages.server.request('INVITE');
    expect(headerOf(second.text, 'Call-ID')).toBe(headerOf(first.text, 'Call-ID'));
    expect(headerOf(second.text, 'CSeq')).toBe('2 INVITE');
    expect(headerOf(second.text, 'Min-SE')).toBe('3600');
    stages.server.respond(second, '200 OK', {
      ...answer,
      lines: [...answer.lines, 'Require: timer', 'Session-Expires: 3600;refresher=uas'],
    });
    await stages.server.request('ACK');
    expect((await stage.input('endpoint-answered')).sessionTimer).toEqual({ expires: 3_600, refresher: 'uas' });
    expect(stage.shell.counts.dialogs).toBe(1);
  });

  test.each([
    ['names the focus', '1800;refresher=uac', { expires: 1_800, refresher: 'uac' }],
    ['names nobody', '1800', { expires: 1_800, refresher: 'uac' }],
    ['is shorter than any may be', '5;refresher=uas', { expires: 90, refresher: 'uas' }],
    ['makes no sense', 'soon', null],
  ])('answered with a session timer that %s', async (_, value, sessionTimer) => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    const lines = [...answer.lines, `Session-Expires: ${value}`];
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, lines });
    expect((await stage.input('endpoint-answered')).sessionTimer).toEqual(sessionTimer);
  });

  describe('CC-052 refused with 403', () => {
    const list =
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="sip:carol@x.example"/><entry uri="dave@x.example"/></list></resource-lists>';
    const lines = [
      'P-Refused-URI-List: <sip:bob@biloxi.example.com>;members="<cid:m1@x.example>"',
      'Content-Type: application/resource-lists+xml',
      'Content-ID: <m1@x.example>',
    ];

    async function membersTold(status: string, body: string, lenient = true) {
      const stage = await stages.connected({ lenient });
      stage.shell.perform(invite);
      stages.server.respond(await stages.server.request('INVITE'), status, { lines, body });
      return (await stage.input('endpoint-failed')).members;
    }

    test('tells who is behind the URI, each read as an entry of a list is', async () => {
      expect(await membersTold('403 Forbidden', list)).toMatchObject([
        { raw: 'sip:carol@x.example', quirks: [] },
        { raw: 'dave@x.example', quirks: ['QK-6'] },
      ]);
      expect(await membersTold('403 Forbidden', list, false)).toMatchObject([
        { reading: { ok: true } },
        { reading: { ok: false, status: 416 } },
      ]);
    });

    test('or with another status, or a list that is none: nobody', async () => {
      expect(await membersTold('488 Not Acceptable Here', list)).toBeNull();
      expect(await membersTold('403 Forbidden', '<nonsense/>')).toBeNull();
    });
  });

  describe('answered by a reliable provisional response (RFC 3262)', () => {
    const reliable = (number: number, tag = 'peer'): string[] => [
      `To: <sip:bob@biloxi.example.com>;tag=${tag}`,
      'Require: 100rel',
      `RSeq: ${number}`,
    ];
    const other = offer.replace('7654', '9999');

    test('is acknowledged by PRACK; its description is the answer, and a later one counts for nothing', async () => {
      const stage = await stages.connected();
      stage.shell.perform(invite);
      const sent = await stages.server.request('INVITE');
      const body = { lines: ['Content-Type: application/sdp', ...reliable(17)], body: offer };
      stages.server.respond(sent, '183 Session Progress', body);
      const prack = await stages.server.request('PRACK');
      expect(headerOf(prack.text, 'RAck')).toBe('17 1 INVITE');
      expect(prack.dialogId).not.toBe('');
      expect((await stage.input('endpoint-alerting')).remoteTag).toBe('peer');
      stages.server.respond(sent, '180 Ringing', { lines: reliable(18) });
      expect(headerOf((await stages.server.request('PRACK')).text, 'RAck')).toBe('18 1 INVITE');
      stages.server.respond(sent, '200 OK', { ...answer, body: other });
      await stages.server.request('ACK');
      const { answer: told } = await stage.input('endpoint-answered');
      expect(told?.media[0]?.port).toBe(parseSdp(offer).media[0]?.port);
      expect(stage.inputs).toEqual([]);
    });

    test('needs no description in its 200', async () => {
      const stage = await stages.connected();
      stage.shell.perform(invite);
      const sent = await stages.server.request('INVITE');
      const lines = ['Content-Type: application/sdp', ...reliable(1)];
      stages.server.respond(sent, '183 Session Progress', { lines, body: offer });
      stages.server.respond(sent, '200 OK', { lines: ['Contact: <sip:bob@client.biloxi.example.com>'] });
      expect((await stage.input('endpoint-answered')).answer).toMatchObject({ media: [{ media: 'message' }] });
    });

    test('by another phone of a fork than the one that accepts has answered nothing', async () => {
      const stage = await stages.connected();
      stage.shell.perform(invite);
      const sent = await stages.server.request('INVITE');
      const lines = ['Content-Type: application/sdp', ...reliable(1, 'desk')];
      stages.server.respond(sent, '183 Session Progress', { lines, body: offer });
      stages.server.respond(sent, '200 OK', { ...answer, body: other });
      expect((await stage.input('endpoint-answered')).answer?.media[0]?.port).toBe(parseSdp(other).media[0]?.port);
    });

    test('by more phones than are kept, the last ones have answered nothing', async () => {
      const stage = await stages.connected();
      stage.shell.perform(invite);
      const sent = await stages.server.request('INVITE');
      for (let phone = 0; phone <= bounds.earlyAnswersMax; phone += 1) {
        const lines = [
          'Content-Type: application/sdp',
          ...reliable(1, phone === bounds.earlyAnswersMax ? 'peer' : `p${phone}`),
        ];
        stages.server.respond(sent, '183 Session Progress', { lines, body: offer });
        await stages.server.request('PRACK');
      }
      stages.server.respond(sent, '200 OK', { lines: ['Contact: <sip:bob@client.biloxi.example.com>'] });
      expect((await stage.input('endpoint-answered')).answer).toBeNull();
    });

    test('that is not reliable wants no PRACK and answers nothing', async () => {
      const stage = await stages.connected();
      stage.shell.perform(invite);
      const sent = await stages.server.request('INVITE');
      const lines = ['Content-Type: application/sdp', 'RSeq: 4'];
      stages.server.respond(sent, '183 Session Progress', { lines, body: offer });
      stages.server.respond(sent, '200 OK', { lines: ['Contact: <sip:bob@client.biloxi.example.com>'] });
      expect((await stage.input('endpoint-answered')).answer).toBeNull();
      await stages.server.request('ACK');
      expect(stages.server.frames).toEqual([]);
    });
  });

  test('that rings is told with the tag of the early dialog, once it has one', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    const sent = await stages.server.request('INVITE');
    const tagged = { lines: ['To: <sip:bob@biloxi.example.com>;tag=b0b'] };
    stages.server.respond(sent, '180 Ringing', { lines: ['To: <sip:bob@biloxi.example.com>'] });
    stages.server.respond(sent, '183 Session Progress', tagged);
    stages.server.respond(sent, '180 Ringing', tagged);
    stages.server.respond(sent, '180 Ringing', { lines: ['To: <sip:bob@biloxi.example.com>;tag=de5c'] });
    stages.server.respond(sent, '486 Busy Here');
    await stage.input('endpoint-failed');
    expect(stage.inputs).toEqual([
      { type: 'endpoint-alerting', endpointId: 'bob', remoteTag: null },
      { type: 'endpoint-alerting', endpointId: 'bob', remoteTag: 'b0b' },
      { type: 'endpoint-alerting', endpointId: 'bob', remoteTag: 'de5c' },
    ]);
  });

  test('CC-054 that is accepted although it was cancelled is acknowledged, and told for the core to hang up', async () => {
    const stage = await stages.connected();
    stage.shell.perform(invite);
    const sent = await stages.server.request('INVITE');
    stages.server.respond(sent, '180 Ringing');
    await stage.input('endpoint-alerting');
    stage.shell.perform({ type: 'sip.cancel', endpointId: 'bob' });
    await stages.server.request('CANCEL');
    stages.server.respond(sent, '200 OK', answer);
    await stages.server.request('ACK');
    await stage.input('endpoint-answered');
    stage.shell.perform({ type: 'sip.bye', endpointId: 'bob', dialogId: invite.dialogId, reason: 'Cancelled' });
    expect((await stages.server.request('BYE')).dialogId).toBe(invite.dialogId);
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

  test.each([
    ['no Contact', []],
    ['a Contact that SIP cannot reach', ['Contact: <tel:+12015550123>']],
  ])('answered with %s has failed: the server can neither acknowledge nor end that call', async (_, contact) => {
    const stage = await stages.connected();
    stages.server.judge = ({ text }) =>
      /^(?:ACK|BYE) /.test(text)
        ? { nok: 'Server error: unable to find route when sending request inside dialog' }
        : 'confirm';
    stage.shell.perform(invite);
    const lines = ['Content-Type: application/sdp', ...contact];
    stages.server.respond(await stages.server.request('INVITE'), '200 OK', { ...answer, lines });
    expect((await stage.input('endpoint-failed')).cause).toEqual({ status: 400, reason: 'No Contact in the answer' });
    expect(stage.inputs).toEqual([]);
    // Should it be able to after all, nobody else would end the call.
    await stages.server.request('BYE');
    await waitFor('the end of the BYE', () => stage.shell.counts.openRequests === 0);
    expect(stage.shell.counts.dialogs).toBe(0);
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
    sessionTimer: null,
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
