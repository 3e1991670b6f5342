/** A one-to-one session becomes a conference: Appendix M, M-01 to M-13, over real sockets. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, bobAndTed, inviteFactory } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { readRoster, validateAgainst } from '../support/conference-document.ts';
import { only } from '../support/only.ts';
import { referenceData } from '../support/reference-data.ts';
import { participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { tagOf } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-001 CC-055 CC-059 Alice’s call with Bob becomes a conference with Ted', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const { call: oneToOne, ids } = await aliceCallsBob(cast);

    const invite = inviteFactory(alice, service.factoryOver(transport), { entries: bobAndTed(cast, ids) });
    const accepted = await invite.final;
    expect(accepted.status).toBe(200);
    const contact = header(accepted, 'Contact') ?? '';
    expect(contact).toMatch(/^<sip:[^<>;]+>;(.*;)?isfocus/);
    const conferenceUri = /<([^>]+)>/.exec(contact)?.[1] ?? '';
    expect(accepted.body).toMatch(/m=message \d+ TCP\/MSRP \*/);
    expect(accepted.body).toMatch(/a=path:msrp:\/\/[^/]+\/[^;]+;tcp/);

    const { id } = await whenConference(service, conferenceUri, ({ participant_count }) => participant_count === 3);
    const toBob = only(bob.invitations);
    const toTed = only(ted.invitations);
    expect(header(toBob, 'Replaces')).toBe(`${ids.callId};to-tag=${ids.toTag};from-tag=${ids.fromTag}`);
    expect(header(toBob, 'Require')).toBe('replaces');
    expect(header(toTed, 'Replaces')).toBeUndefined();
    expect(header(toTed, 'Require')).toBeUndefined();

    await oneToOne.ended;
    expect(oneToOne.dialog.state).toBe('terminated');
    const seen = (await participants(service, id)).map(({ uri, status }) => `${uri} ${status}`);
    expect(seen).toEqual([`${alice.aor} connected`, `${bob.aor} connected`, `${ted.aor} connected`]);
  });

  test('CC-044 CC-045 CC-046 CC-047 each invitee gets an INVITE of its own from the conference', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const { ids } = await aliceCallsBob(cast);
    const headers = {
      'P-Asserted-Identity': '"Alice" <sip:alice@atlanta.example.com>',
      'From': `"Mallory" <sip:mallory@atlanta.example.com>;tag=m1`,
    };
    const entries = bobAndTed(cast, ids);
    const call = await inviteFactory(alice, service.factoryOver(transport), { entries, headers }).established();
    const conferenceUri = call.dialog.remoteTarget;
    await whenConference(service, conferenceUri, ({ participant_count }) => participant_count === 3);

    const requests = [only(bob.invitations), only(ted.invitations)];
    const distinct = (values: readonly unknown[]): number => new Set(values).size;
    expect(distinct([...requests.map((request) => header(request, 'Call-ID')), call.dialog.facts.callId])).toBe(3);
    expect(distinct(requests.map((request) => tagOf(header(request, 'From'))))).toBe(2);
    expect(distinct(requests.map((request) => header(request, 'Via')))).toBe(2);
    for (const request of requests) {
      expect(tagOf(header(request, 'To'))).toBeUndefined();
      expect(request.uri).not.toMatch(/[?]|;method/);
      expect(header(request, 'From')).toContain(`<${conferenceUri}>`);
      expect(header(request, 'Contact')).toMatch(/^<[^>]+>;(.*;)?isfocus/);
      expect(header(request, 'Contact')).toContain(`<${conferenceUri}>`);
      expect(header(request, 'Referred-By')).toContain('<sip:alice@atlanta.example.com>');
      expect(header(request, 'Subject')).toBe('Project chat');
    }
  });

  test('CC-095 CC-109 CC-110 the roster grows under Alice’s eyes, and every document fits the schema', async (context) => {
    referenceData(context, 'xsd/conference-info.xsd');
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const { ids } = await aliceCallsBob(cast);
    const call = await inviteFactory(alice, service.factoryOver(transport), {
      entries: bobAndTed(cast, ids),
    }).established();
    const subscription = alice.subscribe(call.dialog.remoteTarget, { 'Expires': '3600' });
    expect((await subscription.response).status).toBe(200);
    const roster = await subscription.sees('alice connected, bob connected, ted connected');
    expect(roster).toMatchObject({ entity: call.dialog.remoteTarget, userCount: 3, subject: 'Project chat' });
    expect(roster.users.map(({ entity }) => entity)).toEqual([alice.aor, bob.aor, ted.aor]);
    expect(roster.users[1]?.endpoints[0]).toMatchObject({ joiningMethod: 'dialed-out', referredBy: alice.aor });
    expect(roster.users[0]?.endpoints[0]?.media).toEqual([{ type: 'message', status: 'sendrecv' }]);

    const schema = new URL('../../../shared/xsd/conference-info.xsd', import.meta.url);
    const documents = subscription.notifies.map(({ body }) => ({ body, ...readRoster(body) }));
    for (const { body, state } of documents) {
      validateAgainst(schema, body);
      if (state === 'partial') continue;
      expect(body).toContain('<conference-description');
      expect(body).toContain('<users');
    }
    // What came after the first is told by what has changed alone.
    expect(documents.map(({ state }) => state)).toEqual(
      documents.map((_, index) => (index === 0 ? 'full' : 'partial')),
    );
    expect(documents.map(({ version }) => version)).toEqual(documents.map((_, index) => index));
  });
});
