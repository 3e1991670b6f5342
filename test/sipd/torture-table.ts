/**
 * What becomes of the 49 messages of RFC 4475, over both transports and in both modes, and the user agent that judges
 * what the server leaves to it.
 */

import type { SipdMode } from '../../src/sipd/daemon-ways.ts';

export type TortureTransport = 'udp' | 'tcp';

/**
 * `400`: the server's answer. `app 404`: the application's. `discarded`: nothing. `waits`: the stream waits for the rest.
 * `closes`: the server closes the connection. Several in order are joined by commas.
 */
export type TortureRow = {
  readonly name: string;
  readonly udp: string;
  readonly tcp: string;
  /** As the real server does. */
  readonly strictUdp: string;
  readonly strictTcp: string;
};

/** The verdict of the row in a mode, over a transport. */
export function tortureVerdict(row: TortureRow, mode: SipdMode, transport: TortureTransport): string {
  if (mode === 'free') return transport === 'udp' ? row.udp : row.tcp;
  return transport === 'udp' ? row.strictUdp : row.strictTcp;
}

function row(name: string, verdict: string, others: Partial<TortureRow> = {}): TortureRow {
  const { tcp = verdict, strictUdp = verdict } = others;
  return { name, udp: verdict, tcp, strictUdp, strictTcp: others.strictTcp ?? others.tcp ?? strictUdp };
}

/** The real server hands it up (an INVITE after 100), and over a stream too. */
function handedUp(name: string, verdict: string, strict: string): TortureRow {
  return row(name, verdict, { strictUdp: strict, tcp: verdict, strictTcp: strict });
}

/** An INVITE for the application; the real server says 100 at once. */
function invite(name: string, verdict: string, others: Partial<TortureRow> = {}): TortureRow {
  return { ...handedUp(name, verdict, `100, ${verdict}`), ...others };
}

/** In the order of the RFC, 3.1.1 to 3.4. */
export const tortureRows: readonly TortureRow[] = [
  // A To tag of a dialog nobody has.
  handedUp('wsinv', '481', '100, 481'),
  // The real server does not answer a method it does not know.
  handedUp('intmeth', '501', 'discarded'),
  invite('esc01', 'app 404'),
  row('escnull', 'app 405'),
  handedUp('esc02', '501', 'discarded'),
  row('lwsdisp', 'app 200'),
  invite('longreq', 'app 404'),
  // Over a stream the second request is one of its own, and the text behind it is none.
  row('dblreq', 'app 405', {
    tcp: 'app 405, app 404, closes',
    strictUdp: 'app 405',
    strictTcp: 'app 405, 100, app 404, closes',
  }),
  row('semiuri', 'app 200'),
  row('transports', 'app 200'),
  row('mpart01', 'app 200'),
  // Both belong to no transaction here; what is accepted of them is tested with one.
  row('unreason', 'discarded'),
  row('noreason', 'discarded'),
  row('badinv01', '400'),
  row('clerr', '400', { tcp: 'waits', strictUdp: '400', strictTcp: 'waits' }),
  row('ncl', '400', { tcp: '400, closes', strictUdp: '400', strictTcp: '400, closes' }),
  row('scalar02', '400'),
  row('scalarlg', 'discarded'),
  row('quotbal', '400'),
  handedUp('ltgtruri', '400', '100, app 404'),
  row('lwsruri', '400'),
  row('lwsstart', '400'),
  row('trws', '400'),
  handedUp('escruri', '400', '100, app 404'),
  invite('baddate', 'app 404'),
  handedUp('regbadct', '400', 'app 405'),
  row('badaspec', 'app 200'),
  // The file has no blank line, which a datagram does not need.
  row('baddn', 'app 200', { tcp: 'waits', strictUdp: 'app 200', strictTcp: 'waits' }),
  row('badvers', '505'),
  row('mismatch01', '400'),
  handedUp('mismatch02', '501', '400'),
  row('bigcode', 'discarded'),
  // RFC 3261 17.2.3: matched as a request of RFC 2543.
  row('badbranch', 'app 200'),
  row('insuf', '400'),
  handedUp('unkscm', '416', 'app 200'),
  handedUp('novelsc', '416', 'app 200'),
  row('unksm2', 'app 405'),
  row('bext01', 'app 420'),
  invite('invut', 'app 415'),
  row('regaut01', 'app 405'),
  handedUp('multi01', '400', '100, app 404'),
  row('mcl01', '400', { tcp: '400, closes', strictUdp: 'app 200', strictTcp: '400, closes' }),
  row('bcast', 'discarded'),
  row('zeromf', 'app 200'),
  row('cparam01', 'app 405'),
  row('cparam02', 'app 405'),
  row('regescrt', 'app 405'),
  invite('sdp01', 'app 406'),
  // Without Content-Length a stream has no end of the message.
  invite('inv2543', 'app 404', { tcp: '400, closes', strictTcp: '400, closes' }),
];

/** Every method an application can ask for by name. */
export const everyVerb = [
  'invite',
  'options',
  'register',
  'message',
  'info',
  'notify',
  'subscribe',
  'publish',
  'refer',
  'update',
  'bye',
  'prack',
] as const;

export type Judgement = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** A user agent that knows nobody, is no registrar, has no extensions and speaks only SDP (RFC 3261 8.2). */
export function judge(method: string, header: (name: string) => string | undefined): Judgement {
  if (method === 'REGISTER') return { status: 405, headers: { Allow: 'INVITE, OPTIONS, MESSAGE' } };
  const required = header('require');
  if (required !== undefined) return { status: 420, headers: { Unsupported: required } };
  if (method !== 'INVITE') return { status: 200, headers: {} };
  const type = header('content-type');
  if (type !== undefined && !type.startsWith('application/sdp')) {
    return { status: 415, headers: { Accept: 'application/sdp' } };
  }
  if (header('accept')?.includes('application/sdp') === false) {
    return { status: 406, headers: { Warning: '399 example.com "the answer would be SDP"' } };
  }
  return { status: 404, headers: {} };
}
