import type { Transitions } from '../transition.ts';

/**
 * Theory of operation. A caller who offered sound and was answered with silence is `due` until its ACK has come, and
 * is then asked to agree by a re-INVITE of ours. Each side may send one just then; both are refused with 491, and
 * ours is sent once more after a pause, unless the caller has agreed to silence by itself meanwhile. Whatever the end,
 * it is settled: nobody is asked again.
 */
export type SilenceState = 'due' | 'asking' | 'pausing' | 'due-again' | 'asking-again' | 'settled';

export type SilenceEvent = 'ask' | 'pend' | 'resume' | 'settle';

export const silenceTransitions: Transitions<SilenceState, SilenceEvent> = {
  due: { ask: 'asking', settle: 'settled' },
  asking: { pend: 'pausing', settle: 'settled' },
  pausing: { resume: 'due-again', settle: 'settled' },
  'due-again': { ask: 'asking-again', settle: 'settled' },
  // RFC 3261 14.1: it is attempted once more, so another 491 is like any other refusal.
  'asking-again': { pend: 'settled', settle: 'settled' },
  settled: {},
};
