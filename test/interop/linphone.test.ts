/**
 * linphonec, a softphone without MSRP, at home at Kamailio. With AUDIO=inactive it can be in a conference: it hears
 * nothing, and is in the roster.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inviteFactory } from '../support/appendix-m.ts';
import { focusDomain, home, Kamailio } from '../support/kamailio.ts';
import { Linphone } from '../support/linphone.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled, needsPrograms } from '../support/programs.ts';
import { whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

const programs = ['kamailio', 'linphonec'] as const;
const factory = `sip:conf-fact@${focusDomain}`;

let kamailio: Kamailio;
let service: Service;

beforeAll(async () => {
  if (!programs.every(isInstalled)) return;
  const address = await freeAddress();
  const core = `sip:${address.host}:${address.port};lr`;
  service = await Service.start({ AUDIO: 'inactive', SIP_DOMAINS: focusDomain, SIP_CORE: core });
  kamailio = await Kamailio.start({ address, focus: service.banner.sip.udp, transport: 'udp' });
});
afterAll(async () => {
  await kamailio?.[Symbol.asyncDispose]();
  await service?.dispose();
});

async function openAlice(): Promise<UserAgent> {
  return await UserAgent.open({
    name: 'alice',
    aor: `sip:alice@${home}`,
    transport: 'udp',
    outbound: kamailio.address,
  });
}

/** Who has subscribed, and each subscription's state. */
async function subscriptionsOf(conferenceId: string): Promise<readonly (readonly [string, string])[]> {
  type Listed = { readonly data: readonly { readonly subscriber: string; readonly state: string }[] };
  const { body } = await service.get<Listed>(`/conferences/${conferenceId}/subscriptions`);
  return body.data.map(({ subscriber, state }) => [subscriber, state] as const);
}

test('it dials in, is connected with silent audio, subscribes by itself, and leaves by hanging up', async (context) => {
  needsPrograms(context, ...programs);
  await using alice = await openAlice();
  await using phone = await Linphone.start(kamailio);
  const call = await alice.call(factory);
  const conference = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'active');
  const who = { conferenceId: conference.id, uri: phone.aor };

  phone.type(`call ${conference.uri}`);
  const joined = await whenParticipant(service, who, ({ status }) => status === 'connected');
  expect(joined.joining_method).toBe('dialed-in');
  // It has answered our re-INVITE, and read our document.
  await phone.logged('from state CreationPending to Created');
  expect(await subscriptionsOf(conference.id)).toEqual([[phone.aor, 'active']]);
  expect(await phone.statuses('SUBSCRIBE')).toEqual([200]);
  const again = await alice.call(conference.uri);
  await waitFor('its answer to a second NOTIFY', async () => (await phone.statuses('NOTIFY')).length >= 2);
  expect(new Set(await phone.statuses('NOTIFY'))).toEqual(new Set([200]));
  expect(await subscriptionsOf(conference.id)).toEqual([[phone.aor, 'active']]);
  // To liblinphone a peer who answers sound with silence has put it on hold, and an offer of silence leaves that so.
  expect((await phone.log()).match(/to LinphoneCall\w+(?=\r?$)/gm)?.at(-1)).toBe('to LinphoneCallPausedByRemote');

  phone.type('terminate');
  const left = await whenParticipant(service, who, ({ status }) => status === 'disconnected');
  expect(left.disconnection?.method).toBe('departed');
  await phone.logged('to LinphoneCallReleased');
  expect((await again.bye()).status).toBe(200);
  expect((await call.bye()).status).toBe(200);
});

test('it makes a conference by calling the factory, and subscribes by itself', async (context) => {
  needsPrograms(context, ...programs);
  await using phone = await Linphone.start(kamailio);
  phone.type(`call ${factory}`);
  await phone.logged('from state CreationPending to Created');
  const uri = /^Contact: <(sip:conf-[^>]*)>;isfocus/m.exec(await phone.log())?.[1] ?? '';
  const conference = await whenConference(service, uri, ({ participant_count }) => participant_count === 1);
  expect(conference.created_by).toBe(phone.aor);
  expect(await subscriptionsOf(conference.id)).toEqual([[phone.aor, 'active']]);
  phone.type('terminate');
  await whenConference(service, uri, ({ status }) => status === 'ended');
});

test('it is invited, refuses messages, takes silent audio, subscribes by itself and reads the roster', async (context) => {
  needsPrograms(context, ...programs);
  await using alice = await openAlice();
  await using phone = await Linphone.start(kamailio);
  const call = await inviteFactory(alice, factory, { entries: [{ uri: phone.aor }] }).established();
  const conference = await whenConference(service, call.dialog.remoteTarget, (seen) => seen.participant_count === 2);
  const who = { conferenceId: conference.id, uri: phone.aor };
  const joined = await whenParticipant(service, who, ({ status }) => status === 'connected');
  expect(joined.joining_method).toBe('dialed-out');
  expect(joined.attempts.map(({ outcome }) => outcome?.status)).toEqual([488, 200]);

  // It has read our document, and answered the NOTIFY.
  await phone.logged('from state CreationPending to Created');
  expect(await subscriptionsOf(conference.id)).toEqual([[phone.aor, 'active']]);

  phone.type('terminate');
  const left = await whenParticipant(service, who, ({ status }) => status === 'disconnected');
  expect(left.disconnection?.method).toBe('departed');
  expect((await call.bye()).status).toBe(200);
});
