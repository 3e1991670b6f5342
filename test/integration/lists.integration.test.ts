/** What the INVITEs of the focus say on the wire, and what follows when invitees answer with wishes of their own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header, type SipRequest } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { type ListEntry, resourceList } from '../support/bodies.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { type ParticipantView, whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { accepting, refusing, type Script, type UserAgent } from '../support/user-agent.ts';

let service: Service;
let likeDrachtio: Service;
beforeAll(async () => {
  [service, likeDrachtio] = await Promise.all([Service.start(), Service.start({ SIPD_MODE: 'strict' })]);
});
afterAll(async () => {
  await Promise.all([service.dispose(), likeDrachtio.dispose()]);
});

/** Alice makes a conference; gives what REST needs to find its members. */
async function conferenceOf(cast: Cast, entries: readonly ListEntry[], of: Service = service): Promise<string> {
  const { alice } = cast;
  const call = await inviteFactory(alice, of.factoryOver(alice.transport), { entries }).established();
  return (await whenConference(of, call.dialog.remoteTarget, () => true)).id;
}

const connected = ({ status }: ParticipantView): boolean => status === 'connected';
const of = (agent: UserAgent, name: string): readonly (string | undefined)[] =>
  agent.invitations.map((invite) => header(invite, name));

/** The text of the history in an INVITE; null when there is none. */
function historyIn({ body }: SipRequest): string | null {
  return /Content-Disposition: recipient-list-history; handling=optional\r\n\r\n(.*?)\r\n--/s.exec(body)?.[1] ?? null;
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-023 CC-024 every invitee gets the same history, and nobody learns of who is bcc', async () => {
    await using cast = await openCast({ transport });
    const { bob, ted } = cast;
    const conferenceId = await conferenceOf(cast, [
      { uri: bob.address, copyControl: 'to' },
      { uri: ted.address, copyControl: 'bcc' },
    ]);
    for (const { aor } of [bob, ted]) await whenParticipant(service, { conferenceId, uri: aor }, connected);
    const histories = [bob, ted].flatMap((agent) => agent.invitations.map(historyIn));
    expect(histories).toHaveLength(2);
    expect(histories[0]).toBe(histories[1]);
    expect(histories[0]).toContain(`<entry uri="${bob.address}" cp:copyControl="to"/>`);
    expect(histories[0]).not.toContain(String(ted.transactions.address.port));
  });

  test('CC-022 where nobody says who may be told, the body is a session description and nothing else', async () => {
    await using cast = await openCast({ transport });
    const { bob } = cast;
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address }]);
    await whenParticipant(service, { conferenceId, uri: bob.aor }, connected);
    expect(of(bob, 'Content-Type')).toEqual(['application/sdp']);
  });

  test('the focus says what it can do, and asks for a session timer', async () => {
    await using cast = await openCast({ transport });
    const { bob } = cast;
    const timed: Script = (invite) =>
      void invite.accept({ 'Session-Expires': '600;refresher=uas', 'Require': 'timer' });
    bob.answers(timed);
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address }]);
    await whenParticipant(service, { conferenceId, uri: bob.aor }, connected);
    expect(of(bob, 'Supported')).toEqual(['replaces, join, timer, norefersub, multiple-refer, tdialog, 100rel']);
    expect(of(bob, 'Session-Expires')).toEqual(['1800']);
    expect(of(bob, 'CSeq')).toEqual(['1 INVITE']);
  });

  test('415 to a multipart: once more with the description alone', async () => {
    await using cast = await openCast({ transport });
    const { bob } = cast;
    bob.answers(refusing(415, { 'Accept': 'application/sdp' }), accepting);
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address, copyControl: 'to' }]);
    await whenParticipant(service, { conferenceId, uri: bob.aor }, connected);
    expect(bob.invitations.map((invite) => historyIn(invite) === null)).toEqual([false, true]);
    expect(of(bob, 'Content-Type')[1]).toBe('application/sdp');
  });

  test('CC-052 the members of a list that refuses are invited in its stead', async () => {
    await using cast = await openCast({ transport });
    const { bob, ted } = cast;
    const members: Script = (invite) => {
      const named = {
        'P-Refused-URI-List': `<${bob.address}>;members="<cid:m1@biloxi.example.com>"`,
        'Content-Type': 'application/resource-lists+xml',
        'Content-ID': '<m1@biloxi.example.com>',
      };
      invite.respond(403, named, resourceList([{ uri: ted.address }, { uri: bob.address }]));
    };
    bob.answers(members);
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address }]);
    await whenParticipant(service, { conferenceId, uri: ted.aor }, connected);
    const refused = await whenParticipant(service, { conferenceId, uri: bob.aor }, () => true);
    expect(refused.disconnection).toMatchObject({ method: 'failed', sip_status: 403 });
    expect(bob.invitations).toHaveLength(1);
  });

  test('an answer in a reliable 183 is acknowledged by PRACK and counts, whatever the 200 says', async () => {
    await using cast = await openCast({ transport });
    const { bob } = cast;
    const early: Script = (invite) => {
      const answer = bob.media.answer('');
      invite.respond(183, { 'Require': '100rel', 'RSeq': '1', 'Content-Type': 'application/sdp' }, answer);
    };
    bob.answers(early);
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address }]);
    await whenParticipant(service, { conferenceId, uri: bob.aor }, ({ status }) => status === 'alerting');
    const [invite] = bob.incoming;
    await cast.log.waitFor('the PRACK', ({ owner, message }) => {
      return owner === 'bob' && message.kind === 'request' && header(message, 'RAck') === '1 1 INVITE';
    });
    invite?.accept();
    await whenParticipant(service, { conferenceId, uri: bob.aor }, connected);
  });

  // The same INVITE again, outside a dialog: a drachtio server takes Call-ID, From tag and CSeq from the application.
  test.each([
    ['free', () => service],
    ['strict', () => likeDrachtio],
  ] as const)('CC-053 422, with sipd %s: once more in the same call', async (_, served) => {
    await using cast = await openCast({ transport });
    const { bob } = cast;
    bob.answers(refusing(422, { 'Min-SE': '3600' }), accepting);
    const conferenceId = await conferenceOf(cast, [{ uri: bob.address }], served());
    await whenParticipant(served(), { conferenceId, uri: bob.aor }, connected);
    expect(new Set(of(bob, 'Call-ID')).size).toBe(1);
    expect(new Set(of(bob, 'From')).size).toBe(1);
    expect(of(bob, 'CSeq')).toEqual(['1 INVITE', '2 INVITE']);
    expect(of(bob, 'Session-Expires')).toEqual(['1800', '3600']);
    expect(of(bob, 'Min-SE')).toEqual([undefined, '3600']);
    await bob.calls[0]?.confirmed;
    // Whoever hangs up within that call counts on from there.
    expect((await bob.calls[0]?.bye())?.status).toBe(200);
  });
});
