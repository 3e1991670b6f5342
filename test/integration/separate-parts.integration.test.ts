/** As in production: the SIP server and the database are processes of their own and outlive a crash of the service. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sipd, startSipd } from '../../src/sipd/sipd.ts';
import { header } from '../../src/wire/sip-message.ts';
import { makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { describePostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { conferenceAt, conferences, participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';

describePostgres('the service between a SIP server and a Postgres of their own', () => {
  let postgres: TestPostgres;
  let sipd: Sipd;

  beforeAll(async () => {
    postgres = await startPostgres();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const control = { host: '127.0.0.1', port: 0, secret: 'between us' };
    sipd = await startSipd({ host: '127.0.0.1', port: 0, control, mode: 'strict', log });
  });

  afterAll(async () => {
    await sipd.close();
    await postgres.stop();
  });

  async function start(databaseUrl: string): Promise<Service> {
    const { port } = sipd.addresses[0] ?? { port: 0 };
    const address = { host: '127.0.0.1', port };
    const environment = {
      DATABASE_URL: databaseUrl,
      DRACHTIO_HOST: '127.0.0.1',
      DRACHTIO_PORT: String(sipd.controlPort),
      DRACHTIO_SECRET: 'between us',
      SIP_DOMAINS: '127.0.0.1',
      SIP_PORT: String(port),
      SIP_AUTH: 'open',
      PRIVATE_TARGETS: 'allow',
    };
    return await Service.start(environment, { udp: address, tcp: address });
  }

  test('the main job is the same', async () => {
    await using service = await start(await postgres.createDatabase());
    await using cast = await openCast({ transport: 'tcp' });
    const call = await makeConference(cast, service);
    const { id } = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'active');
    const people = await participants(service, id);
    expect(people.map(({ status }) => status)).toEqual(['connected', 'connected', 'connected']);
    expect(await service.stop()).toBe(0);
  });

  test('after a crash the next start ends the dialogs that the dead process left, and its conference', async () => {
    await using service = await start(await postgres.createDatabase());
    await using cast = await openCast({ transport: 'udp' });
    const call = await makeConference(cast, service);
    const subscription = cast.alice.subscribe(call.dialog.remoteTarget);
    await subscription.notify('the roster', () => true);
    const bobs = await cast.bob.firstCall();

    await service.kill9();
    expect(sipd.counts().dialogs).toBeGreaterThanOrEqual(4);
    await service.restart();

    const [atAlice, atBob, last] = await Promise.all([
      call.ended,
      bobs.ended,
      subscription.notify('the end', (notify) => (header(notify, 'Subscription-State') ?? '').startsWith('terminated')),
    ]);
    expect(header(atAlice, 'Reason')).toContain('restarted');
    expect(header(atBob, 'Reason')).toContain('restarted');
    expect(header(last, 'Subscription-State')).toContain('reason=deactivated');
    expect((await conferences(service)).filter(({ status }) => status !== 'ended')).toEqual([]);
    expect(await conferenceAt(service, call.dialog.remoteTarget)).toMatchObject({ end_reason: 'restarted' });
    expect(await service.stop()).toBe(0);
  });

  test('two services on one Postgres leave each other’s conferences alone', async () => {
    const url = await postgres.createDatabase();
    await using first = await start(url);
    await using cast = await openCast({ transport: 'tcp' });
    const call = await makeConference(cast, first);
    await using second = await Service.start({ DATABASE_URL: url });
    expect(await conferenceAt(second, call.dialog.remoteTarget)).toMatchObject({ status: 'active' });
    const { id } = await whenConference(
      second,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 3,
    );
    expect(await second.post(`/conferences/${id}/end`, {})).toMatchObject({
      status: 409,
      body: { code: 'other-node' },
    });
    expect(await conferenceAt(first, call.dialog.remoteTarget)).toMatchObject({ status: 'active' });
    expect(await second.stop()).toBe(0);
    expect(await first.stop()).toBe(0);
  });
});
