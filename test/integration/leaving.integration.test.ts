/** How people leave: by BYE, removed over REST, with the creator, with the conference. Afterwards all sides agree. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory, makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { readRoster } from '../support/conference-document.ts';
import { conferenceAt, participants, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { subscriptionState } from '../support/subscription.ts';
import { ringing } from '../support/user-agent.ts';
import { receivedRequest } from '../support/wire-log.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-083 the creator’s BYE ends the conference: BYE to all, subscriptions noresource, SUBSCRIBE refused', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const call = await makeConference(cast, service);
    const conferenceUri = call.dialog.remoteTarget;
    const subscription = bob.subscribe(conferenceUri);
    expect((await subscription.response).status).toBe(200);

    expect((await call.bye()).status).toBe(200);
    const byes = await Promise.all([bob, ted].map(async (agent) => await (await agent.firstCall()).ended));
    for (const bye of byes) expect(header(bye, 'Reason') ?? '').toMatch(/^SIP;cause=200/);
    const last = await subscription.notify('the end', subscriptionState('terminated;reason=noresource'));
    expect(readRoster(last.body)).toMatchObject({ state: 'deleted', users: [] });

    const ended = await whenConference(service, conferenceUri, ({ status }) => status === 'ended');
    expect(ended).toMatchObject({ end_reason: 'creator-left', participant_count: 0 });
    expect([404, 410]).toContain((await alice.subscribe(conferenceUri).response).status);
    expect([404, 410]).toContain((await ted.invite(conferenceUri).final).status);
  });

  test('CC-084 another’s BYE leaves the rest where they are; the roster says departed', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const call = await makeConference(cast, service);
    const subscription = alice.subscribe(call.dialog.remoteTarget);
    expect((await (await ted.firstCall()).bye()).status).toBe(200);

    const roster = await subscription.sees('alice connected, bob connected, ted disconnected');
    expect(roster.users[2]?.endpoints[0]?.disconnectionMethod).toBe('departed');
    expect(roster.userCount).toBe(2);
    const { id, status } = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    expect(status).toBe('active');
    expect((await participants(service, id)).map((one) => one.status)).toEqual([
      'connected',
      'connected',
      'disconnected',
    ]);
    expect((await bob.firstCall()).dialog.state).toBe('confirmed');
    expect(call.dialog.state).toBe('confirmed');
  });

  test('CC-085 who hangs up goes on watching', async () => {
    await using cast = await openCast({ transport });
    const { bob, ted } = cast;
    const call = await makeConference(cast, service);
    const subscription = bob.subscribe(call.dialog.remoteTarget);
    await subscription.response;
    await (await bob.firstCall()).bye();
    await subscription.sees('alice connected, bob disconnected, ted connected');
    await (await ted.firstCall()).bye();
    const last = await subscription.sees('alice connected, bob disconnected, ted disconnected');
    expect(last.userCount).toBe(1);
    for (const notify of subscription.notifies) expect(header(notify, 'Subscription-State')).toMatch(/^active/);
  });

  test('a participant removed over REST gets BYE, and the roster says booted', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const call = await makeConference(cast, service);
    const subscription = alice.subscribe(call.dialog.remoteTarget);
    const { id: conferenceId } = await whenConference(service, call.dialog.remoteTarget, () => true);
    const { id } = await whenParticipant(
      service,
      { conferenceId, uri: ted.aor },
      ({ status }) => status === 'connected',
    );

    expect((await service.delete(`/conferences/${conferenceId}/participants/${id}`)).status).toBe(204);
    await (await ted.firstCall()).ended;
    const roster = await subscription.sees('alice connected, bob connected, ted disconnected');
    expect(roster.users[2]?.endpoints[0]?.disconnectionMethod).toBe('booted');
    expect(roster.userCount).toBe(2);
    const removed = await whenParticipant(
      service,
      { conferenceId, uri: ted.aor },
      ({ status }) => status === 'disconnected',
    );
    expect(removed.disconnection?.method).toBe('booted');
    expect((await bob.firstCall()).dialog.state).toBe('confirmed');
    expect((await service.delete(`/conferences/${conferenceId}/participants/${id}`)).status).toBe(409);
  });

  test('a conference ended over REST says goodbye to everybody', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const call = await makeConference(cast, service);
    const subscription = alice.subscribe(call.dialog.remoteTarget);
    await subscription.response;
    const { id } = await whenConference(service, call.dialog.remoteTarget, () => true);

    expect((await service.post(`/conferences/${id}/end`, { reason: 'maintenance' })).status).toBe(200);
    await Promise.all([call.ended, (await bob.firstCall()).ended, (await ted.firstCall()).ended]);
    await subscription.notify('the end', subscriptionState('terminated;reason=noresource'));
    const ended = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'ended');
    expect(ended.end_reason).toBe('operator');
    expect((await participants(service, id)).map(({ status }) => status)).toEqual([
      'disconnected',
      'disconnected',
      'disconnected',
    ]);
  });

  test('a further participant is dialled over REST, and joins', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    const call = await alice.call(service.factoryOver(transport));
    const { id: conferenceId } = await whenConference(service, call.dialog.remoteTarget, () => true);
    const dialled = await service.post(`/conferences/${conferenceId}/participants`, { uri: bob.address });
    expect(dialled.status).toBe(202);
    await whenParticipant(service, { conferenceId, uri: bob.aor }, ({ status }) => status === 'connected');
    expect(bob.invitations).toHaveLength(1);
    expect((await conferenceAt(service, call.dialog.remoteTarget))?.participant_count).toBe(2);
  });

  test('the creator leaves while Ted still rings: his INVITE is cancelled, and nobody is left behind', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    ted.answers(ringing);
    const entries = [{ uri: bob.address }, { uri: ted.address }];
    const call = await inviteFactory(alice, service.factoryOver(transport), { entries }).established();
    const { id: conferenceId } = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    await whenParticipant(service, { conferenceId, uri: ted.aor }, ({ status }) => status === 'alerting');
    await call.bye();
    await cast.log.waitFor('CANCEL', receivedRequest('ted', 'CANCEL'));
    await (await bob.firstCall()).ended;
    await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'ended');
    const statuses = (await participants(service, conferenceId)).map(({ status }) => status);
    expect(statuses).toEqual(['disconnected', 'disconnected', 'disconnected']);
    expect(ted.calls).toEqual([]);
  });
});
