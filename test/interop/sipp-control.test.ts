/** SIPp, which shares no line with us, dials in, refers, removes, changes its device and falls silent, as a watcher sees it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { readRoster, rosterLine, type SeenEndpoint, type SeenRoster } from '../support/conference-document.ts';
import { only } from '../support/only.ts';
import { needsPrograms } from '../support/programs.ts';
import { referenceData } from '../support/reference-data.ts';
import { Service } from '../support/service.ts';
import { tagOf } from '../support/sip-dialog.ts';
import type { Address, Transport } from '../support/sip-socket.ts';
import { Sipp, xmllint } from '../support/sipp.ts';
import { ringing, UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

const schema = new URL('../../../shared/xsd/conference-info.xsd', import.meta.url);

// In strict mode a REFER outside dialogs is dropped, as a drachtio server does.
let service: Service;
beforeAll(async () => {
  service = await Service.start({ SIPD_MODE: 'free', AUDIO: 'inactive' });
});
afterAll(async () => {
  await service.dispose();
});

const bobsAor = 'sip:bob@biloxi.example.com';
/** Every roster that a watcher was sent. */
const seen: string[] = [];

/** A SIPp that calls by a scenario. */
function caller(transport: Transport, scenario: string, keys: Readonly<Record<string, string>>): Promise<Sipp> {
  return Sipp.start({ scenario, transport, remote: service.banner.sip[transport], keys });
}

const uriAt = (user: string, { host, port }: Address, transport: Transport): string =>
  `sip:${user}@${host}:${port};transport=${transport}`;

function endpointOf(roster: SeenRoster, user: string): SeenEndpoint {
  return only(only(roster.users.filter(({ entity }) => entity.startsWith(`sip:${user}@`))).endpoints);
}

/** Alice makes a conference, with whom she lists, and watches it. */
async function watched(transport: Transport, invitees: readonly string[] = []) {
  const alice = await UserAgent.open({ name: 'alice', transport });
  const entries = invitees.map((uri) => ({ uri }));
  const call = await inviteFactory(alice, service.factoryOver(transport), { entries }).established();
  const conference = call.dialog.remoteTarget;
  const watcher = alice.subscribe(conference);
  await watcher.notify('the roster', () => true);
  const close = async (): Promise<void> => {
    seen.push(...watcher.notifies.map(({ body }) => body));
    await alice.close();
  };
  return { alice, call, conference, watcher, [Symbol.asyncDispose]: close };
}

type Report = { readonly lines: readonly string[]; readonly ended: string };

/** The status lines of what a SIPp was told of its REFERs, by the Event header, and how each of them ended. */
async function reports(sipp: Sipp): Promise<Readonly<Record<string, Report>>> {
  const byEvent: Record<string, Report> = {};
  for (const notify of await sipp.notifies()) {
    const event = header(notify, 'Event') ?? '';
    const lines = [...(byEvent[event]?.lines ?? []), notify.body.trim()];
    byEvent[event] = { lines, ended: header(notify, 'Subscription-State') ?? '' };
  }
  return byEvent;
}

/** What names a SIPp's call towards the focus, read from the 200 it was sent: the focus's own tag is the to-tag. */
async function dialogOf(sipp: Sipp): Promise<string> {
  const answer = /^SIP\/2\.0 200 .*?\r?\n\r?\n/ms.exec(await sipp.messages())?.[0] ?? '';
  const value = (name: string): string => new RegExp(`^${name}: *(.*?)\\r?$`, 'm').exec(answer)?.[1] ?? '';
  return `${value('Call-ID')};to-tag=${tagOf(value('To'))};from-tag=${tagOf(value('From'))}`;
}

const noresource = 'terminated;reason=noresource';

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('CC-086 CC-084 SIPp dials in, and leaves by hanging up', async (context) => {
    needsPrograms(context, 'sipp');
    await using scene = await watched(transport);
    await using visitor = await caller(transport, 'visits', { conference: scene.conference, aor: bobsAor });
    const roster = await scene.watcher.sees('alice connected, bob connected');
    expect(endpointOf(roster, 'bob')).toMatchObject({
      joiningMethod: 'dialed-in',
      media: [{ type: 'audio', status: 'inactive' }],
    });
    const after = await scene.watcher.sees('alice connected, bob disconnected');
    expect(endpointOf(after, 'bob').disconnectionMethod).toBe('departed');
    await visitor.succeeded();
    expect((await scene.call.bye()).status).toBe(200);
  });

  test('CC-072 SIPp, a participant, has another SIPp invited by a REFER outside dialogs', async (context) => {
    needsPrograms(context, 'sipp');
    await using scene = await watched(transport);
    const { conference, watcher, alice } = scene;
    await using carol = await Sipp.start({ scenario: 'ted', transport });
    const carolsUri = uriAt('carol', carol.address, transport);
    await using referrer = await caller(transport, 'refers', { conference, aor: alice.aor, refer_to: carolsUri });
    const roster = await watcher.sees('alice connected, carol connected');
    expect(endpointOf(roster, 'carol')).toMatchObject({ joiningMethod: 'dialed-out', referredBy: alice.aor });
    await referrer.succeeded();
    const { refer, ...others } = await reports(referrer);
    expect(others).toEqual({});
    expect(refer?.lines[0]).toBe('SIP/2.0 100 Trying');
    expect(refer?.lines.at(-1)).toBe('SIP/2.0 200 OK');
    expect(refer?.ended).toBe(noresource);
    expect((await scene.call.bye()).status).toBe(200);
    await carol.succeeded();
  });

  test('CC-072 CC-075 CC-082 SIPp, who made it, has another SIPp invited and removed by REFER in her session', async (context) => {
    needsPrograms(context, 'sipp');
    await using bob = await UserAgent.open({ name: 'bob', transport });
    await using gate = await UserAgent.open({ name: 'gate', transport });
    gate.answers(ringing);
    await using carol = await Sipp.start({ scenario: 'ted', transport });
    const keys = { watcher: bob.address, carol: uriAt('carol', carol.address, transport), gate: gate.address };
    await using chair = await caller(transport, 'chair', { aor: 'sip:alice@atlanta.example.com', ...keys });

    const call = await bob.firstCall();
    await call.confirmed;
    const watcher = bob.subscribe(call.dialog.remoteTarget);
    // Bob is no chair: that the gate rings is withheld from him.
    await watcher.sees('alice connected, bob connected, carol connected, gate pending');
    (await waitFor('the gate to ring', () => gate.incoming[0])).respond(486);
    await carol.succeeded();
    const after = await watcher.sees('alice connected, bob connected, carol disconnected, gate disconnected');
    expect(endpointOf(after, 'carol').disconnectionMethod).toBe('booted');
    expect(endpointOf(after, 'gate').disconnectionMethod).toBe('busy');
    await chair.succeeded();
    await call.ended;
    const last = await watcher.notify('the end', (notify) => header(notify, 'Subscription-State') === noresource);
    expect(readRoster(last.body).state).toBe('deleted');
    seen.push(...watcher.notifies.map(({ body }) => body));

    const outcomes = await reports(chair);
    expect(Object.keys(outcomes)).toEqual(['refer', 'refer;id=3', 'refer;id=4']);
    expect(Object.values(outcomes).map(({ lines }) => lines.at(-1))).toEqual([
      'SIP/2.0 200 OK',
      'SIP/2.0 486 Busy Here',
      'SIP/2.0 200 OK',
    ]);
    expect(Object.values(outcomes).map(({ ended }) => ended)).toEqual([noresource, noresource, noresource]);
  });

  test('CC-071 SIPp goes on with another SIPp: the first is hung up, and nobody sees him leave', async (context) => {
    needsPrograms(context, 'sipp');
    await using scene = await watched(transport);
    const { conference, watcher } = scene;
    const keys = { conference, aor: bobsAor };
    await using phone = await caller(transport, 'dials-in', { ...keys, header: 'Supported: replaces' });
    await watcher.sees('alice connected, bob connected');
    const before = watcher.rosters.length;
    const replaces = `Replaces: ${await dialogOf(phone)}`;
    await using tablet = await caller(transport, 'dials-in', { ...keys, header: replaces });
    await phone.succeeded();
    const contact = `sip:guest-${tablet.address.port}@`;
    const after = await watcher.sees('the tablet', ({ users }) =>
      users.some(({ endpoints }) => endpoints.some(({ entity }) => entity.includes(contact))),
    );
    expect(endpointOf(after, 'bob').entity).toContain(contact);
    const between = watcher.rosters.slice(before);
    expect(new Set(between.map(rosterLine))).toEqual(new Set(['alice connected, bob connected']));
    expect(new Set(between.map(({ userCount }) => userCount))).toEqual(new Set([2]));
    expect((await phone.messages()).match(/^Reason: .*Replaced/m)).not.toBeNull();
    // The creator leaves: it ends for the tablet, too.
    expect((await scene.call.bye()).status).toBe(200);
    await tablet.succeeded();
  });
});

describe.concurrent.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  // RFC 4028 10: at 90 - min(32, 90 / 3) seconds, which nobody may shorten (RFC 4028 4).
  test('CC-090 two SIPp who promised to refresh their sessions and do not are hung up', async (context) => {
    needsPrograms(context, 'sipp');
    const seconds = 100;
    await using called = await Sipp.start({ scenario: 'answers-and-falls-silent', transport, seconds });
    await using scene = await watched(transport, [uriAt('ted', called.address, transport)]);
    const keys = { conference: scene.conference, aor: bobsAor };
    const remote = service.banner.sip[transport];
    await using calling = await Sipp.start({ scenario: 'falls-silent', transport, remote, seconds, keys });
    await scene.watcher.sees('alice connected, ted connected, bob connected');
    const begun = Date.now();
    await Promise.all([called.succeeded(), calling.succeeded()]);
    expect(Date.now() - begun).toBeGreaterThan(50_000);
    const roster = await scene.watcher.sees('alice connected, ted disconnected, bob disconnected');
    for (const user of ['ted', 'bob']) {
      const { disconnectionMethod: method, disconnectionReason: reason } = endpointOf(roster, user);
      expect([method, reason]).toEqual(['failed', 'Session timer expired']);
    }
    expect((await scene.call.bye()).status).toBe(200);
  }, 110_000);
});

// Apart from the calls, since only this needs the schema, which lies beside the clone.
test('CC-110 every NOTIFY of these calls is valid by the schema', (context) => {
  needsPrograms(context, 'sipp', 'xmllint');
  referenceData(context, 'xsd/conference-info.xsd');
  expect(seen.length).toBeGreaterThan(0);
  for (const body of seen.filter((text) => text !== '')) xmllint(schema, body);
});
