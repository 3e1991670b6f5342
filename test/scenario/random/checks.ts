import { limits } from '../../../src/core/limits.ts';
import type {
  ConferenceRecord,
  ConferenceRow,
  DeliveryRow,
  EndpointRow,
  EndpointStatus,
  Instant,
  ParticipantRow,
} from '../../../src/core/rows.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { differencesOf } from '../../support/server-roster.ts';
import type { Outside } from './outside.ts';
import type { ShakyStore } from './shaky-store.ts';

/** What must hold whenever everything that has happened is known inside, saved, and told outside. */
export type Seen = {
  readonly store: ShakyStore;
  readonly outside: Outside;
  /** Ids of the timers that run. */
  readonly timers: ReadonlySet<string>;
  /** A running conference as the service has it. */
  readonly view: (conferenceId: string) => ConferenceRecord | undefined;
  /** Whoever was notified last by then has been told all (RFC 4575 3.9). */
  readonly toldBy: () => Instant;
};

const here: ReadonlySet<EndpointStatus> = new Set(['connected', 'on-hold', 'muted-via-focus']);
const invited: ReadonlySet<EndpointStatus> = new Set(['dialing-out', 'alerting']);
/** RFC 4575 leaves it open which endpoint speaks for its user; ours: the one that is in most. */
const strongest: readonly EndpointStatus[] = [
  'connected',
  'muted-via-focus',
  'on-hold',
  'alerting',
  'dialing-in',
  'dialing-out',
  'pending',
  'disconnecting',
  'disconnected',
];

/** What is wrong with one conference, inside and as its peers see it. */
export function faultsOf(row: ConferenceRow, seen: Seen): readonly string[] {
  const participants = seen.store.participantsOf(row.id);
  const faults = [
    ...countFaults(row, participants),
    ...participants.flatMap(participantFaults),
    ...participants.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpointFaults(row, endpoint, seen))),
    ...queueFaults(row, participants, seen),
    ...watcherFaults(row, seen),
    ...rosterFaults(row, seen),
    ...routeFaults(row, participants, seen),
    ...lingerFaults(row, participants, seen),
    ...(row.status === 'ended' ? endFaults(row, participants, seen) : []),
  ];
  return faults.map((fault) => `${row.id} ${row.status}: ${fault}`);
}

/** What is wrong beside single conferences: calls, sessions and timers that belong to nothing. */
export function strayFaults({ store, outside, timers }: Seen): readonly string[] {
  const statusOf = (endpointId: string): EndpointStatus | undefined => store.endpoints.get(endpointId)?.status;
  const calls = [...outside.calls.values()].flatMap(({ dialogId, endpointId, state, by, cancelled }) => {
    const status = statusOf(endpointId);
    if (state === 'talking' && (status === undefined || !here.has(status)))
      return [`the peer of ${dialogId} talks to nobody: ${endpointId} is ${status}`];
    const isWanted = status !== undefined && invited.has(status);
    return state === 'asked' && by === 'us' && !cancelled && !isWanted
      ? [`nobody waits for ${dialogId}: ${status}`]
      : [];
  });
  const sessions = [...outside.sessions.keys()].flatMap((endpointId) => {
    const status = statusOf(endpointId);
    return status === undefined || status === 'disconnected' ? [`the session of ${endpointId} is open: ${status}`] : [];
  });
  const stray = [...timers].flatMap((id) => (isWanted(id, store) ? [] : [`timer ${id} runs for nothing`]));
  const late = [...outside.requests.values()].filter(({ answers }) => answers === 0);
  const notices = [...store.messages.values()].filter(({ deliveries }) => deliveries.some(isPending));
  const unsaid = notices.filter(({ id }) => !outside.said.has(id)).map(({ id }) => `${id} is kept and was never said`);
  return [...calls, ...sessions, ...stray, ...unsaid, ...late.map(({ what }) => `${what} is not answered`)];
}

function isPending({ outcome }: DeliveryRow): boolean {
  return outcome === 'pending';
}

function isWanted(timer: string, store: ShakyStore): boolean {
  const [kind = '', conferenceId = '', item = ''] = timer.split(':');
  const conference = store.conferences.get(conferenceId);
  if (conference === undefined || conference.status === 'ended') return false;
  const status = store.endpoints.get(item)?.status;
  if (kind === 'ring') return status !== undefined && invited.has(status);
  if (kind === 'cancel') return status === 'disconnecting';
  if (kind === 'glare') return status !== undefined && here.has(status);
  if (kind === 'pace')
    return [...store.subscriptions.values()].some((row) => row.conferenceId === conferenceId && row.state === 'active');
  if (kind === 'expiry') return store.subscriptions.get(item)?.state === 'active';
  if (kind === 'referral') return store.referrals.get(item)?.state === 'trying';
  // Whoever has come back meanwhile is left alone.
  if (kind === 'linger') return store.participants.has(item);
  return kind === 'idle' && conference.participantCount === 0;
}

function countFaults(row: ConferenceRow, participants: readonly ParticipantRow[]): readonly string[] {
  const count = participants.filter(({ status }) => here.has(status)).length;
  const wrong = count === row.participantCount ? [] : [`counts ${row.participantCount} of ${count}`];
  return row.peakParticipants < row.participantCount ? [...wrong, 'the peak is below the count'] : wrong;
}

function participantFaults({ id, status, endpoints }: ParticipantRow): readonly string[] {
  const first = strongest.find((each) => endpoints.some((endpoint) => endpoint.status === each)) ?? 'disconnected';
  return first === status
    ? []
    : [`${id} is ${status}, its endpoints ${endpoints.map((each) => each.status).join(' ')}`];
}

function endpointFaults(row: ConferenceRow, endpoint: EndpointRow, { outside, timers }: Seen): readonly string[] {
  const { id, status, dialogId, media } = endpoint;
  const call = outside.calls.get(dialogId);
  const faults: string[] = [];
  const must = (holds: boolean, text: string): void => {
    if (!holds) faults.push(`${id} ${status}: ${text}`);
  };
  if (here.has(status)) {
    must(call?.state === 'talking' && call.endpointId === id, `its call is ${call?.state}`);
    const talks = media.some(({ type }) => type === 'message');
    must(!talks || outside.sessions.has(id), 'no message session');
  }
  if (invited.has(status)) {
    must(call?.state === 'asked' && !call.cancelled, `its INVITE is ${call?.state}`);
    must(outside.sessions.has(id), 'no message session');
    must(timers.has(`ring:${row.id}:${id}`), 'rings for ever');
  }
  if (status === 'disconnecting') {
    // After a failed save that was kept all the same it may never have been sent.
    const isKnown = row.endReason !== 'error' || call !== undefined;
    must(!isKnown || (call?.state === 'asked' && call.cancelled), `its INVITE is ${call?.state}, not cancelled`);
    must(timers.has(`cancel:${row.id}:${id}`), 'waits for ever');
  }
  return faults;
}

/** Whoever waits to be dialled waits for a place. */
function queueFaults(
  row: ConferenceRow,
  participants: readonly ParticipantRow[],
  { outside }: Seen,
): readonly string[] {
  const waiting = participants.flatMap(({ endpoints }) => endpoints.filter(({ status }) => status === 'pending'));
  if (waiting.length === 0) return [];
  const placed = new Set(
    outside.openInvites
      .filter(({ conferenceUri, rang, cancelled }) => conferenceUri === row.uri && !rang && !cancelled)
      .map(({ endpointId }) => endpointId),
  );
  if (placed.size >= limits.parallelInvitesMax) return [];
  const hosts = participants
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ id }) => placed.has(id))
    .map(hostOf);
  return waiting
    .filter((endpoint) => hosts.filter((host) => host === hostOf(endpoint)).length < limits.parallelInvitesPerHostMax)
    .map(({ id }) => `${id} waits though there is a place`);
}

function hostOf({ entity }: EndpointRow): string {
  return parseSipUri(entity).host;
}

function watcherFaults(row: ConferenceRow, { store, outside, timers }: Seen): readonly string[] {
  const subscriptions = [...store.subscriptions.values()].filter(({ conferenceId }) => conferenceId === row.id);
  const live = subscriptions.filter(({ state }) => state !== 'terminated');
  const told = [...outside.subscriptions.values()].filter(
    ({ conferenceUri, over }) => conferenceUri === row.uri && !over,
  );
  const trying = [...store.referrals.values()].filter(
    ({ conferenceId, state }) => conferenceId === row.id && state === 'trying',
  );
  const untold = [...outside.referrals.values()].filter(
    ({ id, over }) => !over && !trying.some((each) => each.id === id),
  );
  return [
    ...live
      .filter(({ id }) => outside.subscriptions.get(id)?.over !== false)
      .map(({ id }) => `nobody watches by ${id}`),
    ...live.filter(({ id }) => !timers.has(`expiry:${row.id}:${id}`)).map(({ id }) => `${id} never expires`),
    ...told.filter(({ id }) => !live.some((each) => each.id === id)).map(({ id }) => `${id} was never told of its end`),
    ...untold
      .filter(({ conferenceUri }) => conferenceUri === row.uri)
      .map(({ id }) => `the sender of ${id} was never told of its end`),
  ];
}

/** CC-115: whoever is owed nothing has put together the very roster that a full document would hold now. */
function rosterFaults(row: ConferenceRow, { store, outside, view, toldBy }: Seen): readonly string[] {
  const record = view(row.id);
  if (record === undefined) return [];
  return [...outside.subscriptions.values()].flatMap((known) => {
    const { id, name, subscriber, outstanding, waits, notifiedAt, over } = known;
    const subscription = store.subscriptions.get(id);
    const isOwed = outstanding > 0 || waits || over || notifiedAt > toldBy();
    if (isOwed || subscription?.conferenceId !== row.id || subscription.state !== 'active') return [];
    return differencesOf(subscriber, subscription, record).map((text) => `${name} has | the service has: ${text}`);
  });
}

/** Messages go to whoever is here and has a session. */
function routeFaults(
  row: ConferenceRow,
  participants: readonly ParticipantRow[],
  { outside }: Seen,
): readonly string[] {
  const routed = outside.routes.get(row.id);
  if (row.status !== 'active') return routed === undefined ? [] : ['messages are still switched'];
  const there = participants
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ status }) => here.has(status))
    .map(({ id }) => id)
    .filter((id) => outside.sessions.get(id)?.agreed === true && outside.sessions.get(id)?.lost === false);
  const isSame = there.sort().join(' ') === [...(routed ?? [])].sort().join(' ');
  return isSame ? [] : [`messages go to ${routed?.join(' ')}, not ${there.join(' ')}`];
}

function lingerFaults(
  row: ConferenceRow,
  participants: readonly ParticipantRow[],
  { timers }: Seen,
): readonly string[] {
  if (row.status !== 'active') return [];
  return participants
    .filter(({ status, inRoster }) => status === 'disconnected' && inRoster)
    .filter(({ id }) => !timers.has(`linger:${row.id}:${id}`))
    .map(({ id }) => `${id} stays in the roster for ever`);
}

function endFaults(row: ConferenceRow, participants: readonly ParticipantRow[], { store }: Seen): readonly string[] {
  const live = participants.flatMap(({ endpoints }) => endpoints.filter(({ status }) => status !== 'disconnected'));
  const ofIt = ({ conferenceId }: { conferenceId: string }): boolean => conferenceId === row.id;
  const watching = [...store.subscriptions.values()].filter((each) => ofIt(each) && each.state !== 'terminated');
  const trying = [...store.referrals.values()].filter((each) => ofIt(each) && each.state !== 'ended');
  return [
    ...live.map(({ id, status }) => `${id} is ${status}`),
    ...watching.map(({ id, state }) => `${id} is ${state}`),
    ...trying.map(({ id, state }) => `${id} is ${state}`),
  ];
}
