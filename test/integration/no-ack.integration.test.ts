/** Whoever never acknowledges the 200 has no session (RFC 3261 13.3.1.4). Timer values are short: the SIP server is the test's. */
import { expect, test } from 'vitest';
import { startSipd } from '../../src/sipd/sipd.ts';
import { header } from '../../src/wire/sip-message.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { waitFor } from '../support/wait.ts';
import { methodOf } from '../support/wire-log.ts';

const timers = { t1: 50, t2: 400, t4: 500 };

/** How often the 200 to Alice's INVITE has come. */
function answersSeen({ log }: Cast): number {
  return log.entries.filter(({ owner, direction, message }) => {
    const is200 = message.kind === 'response' && message.status === 200 && methodOf(message) === 'INVITE';
    return owner === 'alice' && direction === 'received' && is200;
  }).length;
}

test.each<Transport>(['udp', 'tcp'])(
  'CC-020 CC-021 over %s: the 200 comes again and again; no ACK within 64*T1: BYE, and the conference is gone',
  async (transport) => {
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const control = { host: '127.0.0.1', port: 0, secret: 'between us' };
    const sipd = await startSipd({ host: '127.0.0.1', port: 0, control, mode: 'strict', log, timers });
    try {
      const address = { host: '127.0.0.1', port: sipd.addresses[0]?.port ?? 0 };
      const environment = {
        DRACHTIO_HOST: '127.0.0.1',
        DRACHTIO_PORT: String(sipd.controlPort),
        DRACHTIO_SECRET: control.secret,
        SIP_DOMAINS: '127.0.0.1',
        SIP_PORT: String(address.port),
        SIP_AUTH: 'open',
      };
      await using service = await Service.start(environment, { udp: address, tcp: address });
      await using cast = await openCast({ transport });
      const { alice } = cast;
      const offer = { contentType: 'application/sdp', body: alice.media.offer(), acknowledge: 'never' } as const;
      const call = await alice.invite(service.factoryOver(transport), offer).established();
      const bye = await call.ended;
      expect(header(bye, 'Reason')).toContain('ACK timeout');
      // At 0, T1, 3*T1 and 7*T1, from then on every T2 until 64*T1: never earlier, so never more often.
      expect(answersSeen(cast)).toBeGreaterThanOrEqual(6);
      expect(answersSeen(cast)).toBeLessThanOrEqual(12);
      const gone = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'ended');
      expect(gone).toMatchObject({ end_reason: 'creator-left', participant_count: 0 });
      await waitFor('sipd to hold nothing of it', () => sipd.counts().dialogs === 0);
      expect(await service.stop()).toBe(0);
    } finally {
      await sipd.close();
    }
  },
);
