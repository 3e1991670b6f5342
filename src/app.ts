import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { systemClock } from './clock.ts';
import { addresses as addressTest, type Config } from './config.ts';
import type { DefinitionInput, Input } from './core/input.ts';
import type { KeyPort } from './core/ports.ts';
import { Service } from './core/service.ts';
import type { Settings } from './core/settings.ts';
import { Tally } from './core/tally.ts';
import { definitionsOf, type OurDefinitions } from './definitions.ts';
import { Driver } from './driver.ts';
import { BadConfig } from './environment.ts';
import { firstKey } from './http/api-key.ts';
import type { ListeningAddress } from './http/http-options.ts';
import type { HttpShell } from './http/http-server.ts';
import { randomIds, randomMsrpIds } from './ids.ts';
import { bound } from './listening.ts';
import type { Logger } from './log.ts';
import type { MsrpAddress } from './msrp/connections.ts';
import { MsrpShell } from './msrp/msrp-shell.ts';
import { restShell } from './rest.ts';
import type { LeftDialog } from './sip/dialogs.ts';
import { SipShell } from './sip/sip-shell.ts';
import { checkSwitches, type SipServer, sipServer } from './sip-server.ts';
import type { Interrupted } from './store/restarted.ts';
import { openStore, type Store } from './store/store.ts';
import { parseSipUri } from './wire/sip-uri.ts';

/** A running service. */
export type App = {
  readonly addresses: readonly ListeningAddress[];
  readonly factoryUri: string;
  /** The admin key that was just made, to be shown once; null when there was one. */
  readonly madeKey: string | null;
  /** Ends orderly: no new conferences, BYEs sent, subscriptions ended, everything closed in reverse order of opening. */
  readonly stop: () => Promise<void>;
};

export type AppParts = {
  readonly config: Config;
  readonly log: Logger;
  readonly version: string;
  /** Called when the service cannot go on, with one sentence. */
  readonly onLost: (sentence: string) => void;
};

/** How long an orderly stop waits for the last BYEs and NOTIFYs to be answered. */
const farewellMs = 5_000;

/** Builds every part once and joins them. Rejects with an error whose message is one sentence for a person. */
export async function startApp(parts: AppParts): Promise<App> {
  checkCore(parts.config);
  checkSwitches(parts.config);
  const closers: Closers = [];
  try {
    return await compose(parts, closers);
  } catch (error) {
    await closeAll(closers).catch((failure: unknown) =>
      parts.log.warn({ err: failure }, 'closing after a failed start failed'),
    );
    throw error;
  }
}

/** A next hop that cannot be read must not be found out at the first call. */
function checkCore({ sipCore }: Config): void {
  try {
    if (sipCore !== null) parseSipUri(sipCore);
  } catch {
    throw new BadConfig(`SIP_CORE must be a SIP URI, not "${sipCore}".`);
  }
}

type Closers = (() => Promise<void>)[];

async function compose(parts: AppParts, closers: Closers): Promise<App> {
  const ground = await layGround(parts, closers);
  const { sip, http, driver, service, settings, listening, definitions } = joinShells(parts, ground);
  await loadDefinitions(ground, { definitions, driver }, closers);
  await takeOver(parts, { store: ground.store, sip }, closers);
  const { config } = parts;
  const address = await bound('HTTP', config.http, () => http.listen(config.http.host, config.http.port));
  closers.push(() => http.close());
  // Last of all: a start that fails after this would leave a key that nobody has seen.
  await ground.keepKey();
  listening.push({ part: 'http', transport: 'tcp', ...address });
  const quiet = (): boolean => driver.idle && sip.counts.openRequests === 0 && service.counts.conferences === 0;
  return {
    addresses: listening,
    factoryUri: factoryUriOf(config, settings),
    madeKey: ground.madeKey,
    stop: async () => {
      await new Promise<void>((resolve) => {
        ground.replies.set(stopReply, resolve);
        driver.submit({ type: 'shutdown-requested', reply: stopReply, actor: 'process' });
      });
      await until(quiet, farewellMs);
      driver.stop();
      await closeAll(closers);
    },
  };
}

/** What stands before anything can happen: the store, the keys, the SIP server, the MSRP listener. */
type Ground = {
  readonly store: Store;
  readonly keys: KeyPort;
  readonly madeKey: string | null;
  readonly keepKey: () => Promise<void>;
  readonly server: SipServer;
  readonly msrp: MsrpShell;
  readonly msrpAddress: MsrpAddress;
  /** The way in, once the driver stands, and what came through it. */
  readonly entry: {
    submit: (input: Input) => void;
    /** Of groups and users: straight to the core while the service starts, later as any other input. */
    define: (input: DefinitionInput) => void;
    closedNode: (left: readonly Interrupted[]) => void;
    messages: number;
  };
  /** Replies that this file itself waits for. */
  readonly replies: Map<string, () => void>;
};

const stopReply = 'http:stop';

async function layGround(parts: AppParts, closers: Closers): Promise<Ground> {
  const { config, log } = parts;
  const entry: Ground['entry'] = {
    submit: () => undefined,
    define: () => undefined,
    closedNode: () => undefined,
    messages: 0,
  };
  const store = await openStore({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    nodeId: config.nodeId,
    log: log.child({ part: 'store' }),
    clock: systemClock,
    onLost: parts.onLost,
    onNodeClosed: (node, left) => {
      log.warn({ node, conferences: left.length }, 'conferences of a dead node closed');
      entry.closedNode(left);
    },
  });
  closers.push(() => store.close());
  const first = await firstKey({ keys: store, given: config.apiKey, now: systemClock.now(), newId: randomIds.row });
  const sipAt = { ...config.sip, host: config.sip.hosts.join(', ') };
  const server = await bound('SIP', sipAt, () => sipServer({ config, log, onLost: parts.onLost }));
  closers.push(server.close);
  const msrp = new MsrpShell({
    ...config.msrp,
    privateTargets: config.privateTargets,
    submit: (input) => {
      if (input.type === 'messages-switched') entry.messages += input.count;
      entry.submit(input);
    },
    log: log.child({ part: 'msrp' }),
    clock: systemClock,
    ids: randomMsrpIds,
  });
  const msrpAddress = await bound('MSRP', config.msrp, () => msrp.listen());
  closers.push(() => msrp.close());
  return {
    store,
    keys: first.keys,
    madeKey: first.made,
    keepKey: first.keep,
    server,
    msrp,
    msrpAddress,
    entry,
    replies: new Map(),
  };
}

/** The driver's lines are the most, and nothing they name is a secret. */
const nothingSecret = { redact: [] };

type Joined = {
  readonly settings: Settings;
  readonly service: Service;
  readonly driver: Driver;
  readonly definitions: OurDefinitions;
  readonly sip: SipShell;
  readonly http: HttpShell;
  readonly listening: ListeningAddress[];
};

function joinShells(parts: AppParts, ground: Ground): Joined {
  const { config, log } = parts;
  const { store, server, msrp, msrpAddress, entry, replies } = ground;
  const settings = settingsOf(config, {
    node: store.nodeId,
    sipPort: server.sipPort,
    nonceSecret: randomBytes(32).toString('hex'),
    msrp: { ...msrpAddress, maxSize: config.msrp.maxSize, present: () => msrp.present() },
  });
  const service = new Service({ settings, ids: randomIds });
  const tokens = counter();
  const listening: ListeningAddress[] = [...server.addresses, ...msrpListening(msrpAddress)];
  const sip = new SipShell({
    server: server.control,
    ownDomains: config.domains,
    lenient: config.lenient,
    auth: config.auth,
    isTrustedPeer: addressTest(config.trustedPeers),
    sipCore: config.sipCore,
    challenge: { ...settings, algorithms: settings.digestAlgorithms },
    submit: (input) => entry.submit(input),
    clock: systemClock,
    ids: { reply: () => `sip:${tokens()}` },
    log: log.child({ part: 'sip' }),
  });
  const definitions = definitionsOf(store, {
    clock: systemClock,
    tell: (input) => entry.define(input),
    onError: (error) => log.warn({ err: error }, 'definitions of other processes not read'),
  });
  const tally = new Tally();
  const http = restShell({
    version: parts.version,
    settings,
    factoryUri: factoryUriOf(config, settings),
    store,
    keys: ground.keys,
    definitions,
    service,
    sip,
    msrp,
    submit: (input) => entry.submit(input),
    messages: () => entry.messages,
    addresses: listening,
    tally,
    readings: server.readings,
    newToken: () => String(tokens()),
    log: log.child({ part: 'http' }),
  });
  const driver = new Driver({
    service,
    clock: systemClock,
    store,
    sip,
    msrp,
    http: {
      reply: (to, outcome) => {
        const waiting = replies.get(to);
        if (waiting === undefined) http.reply(to, outcome);
        else waiting();
      },
    },
    observer: tally,
    log: log.child({ part: 'driver' }, nothingSecret),
  });
  entry.submit = driver.submit;
  entry.define = (input) => void service.handle(input, systemClock.now());
  entry.closedNode = (left) => void sip.endDialogs(dialogsOf(left));
  return { settings, service, driver, definitions, sip, http, listening };
}

/** What groups and users there are must be known before anybody calls. */
async function loadDefinitions(
  { store, entry }: Ground,
  { definitions, driver }: Pick<Joined, 'definitions' | 'driver'>,
  closers: Closers,
): Promise<void> {
  closers.push(definitions.close);
  await definitions.load();
  entry.define = driver.submit;
  if (store.shared) definitions.watch();
}

/** Ends what a former process of this node left running, in the store and towards its peers. */
async function takeOver({ log }: AppParts, live: { store: Store; sip: SipShell }, closers: Closers): Promise<void> {
  const { store, sip } = live;
  const left = await store.closeInterrupted(systemClock.now());
  await sip.connect();
  closers.push(() => sip.close());
  if (left.length === 0) return;
  log.warn({ conferences: left.length }, 'conferences of the last run closed as restarted');
  void sip.endDialogs(dialogsOf(left));
}

function settingsOf(
  config: Config,
  found: { node: string; sipPort: number; nonceSecret: string; msrp: Settings['msrp'] },
): Settings {
  const { hosts, publicHost } = config.sip;
  const domain = config.domains[0] ?? publicHost ?? hosts[0];
  // A DNS name finds its port by itself (RFC 3263); an address needs it said.
  const named = isIP(domain.replace(/^\[|\]$/g, '')) === 0;
  const own = [...config.domains, ...hosts, ...(publicHost === null ? [] : [publicHost])];
  return {
    node: found.node,
    lenient: config.lenient,
    auth: config.auth,
    factoryUser: config.factoryUser,
    ownHosts: new Set(own.map((host) => (isIP(host) === 6 ? `[${host}]` : host).toLowerCase())),
    conferenceAuthority: named || found.sipPort === 5060 ? domain : `${domain}:${found.sipPort}`,
    msrp: found.msrp,
    audio: config.audio,
    privateTargets: config.privateTargets,
    realm: domain,
    nonceSecret: found.nonceSecret,
    digestAlgorithms: config.digestAlgorithms,
    consent: config.consent,
    creationsPerMinute: config.creationsPerMinute,
    endPolicy: config.endPolicy,
    idleSeconds: config.idleSeconds,
    chat: config.chat,
    notifyMinIntervalMs: config.notifyMinInterval * 1_000,
    sessionExpires: config.sessionExpires,
    minSe: config.minSe,
  };
}

function factoryUriOf(config: Config, settings: Settings): string {
  return `sip:${config.factoryUser}@${settings.conferenceAuthority}`;
}

function dialogsOf(interrupted: readonly Interrupted[]): readonly LeftDialog[] {
  return interrupted.flatMap(({ endpointDialogIds, subscriptionDialogIds }) => [
    ...endpointDialogIds.map((dialogId) => ({ kind: 'session', dialogId }) as const),
    ...subscriptionDialogIds.map((dialogId) => ({ kind: 'subscription', dialogId }) as const),
  ]);
}

function counter(): () => number {
  let count = 0;
  return () => ++count;
}

/** Each transport of MSRP that is on. */
function msrpListening({ host, port, tlsPort, wsPort, wssPort }: MsrpAddress): readonly ListeningAddress[] {
  const ports = [
    ['tcp', port],
    ['tls', tlsPort],
    ['ws', wsPort],
    ['wss', wssPort],
  ] as const;
  return ports.flatMap(([transport, at]) => (at === null ? [] : [{ part: 'msrp', transport, host, port: at }]));
}

/** Waits until `condition` holds, looking every few milliseconds, at most `limitMs`. */
async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const end = systemClock.now() + limitMs;
  while (!condition() && systemClock.now() < end) {
    await new Promise<void>((resolve) => void setTimeout(resolve, 20));
  }
}

/** Closes every part, in reverse order of opening, also after one of them failed to; the first failure is told. */
async function closeAll(closers: Closers): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
