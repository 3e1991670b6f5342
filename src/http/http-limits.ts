/** Every bound of the REST shell in one place, each with its reason. Times in milliseconds. */
export const httpLimits = {
  /** The longest body is a group with all the members it may have, each with an address and a name of full length. */
  bodyBytesMax: 1024 * 1024,
  /** A slow sender may not hold a socket for ever. */
  requestTimeoutMs: 30_000,
  /** Commands waiting for the core's answer; more than this and the core is not keeping up. */
  waitingRepliesMax: 1_000,
  /** The core answers after one save: seconds mean trouble, and a client would rather know. */
  replyTimeoutMs: 10_000,
  pageRowsDefault: 50,
  pageRowsMax: 200,
  /** Faults named in one problem: enough to mend a request, too few to echo a hostile one. */
  faultsMax: 20,
  /** One part of a path: an address of 1,024 characters, percent-encoded. */
  pathPartCharsMax: 3 * 1024,
  requestIdCharsMax: 64,
  /** Verified keys remembered, and for how long: a burst of reads costs one look into the store. */
  keysRememberedMax: 100,
  keyMemoryMs: 5_000,
  /** An `API_KEY` given from outside may not be guessable. */
  givenKeyCharsMin: 24,
  /** A bearer token longer than this is none of ours and is not hashed. */
  keyCharsMax: 512,
} as const;
