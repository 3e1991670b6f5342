import { expect, test } from 'vitest';
import { Context } from '../../../src/sipd/context.ts';
import { makeIds } from '../../../src/sipd/ids.ts';
import type { Peer } from '../../../src/sipd/input.ts';
import { OwnAddresses } from '../../../src/sipd/own-addresses.ts';
import { ClientTransactions } from '../../../src/sipd/transaction/client-transactions.ts';
import { plainSockets } from '../stack-world.ts';

/** Requests over connection 7, which is open, and over 5, which is not; and who of them hears that `lost` is gone. */
function whoHears(lost: Partial<Peer>): readonly string[] {
  const peer: Peer = { protocol: 'tcp', host: '10.0.0.1', port: 5060, connection: 7, listener: null };
  const context = new Context({
    ways: new Set(),
    timerValues: { t1: 500, t2: 4_000, t4: 5_000 },
    own: new OwnAddresses(plainSockets, []),
    ids: makeIds(() => 1),
  });
  const transactions = new ClientTransactions(context);
  const heard: string[] = [];
  const send = (name: string, to: Peer): void => {
    const asked = { callId: name, cseq: 1, fromTag: 'a', toTag: null };
    const request = { method: 'OPTIONS', branch: name, asked, text: '', to, writeAck: () => '' };
    transactions.begin(request, { response: () => undefined, failed: (why) => heard.push(`${name}: ${why}`) });
  };
  context.during(0, () => {
    context.connectionSeen(peer);
    send('open', peer);
    send('stale', { ...peer, connection: 5 });
    send('any', { ...peer, connection: null });
    transactions.peerLost({ ...peer, ...lost }, 'connection-closed');
  });
  return heard;
}

test('the end of a connection is heard by what went over it, and over whichever there was', () => {
  expect(whoHears({ connection: 7 })).toContain('open: connection-closed');
  expect(whoHears({ connection: 9 })).not.toContain('open: connection-closed');
  expect(whoHears({ connection: 9 })).toContain('any: connection-closed');
  expect(whoHears({ connection: 9, port: 5061 })).toEqual([]);
});

test('a request to a connection that was gone went over another, and hears of its end', () => {
  expect(whoHears({ connection: 9 })).toEqual(['stale: connection-closed', 'any: connection-closed']);
});
