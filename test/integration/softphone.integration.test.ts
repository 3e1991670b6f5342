/** AUDIO=inactive: a softphone that knows no MSRP takes part in the signalling, without sound, and the roster says so. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { crlf } from '../support/bodies.ts';
import { openCast } from '../support/cast.ts';
import type { Media } from '../support/media.ts';
import { whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { cseqOf } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';
import { refusing, UserAgent } from '../support/user-agent.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ AUDIO: 'inactive' });
});
afterAll(async () => {
  await service.dispose();
});

const audio = (direction: string): string =>
  crlf(
    'v=0',
    'o=phone 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    `a=${direction}`,
  );

const softphone: Media = { offer: () => audio('sendrecv'), answer: () => audio('inactive'), begin: () => {} };

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('a softphone dials in, and its audio is inactive', async () => {
    await using cast = await openCast({ transport });
    await using phone = await UserAgent.open({ name: 'phone', transport, media: softphone });
    const call = await cast.alice.call(service.factoryOver(transport));
    const subscription = cast.alice.subscribe(call.dialog.remoteTarget);
    const joined = await phone.call(call.dialog.remoteTarget);
    expect(joined.remoteSdp).toMatch(/^m=audio \d+ RTP\/AVP 0\r?$/m);
    expect(joined.remoteSdp).toMatch(/^a=inactive\r?$/m);
    const { users } = await subscription.sees('alice connected, phone connected');
    expect(users[1]?.entity).toBe(phone.aor);
    expect(users[1]?.endpoints[0]?.media).toEqual([{ type: 'audio', status: 'inactive' }]);
  });

  test('it is offered the same again, and by its answer agrees to silence', async () => {
    await using cast = await openCast({ transport });
    await using phone = await UserAgent.open({ name: 'phone', transport, media: softphone });
    const call = await cast.alice.call(service.factoryOver(transport));
    const joined = await phone.call(call.dialog.remoteTarget);
    await joined.confirmed;
    expect(joined.reinvites.map(({ body }) => body)).toEqual([joined.remoteSdp]);
    expect(call.reinvites).toEqual([]);
    expect((await joined.bye()).status).toBe(200);
    await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 1);
  });

  test('one that knows of no such call any more has left', async () => {
    await using cast = await openCast({ transport });
    await using phone = await UserAgent.open({ name: 'phone', transport, media: softphone });
    const call = await cast.alice.call(service.factoryOver(transport));
    const uri = call.dialog.remoteTarget;
    const invite = phone.invite(uri, { acknowledge: 'never' });
    const joined = await invite.established();
    joined.reinviteStatus = 481;
    joined.acknowledge(cseqOf(invite.request));
    expect(header(await joined.ended, 'Reason')).toContain('text=');
    const conference = await whenConference(service, uri, ({ participant_count }) => participant_count === 1);
    const who = { conferenceId: conference.id, uri: phone.aor };
    const left = await whenParticipant(service, who, ({ status }) => status === 'disconnected');
    expect(left.disconnection).toMatchObject({ method: 'failed', sip_status: 481 });
  });

  test('a softphone that answers an MSRP offer 488 is dialled once more, with audio alone', async () => {
    await using cast = await openCast({ transport });
    await using phone = await UserAgent.open({ name: 'phone', transport, media: softphone });
    phone.answers(refusing(488), (invite) => invite.accept());
    const entries = [{ uri: phone.address }];
    const call = await inviteFactory(cast.alice, service.factoryOver(transport), { entries }).established();
    await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 2);
    const offered = phone.invitations.map(({ body }) => body.match(/^m=\S+/gm));
    expect(offered).toEqual([['m=message'], ['m=audio']]);
  });
});
