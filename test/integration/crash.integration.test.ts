/** kill -9 in the middle of a running conference, then a start on the same data: nothing acknowledged is missing. */
import { expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory, makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import {
  attemptOf,
  conferenceAt,
  conferences,
  participants,
  whenConference,
  whenParticipant,
} from '../support/rest-view.ts';
import { Service } from '../support/service.ts';

test('a crash leaves no conference active, and loses nothing that was acknowledged', async () => {
  await using service = await Service.start();
  await using cast = await openCast({ transport: 'udp' });
  const { bob, ted } = cast;
  const call = await makeConference(cast, service);
  const conferenceUri = call.dialog.remoteTarget;
  const { id: conferenceId } = await whenConference(service, conferenceUri, ({ status }) => status === 'active');
  const before = await participants(service, conferenceId);

  // Acknowledged: a removal (204), and a refused creation (400).
  const teds = await whenParticipant(service, { conferenceId, uri: ted.aor }, ({ status }) => status === 'connected');
  expect((await service.delete(`/conferences/${conferenceId}/participants/${teds.id}`)).status).toBe(204);
  const refused = inviteFactory(cast.alice, service.factoryOver('udp'), { xml: '<resource-lists>' });
  expect((await refused.final).status).toBe(400);

  await service.kill9();
  await service.restart();

  expect((await conferences(service)).filter(({ status }) => status !== 'ended')).toEqual([]);
  const after = await conferenceAt(service, conferenceUri);
  expect(after).toMatchObject({
    id: conferenceId,
    status: 'ended',
    end_reason: 'restarted',
    subject: 'Project chat',
    participant_count: 0,
  });
  const people = await participants(service, conferenceId);
  expect(people.map(({ id, uri }) => ({ id, uri }))).toEqual(before.map(({ id, uri }) => ({ id, uri })));
  expect(people.map(({ status }) => status)).toEqual(['disconnected', 'disconnected', 'disconnected']);
  expect(people.find(({ uri }) => uri === ted.aor)?.disconnection?.method).toBe('booted');
  expect(people.find(({ uri }) => uri === bob.aor)?.attempts.map(({ outcome }) => outcome?.status)).toEqual([200]);
  expect(await attemptOf(service, header(refused.request, 'Call-ID') ?? '')).toMatchObject({
    status: 400,
    code: 'bad-list',
  });

  // The next conference is made as if nothing had been.
  await using again = await openCast({ transport: 'tcp' });
  await makeConference(again, service);
  expect(await service.stop()).toBe(0);
}, 120_000);

test('an orderly stop ends what runs and says so', async () => {
  await using service = await Service.start();
  await using cast = await openCast({ transport: 'tcp' });
  const call = await makeConference(cast, service);
  const subscription = cast.alice.subscribe(call.dialog.remoteTarget);
  await subscription.notify('the roster', () => true);
  const stopped = service.stop();
  const [bye, last] = await Promise.all([
    call.ended,
    subscription.notify('the end', (notify) => (header(notify, 'Subscription-State') ?? '').startsWith('terminated')),
  ]);
  expect(header(bye, 'Reason')).toBeDefined();
  expect(header(last, 'Subscription-State')).toContain('reason=deactivated');
  expect(await stopped).toBe(0);
}, 120_000);
