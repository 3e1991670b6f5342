/** What happens in one episode, as plain data: it can be played again, shortened and printed. */
import type { SipdMode } from '../../../src/sipd/daemon-ways.ts';
import type { Chance } from './chance.ts';
import { garbage, mutate, splice } from './mutate.ts';

export type Step =
  /** A datagram of one of the peers. */
  | { readonly kind: 'datagram'; readonly peer: number; readonly text: string }
  /** What is read from one of the connections; it may be any piece of the stream. */
  | { readonly kind: 'chunk'; readonly connection: number; readonly text: string }
  | { readonly kind: 'hang-up'; readonly connection: number }
  /** A frame of an application, word for word. */
  | { readonly kind: 'frame'; readonly text: string }
  /** The application or a peer does something that depends on what has come before; chance is in `seed`. */
  | { readonly kind: 'app'; readonly seed: number }
  | { readonly kind: 'peer'; readonly seed: number }
  | { readonly kind: 'unreachable'; readonly peer: number }
  | { readonly kind: 'load'; readonly delayMs: number }
  | { readonly kind: 'time'; readonly ms: number };

export type Episode = {
  readonly mode: SipdMode;
  /** Whether the limits for single sources are on. */
  readonly bound: boolean;
  readonly steps: readonly Step[];
};

export const peerCount = 3;
export const connectionCount = 3;

const methods = [
  'INVITE',
  'INVITE',
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'INFO',
  'PRACK',
  'UPDATE',
  'REGISTER',
  'PUBLISH',
  'FROBNICATE',
] as const;

/** An episode of about so many messages. `known` are messages to begin from beside those made here. */
export function writeEpisode(chance: Chance, known: readonly string[]): Episode {
  const mode = chance.happens(60) ? 'free' : 'strict';
  const steps: Step[] = [];
  for (let count = 0; count < 50; count += 1) steps.push(...nextSteps(chance, known));
  return { mode, bound: chance.happens(30), steps };
}

function nextSteps(chance: Chance, known: readonly string[]): Step[] {
  const kind = chance.below(100);
  if (kind < 40) return [{ kind: 'datagram', peer: chance.below(peerCount), text: message(chance, known, 'UDP') }];
  if (kind < 55) return chunks(chance, known);
  if (kind < 72) return [{ kind: 'app', seed: chance.random32() }];
  if (kind < 85) return [{ kind: 'peer', seed: chance.random32() }];
  if (kind < 88) return [{ kind: 'frame', text: frame(chance) }];
  if (kind < 90) return [{ kind: 'hang-up', connection: chance.below(connectionCount) }];
  if (kind < 91) return [{ kind: 'unreachable', peer: chance.below(peerCount) }];
  if (kind < 92) return [{ kind: 'load', delayMs: chance.pick([0, 0, 500, 2_000]) }];
  return [{ kind: 'time', ms: chance.pick([1, 50, 250, 600, 2_000, 5_000, 33_000]) }];
}

function message(chance: Chance, known: readonly string[], transport: string): string {
  const valid = known.length > 0 && chance.happens(25) ? chance.pick(known) : plainRequest(chance, transport);
  if (chance.happens(30)) return valid;
  if (chance.happens(8)) return splice(valid, plainRequest(chance, transport), chance);
  return mutate(valid, chance);
}

/** A stream of one to three messages, cut at any octet. */
function chunks(chance: Chance, known: readonly string[]): Step[] {
  const connection = chance.below(connectionCount);
  let stream = '';
  for (let count = 1 + chance.below(3); count > 0; count -= 1) {
    stream += chance.happens(60) ? plainRequest(chance, 'TCP') : message(chance, known, 'TCP');
  }
  const steps: Step[] = [];
  while (stream !== '') {
    const length = chance.happens(50) ? stream.length : 1 + chance.below(stream.length);
    steps.push({ kind: 'chunk', connection, text: stream.slice(0, length) });
    stream = stream.slice(length);
  }
  return steps;
}

/** A request of a few callers with a few Call-IDs, so that many belong together. */
export function plainRequest(chance: Chance, transport: string): string {
  const method = chance.pick(methods);
  const call = chance.below(4);
  const cseq = 1 + chance.below(3);
  const body = chance.happens(30) ? 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n' : '';
  const toTag = chance.happens(10) ? ';tag=guess' : '';
  const host = `10.0.0.${1 + chance.below(peerCount)}`;
  const lines = [
    `${method} sip:focus@10.0.0.9 SIP/2.0`,
    `Via: SIP/2.0/${transport} ${host}:5060${chance.happens(50) ? ';rport' : ''};branch=z9hG4bK${chance.below(8)}`,
    'Max-Forwards: 70',
    `From: <sip:alice@example.com>;tag=a${call}`,
    `To: <sip:focus@example.com>${toTag}`,
    `Call-ID: c${call}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:alice@${host}:5060>`,
    ...(chance.happens(10) ? [`Record-Route: <sip:10.0.0.${1 + chance.below(peerCount)};lr>`] : []),
    ...(method === 'SUBSCRIBE' || method === 'NOTIFY' ? ['Event: conference'] : []),
    ...(method === 'NOTIFY' ? [`Subscription-State: ${chance.pick(['active', 'terminated'])}`] : []),
    ...(chance.happens(15) ? ['Supported: 100rel, timer'] : []),
    ...(chance.happens(5) ? ['Session-Expires: 1800;refresher=uac'] : []),
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function frame(chance: Chance): string {
  const good = chance.pick([
    'm|ping',
    'm|route|invite',
    'm|remove_route|options',
    'm|sip||\r\nOPTIONS sip:bob@10.0.0.1 SIP/2.0\r\n\r\n',
    'm|sip|none|\r\nSIP/2.0 200 OK\r\n\r\n',
    'm|sip||c0;from-tag=a0\r\nBYE sip:placeholder SIP/2.0\r\n\r\n',
    'm|sip|t|\r\nCANCEL sip:bob@10.0.0.1 SIP/2.0\r\n\r\n',
  ]);
  if (chance.happens(10)) return garbage(chance);
  return chance.happens(50) ? good : mutate(good, chance);
}
