/** Every bound of the core in one place, each with its reason. Lengths in octets, times in milliseconds unless named. */
export const limits = {
  /** Standards 7.2: one list may not turn the focus into a flood. */
  listEntriesMax: 50,
  /** Standards 7.2: SIP bodies. */
  bodyBytesMax: 64 * 1024,
  multipartPartsMax: 16,
  multipartDepthMax: 4,
  listDepthMax: 8,
  /** Elements of one resource list, foreign ones included, before it is refused. */
  listElementsMax: 2_000,
  /** Standards 7.2: INVITEs under way at once for one conference. */
  parallelInvitesMax: 20,
  /** The same towards one host. */
  parallelInvitesPerHostMax: 5,
  /** RFC 3261 8.1.1.6. */
  maxForwards: 70,
  conferencesMax: 10_000,
  participantsPerConferenceMax: 1_000,
  /** Endpoints that are gone, kept per participant. */
  pastEndpointsMax: 5,
  subscriptionsPerConferenceMax: 2_000,
  /** Standards 1.5: how long an invitee may ring before CANCEL. */
  ringTimeoutMs: 60_000,
  /** An INVITE that was cancelled must end by Timer B of the SIP server; after this it is given up. */
  cancelTimeoutMs: 40_000,
  /** RFC 4575 3.3. */
  subscriptionExpiresDefault: 3_600,
  subscriptionExpiresMin: 60,
  subscriptionExpiresMax: 86_400,
  /** Standards 3.4: who left stays in the roster this long. */
  lingerMs: 30_000,
  /** How long an ended conference's URI is answered 410 before it is 404. */
  endedMemoryMs: 300_000,
  endedMemoryMax: 1_000,
  /** drachtio-protocol 14.1: a control frame over 12,000 octets kills the connection; headers of a NOTIFY stay under 1,500. */
  conferenceInfoBytesMax: 10_000,
  /** Issue of this size: whole messages only. RFC 4975 leaves the bound to us. */
  messageBytesMax: 10 * 1024,
  attemptsMax: 10_000,
  receivedTextMax: 2_000,
} as const;
