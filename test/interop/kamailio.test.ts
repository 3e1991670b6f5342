/**
 * Kamailio stands between everybody and the focus: as the proxy that stays in every dialog (Record-Route), and as the
 * registrar of those who are invited. Where its two sides have different transports it is in the route set twice.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header, headerValues, type SipRequest } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { rosterLine } from '../support/conference-document.ts';
import { focusDomain, home, Kamailio } from '../support/kamailio.ts';
import { only } from '../support/only.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled, needsPrograms } from '../support/programs.ts';
import { participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { routeSet } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';
import { subscriptionState } from '../support/subscription.ts';
import { UserAgent } from '../support/user-agent.ts';
import { WireLog } from '../support/wire-log.ts';

const transports: readonly Transport[] = ['udp', 'tcp'];

/** Vias of a request as its receiver sees it: two when it came through one proxy. */
const hops = (request: SipRequest): number => headerValues(request, 'Via').flatMap((value) => value.split(',')).length;

describe.each(transports)('the focus speaks %s with Kamailio', (coreTransport) => {
  let kamailio: Kamailio;
  let service: Service;

  beforeAll(async () => {
    if (!isInstalled('kamailio')) return;
    const address = await freeAddress();
    const core = `sip:${address.host}:${address.port};transport=${coreTransport};lr`;
    service = await Service.start({ SIP_DOMAINS: focusDomain, SIP_CORE: core });
    const focus = service.banner.sip[coreTransport];
    kamailio = await Kamailio.start({ address, focus, transport: coreTransport });
  });
  afterAll(async () => {
    await kamailio?.[Symbol.asyncDispose]();
    await service?.dispose();
  });

  /** Somebody whose next hop is Kamailio. */
  async function agentAtHome(name: string, transport: Transport, log: WireLog): Promise<UserAgent> {
    return await UserAgent.open({ name, aor: `sip:${name}@${home}`, transport, outbound: kamailio.address, log });
  }

  test.for(transports)(
    'users speak %s with it: all requests of all dialogs pass it, both ways',
    async (transport, context) => {
      needsPrograms(context, 'kamailio');
      const log = new WireLog();
      await using alice = await agentAtHome('alice', transport, log);
      await using bob = await agentAtHome('bob', transport, log);
      expect((await bob.bind()).status).toBe(200);

      const invite = inviteFactory(alice, `sip:conf-fact@${focusDomain}`, { entries: [{ uri: bob.aor }] });
      const call = await invite.established();
      const conferenceUri = call.dialog.remoteTarget;
      expect(conferenceUri).toMatch(new RegExp(`^sip:[^@]+@${focusDomain}$`));
      const routes = transport === coreTransport ? 1 : 2;
      expect(call.dialog.facts.routes).toHaveLength(routes);

      const bobsCall = await bob.firstCall();
      await bobsCall.confirmed;
      const [invitation] = bob.invitations;
      expect(invitation && routeSet(invitation)).toHaveLength(routes);
      const conference = await whenConference(
        service,
        conferenceUri,
        ({ participant_count }) => participant_count === 2,
      );

      const subscription = alice.subscribe(conferenceUri);
      const first = await subscription.notify('both', ({ body }) => body.includes(bob.aor));
      expect(rosterLine(subscription.rosterWith(first))).toBe('alice connected, bob connected');
      expect((await subscription.refresh(600)).status).toBe(200);

      const bobs = only((await participants(service, conference.id)).filter(({ uri }) => uri === bob.aor));
      expect((await service.delete(`/conferences/${conference.id}/participants/${bobs.id}`)).status).toBe(204);
      const bye = await bobsCall.ended;
      const { users } = await subscription.sees('alice connected, bob disconnected');
      expect(users[1]?.endpoints[0]?.disconnectionMethod).toBe('booted');
      expect((await call.bye()).status).toBe(200);
      // Nobody is left, hence no conference either.
      const last = await subscription.notify('the end', subscriptionState('terminated'));

      const received = [invitation, await bobsCall.confirmed, first, bye, last].filter((each) => each !== undefined);
      expect(received.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'NOTIFY', 'BYE', 'NOTIFY']);
      expect(received.map(hops)).toEqual([2, 2, 2, 2, 2]);
      // RFC 3261 16.4: a proxy takes itself out of the route set.
      expect(received.map((each) => header(each, 'Route'))).toEqual(Array(5).fill(undefined));
      if (transport === 'udp') {
        const { host, port } = kamailio.address;
        expect(new Set(log.entries.map(({ peer }) => peer))).toEqual(new Set([`${host}:${port}`]));
      }
    },
  );
});
