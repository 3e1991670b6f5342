/** What participants ask of the focus by REFER (RFC 4579 5.5 to 5.11), and what they are told of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, makeConference } from '../support/appendix-m.ts';
import { boundary, crlf, type DialogIds, resourceList, withReplaces } from '../support/bodies.ts';
import { openCast } from '../support/cast.ts';
import { only } from '../support/only.ts';
import { Referral } from '../support/referral.ts';
import { whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { subscriptionState } from '../support/subscription.ts';
import { refusing, UserAgent } from '../support/user-agent.ts';

// The real server drops a REFER outside dialogs, and the embedded one in strict mode does as it does.
let service: Service;
beforeAll(async () => {
  service = await Service.start({ SIPD_MODE: 'free' });
});
afterAll(async () => {
  await service.dispose();
});

const referTo = (uri: string): { readonly headers: { readonly 'Refer-To': string } } => ({
  headers: { 'Refer-To': `<${uri}>` },
});

const connected = ({ status }: { readonly status: string }): boolean => status === 'connected';
const disconnected = ({ status }: { readonly status: string }): boolean => status === 'disconnected';

const replaced = ({ callId, toTag, fromTag }: DialogIds): string => `${callId};to-tag=${toTag};from-tag=${fromTag}`;

/** A body with one recipient list, which is called `list@example.com`. */
function listBody(uris: readonly string[]): string {
  const head = crlf(
    'Content-Type: application/resource-lists+xml',
    'Content-Disposition: recipient-list',
    'Content-ID: <list@example.com>',
  );
  return `--${boundary}\r\n${head}\r\n${resourceList(uris.map((uri) => ({ uri })))}\r\n--${boundary}--\r\n`;
}

type ReferralView = {
  readonly by: string;
  readonly state: string;
  readonly targets: readonly { readonly method: string; readonly outcome: { readonly status: number } | null }[];
};

/** The REFERs of a conference, as REST has them. */
async function referralsOf(conference: string): Promise<readonly ReferralView[]> {
  const { id } = await whenConference(service, conference, () => true);
  return (await service.get<{ data: readonly ReferralView[] }>(`/conferences/${id}/referrals`)).body.data;
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-072 CC-081 Alice, who has joined, has Bob’s call with her brought in by Replaces', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    const { dialog } = await alice.call(service.factoryOver(transport));
    const referral = Referral.outside(alice, dialog.remoteTarget, referTo(withReplaces(bob.address, ids)));
    const answer = await referral.response;
    expect(answer.status).toBe(200);
    expect(header(answer, 'Contact')).toContain(`<${dialog.remoteTarget}>`);
    const { lines, state } = await referral.outcome();
    expect([lines[0], lines.at(-1)]).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    expect(state).toBe('terminated;reason=noresource');
    expect(referral.notifies.map((notify) => header(notify, 'Event'))).toEqual(lines.map(() => 'refer'));
    await oneToOne.ended;
    const invite = only(bob.invitations);
    expect(header(invite, 'Replaces')).toBe(replaced(ids));
    expect(header(invite, 'Referred-By')).toBe(`<${alice.aor}>`);
    expect(await referralsOf(dialog.remoteTarget)).toMatchObject([
      { by: alice.aor, state: 'ended', targets: [{ method: 'INVITE', outcome: { status: 200 } }] },
    ]);
  });

  test('CC-072 CC-082 within a session two REFERs are told of apart; each ends with the invitee’s own answer', async () => {
    await using cast = await openCast({ transport });
    await using carol = await UserAgent.open({ name: 'carol', transport });
    carol.answers(refusing(486));
    const call = await makeConference(cast, service);
    const first = Referral.within(cast.alice, call, referTo(carol.address));
    expect((await first.outcome()).lines.at(-1)).toBe('SIP/2.0 486 Busy Here');
    const second = Referral.within(cast.alice, call, { ...referTo(carol.address), first: false });
    expect((await second.outcome()).lines.at(-1)).toBe('SIP/2.0 486 Busy Here');
    expect(first.notifies.map((notify) => header(notify, 'Event'))).toContain('refer');
    expect(second.notifies.map((notify) => header(notify, 'Event'))).toContain(`refer;id=${second.cseq}`);
    expect((await call.bye()).status).toBe(200);
  });

  test('CC-075 CC-076 Alice removes Bob, who watches no more; Bob can remove nobody', async () => {
    await using cast = await openCast({ transport });
    const call = await makeConference(cast, service);
    const conference = call.dialog.remoteTarget;
    const { id: conferenceId } = await whenConference(service, conference, () => true);
    const watching = cast.bob.subscribe(conference);
    await watching.notify('the roster', () => true);
    const bobsCall = await cast.bob.firstCall();
    const refused = Referral.within(cast.bob, bobsCall, referTo(`${cast.ted.aor};method=BYE`));
    expect((await refused.response).status).toBe(403);
    const removal = Referral.within(cast.alice, call, referTo(`${cast.bob.aor};method=BYE`));
    expect((await removal.response).status).toBe(200);
    expect((await removal.outcome()).lines).toEqual(['SIP/2.0 200 OK']);
    await bobsCall.ended;
    await watching.notify('its end', subscriptionState('terminated;reason=rejected'));
    const bob = await whenParticipant(service, { conferenceId, uri: cast.bob.aor }, disconnected);
    expect(bob.disconnection).toMatchObject({ method: 'booted' });
  });

  test('CC-077 Refer-Sub: false is granted: no NOTIFY, no dialog', async () => {
    await using cast = await openCast({ transport });
    const { dialog } = await cast.alice.call(service.factoryOver(transport));
    const { id: conferenceId } = await whenConference(service, dialog.remoteTarget, () => true);
    const headers = { 'Refer-To': `<${cast.ted.address}>`, 'Refer-Sub': 'false', 'Require': 'norefersub' };
    const referral = Referral.outside(cast.alice, dialog.remoteTarget, { headers });
    const answer = await referral.response;
    expect([answer.status, header(answer, 'Refer-Sub')]).toEqual([200, 'false']);
    await whenParticipant(service, { conferenceId, uri: cast.ted.aor }, connected);
    expect(referral.notifies).toEqual([]);
  });

  test('CC-078 CC-079 a list that Refer-To points at: all are invited; one that is not there is refused', async () => {
    await using cast = await openCast({ transport });
    const { dialog } = await cast.alice.call(service.factoryOver(transport));
    const { id: conferenceId } = await whenConference(service, dialog.remoteTarget, () => true);
    const asks = (pointer: string): Referral =>
      Referral.outside(cast.alice, dialog.remoteTarget, {
        headers: {
          'Refer-To': `<cid:${pointer}>`,
          'Require': 'multiple-refer, norefersub',
          'Refer-Sub': 'false',
          'Content-Type': `multipart/mixed;boundary=${boundary}`,
        },
        body: listBody([cast.bob.address, cast.ted.address]),
      });
    expect((await asks('nothing@example.com').response).status).toBe(400);
    const referral = asks('list@example.com');
    const answer = await referral.response;
    expect([answer.status, header(answer, 'Refer-Sub')]).toEqual([200, 'false']);
    for (const { aor: uri } of [cast.bob, cast.ted]) await whenParticipant(service, { conferenceId, uri }, connected);
    expect(referral.notifies).toEqual([]);
  });

  test('CC-080 the focus asks Ted to call in, and he does', async () => {
    await using cast = await openCast({ transport });
    const { dialog } = await cast.alice.call(service.factoryOver(transport));
    const conference = dialog.remoteTarget;
    const asked = `${cast.ted.address};method=REFER?Refer-To=${encodeURIComponent(`<${conference}>`)}`;
    const referral = Referral.outside(cast.alice, conference, referTo(asked));
    expect((await referral.outcome()).lines).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    const refer = only(cast.ted.referred);
    expect(header(refer, 'Refer-To')).toBe(`<${conference}>`);
    expect(header(refer, 'Referred-By')).toBe(`<${cast.alice.aor}>`);
    await cast.ted.call(conference);
    await whenConference(service, conference, ({ participant_count }) => participant_count === 2);
  });

  test('CC-064 CC-073 CC-074 what is no good is refused, and reaches nobody', async () => {
    await using cast = await openCast({ transport });
    const call = await makeConference(cast, service);
    await using eve = await UserAgent.open({ name: 'eve', transport });
    const conference = call.dialog.remoteTarget;
    const status = async (agent: UserAgent, headers: Readonly<Record<string, string | readonly string[]>>) =>
      (await Referral.outside(agent, conference, { headers }).response).status;
    const to = { 'Refer-To': `<${eve.address}>` };
    expect(await status(eve, to)).toBe(403);
    expect(await status(cast.alice, {})).toBe(400);
    expect(await status(cast.alice, { 'Refer-To': [to['Refer-To'], `<${cast.bob.address}>`] })).toBe(400);
    expect(await status(cast.alice, { ...to, 'Replaces': 'a@b;to-tag=1;from-tag=2' })).toBe(400);
    expect(await status(cast.alice, { ...to, 'Referred-By': `<${cast.bob.aor}>` })).toBe(403);
    expect(await status(cast.alice, { 'Refer-To': `<${eve.address};method=MESSAGE>` })).toBe(403);
    const atFactory = Referral.outside(cast.alice, service.factoryOver(transport), { headers: to });
    expect((await atFactory.response).status).toBe(403);
    expect(eve.incoming).toEqual([]);
  });

  test('RFC 3892 2.2: Referred-By and its token reach the invitee as they were', async () => {
    await using cast = await openCast({ transport });
    const { dialog } = await cast.alice.call(service.factoryOver(transport));
    const value = `"Alice" <${cast.alice.aor}>;cid="token@example.com"`;
    const token = '--inner\r\nContent-Type: message/sipfrag\r\n\r\nDate: now\r\n--inner--';
    const head = crlf('Content-Type: multipart/signed;boundary=inner', 'Content-ID: <token@example.com>');
    const referral = Referral.outside(cast.alice, dialog.remoteTarget, {
      headers: {
        'Refer-To': `<${cast.ted.address}>`,
        'Referred-By': value,
        'Content-Type': `multipart/mixed;boundary=${boundary}`,
      },
      body: `--${boundary}\r\n${head}\r\n${token}\r\n--${boundary}--\r\n`,
    });
    await referral.outcome();
    const invite = only(cast.ted.invitations);
    expect(header(invite, 'Referred-By')).toBe(value);
    expect(invite.body).toContain(`${head}\r\n${token}\r\n`);
  });
});

test('as the real SIP server has it, a REFER outside dialogs is never answered; within a session it is', async () => {
  await using strict = await Service.start({ SIPD_MODE: 'strict' });
  await using cast = await openCast({ transport: 'udp' });
  const call = await cast.alice.call(strict.factoryOver('udp'));
  const outside = Referral.outside(cast.alice, call.dialog.remoteTarget, referTo(cast.ted.address));
  const within = Referral.within(cast.alice, call, referTo(cast.bob.address));
  expect((await within.outcome()).lines.at(-1)).toBe('SIP/2.0 200 OK');
  expect([outside.answered, cast.ted.incoming]).toEqual([false, []]);
  // Whoever leaves by REFER hears of it before the BYE, with which that server ends the whole dialog.
  const leaving = Referral.within(cast.alice, call, { ...referTo(`${cast.alice.aor};method=BYE`), first: false });
  expect((await leaving.outcome()).lines).toEqual(['SIP/2.0 200 OK']);
  await call.ended;
});
