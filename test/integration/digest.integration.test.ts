/** The service as strangers meet it: nobody is believed, users show by digest who they are. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header, headerValues, type SipResponse } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import type { OutgoingInvite } from '../support/call.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { answering, authorization, readChallenge, type Secret } from '../support/digest-client.ts';
import { conferences, participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Headers } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';

const aliceSecret: Secret = { username: 'alice', password: 'correct horse "battery" staple' };
const aliceUri = 'sip:alice@atlanta.example.com';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ SIP_AUTH: 'digest', SIP_TRUSTED_PEERS: '192.0.2.1' });
  const added = await service.post('/users', { uri: aliceUri, password: aliceSecret.password });
  expect(added.status).toBe(201);
});
afterAll(async () => {
  await service.dispose();
});

/** Alice's INVITE with Bob and Ted in its list. */
function invite({ alice, bob, ted }: Cast, headers: Headers = {}): OutgoingInvite {
  const entries = [{ uri: bob.address }, { uri: ted.address }];
  return inviteFactory(alice, service.factoryOver(alice.transport), { entries, headers });
}

function challengesOf(response: SipResponse): readonly string[] {
  return headerValues(response, 'WWW-Authenticate');
}

function inviteesReached({ bob, ted }: Cast): readonly number[] {
  return [bob, ted].map(({ incoming }) => incoming.length);
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-009, CC-047 a factory INVITE without credentials reaches nobody; with them Bob and Ted learn who calls them', async () => {
    await using cast = await openCast({ transport });
    const asked = invite(cast);
    const refusal = await asked.final;
    expect(refusal.status).toBe(401);
    expect(challengesOf(refusal).map((challenge) => readChallenge(challenge).algorithm)).toEqual(['SHA-256', 'MD5']);
    const before = (await conferences(service)).length;

    const wrong = invite(cast, answering(refusal, asked.request, { ...aliceSecret, password: 'guessed' }));
    expect((await wrong.final).status).toBe(401);
    const unknown = invite(cast, answering(await wrong.final, wrong.request, { ...aliceSecret, username: 'mallory' }));
    expect((await unknown.final).status).toBe(401);
    expect(challengesOf(await unknown.final).some((challenge) => readChallenge(challenge).stale)).toBe(false);
    expect(inviteesReached(cast)).toEqual([0, 0]);
    expect(await conferences(service)).toHaveLength(before);

    const right = invite(cast, answering(await unknown.final, unknown.request, aliceSecret));
    const call = await right.established();
    const made = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 3,
    );
    expect(made.created_by).toBe(aliceUri);
    expect(inviteesReached(cast)).toEqual([1, 1]);
    expect(header(cast.bob.invitations[0] ?? right.request, 'Referred-By')).toBe(`<${aliceUri}>`);

    // Who hangs up shows nothing.
    expect((await call.bye()).status).toBe(200);
    await whenConference(service, made.uri, ({ status }) => status === 'ended');
  });

  test('CC-199 a request that somebody has listened to opens nothing a second time; MD5 will do', async () => {
    await using cast = await openCast({ transport });
    const refusal = await invite(cast).final;
    const [, md5 = ''] = challengesOf(refusal);
    const proven = { method: 'INVITE', uri: service.factoryOver(transport) };
    const credentials = { 'Authorization': authorization(readChallenge(md5), aliceSecret, proven) };
    const call = await invite(cast, credentials).established();
    const replayed = await invite(cast, credentials).final;
    expect(replayed.status).toBe(401);
    expect(challengesOf(replayed).map((challenge) => readChallenge(challenge).stale)).toEqual([true, true]);
    // A client that counts on needs no new challenge.
    const counted = { 'Authorization': authorization(readChallenge(md5), aliceSecret, { ...proven, count: 2 }) };
    const second = await invite(cast, counted).established();
    for (const each of [call, second]) expect((await each.bye()).status).toBe(200);
  });

  test('within her session and her subscription only Alice is heard', async () => {
    await using cast = await openCast({ transport });
    const asked = invite(cast);
    const call = await invite(cast, answering(await asked.final, asked.request, aliceSecret)).established();
    const conference = call.dialog.remoteTarget;
    const shown = (refusal: SipResponse, method: string): Headers => {
      const challenge = readChallenge(challengesOf(refusal)[0] ?? '');
      return { 'Authorization': authorization(challenge, aliceSecret, { method, uri: conference }) };
    };

    const update = await call.ask('UPDATE');
    expect(update.status).toBe(401);
    expect((await call.ask('UPDATE', { headers: shown(update, 'INVITE') })).status).toBe(401);
    expect((await call.ask('UPDATE', { headers: shown(update, 'UPDATE') })).status).toBe(200);

    const stranger = await cast.alice.subscribe(conference).response;
    expect(stranger.status).toBe(401);
    const subscription = cast.alice.subscribe(conference, shown(stranger, 'SUBSCRIBE'));
    expect((await subscription.response).status).toBe(200);
    await subscription.notify('Alice in the roster', (notify) => notify.body.includes(aliceUri));
    expect((await call.bye()).status).toBe(200);
  });

  test('CC-135 a user who hides behind an anonymous From is known to the operator alone', async () => {
    await using cast = await openCast({ transport });
    const secret = { ...aliceSecret, username: 'alice@atlanta.example.com' };
    const from = { 'From': '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=hidden1' };
    const asked = invite(cast, from);
    const shown = answering(await asked.final, asked.request, secret);
    const call = await invite(cast, { ...shown, ...from }).established();
    const { id, created_by } = await whenConference(
      service,
      call.dialog.remoteTarget,
      ({ participant_count }) => participant_count === 3,
    );
    expect(created_by).toBe(aliceUri);
    expect((await participants(service, id)).map(({ uri }) => uri)).toContain(aliceUri);
    const [invitation] = cast.bob.invitations;
    expect(invitation?.headers.map(({ name }) => name)).not.toContain('Referred-By');
    expect(JSON.stringify(invitation)).not.toContain('alice');
    expect((await call.bye()).status).toBe(200);
  });
});

test('OPTIONS is answered to anybody', async () => {
  await using cast = await openCast({ transport: 'udp' });
  expect((await cast.alice.ask('OPTIONS', service.factoryOver('udp'))).status).toBe(200);
});

test('no password and no answer to a challenge is ever logged or shown', async () => {
  const user = await service.get<{ has_password: boolean }>(`/users/${encodeURIComponent(aliceUri)}`);
  expect(user.body).toMatchObject({ has_password: true });
  expect(JSON.stringify(user.body)).not.toMatch(/[0-9a-f]{32}/);
  const { body } = await service.get<unknown>('/attempts?limit=200');
  for (const text of [service.output, JSON.stringify(body)]) {
    expect(text).not.toContain('battery');
    expect(text).not.toMatch(/response=\\?"[0-9a-f]{32}/);
  }
});
