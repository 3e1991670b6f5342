/**
 * Two linphonec: Alice turns her call with Bob into a conference by attended transfer, as liblinphone does it: a REFER
 * to the focus, within her session there, whose Refer-To names Bob and the call to replace.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rosterLine, type SeenRoster } from '../support/conference-document.ts';
import { focusDomain, Kamailio } from '../support/kamailio.ts';
import { rostersOf } from '../support/known-roster.ts';
import { Linphone } from '../support/linphone.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled, needsPrograms } from '../support/programs.ts';
import { whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const programs = ['kamailio', 'linphonec'] as const;
const factory = `sip:conf-fact@${focusDomain}`;

let kamailio: Kamailio;
let service: Service;

beforeAll(async () => {
  if (!programs.every(isInstalled)) return;
  const address = await freeAddress();
  const core = `sip:${address.host}:${address.port};lr`;
  service = await Service.start({
    AUDIO: 'inactive',
    END_POLICY: 'last-leaves',
    SIP_DOMAINS: focusDomain,
    SIP_CORE: core,
  });
  kamailio = await Kamailio.start({ address, focus: service.banner.sip.udp, transport: 'udp' });
});
afterAll(async () => {
  await kamailio?.[Symbol.asyncDispose]();
  await service?.dispose();
});

/** The rosters that a phone has had, from the documents in its log; it says of its subscription that it has version 0. */
async function rostersOfPhone(phone: Linphone): Promise<readonly SeenRoster[]> {
  const documents = (await phone.log()).match(/<\?xml(?:(?!<\?xml).)*?<\/conference-info>/gs) ?? [];
  return rostersOf(documents, { lastNotifyVersion: 0, earlier: [] });
}

async function sees(phone: Linphone, line: string): Promise<SeenRoster> {
  return await waitFor(`${phone.aor} to see ${line}`, async () =>
    (await rostersOfPhone(phone)).find((roster) => rosterLine(roster) === line),
  );
}

async function conferenceOf(phone: Linphone): Promise<string> {
  phone.type(`call ${factory}`);
  await phone.logged('from state CreationPending to Created');
  const uri = /^Contact: <(sip:conf-[^>]*)>;isfocus/m.exec(await phone.log())?.[1] ?? '';
  return (await whenConference(service, uri, ({ participant_count }) => participant_count === 1)).id;
}

test('an attended transfer to the focus brings Bob in, and Alice leaves, as a phone that has transferred does', async (context) => {
  needsPrograms(context, ...programs);
  await using alice = await Linphone.start(kamailio, 'alice');
  await using bob = await Linphone.start(kamailio, 'bob');
  alice.type(`call ${bob.aor}`);
  await alice.logged('to LinphoneCallStreamsRunning');
  const oldCall = /^Call-ID: (.*?)\r?$/m.exec((await bob.log()).split('INVITE sip:bob@')[1] ?? '')?.[1];
  alice.type('pause');
  await alice.logged('to LinphoneCallPaused');
  const conferenceId = await conferenceOf(alice);

  alice.type('transfer 2 --to-call 1');
  const joined = await whenParticipant(service, { conferenceId, uri: bob.aor }, ({ status }) => status === 'connected');
  expect(joined).toMatchObject({ joining_method: 'dialed-out', referred_by: alice.aor });
  // It has no messages to offer and takes audio alone; both times it is asked to replace its call with Alice.
  expect(joined.attempts.map(({ outcome }) => outcome?.status)).toEqual([488, 200]);
  expect(joined.attempts.map(({ replaces }) => replaces?.call_id)).toEqual([oldCall, oldCall]);
  const roster = await sees(alice, 'alice connected, bob connected');
  expect(roster.users.map(({ entity }) => entity)).toEqual([alice.aor, bob.aor]);
  expect(await alice.statuses('REFER')).toEqual([200]);

  const left = await whenParticipant(
    service,
    { conferenceId, uri: alice.aor },
    ({ status }) => status === 'disconnected',
  );
  expect(left.disconnection?.method).toBe('departed');
  bob.type('terminate');
  await whenEnded(conferenceId);
});

test('a transfer to a URI with method=BYE removes whom it names', async (context) => {
  needsPrograms(context, ...programs);
  await using alice = await Linphone.start(kamailio, 'alice');
  await using bob = await Linphone.start(kamailio, 'bob');
  const conferenceId = await conferenceOf(alice);
  const dialled = await service.post(`/conferences/${conferenceId}/participants`, { uri: bob.aor });
  expect(dialled.status).toBe(202);
  await whenParticipant(service, { conferenceId, uri: bob.aor }, ({ status }) => status === 'connected');
  await sees(alice, 'alice connected, bob connected');

  alice.type(`transfer 1 <${bob.aor};method=BYE>`);
  const removed = await whenParticipant(
    service,
    { conferenceId, uri: bob.aor },
    ({ status }) => status === 'disconnected',
  );
  expect(removed.disconnection?.method).toBe('booted');
  type Referral = {
    readonly by: string;
    readonly targets: readonly { readonly method: string; readonly outcome: unknown }[];
  };
  const { body } = await service.get<{ readonly data: readonly Referral[] }>(`/conferences/${conferenceId}/referrals`);
  expect(body.data).toMatchObject([
    { by: alice.aor, targets: [{ uri: bob.aor, method: 'BYE', outcome: { status: 200, reason: 'OK' } }] },
  ]);
  await bob.logged('to LinphoneCallReleased');
  alice.type('terminate all');
  await whenEnded(conferenceId);
});

async function whenEnded(conferenceId: string): Promise<void> {
  await waitFor('the conference to end', async () => {
    const { body } = await service.get<{ readonly status: string }>(`/conferences/${conferenceId}`);
    return body.status === 'ended';
  });
}
