import { systemClock } from './clock.ts';
import { chatRefused } from './core/chat-policy.ts';
import { wholeRoster } from './core/conference/roster-documents.ts';
import { groupPolicy, groupUri } from './core/definitions/group-definition.ts';
import type { Input } from './core/input.ts';
import type { KeyPort } from './core/ports.ts';
import type { Service } from './core/service.ts';
import type { Settings } from './core/settings.ts';
import { type Count, sumOf, type Tally } from './core/tally.ts';
import type { OurDefinitions } from './definitions.ts';
import type { DependencyHealth, ListeningAddress, Reading } from './http/http-options.ts';
import { buildHttp, type HttpShell } from './http/http-server.ts';
import { randomIds } from './ids.ts';
import type { Logger } from './log.ts';
import type { MsrpShell } from './msrp/msrp-shell.ts';
import type { SipShell } from './sip/sip-shell.ts';
import type { Store } from './store/store.ts';
import { aorOf, parseSipUri } from './wire/sip-uri.ts';

export type RestParts = {
  readonly version: string;
  readonly settings: Settings;
  readonly factoryUri: string;
  readonly store: Store;
  readonly keys: KeyPort;
  readonly definitions: OurDefinitions;
  readonly service: Service;
  readonly sip: SipShell;
  readonly msrp: MsrpShell;
  readonly submit: (input: Input) => void;
  /** Messages switched since the start. */
  readonly messages: () => number;
  /** Grows while the service starts. */
  readonly addresses: readonly ListeningAddress[];
  readonly tally: Tally;
  /** What others count. */
  readonly readings: readonly Reading[];
  readonly newToken: () => string;
  readonly log: Logger;
};

/** The REST shell between the parts it shows and asks. */
export function restShell(parts: RestParts): HttpShell {
  const { settings, store, definitions, service, newToken } = parts;
  const startedAt = systemClock.now();
  return buildHttp({
    reads: store,
    keys: parts.keys,
    groups: definitions.groups,
    users: definitions.users,
    submit: parts.submit,
    conferenceInfo: (id) => watcherDocument(store, id),
    lastVersionSent: (id) => service.lastVersionSent(id),
    stats: () => {
      const { sessions: msrpSessions } = parts.msrp.counts();
      return {
        version: parts.version,
        node: store.nodeId,
        startedAt,
        factoryUri: parts.factoryUri,
        addresses: parts.addresses,
        counts: { ...service.counts, msrpSessions, messages: parts.messages() },
      };
    },
    health: () => dependencies(parts),
    stopping: () => service.stopping,
    parseUri: parseSipUri,
    aorOf,
    isOurs: (uri) => service.isOurs(uri, systemClock.now()),
    groupUri: (text) => groupUri(text, settings),
    groupPolicy: groupPolicy(settings),
    policyRefused: (policy) => chatRefused(policy, settings),
    realm: settings.realm,
    readings: [...parts.readings, ...tallied(parts.tally, parts.msrp), ...connected(parts)],
    log: parts.log,
    ids: { request: randomIds.row, reply: () => `http:${newToken()}`, row: randomIds.row },
    clock: systemClock,
  });
}

/** The tally as `/metrics` shows it. */
function tallied(tally: Tally, msrp: MsrpShell): readonly Reading[] {
  const counter = (name: string, help: string, of: { count: Pick<Count, 'entries'>; label: string }): Reading => ({
    kind: 'counter',
    name: `isfocus_${name}_total`,
    help,
    labels: [of.label],
    read: () => of.count.entries.map(([word, value]) => ({ labels: { [of.label]: word }, value })),
  });
  return [
    counter('events', 'What happened in conferences', { count: tally.events, label: 'type' }),
    counter('dial_attempts', 'Final answers to INVITEs of ours', { count: tally.dialAttempts, label: 'status' }),
    counter('refusals', 'Refused requests: of SIP, and of REST about conferences', {
      count: tally.refusals,
      label: 'code',
    }),
    counter('nicknames_refused', 'NICKNAMEs that were refused', {
      // Some do not reach the core.
      count: sumOf(tally.nicknamesRefused, msrp.nicknamesTurnedAway),
      label: 'status',
    }),
    counter('quirks', 'Mistakes of peers that were accepted', { count: tally.quirks, label: 'quirk' }),
    { kind: 'counter', name: 'isfocus_referrals_total', help: 'Accepted REFERs', read: () => tally.referrals },
    {
      kind: 'counter',
      name: 'isfocus_messages_lost_total',
      help: 'Copies of messages that receivers lost',
      read: () => tally.messagesLost,
    },
  ];
}

function connected({ sip, msrp }: Pick<RestParts, 'sip' | 'msrp'>): readonly Reading[] {
  const gauge = (name: string, help: string, count: 'connections' | 'waitingBytesMost'): Reading => ({
    kind: 'gauge',
    name: `isfocus_msrp_${name}`,
    help,
    read: () => msrp.counts()[count],
  });
  return [
    gauge('connections', 'Open MSRP connections', 'connections'),
    {
      kind: 'gauge',
      name: 'isfocus_sip_dialogs',
      help: 'Open SIP dialogs: sessions, subscriptions and referrals of one dialog are one',
      read: () => sip.counts.dialogs,
    },
    gauge('waiting_bytes_most', 'Most octets that waited for one peer to read, since the start', 'waitingBytesMost'),
  ];
}

/** All that a chair who watches a running conference is told. */
async function watcherDocument(store: Store, conferenceId: string): Promise<string | undefined> {
  const record = await store.record(conferenceId);
  return record === undefined || record.conference.status === 'ended' ? undefined : wholeRoster(record);
}

async function dependencies({
  store,
  sip,
  msrp,
  log,
}: Pick<RestParts, 'store' | 'sip' | 'msrp' | 'log'>): Promise<readonly DependencyHealth[]> {
  const database = await store.ping().then(
    () => ({ name: 'database', ok: true, detail: 'answers' }),
    (error: unknown) => {
      // Probes need no key, hence the error's own words go to the log only.
      log.warn({ err: error }, 'database does not answer');
      return { name: 'database', ok: false, detail: 'does not answer' };
    },
  );
  const detail = sip.connected ? 'connected' : 'not connected';
  const relay = msrp.relayHealth();
  const relays = relay === null ? [] : [{ name: 'msrp-relay', ...relay }];
  return [database, { name: 'sip-server', ok: sip.connected, detail }, ...relays];
}
