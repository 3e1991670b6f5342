/**
 * What the real drachtio server does otherwise than the standards want, one switch each: `free` has none of them,
 * `strict` all, so that whoever tests on sipd meets production. Seen on v0.9.10.
 */

/** Every switch with what it brings. */
export const daemonWays = {
  'control-ring':
    'frames of applications go through a ring of 12,228 octets; a longer one, or a burst, ends the connection',
  'line-limit': 'a message with a line over 8,192 octets is refused with 400, in its body too',
  'few-checks': 'of what RFC 4475 wants refused only the grossest is; the rest is handed up as it came',
  'compact-names': 'compact header names are handed up as they came',
  'drops-refer': 'a REFER outside a dialog gets no answer at all',
  'drops-unknown-methods': 'a method it does not know gets no answer, registered or not',
  'unwanted-503': 'a method no application asked for gets 503, though others are asked for',
  'trying-at-once': '100 Trying goes out at once, even before a refusal',
  'answers-to-source': 'an answer over UDP goes to the source port, whether rport was asked for or not',
  'stays-on-udp': 'a request over 1300 octets goes over UDP all the same',
  'slow-retransmission': 'the first retransmission of a request comes after 2*T1',
  'loses-final-after-18x': 'after an 18x to a re-INVITE its final answer is lost',
  'keeps-first-contact': 'a Contact changed by re-INVITE, UPDATE or SUBSCRIBE is not followed',
  'forgets-contact': 'a 200 to a re-INVITE or refresh without Contact gets the bare address, not the dialog’s Contact',
  'single-200-in-dialog': 'the 200 to a re-INVITE is not repeated, and a repeated one gets no second ACK',
  'ignores-forks': 'a 2xx of another branch gets the first ACK again, and no BYE',
  'nat-by-any-difference': 'over UDP any difference between Contact and source counts as NAT',
  'connections-by-user': 'a refresh over a stream makes all requests to that user@host go over its connection',
  'any-cseq': 'a lower CSeq in a dialog is not refused',
  'late-merge': 'a merged request is refused, with 480, only once its twin is accepted',
  'ends-with-500': 'requests still open when their dialog ends get 500',
  'overlapping-invites': 'a second re-INVITE while one is open is handed up like the first',
  'before-rfc-4320':
    'to what is no INVITE applications may answer 1xx, 408, and for 64 s; the server sends no 100 of its own',
  'raises-short-sessions': 'an INVITE that asks for a session of less than 90 s gets 90 s and no 422',
  'bare-session-expires':
    'Session-Expires is added only to the 200 that opens a call, never completed, and never with Require: timer',
  'session-to-the-end': 'a call its peer does not refresh is ended only when its session interval is over',
  'refreshes-by-invite': 'a session is refreshed by re-INVITE also where the peer takes UPDATE',
  'ends-unrefreshed': 'any refusal of a refresh but 491 ends the call at once',
  'closed-is-gone': 'a request whose connection closed gets a made-up 410',
  'deserted-requests': 'requests of an application that has gone are left alone',
  'bye-before-ack': 'a BYE of an application goes out before the ACK of its 200, too',
  'orphans-stay': 'a dialog whose application has gone is no other’s: 481 to all its requests, and nobody ends it',
  'late-cancel-481': 'a CANCEL after the 200 gets 481',
  'single-487': 'the 487 of a call cancelled before any answer of the application is sent once',
  'refuses-early-notify': 'a NOTIFY before the answer to its SUBSCRIBE gets 500, and so does the last one',
  'keeps-dead-subscriptions': 'a NOTIFY answered 481 or not at all leaves its subscription',
  'bye-ends-all': 'BYE ends the subscriptions of its dialog too',
  'believes-applications': 'Call-ID, CSeq, From and To of an answer are taken from the application',
  'ignores-final-timeout': 'the final timeout of a proxied request is read and not kept',
  'counts-routes-twice': 'a method registered twice counts twice; taking one back takes all back',
} as const;

export type DaemonWay = keyof typeof daemonWays;

/** Which of the daemon’s ways a server has. */
export type DaemonWays = ReadonlySet<DaemonWay>;

/** `free` behaves as the standards want; `strict` copies the real server. */
export type SipdMode = 'free' | 'strict';

const all: DaemonWays = new Set(Object.keys(daemonWays).filter(isDaemonWay));
const none: DaemonWays = new Set();

/** The ways of a mode. */
export function waysOf(mode: SipdMode): DaemonWays {
  return mode === 'strict' ? all : none;
}

/**
 * A mode with single ways added (`name`) or left out (`-name`), for whoever wants only some of them. Throws an error
 * whose message is one sentence, with all names there are.
 */
export function waysWith(mode: SipdMode, switches: readonly string[]): DaemonWays {
  const ways = new Set<DaemonWay>(waysOf(mode));
  for (const written of switches) {
    const name = written.replace(/^-/, '');
    if (!isDaemonWay(name)) {
      const names = Object.keys(daemonWays).join(', ');
      throw new Error(`SIPD_SWITCHES must be names, or names with a minus, of ${names}; "${written}" is none.`);
    }
    if (written === name) ways.add(name);
    else ways.delete(name);
  }
  return ways;
}

function isDaemonWay(name: string): name is DaemonWay {
  return Object.hasOwn(daemonWays, name);
}
