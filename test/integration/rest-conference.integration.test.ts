/** What an operator makes over REST, what it can read of it afterwards, and what outlives the process. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { conferences, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { refusing } from '../support/user-agent.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

type Made = { readonly id: string; readonly uri: string; readonly labels: Readonly<Record<string, string>> };

/** Value of a metric with these labels; 0 while there is none. */
async function metric(name: string): Promise<number> {
  const response = await fetch(service.banner.rest.replace(/\/v1$/, '/metrics'));
  const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}

test('a conference of two is made: both are called for the operator, and what came of it can be read', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { bob, ted } = cast;
  ted.answers(refusing(486, { 'Reason': 'Q.850;cause=17' }));
  const busy = await metric('isfocus_dial_attempts_total{status="486"}');
  const participants = [{ uri: bob.address, display_name: 'Bob', role: 'chair' }, { uri: ted.address }];
  const made = await service.post<Made>('/conferences', {
    subject: 'Incident 4711',
    participants,
    policy: { end: 'idle' },
    labels: { case: '4711' },
  });
  expect(made.status).toBe(201);
  const { id: conferenceId, uri, labels } = made.body;
  expect(labels).toEqual({ case: '4711' });
  const joined = await whenParticipant(service, { conferenceId, uri: bob.aor }, ({ status }) => status === 'connected');
  expect(joined).toMatchObject({
    display_name: 'Bob',
    role: 'chair',
    endpoints: [{ origin: { by: 'rest', received: bob.address, quirks: [] } }],
    attempts: [{ change: null, outcome: { status: 200 }, duration_ms: expect.any(Number) }],
  });
  const failed = await whenParticipant(
    service,
    { conferenceId, uri: ted.aor },
    ({ last_error }) => last_error !== null,
  );
  expect(failed).toMatchObject({
    disconnection: { method: 'busy', sip_status: 486 },
    attempts: [{ outcome: { status: 486 }, reason_header: 'Q.850;cause=17' }],
  });
  expect(bob.invitations.map((invite) => header(invite, 'Subject'))).toEqual(['Incident 4711']);
  expect(await metric('isfocus_dial_attempts_total{status="486"}')).toBe(busy + 1);
  await (await bob.firstCall()).bye();
  await whenConference(service, uri, ({ participant_count }) => participant_count === 0);
  expect((await service.post(`/conferences/${conferenceId}/end`, {})).status).toBe(200);
});

test('a dry run calls nobody and tells how each entry is read', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { bob } = cast;
  const before = (await conferences(service)).length;
  const bare = bob.address.replace(/^sip:/, '');
  const participants = [{ uri: bare }, { uri: bob.address }, { uri: 'mailto:ted@example.net' }];
  const plan = await service.post('/conferences?dry_run=true', { participants });
  expect([plan.status, plan.body]).toMatchObject([
    200,
    {
      refused: null,
      entries: [
        { raw: bare, uri: bob.aor, quirks: ['QK-6'], verdict: 'dial', cause: null },
        { uri: bob.aor, verdict: 'dropped', cause: null },
        { raw: 'mailto:ted@example.net', verdict: 'refused', cause: { status: 416 } },
      ],
    },
  ]);
  expect(bob.incoming).toEqual([]);
  expect(await conferences(service)).toHaveLength(before);
});

test('the version of the document that a watcher was sent last is that of now, though it is not saved each time', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const conferenceUri = (await cast.alice.call(service.factoryOver('udp'))).dialog.remoteTarget;
  const subscription = cast.alice.subscribe(conferenceUri);
  await subscription.notify('the roster', () => true);
  const { id } = await whenConference(service, conferenceUri, ({ status }) => status === 'active');
  expect((await service.patch(`/conferences/${id}`, { subject: 'Incident 4711' })).status).toBe(200);
  const change = await subscription.notify('the subject', ({ body }) => body.includes('Incident 4711'));
  const sent = Number(/<conference-info[^>]* version="(\d+)"/.exec(change.body)?.[1]);
  for (const path of ['/subscriptions', `/conferences/${id}/subscriptions`]) {
    const { body } = await service.get<{ data: object[] }>(`${path}?limit=1`);
    expect(body.data).toMatchObject([{ state: 'active', last_version_sent: sent }]);
  }
  expect(sent).toBeGreaterThan(0);
});

test('a conference that cannot be made leaves an attempt that tells who asked and why not', async () => {
  const refused = await service.post('/conferences', { policy: { end: 'creator-leaves' } });
  expect([refused.status, refused.body]).toMatchObject([400, { code: 'validation-failed' }]);
  const found = await service.get<{ data: object[] }>('/attempts?code=validation-failed&caller=key:environment');
  expect(found.body.data).toMatchObject([{ method: 'POST', caller: 'key:environment', code: 'validation-failed' }]);
  expect((await service.get<{ data: object[] }>('/attempts?code=barred')).body.data).toEqual([]);
});

test('groups and what is said of users outlive the process; what of it was refused is counted', async () => {
  await using cast = await openCast({ transport: 'udp' });
  const { alice, bob, ted } = cast;
  const group = await service.post<Made>('/groups', { uri: 'morning', members: [{ uri: bob.aor }, { uri: ted.aor }] });
  const user = { uri: alice.aor, password: 'correct horse battery', barred: true };
  expect([group.status, (await service.post('/users', user)).status]).toEqual([201, 201]);
  expect((await inviteFactory(alice, service.factoryOver('udp'), { entries: [] }).final).status).toBe(403);

  expect(await service.stop()).toBe(0);
  await service.restart();
  const again = await service.get(`/groups/${group.body.id}`);
  expect([again.status, again.body]).toEqual([200, group.body]);
  expect((await inviteFactory(alice, service.factoryOver('udp'), { entries: [] }).final).status).toBe(403);
  expect(await metric('isfocus_refusals_total{code="barred"}')).toBe(1);
  const call = await bob.call(service.factoryOver('udp').replace('conf-fact', 'morning'));
  await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 2);
  expect(await metric('isfocus_events_total{type="conference.created"}')).toBe(1);

  const removed = await service.delete(`/groups/${group.body.id}`);
  expect(removed.status).toBe(204);
  expect((await ted.invite(service.factoryOver('udp').replace('conf-fact', 'morning')).final).status).toBe(404);
  expect(service.output).not.toContain('correct horse');
  await (await ted.firstCall()).bye();
  await call.bye();
});

test('a change that is for another state than stands is refused', async () => {
  const made = await service.post<Made>('/conferences', {});
  const path = `${service.banner.rest}/conferences/${made.body.id}`;
  const headers = { 'authorization': `Bearer ${service.key}`, 'content-type': 'application/json' };
  const tag = (await fetch(path, { headers })).headers.get('etag') ?? '';
  const change = async (subject: string): Promise<number> => {
    const init = { method: 'PATCH', headers: { ...headers, 'if-match': tag }, body: JSON.stringify({ subject }) };
    return (await fetch(path, init)).status;
  };
  expect([await change('first'), await change('second')]).toEqual([200, 412]);
  await service.post(`/conferences/${made.body.id}/end`, {});
});
