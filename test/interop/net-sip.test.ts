/** Perl's Net::SIP, which writes header names in lower case, as a softphone that calls and is called. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { inviteFactory } from '../support/appendix-m.ts';
import { PerlPhone } from '../support/perl-phone.ts';
import { needsPrograms } from '../support/programs.ts';
import { conferenceAt, participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { UserAgent } from '../support/user-agent.ts';

function needsNetSip(context: TestContext): void {
  needsPrograms(context, 'perl');
  if (spawnSync('perl', ['-MNet::SIP', '-e', '1']).status !== 0) context.skip('not installed: libnet-sip-perl');
}

let service: Service;
beforeAll(async () => {
  service = await Service.start({ AUDIO: 'inactive' });
});
afterAll(async () => {
  await service?.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('it dials in, and hangs up', async (context) => {
    needsNetSip(context);
    await using alice = await UserAgent.open({ name: 'alice', transport });
    const call = await alice.call(service.factoryOver(transport));
    const uri = call.dialog.remoteTarget;
    await using phone = await PerlPhone.start(transport, 'call', uri);
    await phone.says(/^answered OK/m);
    await whenConference(service, uri, ({ participant_count }) => participant_count === 2);
    phone.hangUp();
    await phone.says(/^bye answered$/m);
    await whenConference(service, uri, ({ participant_count }) => participant_count === 1);
    expect((await call.bye()).status).toBe(200);
  });

  test('it is invited, refuses messages, takes silent audio, and is removed', async (context) => {
    needsNetSip(context);
    await using alice = await UserAgent.open({ name: 'alice', transport });
    await using phone = await PerlPhone.start(transport, 'wait');
    await phone.says(/^listens$/m);
    const entries = [{ uri: phone.uri }];
    const call = await inviteFactory(alice, service.factoryOver(transport), { entries }).established();
    await phone.says(/^refused$/m);
    await phone.says(/^established$/m);
    const conference = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 2,
    );
    const perls = (await participants(service, conference.id)).find((each) => each.uri.startsWith('sip:perl@'));
    expect((await service.delete(`/conferences/${conference.id}/participants/${perls?.id}`)).status).toBe(204);
    await phone.says(/^bye received$/m);
    expect((await call.bye()).status).toBe(200);
    expect((await conferenceAt(service, conference.uri))?.participant_count).toBe(0);
  });
});
