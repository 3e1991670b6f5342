/** State → event → next state. What is absent is illegal. */
export type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Partial<Readonly<Record<Event, State>>>>
>;

/** The state after `event`, or undefined when the table does not allow it. */
export function after<State extends string, Event extends string>(
  transitions: Transitions<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  return transitions[state][event];
}
