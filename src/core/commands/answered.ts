import type { Turn } from '../context.ts';
import type { Outcome } from '../effect.ts';
import type { ReplyTo } from '../input.ts';

/** The turn with its answer at the end: it tells what the turn came to. */
export function answered(turn: Turn, to: ReplyTo, outcome: Outcome): Turn {
  if (turn.mistake !== undefined) return turn;
  return { ...turn, effects: [...turn.effects, { type: 'reply', to, outcome }] };
}
