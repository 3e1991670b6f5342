/** What the server counts from its start on: what it has refused, passed over and taken though it is odd. */

/** Each with its words for people. QK numbers are those of `docs/checks.md`. */
export const counters = {
  malformedRequests:
    'Requests refused because they cannot be read: no From (QK-14), indented headers (QK-21), blanks in the Request-URI (QK-34)',
  wrongLengths: 'Messages not taken because their Content-Length is none or says more than there is (QK-18)',
  cutMessages: 'Messages with more octets than their Content-Length says, which were not read (QK-18)',
  brokenStreams: 'Connections ended because nobody could tell where their next message began (QK-18)',
  ignoredMessages: 'Messages passed over that cannot be answered: no SIP, no Via, malformed responses and ACKs',
  strayResponses: 'Responses passed over because the branch of their Via is of no request (QK-12)',
  mismatchedResponses:
    'Responses passed over because their From, To, Call-ID or CSeq is not that of their request (QK-11)',
  repeatedRequests: 'Requests absorbed because one with the same branch had come before (QK-17)',
  mergedRequests: 'Requests refused because they had come by another way already',
  unknownDialogs: 'Requests refused with 481 because their tags name no call here (QK-13)',
  limitedRequests: 'Requests beyond the rate of their source, refused with 503',
  droppedMessages: 'Messages beyond the rate of their source, dropped',
  crowdedRequests: 'Requests of sources with too many open transactions, refused with 503',
  shedRequests: 'Requests refused with 503 because the server was overloaded',
  refusedConnections: 'Connections not taken because there were too many',
  cutConnections: 'Connections cut off because all together kept too much',
  replacedCalls: 'Calls ended because another began with their Call-ID and tag (QK-15)',
  bareFroms: 'Requests whose From has no angle brackets, which is legal (QK-37)',
  spacedReplaces: 'Requests whose Replaces has blanks around =, which is legal (QK-10)',
} as const;

export type CounterName = keyof typeof counters;

/** None ever goes back. */
export type CounterValues = Readonly<Record<CounterName, number>>;

const names = Object.keys(counters) as readonly CounterName[];
const places = new Map(names.map((name, place) => [name, place]));

/** The counters of one server, in memory that other threads can read while one counts. */
export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  /** `memory` is that of counters on another thread; without it they have their own. */
  constructor(memory = new SharedArrayBuffer(names.length * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new BigInt64Array(memory);
  }

  count(name: CounterName): void {
    Atomics.add(this.#cells, places.get(name) ?? 0, 1n);
  }

  values(): CounterValues {
    const values = names.map((name, place) => [name, Number(Atomics.load(this.#cells, place))]);
    return Object.fromEntries(values) as CounterValues;
  }
}
