/**
 * The form of the transaction machines of RFC 3261 17. A table says for every state which events it knows, which state
 * follows and what is done on the way; what is absent is ignored by the machine. Tables know nothing of sockets or time.
 */

export type Step<State extends string, Action extends string> = {
  readonly to: State;
  readonly do: readonly Action[];
};

export type TransactionTable<State extends string, Event extends string, Action extends string> = {
  readonly initial: Step<State, Action>;
  readonly states: Readonly<Record<State, Readonly<Partial<Record<Event, Step<State, Action>>>>>>;
};

/** The same without its state names, for the code that runs any of the four. */
export type AnyTable<Event extends string, Action extends string> = {
  readonly initial: Step<string, Action>;
  readonly states: Readonly<Record<string, Readonly<Partial<Record<Event, Step<string, Action>>>>>>;
};

export type ClientEvent =
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timer-a'
  | 'timer-b'
  | 'timer-d'
  | 'timer-e'
  | 'timer-f'
  | 'timer-k'
  | 'timer-m'
  | 'transport-error'
  /** The transaction user gives up waiting for a final answer (RFC 3261 9.1: 64*T1 after CANCEL). */
  | 'abandoned';

export type ClientAction =
  | 'send-request'
  | 'send-ack'
  | 'deliver'
  | 'start-a'
  | 'start-b'
  | 'start-d'
  | 'start-e'
  | 'start-f'
  | 'start-k'
  | 'start-m'
  | 'stop-a'
  | 'stop-b'
  | 'stop-e'
  | 'stop-f'
  | 'report-timeout'
  | 'report-transport-error';

export type ServerEvent =
  /** The request has come again. */
  | 'request'
  | 'ack'
  /** The transaction user answers. */
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timer-g'
  | 'timer-h'
  | 'timer-i'
  | 'timer-j'
  | 'timer-l';

export type ServerAction =
  | 'send-response'
  | 'deliver-ack'
  | 'start-g'
  | 'start-h'
  | 'start-i'
  | 'start-j'
  | 'start-l'
  | 'stop-g'
  | 'stop-h';
