import type { Place } from '../effect.ts';
import type { SessionTimerAsk, SipRequestFacts } from '../input.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import { knowsTimer } from './session-timer.ts';

/** Why a request is refused: the reason's code, the sentence for this case, and headers the status demands. */
export type Refused = {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stale?: boolean;
  readonly body?: { readonly contentId: string; readonly type: string; readonly text: string };
  readonly at?: Place;
};

const sdpType = 'application/sdp';
const conferenceInfoType = 'application/conference-info+xml';

/** Option tags of what is understood wherever it is asked for: RFC 3891, 3911, 4028, 4488, 5368, 4538, 3262. */
export const extensions: readonly string[] = [
  'replaces',
  'join',
  'timer',
  'norefersub',
  'multiple-refer',
  'tdialog',
  '100rel',
];

/** RFC 3261 8.2.2.3: of `options`, which a request requires, those that are understood nowhere here. */
export function extensionRefused(options: readonly string[]): Refused | null {
  const unknown = new Set(options.filter((option) => !extensions.includes(option.toLowerCase())));
  if (unknown.size === 0) return null;
  const names = [...unknown].join(', ');
  return { code: 'unknown-extension', detail: names, headers: { Unsupported: names } };
}

/** Why no INVITE or UPDATE like this can be answered with a session, whatever it offers. */
export function sessionRefused(
  asking: SipRequestFacts & { readonly sessionTimer: SessionTimerAsk },
  { minSe }: Pick<Settings, 'minSe'>,
): Refused | null {
  // RFC 3261 20.1: an Accept header without application/sdp leaves nothing to answer with.
  if (!accepts(asking, sdpType)) return { code: 'not-acceptable', detail: `Accept lacks ${sdpType}` };
  const { expires } = asking.sessionTimer;
  // RFC 4028 9: an interval that is too small is refused, with the least we take, to whoever can make sense of that.
  if (expires === null || expires >= minSe || !knowsTimer(asking)) return null;
  const headers = { 'Min-SE': String(minSe) };
  return { code: 'session-interval-too-small', detail: `At least ${minSe} seconds`, headers };
}

/** RFC 4575 3.4: Accept, when present, includes the package's type. */
export function conferenceInfoNotAcceptable(facts: SipRequestFacts): Refused | null {
  return accepts(facts, conferenceInfoType)
    ? null
    : { code: 'not-acceptable', detail: `Accept lacks ${conferenceInfoType}` };
}

function accepts(facts: SipRequestFacts, type: string): boolean {
  const range = `${type.slice(0, type.indexOf('/'))}/*`;
  return facts.accepts === null || facts.accepts.some((one) => one === type || one === range || one === '*/*');
}
