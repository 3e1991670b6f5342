/** What a crowd that chats is asked by the benchmark, and what it says. */

/** A member of a room: its own path, and the server's for it. */
export type Place = { readonly own: string; readonly peer: string };

/** To connect all these; the first of them is who speaks. Answered with `true` once all are in. */
export type Enter = {
  readonly ask: 'enter';
  readonly room: string;
  readonly places: readonly Place[];
  /** URI of who speaks, and of the room. */
  readonly from: string;
  readonly to: string;
  /** Octets of a line of chat; 300 when absent. */
  readonly textBytes?: number;
};

/** To send so many messages, so many of them under way at once; answered with `Flooded`. */
export type Flood = {
  readonly ask: 'flood';
  readonly room: string;
  readonly messages: number;
  readonly underWay: number;
};

/** To send so many messages at an even pace; answered with `Paced`. */
export type Pace = {
  readonly ask: 'pace';
  readonly room: string;
  readonly messages: number;
  readonly perSecond: number;
};

export type Flooded = {
  /** From the first message to the last receiver of the last one. */
  readonly milliseconds: number;
};

/** Milliseconds from a message to its last receiver, and those that all together took. */
export type Paced = {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly milliseconds: number;
};
