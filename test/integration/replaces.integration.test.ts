/** What becomes of an invitee whose entry asks for a call to be replaced, by what his user agent answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header, type SipRequest } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, bobAndTed, inviteFactory } from '../support/appendix-m.ts';
import { type DialogIds, type ListEntry, withReplaces } from '../support/bodies.ts';
import type { Call } from '../support/call.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { only } from '../support/only.ts';
import { type ParticipantView, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { accepting, refusing, UserAgent } from '../support/user-agent.ts';

let lenient: Service;
let strict: Service;
beforeAll(async () => {
  [lenient, strict] = await Promise.all([Service.start(), Service.start({ LENIENT: 'false' })]);
});
afterAll(async () => {
  await Promise.all([lenient.dispose(), strict.dispose()]);
});

type Dialled = { readonly call: Call; readonly who: { readonly conferenceId: string; readonly uri: string } };

/** Alice makes a conference with one entry; `uri` is the invitee's. */
async function dial(cast: Cast, service: Service, { entry, uri }: { entry: ListEntry; uri: string }): Promise<Dialled> {
  const { alice } = cast;
  const call = await inviteFactory(alice, service.factoryOver(alice.transport), { entries: [entry] }).established();
  const { id } = await whenConference(service, call.dialog.remoteTarget, () => true);
  return { call, who: { conferenceId: id, uri } };
}

const connected = ({ status }: ParticipantView): boolean => status === 'connected';
const disconnected = ({ status }: ParticipantView): boolean => status === 'disconnected';

const replacesOf = (request: SipRequest): string | undefined => header(request, 'Replaces');
const written = ({ callId, toTag, fromTag }: DialogIds): string => `${callId};to-tag=${toTag};from-tag=${fromTag}`;
const exchanged = ({ callId, toTag, fromTag }: DialogIds): DialogIds => ({ callId, toTag: fromTag, fromTag: toTag });

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-057 CC-059 the first INVITE carries the tags as given; Bob accepts and ends his call with Alice', async () => {
    await using cast = await openCast({ transport });
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    const entry = { uri: withReplaces(cast.bob.address, ids) };
    const { who } = await dial(cast, lenient, { entry, uri: cast.bob.aor });
    const bob = await whenParticipant(lenient, who, connected);
    expect(cast.bob.invitations.map(replacesOf)).toEqual([written(ids)]);
    await oneToOne.ended;
    expect(bob.attempts.map(({ outcome }) => outcome?.status)).toEqual([200]);
  });

  test('CC-056 a Call-ID with %40 is unescaped to @', async () => {
    await using cast = await openCast({ transport });
    const { ids } = await aliceCallsBob(cast);
    expect(ids.callId).toContain('@');
    const entry = { uri: withReplaces(cast.bob.address, ids) };
    expect(entry.uri).toContain('%40');
    const { who } = await dial(cast, lenient, { entry, uri: cast.bob.aor });
    await whenParticipant(lenient, who, connected);
    expect(cast.bob.invitations.map(replacesOf)).toEqual([written(ids)]);
  });

  test('CC-058 CC-061 tags the wrong way round get 481 from Bob, and are exchanged once', async () => {
    await using cast = await openCast({ transport });
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    const entry = { uri: withReplaces(cast.bob.address, exchanged(ids)) };
    const { who } = await dial(cast, lenient, { entry, uri: cast.bob.aor });
    const bob = await whenParticipant(lenient, who, connected);
    expect(cast.bob.invitations.map(replacesOf)).toEqual([written(exchanged(ids)), written(ids)]);
    expect(bob.attempts.map(({ outcome }) => outcome?.status)).toEqual([481, 200]);
    await oneToOne.ended;
  });

  test('CC-061 on 481 again Bob is invited once without Replaces', async () => {
    await using cast = await openCast({ transport });
    const ids = { callId: 'gone@127.0.0.1', toTag: 'one', fromTag: 'two' };
    const entry = { uri: withReplaces(cast.bob.address, ids) };
    const { who } = await dial(cast, lenient, { entry, uri: cast.bob.aor });
    const bob = await whenParticipant(lenient, who, connected);
    expect(cast.bob.invitations.map(replacesOf)).toEqual([written(ids), written(exchanged(ids)), undefined]);
    expect(cast.bob.invitations.map((request) => header(request, 'Require'))).toEqual([
      'replaces',
      'replaces',
      undefined,
    ]);
    expect(bob.attempts.map(({ outcome }) => outcome?.status)).toEqual([481, 481, 200]);
  });

  test('CC-061 strict: 481 is the end of it, and the reason is kept', async () => {
    await using cast = await openCast({ transport });
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    const entry = { uri: withReplaces(cast.bob.address, exchanged(ids)) };
    const { who } = await dial(cast, strict, { entry, uri: cast.bob.aor });
    const bob = await whenParticipant(strict, who, disconnected);
    expect(cast.bob.invitations.map(replacesOf)).toEqual([written(exchanged(ids))]);
    expect(bob.disconnection).toMatchObject({ method: 'failed', sip_status: 481 });
    expect(oneToOne.dialog.state).toBe('confirmed');
  });

  test('CC-060 420 for want of Replaces: one INVITE without it', async () => {
    await using cast = await openCast({ transport });
    await using carol = await UserAgent.open({ name: 'carol', transport, extensions: [] });
    const ids = { callId: 'any@127.0.0.1', toTag: 'one', fromTag: 'two' };
    const { who } = await dial(cast, lenient, { entry: { uri: withReplaces(carol.address, ids) }, uri: carol.aor });
    const member = await whenParticipant(lenient, who, connected);
    expect(carol.invitations.map(replacesOf)).toEqual([written(ids), undefined]);
    expect(header(only(carol.invitations.slice(1)), 'Require')).toBeUndefined();
    expect(member.attempts.map(({ outcome }) => outcome?.status)).toEqual([420, 200]);
  });

  test.each([
    [486, 'busy'],
    [600, 'busy'],
    [603, 'failed'],
    [403, 'failed'],
  ])('CC-062 %i to an INVITE with Replaces is final', async (status, method) => {
    await using cast = await openCast({ transport });
    const { call: oneToOne, ids } = await aliceCallsBob(cast);
    cast.bob.answers(refusing(status), accepting);
    const entries = bobAndTed(cast, ids);
    const call = await inviteFactory(cast.alice, lenient.factoryOver(transport), { entries }).established();
    const { id: conferenceId } = await whenConference(lenient, call.dialog.remoteTarget, () => true);
    const bob = await whenParticipant(lenient, { conferenceId, uri: cast.bob.aor }, disconnected);
    await whenParticipant(lenient, { conferenceId, uri: cast.ted.aor }, connected);
    expect(bob.disconnection).toMatchObject({ method, sip_status: status });
    expect(cast.bob.invitations).toHaveLength(1);
    expect(oneToOne.dialog.state).toBe('confirmed');
  });
});
