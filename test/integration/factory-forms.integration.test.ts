/** What the conference factory takes: with a list, without, a list alone, the source document's own form. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, inviteFactory, inviteLiterally } from '../support/appendix-m.ts';
import { listPart, resourceList } from '../support/bodies.ts';
import { openCast } from '../support/cast.ts';
import { only } from '../support/only.ts';
import { conferenceAt, participants, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { refusing, UserAgent } from '../support/user-agent.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-002 two INVITEs to the factory make two conferences, whose URIs nobody can guess', async () => {
    await using cast = await openCast({ transport });
    const make = async (): Promise<string> =>
      (await inviteFactory(cast.alice, service.factoryOver(transport), { entries: [] }).established()).dialog
        .remoteTarget;
    const uris = [await make(), await make()];
    expect(new Set(uris).size).toBe(2);
    // 96 random bits are 16 characters of base64url; the two share no more than the fixed prefix.
    const users = uris.map((uri) => /^sip:([^@]+)@/.exec(uri)?.[1] ?? '');
    for (const user of users) expect(user.length).toBeGreaterThanOrEqual(16);
    expect(users[0]?.slice(-12)).not.toBe(users[1]?.slice(-12));
  });

  test('CC-003 an INVITE without a list makes a conference with its creator alone', async () => {
    await using cast = await openCast({ transport });
    const call = await cast.alice.call(service.factoryOver(transport));
    const conference = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'active');
    expect(conference.participant_count).toBe(1);
    expect((await participants(service, conference.id)).map(({ uri }) => uri)).toEqual([cast.alice.aor]);
  });

  test('CC-004 the creator is answered 200 although every invitee fails', async () => {
    await using cast = await openCast({ transport });
    cast.bob.answers(refusing(486));
    cast.ted.answers(refusing(603));
    const entries = [{ uri: cast.bob.address }, { uri: cast.ted.address }];
    const call = await inviteFactory(cast.alice, service.factoryOver(transport), { entries }).established();
    const { id: conferenceId } = await whenConference(service, call.dialog.remoteTarget, () => true);
    const bob = await whenParticipant(
      service,
      { conferenceId, uri: cast.bob.aor },
      ({ status }) => status === 'disconnected',
    );
    const ted = await whenParticipant(
      service,
      { conferenceId, uri: cast.ted.aor },
      ({ status }) => status === 'disconnected',
    );
    expect(bob.disconnection).toMatchObject({ method: 'busy', sip_status: 486 });
    expect(ted.disconnection).toMatchObject({ method: 'failed', sip_status: 603 });
    expect((await conferenceAt(service, call.dialog.remoteTarget))?.status).toBe('active');
  });

  test('an invitee nobody answers for is failed, with the reason; the others are in', async () => {
    await using cast = await openCast({ transport });
    const gone = await UserAgent.open({ name: 'gone', transport });
    const nowhere = gone.address;
    await gone.close();
    const entries = [{ uri: nowhere }, { uri: cast.ted.address }];
    const call = await inviteFactory(cast.alice, service.factoryOver(transport), { entries }).established();
    const { id: conferenceId } = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    const missing = await whenParticipant(
      service,
      { conferenceId, uri: nowhere.replace(/;.*/, '') },
      ({ status }) => status === 'disconnected',
    );
    expect(missing.disconnection).toMatchObject({ method: 'failed', sip_status: 503 });
  });

  test('CC-011 a list without a session description: the focus offers, and Alice’s ACK answers', async () => {
    await using cast = await openCast({ transport });
    const list = listPart(resourceList([{ uri: cast.bob.address }]));
    const invite = cast.alice.invite(service.factoryOver(transport), {
      contentType: list.type,
      body: list.text,
      headers: { 'Require': 'recipient-list-invite', 'Content-Disposition': 'recipient-list' },
    });
    const call = await invite.established();
    expect(call.remoteSdp).toMatch(/m=message \d+ TCP\/MSRP \*/);
    const conference = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    expect((await participants(service, conference.id)).map(({ status }) => status)).toEqual([
      'connected',
      'connected',
    ]);
  });

  test('an INVITE with neither list nor session description is offered one, too', async () => {
    await using cast = await openCast({ transport });
    const call = await cast.alice.call(service.factoryOver(transport), { body: '' });
    expect(call.remoteSdp).toMatch(/m=message \d+ TCP\/MSRP \*/);
    await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 1);
  });

  test('CC-005 OPTIONS to the factory: recipient-list-invite is supported', async () => {
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const answer = await alice.ask('OPTIONS', service.factoryOver(transport));
    expect(answer.status).toBe(200);
    expect(header(answer, 'Supported')).toMatch(/\brecipient-list-invite\b/);
    expect(header(answer, 'Allow')).toMatch(/\bINVITE\b/);
    expect(header(answer, 'Accept')).toMatch(/application\/resource-lists\+xml/);
  });

  test('CC-006 OPTIONS to a conference URI: isfocus, and no recipient-list-invite', async () => {
    await using cast = await openCast({ transport });
    const call = await cast.alice.call(service.factoryOver(transport));
    const answer = await cast.alice.ask('OPTIONS', call.dialog.remoteTarget);
    expect(answer.status).toBe(200);
    expect(header(answer, 'Supported') ?? '').not.toMatch(/recipient-list-invite/);
    expect(header(answer, 'Contact')).toMatch(/^<[^>]+>;(.*;)?isfocus/);
    expect(header(answer, 'Contact')).toContain(`<${call.dialog.remoteTarget}>`);
  });

  test('QK-1 QK-2 QK-3 QK-4 QK-5 QK-6 QK-7 QK-8 QK-9 the source document’s own message makes the conference', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    const bobEntry = `${bob.address.replace(/^sip:/, '')};method=INVITE?Replaces: ${ids.callId};to-tag=${ids.fromTag};from-tag= ${ids.toTag}`;
    const invite = inviteLiterally(alice, service.factoryOver(transport), [bobEntry, ted.address]);
    const call = await invite.established();
    const conference = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 3,
    );

    const replaces = bob.invitations.map((request) => header(request, 'Replaces'));
    expect(replaces).toEqual([
      `${ids.callId};to-tag=${ids.fromTag};from-tag=${ids.toTag}`,
      `${ids.callId};to-tag=${ids.toTag};from-tag=${ids.fromTag}`,
    ]);
    await oneToOne.ended;
    const bobsPart = (await participants(service, conference.id)).find(({ uri }) => uri === bob.aor);
    expect(bobsPart?.list_entry?.quirks).toEqual(expect.arrayContaining(['QK-6', 'QK-7', 'QK-8']));
    expect(bobsPart?.list_entry?.raw).toBe(bobEntry);
    // No copyControl is bcc (RFC 5364 4), and blind copies are told of nobody: the session description alone.
    expect(header(only(ted.invitations), 'Content-Type')).toMatch(/^application\/sdp/);
  });
});
