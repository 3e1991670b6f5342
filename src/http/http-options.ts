import type { FastifyBaseLogger } from 'fastify';
import type { GroupName } from '../core/definitions/group-definition.ts';
import type { CommandInput, Input, ReplyTo } from '../core/input.ts';
import type { Clock, DefinitionPort, KeyPort, ReadPort } from '../core/ports.ts';
import type { ConferencePolicy, GroupRow, Instant, UserRow } from '../core/rows.ts';

/** A SIP URI as the core takes it: read by the wire, through `parseUri`. */
export type CommandUri = Extract<CommandInput, { type: 'participant-requested' }>['uri'];

/** One socket the service listens on. */
export type ListeningAddress = {
  readonly part: 'http' | 'sip' | 'msrp';
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  readonly host: string;
  readonly port: number;
};

/** What this process is doing right now; `messages` counts since the start, the others are present numbers. */
export type StatsView = {
  readonly version: string;
  readonly node: string;
  readonly startedAt: Instant;
  readonly factoryUri: string;
  readonly addresses: readonly ListeningAddress[];
  readonly counts: {
    readonly conferences: number;
    readonly participants: number;
    readonly subscriptions: number;
    readonly msrpSessions: number;
    readonly messages: number;
  };
};

/** One thing the service cannot work without, by its name. `detail` is for a person. */
export type DependencyHealth = { readonly name: string; readonly ok: boolean; readonly detail: string };

/** A number another part wants to see in `/metrics`, or several told apart by labels; `read` is called at each scrape. */
export type Reading = {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
} & (
  | { readonly labels?: undefined; readonly read: () => number }
  /** Each value has all the labels, and no two the same. */
  | { readonly labels: readonly string[]; readonly read: () => readonly LabelledValue[] }
);

/** One of several numbers of the same name: the values of its labels by their names. */
export type LabelledValue = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** Everything the REST shell needs of the rest of the service. */
export type HttpOptions = {
  readonly reads: ReadPort;
  readonly keys: KeyPort;
  readonly groups: DefinitionPort<GroupRow>;
  readonly users: DefinitionPort<UserRow>;
  readonly submit: (input: Input) => void;
  /** The document a watcher would get now; undefined when the conference is not live here. */
  readonly conferenceInfo: (conferenceId: string) => Promise<string | undefined>;
  /** The version that is not saved with each NOTIFY; undefined when the subscription does not run here. */
  readonly lastVersionSent: (subscriptionId: string) => number | undefined;
  readonly stats: () => StatsView;
  readonly health: () => Promise<readonly DependencyHealth[]>;
  readonly stopping: () => boolean;
  /** Throws an error with a numeric `statusHint` when `text` is no URI we can dial. */
  readonly parseUri: (text: string) => CommandUri;
  /** The canonical address of record, as rows keep it. */
  readonly aorOf: (uri: CommandUri) => string;
  /** Whether it names the factory, a conference of ours or a group. */
  readonly isOurs: (uri: CommandUri) => boolean;
  /** The URI of a group from what an operator calls it, or why it cannot be one. */
  readonly groupUri: (text: string) => GroupName;
  /** What holds of a group that nothing else is said of. */
  readonly groupPolicy: ConferencePolicy;
  /** Why messages cannot come as such a policy wants, in one sentence; null: they can. */
  readonly policyRefused: (policy: Partial<ConferencePolicy>) => string | null;
  /** That of our digest challenges. */
  readonly realm: string;
  readonly readings: readonly Reading[];
  /** null: silent. */
  readonly log: FastifyBaseLogger | null;
  readonly ids: { readonly request: () => string; readonly reply: () => ReplyTo; readonly row: () => string };
  readonly clock: Clock;
};
