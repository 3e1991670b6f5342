/** With LENIENT=false the source document's message is refused, and each of its quirks alone as docs/checks.md says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, inviteFactory, inviteLiterally } from '../support/appendix-m.ts';
import { boundary, listPart, multipart, resourceList, withReplaces } from '../support/bodies.ts';
import { openCast } from '../support/cast.ts';
import { only } from '../support/only.ts';
import { attemptOf, conferences, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ LENIENT: 'false' });
});
afterAll(async () => {
  await service.dispose();
});

const ids = { callId: 'a84b4c76e66710', toTag: 'a6c85cf', fromTag: '1928301774' };

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('the source document’s own message (M-03L) is refused with 400 and invites nobody', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const entry = `${bob.address.replace(/^sip:/, '')};method=INVITE?Replaces: a84b4c76e66710;to-tag=1928301774;from-tag= a6c85cf`;
    const before = await conferences(service);
    const invite = inviteLiterally(alice, service.factoryOver(transport), [entry, ted.address]);
    expect((await invite.final).status).toBe(400);
    expect(await attemptOf(service, header(invite.request, 'Call-ID') ?? '')).toMatchObject({ status: 400 });
    expect([...bob.incoming, ...ted.incoming]).toEqual([]);
    expect(await conferences(service)).toHaveLength(before.length);
  });

  test('QK-1 a Request-URI without a scheme: 400', async () => {
    await using cast = await openCast({ transport });
    const invite = cast.alice.invite(service.factoryOver(transport).replace(/^sip:/, ''));
    expect((await invite.final).status).toBe(400);
  });

  test('QK-2 recipient-list-subscribe on INVITE: 420', async () => {
    await using cast = await openCast({ transport });
    const headers = { 'Require': 'recipient-list-subscribe' };
    const invite = inviteFactory(cast.alice, service.factoryOver(transport), {
      entries: [{ uri: cast.bob.address }],
      headers,
    });
    const answer = await invite.final;
    expect(answer.status).toBe(420);
    expect(header(answer, 'Unsupported')).toBe('recipient-list-subscribe');
    expect(cast.bob.incoming).toEqual([]);
  });

  test('QK-3 Supported: eventlist does no harm', async () => {
    await using cast = await openCast({ transport });
    const headers = { 'Supported': 'eventlist' };
    const invite = inviteFactory(cast.alice, service.factoryOver(transport), { entries: [], headers });
    expect((await invite.final).status).toBe(200);
  });

  test('QK-4 two Content-Types over two bodies: 400', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    const invite = alice.invite(service.factoryOver(transport), {
      contentType: ['application/sdp', 'application/resource-lists+xml'],
      body: `${alice.media.offer()}\r\n${resourceList([{ uri: bob.address }])}`,
      headers: { 'Require': 'recipient-list-invite' },
    });
    expect((await invite.final).status).toBe(400);
    expect(bob.incoming).toEqual([]);
  });

  test('QK-5 recipient-list as the disposition of a whole that is no list: 400', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    const invite = alice.invite(service.factoryOver(transport), {
      contentType: ['application/sdp', 'application/resource-lists+xml'],
      body: `${alice.media.offer()}\r\n${resourceList([{ uri: bob.address }])}`,
      headers: { 'Require': 'recipient-list-invite', 'Content-Disposition': 'recipient-list' },
    });
    expect((await invite.final).status).toBe(400);
    expect(bob.incoming).toEqual([]);
  });

  test('CC-014 a list without Content-Disposition: 400', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    const list = { type: 'application/resource-lists+xml', text: resourceList([{ uri: bob.address }]) };
    const invite = alice.invite(service.factoryOver(transport), {
      contentType: `multipart/mixed;boundary="${boundary}"`,
      body: multipart([{ type: 'application/sdp', text: alice.media.offer() }, list]),
      headers: { 'Require': 'recipient-list-invite' },
    });
    expect((await invite.final).status).toBe(400);
    expect(bob.incoming).toEqual([]);
  });

  test.each([
    ['QK-6 an entry without a scheme', 416, (uri: string) => uri.replace(/^sip:/, '')],
    ['QK-7 Replaces with a colon', 400, (uri: string) => withReplaces(uri, ids).replace('Replaces=', 'Replaces:')],
    ['QK-8 Replaces that is not escaped', 400, (uri: string) => decodeURIComponent(withReplaces(uri, ids))],
  ])('%s: that entry fails with %i, the other is invited', async (_title, status, quirk) => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const entries = [{ uri: quirk(bob.address) }, { uri: ted.address }];
    const call = await inviteFactory(alice, service.factoryOver(transport), { entries }).established();
    const { id: conferenceId } = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    await whenParticipant(service, { conferenceId, uri: ted.aor }, (ted) => ted.status === 'connected');
    const failed = await service.get<{
      data: readonly { list_entry: { raw: string } | null; status: string; last_error: { status: number } | null }[];
    }>(`/conferences/${conferenceId}/participants`);
    const bobs = only(failed.body.data.filter(({ list_entry }) => list_entry?.raw === entries[0]?.uri));
    expect(bobs).toMatchObject({ status: 'disconnected', last_error: { status } });
    expect(bob.incoming).toEqual([]);
  });

  test('QK-9 exchanged tags are not exchanged back', async () => {
    await using cast = await openCast({ transport });
    const { call: oneToOne, ids: right } = await aliceCallsBob(cast);
    const entry = { uri: withReplaces(cast.bob.address, { ...right, toTag: right.fromTag, fromTag: right.toTag }) };
    const call = await inviteFactory(cast.alice, service.factoryOver(transport), { entries: [entry] }).established();
    const { id: conferenceId } = await whenConference(service, call.dialog.remoteTarget, () => true);
    await whenParticipant(service, { conferenceId, uri: cast.bob.aor }, ({ status }) => status === 'disconnected');
    expect(cast.bob.invitations).toHaveLength(1);
    expect(oneToOne.dialog.state).toBe('confirmed');
  });

  test('QK-19 blanks inside the angle brackets of From: 400', async () => {
    await using cast = await openCast({ transport });
    const headers = { 'From': `Alice < ${cast.alice.aor}>;tag=1928301774` };
    expect((await cast.alice.invite(service.factoryOver(transport), { headers }).final).status).toBe(400);
  });

  test('the list of M-03, which is right, makes a conference in strict reading, too', async () => {
    await using cast = await openCast({ transport });
    const { ids: right } = await aliceCallsBob(cast);
    const list = listPart(resourceList([{ uri: withReplaces(cast.bob.address, right), copyControl: 'to' }]));
    const call = await inviteFactory(cast.alice, service.factoryOver(transport), { xml: list.text }).established();
    await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 2);
    expect(header(only(cast.bob.invitations), 'Replaces')).toContain(right.callId);
  });
});
