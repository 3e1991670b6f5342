/** Pre-arranged groups, policy, consent and creation limits over real sockets: defined over REST, called by SIP. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header, type SipResponse } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { conferences, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ CONSENT: 'on', CREATIONS_PER_MINUTE: '3' });
});
afterAll(async () => {
  await service.dispose();
});

/** Bob leads, Ted follows. */
const members = ({ bob, ted }: Cast): object[] => [
  { uri: bob.aor, role: 'chair' },
  { uri: ted.aor, display_name: 'Ted' },
];

/** Defines a group; gives the URI that it is called by. */
async function define(cast: Cast, name: string, more: object = {}): Promise<string> {
  const { status } = await service.post('/groups', { uri: name, members: members(cast), ...more });
  expect(status).toBe(201);
  return service.factoryOver('udp').replace('conf-fact', name);
}

async function refused(answer: Promise<SipResponse>, status: number): Promise<SipResponse> {
  const response = await answer;
  expect(response.status).toBe(status);
  return response;
}

test('CC-130 a member calls the group, the others are called and watch it by its own URI', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { alice, bob, ted } = cast;
  const group = await define(cast, 'team', { subject: 'Stand-up' });
  await refused(alice.invite(group).final, 403);
  await refused(bob.subscribe(group).response, 480);
  const call = await bob.call(group);
  const conferenceUri = call.dialog.remoteTarget;
  expect(conferenceUri).not.toContain('team');
  await whenConference(service, conferenceUri, ({ participant_count }) => participant_count === 2);
  const told = ted.invitations.map((invite) => [header(invite, 'Subject'), header(invite, 'Referred-By')]);
  expect(told).toEqual([['Stand-up', `<${bob.aor}>`]]);
  const subscription = ted.subscribe(group);
  const accepted = await subscription.response;
  expect(accepted.status).toBe(200);
  expect(header(accepted, 'Contact')).toContain(conferenceUri);
  const first = await subscription.sees('bob connected, ted connected');
  expect([first.version, first.entity]).toEqual([0, conferenceUri]);

  expect((await call.bye()).status).toBe(200);
  expect((await (await ted.firstCall()).bye()).status).toBe(200);
  const ended = await whenConference(service, conferenceUri, ({ status }) => status === 'ended');
  expect(ended).toMatchObject({ kind: 'pre_arranged', end_reason: 'last-left' });
});

test('another focus that calls an open group is told who is in it', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { alice } = cast;
  const group = await define(cast, 'open', { policy: { join: 'anyone' } });
  const invite = alice.invite(group, { headers: { 'Contact': `<${alice.contact}>;isfocus` } });
  const response = await refused(invite.final, 403);
  expect(header(response, 'P-Refused-URI-List')).toMatch(/^<sip:open@[^>]+>;members="<cid:[^>]+>"$/);
  expect(response.body).toContain(`<entry uri="${cast.bob.aor}"/>`);
  expect(cast.bob.invitations).toEqual([]);
});

test('CC-041 470 names who has not agreed, and once all have they are called', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { alice, bob, ted } = cast;
  const entries = [{ uri: bob.address }, { uri: ted.address }];
  expect((await service.post('/users', { uri: bob.aor, consents: true })).status).toBe(201);
  const response = await refused(inviteFactory(alice, service.factoryOver('udp'), { entries }).final, 470);
  expect(header(response, 'Permission-Missing')).toBe(`<${ted.aor}>`);
  expect([...bob.incoming, ...ted.incoming]).toEqual([]);
  expect((await service.post('/users', { uri: ted.aor, consents: true })).status).toBe(201);
  await inviteFactory(alice, service.factoryOver('udp'), { entries }).established();
  await Promise.all([bob.firstCall(), ted.firstCall()]);
});

test('CC-205 a user who makes one conference too many is told when to come back; CC-010 who may make none, never', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { bob, ted } = cast;
  const factory = service.factoryOver('udp');
  for (let count = 0; count < 3; count += 1) await bob.call(factory);
  const response = await refused(bob.invite(factory).final, 480);
  const seconds = Number(header(response, 'Retry-After'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect((await service.post('/users', { uri: ted.aor, may_create: false })).status).toBe(201);
  await refused(ted.invite(factory).final, 403);
});

test('CC-088 an operator makes a conference and locks it: whoever was not invited gets 403', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { alice, bob, ted } = cast;
  for (const { aor } of [bob, ted]) await service.post('/users', { uri: aor, consents: true });
  const before = (await conferences(service)).length;
  const participants = [{ uri: bob.address, role: 'chair' }, { uri: ted.address }];
  const plan = await service.post<{ entries: { verdict: string }[] }>('/conferences?dry_run=true', { participants });
  expect(plan.body.entries.map(({ verdict }) => verdict)).toEqual(['dial', 'dial']);
  expect(await conferences(service)).toHaveLength(before);

  const made = await service.post<{ id: string; uri: string }>('/conferences', { participants });
  expect(made.status).toBe(201);
  const { id: conferenceId, uri } = made.body;
  await Promise.all([bob, ted].map(async (agent) => await (await agent.firstCall()).confirmed));
  const subscription = bob.subscribe(uri);
  await subscription.response;
  expect((await service.patch(`/conferences/${conferenceId}`, { locked: true })).status).toBe(200);
  await subscription.notify('the lock', ({ body }) => body.includes('<locked>true</locked>'));
  await refused(alice.invite(uri).final, 403);

  await (await ted.firstCall()).bye();
  await whenParticipant(service, { conferenceId, uri: ted.aor }, ({ status }) => status === 'disconnected');
  await (await bob.firstCall()).bye();
  expect(await whenConference(service, uri, ({ status }) => status === 'ended')).toMatchObject({
    end_reason: 'last-left',
    created_by: expect.stringMatching(/^key:/),
  });
});
