/** Chance, handed in: random identifiers for the core, and a pause. Tests hand in counters. */
export type Ids = {
  /** A key for rows: UUIDv7 in production. */
  readonly row: () => string;
  /** User part of a conference URI: at least 96 random bits (ours), since whoever knows the URI may try to join. */
  readonly conferenceUser: () => string;
  /** SIP tag, at least 32 random bits (RFC 3261 19.3). */
  readonly tag: () => string;
  readonly callId: () => string;
  /** MSRP session id: at least 80 random bits (RFC 4975 14.1). */
  readonly msrpSession: () => string;
  /** SDP o= session id: a number that fits 63 bits. */
  readonly sdpSession: () => string;
  /** Milliseconds between 491 and the next attempt: 0 to 2 s in steps of 10 ms (RFC 3261 14.1). */
  readonly glarePause: () => number;
  /** Seconds of a Retry-After: 0 to 10 (RFC 3261 14.2). */
  readonly retryAfter: () => number;
};
