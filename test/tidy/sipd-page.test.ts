import { expect, test } from 'vitest';
import { daemonWays } from '../../src/sipd/daemon-ways.ts';
import { limits } from '../../src/sipd/limits.ts';
import { sipdVariables } from '../../src/sipd/process/settings.ts';
import type { Rate } from '../../src/sipd/protection/token-bucket.ts';
import { pairsTable, printedSection, variablesTable } from './documents.ts';

const octets = (count: number): string => `${count.toLocaleString('en')} octets`;

const rate = ({ perSecond, burst }: Rate): string => `${perSecond} a second, ${burst.toLocaleString('en')} at once`;

const sections = {
  'sipd variables': variablesTable(sipdVariables),
  'switches': pairsTable(['switch', 'what the real server does'], Object.entries(daemonWays).map(named)),
  'limits': pairsTable(
    ['of', 'at most'],
    [
      ['dialogs', limits.dialogsMax.toLocaleString('en')],
      ['transactions, client and server each', limits.transactionsMax.toLocaleString('en')],
      ['connections', limits.streamConnectionsMax.toLocaleString('en')],
      ['one message on a connection', octets(limits.streamMessageBytesMax)],
      ['what all connections keep of messages not whole or not sent', octets(limits.streamHeldBytesMax)],
      ['applications', limits.controlSessionsMax.toLocaleString('en')],
      ['one control frame', octets(limits.controlFrameBytesMax)],
      ['what an application may leave unread', octets(limits.controlQueueBytesMax)],
    ],
  ),
  'source limits': pairsTable(
    ['of one source', 'at most'],
    [
      ['connections', limits.streamConnectionsPerSourceMax.toLocaleString('en')],
      ['messages', rate(limits.protection.requests)],
      ['503s to requests beyond that', rate(limits.protection.refusals)],
      ['open transactions', limits.protection.openTransactions.toLocaleString('en')],
      ['answers to INVITEs that wait for ACK or PRACK', limits.protection.unacknowledgedFinals.toLocaleString('en')],
    ],
  ),
};

for (const [name, expected] of Object.entries(sections)) {
  test(`docs/sipd.md has the ${name} as the code has them (npm run docs:rewrite writes them)`, () => {
    expect(printedSection('docs/sipd.md', name, expected)).toBe(expected);
  });
}

function named([name, meaning]: readonly [string, string]): readonly [string, string] {
  return [`\`${name}\``, meaning];
}
