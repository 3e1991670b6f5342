/** A caller, two who are called, and an application that has us forward. */
import type { DaemonWay, SipdMode } from '../../../src/sipd/daemon-ways.ts';
import type { OwnAddress } from '../../../src/sipd/own-addresses.ts';
import { headerLines, StackWorld, type WorldPeer, type WorldRequest } from '../stack-world.ts';

export const nothing = {
  clientTransactions: 0,
  serverTransactions: 0,
  dialogs: 0,
  pendingRequests: 0,
  calls: 0,
  unacknowledged: 0,
  lookups: 0,
  timers: 0,
};

export type Forwarding = {
  readonly transactionId?: string;
  readonly remainInDialog?: boolean;
  readonly fullResponse?: boolean;
  readonly followRedirects?: boolean;
  readonly parallel?: boolean;
  readonly provisional?: string;
  readonly final?: string;
  readonly headers?: readonly string[];
};

export type Scene = {
  readonly world: StackWorld;
  readonly alice: WorldPeer;
  readonly bob: WorldPeer;
  readonly carol: WorldPeer;
};

export const toBob = 'sip:10.0.0.2';
/** Where the phone in Bob’s answers is. */
export const toBobPhone = 'sip:bob@10.0.0.2:5060';
export const toCarol = 'sip:10.0.0.3';

/** UDP on port 5060, TLS on 5061. */
export const withTls: readonly OwnAddress[] = (['udp', 'tls'] as const).map((protocol, listener) => ({
  listener,
  protocol,
  family: 4,
  host: '10.0.0.9',
  port: 5060 + listener,
  bound: '10.0.0.9',
}));

export function scene(mode: SipdMode | readonly DaemonWay[] = 'free', sockets?: readonly OwnAddress[]): Scene {
  const world = new StackWorld(mode, sockets);
  const [alice, bob, carol] = [world.peer('alice'), world.peer('bob'), world.peer('carol')];
  world.application(1, 'invite', 'message', 'subscribe', 'register', 'options');
  return { world, alice, bob, carol };
}

/** The application has the latest request it got forwarded. */
export function forward(world: StackWorld, destinations: readonly string[], wish: Forwarding = {}): void {
  const tokens = [
    'proxy',
    wish.transactionId ?? world.lastEvent(1).transactionId,
    wish.remainInDialog === true ? 'remainInDialog' : '',
    wish.fullResponse === false ? '' : 'fullResponse',
    wish.followRedirects === true ? 'followRedirects' : '',
    wish.parallel === true ? 'simultaneous' : 'serial',
    wish.provisional ?? '',
    wish.final ?? '',
    ...destinations,
  ];
  const head = ['INVITE sip:ignored SIP/2.0', ...(wish.headers ?? []), '', ''].join('\r\n');
  world.say(1, `${tokens.join('|')}\r\n${head}`);
}

/** Alice asks, and the application has it forwarded: the text she sent. */
export function asked(
  { world, alice }: Scene,
  destinations: readonly string[],
  wish: Forwarding & { readonly method?: string; readonly request?: WorldRequest } = {},
): string {
  const text = world.asks(alice, wish.method ?? 'INVITE', wish.request ?? {});
  forward(world, destinations, wish);
  return text;
}

/** The latest request a peer got of that method. */
export function got(world: StackWorld, peer: WorldPeer, method: string): string {
  const found = world.sent.findLast(({ to, text }) => to === peer.name && text.startsWith(`${method} `));
  if (found === undefined) throw new Error(`${peer.name} got no ${method}\n${world.ladder.join('\n')}`);
  return found.text;
}

/** The latest answer a peer got. */
export function answered(world: StackWorld, peer: WorldPeer): string {
  const found = world.sent.findLast(({ to, text }) => to === peer.name && text.startsWith('SIP/2.0 '));
  if (found === undefined) throw new Error(`${peer.name} got no answer\n${world.ladder.join('\n')}`);
  return found.text;
}

/** Values of the headers of that name. */
export function values(text: string, name: string): string[] {
  return headerLines(text, name).map((line) => line.slice(line.indexOf(':') + 1).trim());
}

export function statusOf(text: string): number {
  return Number(text.split(' ')[1]);
}

/** A request of a peer that follows the Record-Routes it knows. */
export function inCall(
  from: WorldPeer,
  method: string,
  fields: {
    readonly uri: string;
    readonly routes: readonly string[];
    readonly fromTag?: string;
    readonly toTag?: string;
    readonly cseq?: number;
    readonly branch?: string;
    readonly callId?: string;
    readonly more?: readonly string[];
  },
): string {
  const { uri, routes, fromTag = from.name, toTag = 'bob', cseq = 2, callId = 'call-alice' } = fields;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from.at.host}:${from.at.port};branch=${fields.branch ?? `z9hG4bK-${method}-${cseq}`}`,
    ...routes.map((route) => `Route: ${route}`),
    `From: <sip:${from.name}@example.com>;tag=${fromTag}`,
    `To: <sip:focus@example.com>;tag=${toTag}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:${from.name}@${from.at.host}:${from.at.port}>`,
    'Max-Forwards: 70',
    ...(fields.more ?? []),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Route headers of the two sides of a call. */
export type Ways = { readonly ofAlice: readonly string[]; readonly ofBob: readonly string[] };

/** A call from Alice to Bob with us on its way. */
export function bothWays(stage: Scene): Ways {
  const { world, alice, bob } = stage;
  asked(stage, [toBob], { remainInDialog: true });
  const invite = got(world, bob, 'INVITE');
  world.answers(bob, invite, '200 OK');
  // RFC 3261 12.1.2: the caller has them the other way round.
  const ofAlice = values(answered(world, alice), 'Record-Route').toReversed();
  return { ofAlice, ofBob: values(invite, 'Record-Route') };
}
