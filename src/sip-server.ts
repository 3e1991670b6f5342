import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import { BadConfig } from './environment.ts';
import type { ListeningAddress, Reading } from './http/http-options.ts';
import type { Logger } from './log.ts';
import { type CounterName, type CounterValues, counters } from './sipd/counters.ts';
import { waysWith } from './sipd/daemon-ways.ts';
import type { LogLevel } from './sipd/output.ts';
import { startSipdThread } from './sipd/process/sipd-thread.ts';
import { startSipd } from './sipd/sipd.ts';

/** What speaks SIP for the service: its control port, and for the embedded one where it listens. */
export type SipServer = {
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  /** UDP and TCP. */
  readonly sipPort: number;
  readonly addresses: readonly ListeningAddress[];
  /** What the embedded server counts, for `/metrics`. */
  readonly readings: readonly Reading[];
  readonly close: () => Promise<void>;
};

export type SipServerParts = {
  readonly config: Config;
  readonly log: Logger;
  /** Called when the embedded server's thread has ended by itself, with one sentence. */
  readonly onLost: (sentence: string) => void;
};

/** Throws BadConfig when `SIPD_SWITCHES` names what there is not. */
export function checkSwitches({ sipdMode, sipdSwitches }: Config): void {
  try {
    waysWith(sipdMode, sipdSwitches);
  } catch (error) {
    throw new BadConfig(error instanceof Error ? error.message : String(error));
  }
}

/** The embedded SIP server, on this thread or its own, or the drachtio server that the operator names. */
export async function sipServer(parts: SipServerParts): Promise<SipServer> {
  const { drachtio, sip } = parts.config;
  if (drachtio !== null) {
    return { control: drachtio, sipPort: sip.port, addresses: [], readings: [], close: () => Promise.resolve() };
  }
  const secret = randomBytes(16).toString('hex');
  const sipd = await embedded(parts, secret);
  parts.log.info({ part: 'sipd', thread: parts.config.sipdThread, addresses: sipd.addresses }, 'SIP server listens');
  return {
    control: { host: '127.0.0.1', port: sipd.controlPort, secret },
    sipPort: sipd.addresses.find(({ protocol }) => protocol === 'udp')?.port ?? sip.port,
    addresses: sipd.addresses.map(({ protocol, host, port }) => ({ part: 'sip', transport: protocol, host, port })),
    readings: readingsOf(() => sipd.counters()),
    close: () => sipd.close(),
  };
}

function readingsOf(read: () => CounterValues): readonly Reading[] {
  const names = Object.keys(counters) as readonly CounterName[];
  return names.map((name) => ({
    kind: 'counter',
    name: `isfocus_sipd_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
    help: counters[name],
    read: () => read()[name],
  }));
}

async function embedded({ config, log, onLost }: SipServerParts, secret: string) {
  const { hosts, publicHost, ...listeners } = config.sip;
  const options = {
    ...listeners,
    host: hosts,
    publicHost: publicHost ?? undefined,
    control: { host: '127.0.0.1', port: 0, secret },
    mode: waysWith(config.sipdMode, config.sipdSwitches),
    trustedPeers: config.trustedPeers,
    // The core judges addresses; what a name in a list leads to is known only here.
    publicNames: config.privateTargets === 'refuse',
    log: log.child({ part: 'sipd' }),
  };
  if (config.sipdThread === 'main') return await startSipd(options);
  return await startSipdThread({
    ...options,
    leastLevel: leastLevel(config.logLevel),
    onLost: (reason) => onLost(`The embedded SIP server was lost: ${reason}.`),
  });
}

/** The level of sipd that a level of the log asks for. */
function leastLevel(logLevel: string): LogLevel {
  if (logLevel === 'trace' || logLevel === 'debug') return 'debug';
  return logLevel === 'info' || logLevel === 'warn' ? logLevel : 'error';
}
