/**
 * Every bound of the core in one place, each with its reason. Lengths in octets, times in milliseconds unless named. A
 * clause says why there is a bound; unless it gives a number too, the number is our decision.
 */
export const limits = {
  /** RFC 5363 5.3: one list may not turn the focus into a flood. */
  listEntriesMax: 50,
  /** SIP bodies: room for a list of the longest kind beside its SDP. */
  bodyBytesMax: 64 * 1024,
  multipartPartsMax: 16,
  multipartDepthMax: 4,
  listDepthMax: 8,
  /** Elements of one resource list, foreign ones included, before it is refused. */
  listElementsMax: 2_000,
  /** RFC 5363 5.2: INVITEs under way at once for one conference, so that the focus amplifies no attack. */
  parallelInvitesMax: 20,
  /** The same towards one host. */
  parallelInvitesPerHostMax: 5,
  /** RFC 3261 8.1.1.6. */
  maxForwards: 70,
  conferencesMax: 10_000,
  /** Users whose creations and invitations are counted, the latest first to be kept: about 100 octets each. */
  ratedUsersMax: 10_000,
  /** RFC 5363 5.3: whom a user may ask in within a minute, for each conference that may be made in it. */
  invitationsPerCreation: 10,
  participantsPerConferenceMax: 1_000,
  /** Open at once: nobody has more devices in one conference. */
  endpointsPerParticipantMax: 10,
  /** Participants who left, kept by a running conference; the store keeps them all. */
  pastParticipantsMax: 200,
  /** INVITEs remembered per participant. */
  attemptsPerParticipantMax: 10,
  /** Names, subjects and reasons, in characters: a roster must fit, and so must an INVITE that carries them. */
  textCharactersMax: 200,
  /** RFC 5360 5.9: the URIs of a Permission-Missing; the answer must fit into a datagram of IP. */
  permissionMissingCharactersMax: 6_000,
  /** RFC 5318 4: what a refused list is told of who is behind it; the same. */
  refusedListBytesMax: 6_000,
  /** Methods that are kept because somebody asked for them. */
  methodCharactersMax: 32,
  /** URIs that enter a roster, and whatever else names a caller or a dialog. */
  uriCharactersMax: 1_000,
  /** Languages of one endpoint that rosters tell, the best first. */
  languagesMax: 5,
  /** RFC 5646 4.4.1: no tag need be longer. */
  languageCharactersMax: 35,
  /** RFC 7701 7.1. */
  nicknameBytesMax: 1_023,
  /** The same as rosters write it, where a quotation mark takes six octets. */
  nicknameRosterBytesMax: 2_000,
  /** How long a nickname that was given up is its user's alone. */
  nicknameKeptMs: 60_000,
  /** Nicknames of one user that are kept so. */
  nicknamesKeptMax: 5,
  /** NICKNAMEs of one session in a minute, and those of it that wait for the store: each may change the roster for all. */
  nicknamesPerMinuteMax: 20,
  /** Endpoints that are gone, kept per participant. */
  pastEndpointsMax: 5,
  subscriptionsPerConferenceMax: 2_000,
  /** REFERs under way at once in one conference. */
  referralsPerConferenceMax: 200,
  /** The same of one dialog, which one person's client is behind. */
  referralsPerDialogMax: 20,
  /** RFC 3515 2.4.4: the duration is ours to choose; longer than an invitee may ring. */
  referralExpiresDefault: 180,
  referralExpiresMax: 3_600,
  /** How long an invitee may ring before CANCEL: about what a caller waits for. */
  ringTimeoutMs: 60_000,
  /** Phones of one forked INVITE whose early dialogs are known. */
  earlyDialogsMax: 8,
  /** An INVITE that was cancelled must end by Timer B of the SIP server; after this it is given up. */
  cancelTimeoutMs: 40_000,
  /** RFC 3261 13.3.1.4: 64*T1. Whose ACK has not come by then has no session any more. */
  ackTimeoutMs: 32_000,
  /** RFC 4028 5: no session timer is shorter. */
  sessionSecondsMin: 90,
  /** Whoever wants fewer refreshes than one a day wants none. */
  sessionSecondsMax: 86_400,
  /** What invitees are told of each other; beside headers and description it must fit into a frame to a drachtio server. */
  historyBytesMax: 6_000,
  /** RFC 5318: members of refused lists are invited, and members of lists among them, and no further. */
  refusedListDepthMax: 2,
  /** RFC 4575 3.3. */
  subscriptionExpiresDefault: 3_600,
  subscriptionExpiresMin: 60,
  subscriptionExpiresMax: 86_400,
  /** Who left stays in the roster this long; more than the 5 s between two NOTIFYs that RFC 4575 3.9 recommends. */
  lingerMs: 30_000,
  /** How long an ended conference is held for what the switch tells of its last messages, which it does at once. */
  lateReportMs: 10_000,
  /** What an operator says at once, in characters: room beside it in a message of 64 KB for whatever encodes it. */
  noticeCharactersMax: 10_000,
  /** How long an ended conference's URI is answered 410 before it is 404. */
  endedMemoryMs: 300_000,
  endedMemoryMax: 1_000,
  /** RFC 3891 3: how long a Replaces or Join of a dialog that has ended is answered 603 before it is 481. */
  goneDialogMemoryMs: 300_000,
  goneDialogsMax: 10_000,
  /** drachtio takes no frame over 12,000 octets (docs/drachtio.md), and the headers of a NOTIFY stay under 1,500. */
  conferenceInfoBytesMax: 10_000,
  /** Of one that completes or changes what a subscriber knows: with its headers it fits into what that server reads at once. */
  partialInfoBytesMax: 4_000,
  /** Changes of users that are remembered for those who were told of others before; who was told of none is told all. */
  rosterStepsMax: 2_000,
  /** Whoever subscribes again may say what it was told before: subscriptions, and documents of each, that are remembered. */
  knownSubscribersMax: 2_000,
  knownDocumentsMax: 8,
  /**
   * A message of this length at most is passed on whole, a longer one in parts of this length while it still comes. With
   * its headers such a part passes Kamailio's relay, which takes 11,238 octets.
   */
  messagePartBytes: 10_500,
  /** What is held of a message: until its headers have come, or what is missing before it (twice what one read may bring). */
  messageWindowBytes: 128 * 1024,
  /** The header blocks of a message/cpim, without which nobody knows whom it is for. */
  messageHeaderBytesMax: 64 * 1024,
  /** Gaps in that, so that none is filled octet by octet. */
  messageGapsMax: 64,
  /** Messages of one session that have begun and not ended. */
  unfinishedMessagesMax: 16,
  /** RFC 7701 6.1: longer than the 30 s of a transaction, and minutes rather than seconds: clients may be interrupted. */
  chunkTimeoutMs: 540_000,
  /** Messages of one session, the latest first, whose further chunks are refused as the first was. */
  refusedMessagesMax: 64,
  /** Messages of one endpoint, the latest first, that are not switched again when they come again. */
  completedMessagesMax: 64,
  /** One socket costs about 7 KB; room for ten thousand participants and as many that come and go. */
  msrpConnectionsMax: 20_000,
  /** Of one address, connections that serve no session yet: many may be behind one address, not this many at once. */
  msrpUnboundPerAddressMax: 1_000,
  /** TLS, and the upgrade to WebSocket; the headers of that. */
  msrpHandshakeMs: 10_000,
  msrpUpgradeBytesMax: 8 * 1024,
  /** RFC 7977: one chunk of a message, all of which is held until it is whole. */
  msrpWebSocketMessageBytesMax: 1024 * 1024,
  /** A WebSocket that answers no ping for this long is closed. */
  msrpPingMs: 60_000,
  /** A relay of ours: how long an attempt to use it may take, when it is tried again, doubled up to a bound. */
  msrpRelayAnswerMs: 10_000,
  msrpRelayRetryMs: 5_000,
  msrpRelayRetryMaxMs: 60_000,
  /** Seconds, where it does not say how long its leave lasts. */
  msrpRelayExpiresDefault: 1_800,
  /** How often the files of a certificate are looked at. */
  certificateLookMs: 1_000,
  /** A connection that names no session of ours in this time serves nobody (RFC 4975 5.4 wants a SEND at once). */
  msrpBindTimeoutMs: 30_000,
  /** RFC 4975 7.1.1: 30 s for the response to our first SEND, connecting included. */
  msrpAnswerTimeoutMs: 30_000,
  /** What a relay has answered may fail until it has waited 30 s itself (RFC 4975 7.1.1), and told us. */
  msrpReportTimeoutMs: 35_000,
  /** How often it is looked for answers while there are some. */
  msrpAnswerCheckMs: 10_000,
  /** How long a peer that is to connect may take once both paths are known. */
  msrpConnectTimeoutMs: 60_000,
  /** What waits for one connection's peer to read; beyond it messages to that peer are dropped (RFC 7701 6.4). */
  msrpQueueBytesMax: 1024 * 1024,
  /** The part of that which large messages may take: more of them is not read while a receiver has as much before it. */
  msrpWindowBytes: 64 * 1024,
  /** What was read of it meanwhile and waits, well within the window in which its chunks are put together. */
  messageHeldBytesMax: 48 * 1024,
  /** How long one receiver may hold up a large message before it loses it. */
  msrpPatienceMs: 2_000,
  /** Octets a second. What a receiver is sent of it earns that patience back, as much as it takes at this pace. */
  msrpPaceBytes: 32 * 1024,
  /** Requests of one session that its peer has not answered; beyond it messages to that peer are dropped. */
  msrpUnansweredMax: 10_000,
  /** Files that one endpoint sends at once. */
  filesPerEndpointMax: 4,
  /** Media types kept per session because the peer refused them. */
  msrpRefusedTypesMax: 16,
  /** A peer that has not caught up this long after the first message was dropped is given up. */
  msrpStallMs: 30_000,
  /** Messages kept for a session that is not open yet, and messages of a sender who is not in the route yet. */
  msrpWaitingMessagesMax: 16,
  /** How long the latter wait: well under the 30 s after which their sender gives them up. */
  msrpEarlyMs: 10_000,
  /** How long a connection may take to flush when we close it. */
  msrpClosingMs: 5_000,
  /** Counts of switched messages reach the core in groups. */
  messagesSwitchedIntervalMs: 1_000,
  /** Messages whose fate is told in one such group; a larger group is told at once. */
  switchedMessagesMax: 500,
  /** Messages of one conference that wait for the store, which is away: more are counted, and nothing else is kept of them. */
  unsavedMessagesMax: 10_000,
  /** What is kept of a message: a longer text is a file rather than something said. */
  keptContentBytesMax: 10 * 1024,
  /** All that stand in the store are in memory, about 0.6 KB each; each process counts for itself what it knows of. */
  usersMax: 100_000,
  /** The same, about 0.2 KB for each member. */
  groupsMax: 10_000,
  /** Members of one group; its session dials them no faster than `parallelInvitesMax`. */
  groupMembersMax: 500,
  /** RFC 7616 3.3: how long a nonce may be used; a client that comes later is told to take a new one. */
  nonceLifetimeMs: 300_000,
  /** Nonces whose count is kept; beyond it the oldest are no longer taken. */
  noncesMax: 10_000,
  /** Keys of tables that strangers fill. */
  usernameCharactersMax: 255,
  /** Failed attempts to authenticate in a window: as one user from one address, and from one address in all. */
  failedAttemptsPerUserMax: 10,
  failedAttemptsPerSourceMax: 50,
  failedAttemptsWindowMs: 60_000,
  /** Users and addresses whose failures are counted; beyond it the oldest are forgotten. */
  failuresCountedMax: 10_000,
  attemptsMax: 10_000,
  receivedTextMax: 2_000,
  /** Of a request that was read without a quirk, and let in. */
  plainTextMax: 500,
} as const;
