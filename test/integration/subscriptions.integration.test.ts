/** The conference event package as a subscriber meets it (RFC 4575 3, RFC 6665 4). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { readRoster, rosterLine } from '../support/conference-document.ts';
import { whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { newTag } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';
import { subscriptionState } from '../support/subscription.ts';
import { UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

/** A conference with Alice alone; gives its URI. */
async function alone({ alice }: Cast): Promise<string> {
  return (await alice.call(service.factoryOver(alice.transport))).dialog.remoteTarget;
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-094 CC-095 without Expires an hour is granted: 200, and the whole roster at once', async () => {
    await using cast = await openCast({ transport });
    const conference = await alone(cast);
    const subscription = cast.alice.subscribe(conference);
    const answer = await subscription.response;
    expect(answer.status).toBe(200);
    expect(header(answer, 'Expires')).toBe('3600');
    expect(header(answer, 'Contact')).toMatch(/^<[^>]+>;(.*;)?isfocus/);
    expect(header(answer, 'Contact')).toContain(`<${conference}>`);
    const first = await subscription.notify('the roster', () => true);
    expect(header(first, 'Subscription-State')).toMatch(/^active;expires=3(600|59\d)$/);
    expect(header(first, 'Event')).toBe('conference');
    expect(header(first, 'Contact')).toContain(`<${conference}>`);
    expect(readRoster(first.body)).toMatchObject({ entity: conference, state: 'full', version: 0, userCount: 1 });
  });

  test.each([['presence'], [null]])('CC-096 Event %s: 489, and what is allowed', async (event) => {
    await using cast = await openCast({ transport });
    const headers = { 'Event': event ?? [] };
    const answer = await cast.alice.subscribe(await alone(cast), headers).response;
    expect(answer.status).toBe(489);
    expect(header(answer, 'Allow-Events')).toMatch(/\bconference\b/);
  });

  test('CC-097 Accept: text/plain alone: 406', async () => {
    await using cast = await openCast({ transport });
    expect((await cast.alice.subscribe(await alone(cast), { 'Accept': 'text/plain' }).response).status).toBe(406);
  });

  test('CC-098 Expires 5: 423, and the least that is granted', async () => {
    await using cast = await openCast({ transport });
    const answer = await cast.alice.subscribe(await alone(cast), { 'Expires': '5' }).response;
    expect(answer.status).toBe(423);
    expect(header(answer, 'Min-Expires')).toBe('60');
  });

  test('CC-099 never more than was asked for is granted', async () => {
    await using cast = await openCast({ transport });
    const conference = await alone(cast);
    const grant = async (expires: number): Promise<number> =>
      Number(header(await cast.alice.subscribe(conference, { 'Expires': String(expires) }).response, 'Expires'));
    expect(await grant(7200)).toBeLessThanOrEqual(7200);
    expect(await grant(7200)).toBeGreaterThan(0);
    expect(await grant(120)).toBe(120);
  });

  test('CC-100 Expires 0 fetches the roster once', async () => {
    await using cast = await openCast({ transport });
    const subscription = cast.alice.subscribe(await alone(cast), { 'Expires': '0' });
    const answer = await subscription.response;
    expect(answer.status).toBe(200);
    expect(header(answer, 'Expires')).toBe('0');
    const only = await subscription.notify('the roster', () => true);
    expect(header(only, 'Subscription-State')).toBe('terminated;reason=timeout');
    expect(rosterLine(readRoster(only.body))).toBe('alice connected');
  });

  test('CC-101 a refresh brings the whole roster again, and Expires 0 ends the subscription', async () => {
    await using cast = await openCast({ transport });
    const subscription = cast.alice.subscribe(await alone(cast));
    await subscription.notify('the roster', () => true);
    const refreshed = await subscription.refresh(1800);
    expect(refreshed.status).toBe(200);
    expect(header(refreshed, 'Expires')).toBe('1800');
    expect(header(refreshed, 'Contact')).toMatch(/;isfocus/);
    const second = await subscription.notify('the roster again', (notify) => notify !== subscription.notifies[0]);
    expect(readRoster(second.body)).toMatchObject({ state: 'full', version: 1, userCount: 1 });
    expect(header(second, 'Subscription-State')).toMatch(/^active;expires=1(800|79\d)$/);

    expect((await subscription.refresh(0)).status).toBe(200);
    await subscription.notify('the end', subscriptionState('terminated;reason=timeout'));
    expect((await subscription.refresh(1800)).status).toBe(481);
  });

  test('CC-102 SUBSCRIBE in a dialog nobody knows: 481', async () => {
    await using cast = await openCast({ transport });
    const conference = await alone(cast);
    const answer = await cast.alice.subscribe(conference, { 'To': `<${conference}>;tag=nobodys` }).response;
    expect(answer.status).toBe(481);
  });

  test('CC-103 a stranger: 403, and no roster leaks', async () => {
    await using cast = await openCast({ transport });
    await using mallory = await UserAgent.open({ name: 'mallory', transport });
    const subscription = mallory.subscribe(await alone(cast));
    const answer = await subscription.response;
    expect(answer.status).toBe(403);
    expect(answer.body).toBe('');
    expect(subscription.notifies).toEqual([]);
  });

  test('who begins anew with the Call-ID and tag that it had has one subscription, and hears of no other', async () => {
    await using cast = await openCast({ transport });
    const { alice } = cast;
    const conference = await alone(cast);
    const names = { 'Call-ID': newTag(), 'From': `<${alice.aor}>;tag=${newTag()}` };
    const before = alice.subscribe(conference, names);
    before.readsDocuments = false;
    await before.notify('the roster', () => true);
    const headers = { ...names, 'CSeq': '2 SUBSCRIBE', 'Event': 'conference', 'Contact': `<${alice.contact}>` };
    expect((await alice.ask('SUBSCRIBE', conference, { headers })).status).toBe(200);
    await before.notify('the roster again', (notify) => notify !== before.notifies[0]);
    const { id } = await whenConference(service, conference, ({ status }) => status === 'active');
    await waitFor('the one before to have ended', async () => {
      const page = await service.get<{ data: readonly { state: string }[] }>(`/conferences/${id}/subscriptions`);
      const states = page.body.data.map(({ state }) => state);
      return states.toSorted().join(' ') === 'active terminated';
    });
    expect((await service.post(`/conferences/${id}/end`, {})).status).toBe(200);
    await before.notify('the end', subscriptionState('terminated;reason=noresource'));
    expect(before.notifies.map(({ body }) => / version="(\d+)"/.exec(body)?.[1])).toEqual(['0', '0', '1']);
  });

  test('SUBSCRIBE to a conference URI nobody made: 404', async () => {
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const nowhere = service.factoryOver(transport).replace('conf-fact', 'conf-nowhere000000000000');
    expect((await alice.subscribe(nowhere).response).status).toBe(404);
  });
});
