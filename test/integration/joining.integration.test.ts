/** Who dials the conference URI joins it; who changes his mind in time was never there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory, makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { conferences } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { ringing, UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-086 who dials the conference URI is in, and all watchers see it', async () => {
    await using cast = await openCast({ transport });
    await using carol = await UserAgent.open({ name: 'carol', transport });
    const call = await makeConference(cast, service);
    const subscription = cast.alice.subscribe(call.dialog.remoteTarget);
    const invite = carol.invite(call.dialog.remoteTarget);
    const answer = await invite.final;
    expect(answer.status).toBe(200);
    expect(header(answer, 'Contact')).toMatch(/^<[^>]+>;(.*;)?isfocus/);
    expect(header(answer, 'Contact')).toContain(`<${call.dialog.remoteTarget}>`);
    const roster = await subscription.sees('alice connected, bob connected, ted connected, carol connected');
    expect(roster.users[3]?.endpoints[0]?.joiningMethod).toBe('dialed-in');
  });

  test('CC-087 a conference URI nobody made: 404', async () => {
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const nowhere = service.factoryOver(transport).replace('conf-fact', 'conf-nowhere000000000000');
    expect((await alice.invite(nowhere).final).status).toBe(404);
  });

  test('CC-019 CANCEL before the answer: 487, nobody is called or all are cancelled, no conference is left', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob } = cast;
    // Were he to answer, his 200 could cross the CANCEL, and a BYE would end it after the conference.
    bob.answers(ringing);
    const before = new Set((await conferences(service)).map(({ id }) => id));
    const invite = inviteFactory(alice, service.factoryOver(transport), { entries: [{ uri: bob.address }] });
    const [cancelled, answer] = await Promise.all([invite.cancel(), invite.final]);
    expect([cancelled.status, answer.status]).toEqual([200, 487]);
    await waitFor('no conference more to be running', async () =>
      (await conferences(service)).every(({ id, status }) => before.has(id) || status === 'ended'),
    );
    expect(bob.log.requests('bob', 'CANCEL')).toHaveLength(bob.invitations.length);
    expect(bob.dialogs.filter(({ state }) => state !== 'terminated')).toEqual([]);
  });
});
