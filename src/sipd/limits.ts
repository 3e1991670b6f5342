/** Every bound of sipd with its reason. Times in milliseconds, sizes in octets. */

export const limits = {
  /** Client and server transactions each; a server transaction lives 32 s after its answer. */
  transactionsMax: 500_000,
  dialogsMax: 200_000,
  /** Phones of one forked call that are kept apart: far more than ring at once for anybody. */
  forksMax: 32,
  /** How long dialogs wait, when their application has gone, for another that takes them over: a restart takes less. */
  orphanMs: 300_000,
  /** What a peer of such a dialog is told to wait, in seconds. */
  orphanRetryAfter: '5',
  /** Connections remembered by user@host (`connections-by-user`). */
  connectionsByUserMax: 10_000,
  /** Rounds of questions about names that are under way at once. */
  lookupsMax: 1_000,
  /** Targets of one request that are kept, and records of one answer that are read: more is nobody's honest DNS. */
  targetsMax: 16,
  /**
   * RFC 3263 4.3: further targets a request is sent to after the first. The last begins at most 64*T1 and `failoverMs`
   * after the first, so that no request lives longer than 128*T1 and this: about 74 s.
   */
  failoversMax: 5,
  failoverMs: 10_000,
  /** One question to DNS; with two servers that are silent this is one try each. */
  nameQuestionMs: 5_000,
  /** Names kept with what was found for them, and for how long: addresses by their TTL up to the first, the rest. */
  namesKeptMax: 10_000,
  addressTtlMaxMs: 3_600_000,
  recordTtlMaxMs: 60_000,
  nothingFoundMs: 5_000,
  /** Questions to the system's resolver at once: each holds one of the few threads of the process. */
  systemLookupsMax: 2,
  systemLookupsWaitingMax: 100,
  /** RFC 3261 18.1.1: a request longer than this does not go over UDP, the path's MTU not being known. */
  udpRequestBytesMax: 1_300,
  /** INVITEs given up whose 2xx would still be acknowledged. */
  lateAnswersMax: 10_000,
  /** Peers known to take no TCP, and for how long that is believed. */
  tcpRefusalsMax: 1_000,
  tcpRefusalMs: 300_000,
  /** Long ACKs on their way over TCP that would go over UDP if nobody is there; more are sent without that. */
  acksWatchedMax: 1_000,
  /** RFC 3261 18.1.1: an IPv4 datagram of 65,535 octets holds this much after its IP and UDP headers. */
  datagramBytesMax: 65_507,
  /** One message on a stream or a WebSocket, header and body. */
  streamMessageBytesMax: 1_048_576,
  /** Connections of all protocols. */
  streamConnectionsMax: 10_000,
  /** Connections from one source that is not trusted: an office behind one address has fewer. */
  streamConnectionsPerSourceMax: 1_000,
  /** A connection nothing was read from or written to for so long is closed. */
  streamIdleMs: 3_600_000,
  /** A message that has begun on a stream must be whole after this time. */
  streamPartialMs: 32_000,
  /** Until a connection we make is open, its handshake done. */
  streamConnectMs: 10_000,
  /** Until a connection that was let in has done its TLS handshake, and then its WebSocket upgrade. */
  tlsHandshakeMs: 10_000,
  upgradeMs: 10_000,
  /** The HTTP request that asks for a WebSocket. */
  upgradeHeaderBytesMax: 8_192,
  /** A WebSocket is pinged so often; one that has been silent since the last ping is dead. */
  webSocketPingMs: 30_000,
  /** Fragments of one WebSocket message, and reads that bring one frame: each costs far more memory than an octet. */
  webSocketFragmentsMax: 256,
  webSocketReadsMax: 4_096,
  /** TCP probes a silent connection after this time, so that one whose peer has vanished does not stay. */
  tcpKeepAliveMs: 45_000,
  /** What was written to a connection that we close must be gone after this time; at the end of the server sooner. */
  streamEndMs: 5_000,
  closeGraceMs: 200,
  /** The files of a certificate are looked at so often, when there are handshakes. */
  certificateLookMs: 1_000,
  /** What may wait in one connection's send queue before it counts as dead. */
  streamQueueBytesMax: 4_194_304,
  /** What all connections together keep of messages that are not whole, or not sent. */
  streamHeldBytesMax: 268_435_456,
  /** Connected UDP sockets kept to hear ICMP errors of those we send requests to, and how long an idle one is kept. */
  probesMax: 128,
  probeIdleMs: 5_000,
  socketBufferBytes: 4_194_304,
  controlSessionsMax: 64,
  controlLoginMs: 10_000,
  /** A control frame, one way; the daemon's own limit is far lower, see control/ring.ts. */
  controlFrameBytesMax: 2_097_152,
  /** What an application may leave unread before it is disconnected. */
  controlQueueBytesMax: 67_108_864,
  verbsPerSessionMax: 64,
  /** As many as drachtio-srf lets an application have. */
  tagsPerSessionMax: 20,
  /** Control connections that we make (`srf.listen`), besides those that come: drachtio has one for every request. */
  controlSessionsOutMax: 1_000,
  /** Until such a connection is made, and then until the application has logged in. */
  controlConnectMs: 5_000,
  /** Requests that wait for a request handler, or for the connection to their application. */
  heldRequestsMax: 1_000,
  /** A handler must have answered by then, as in the daemon; a caller hears nothing meanwhile. */
  handlerMs: 3_000,
  /** An answer to a usual request with all of it in its Contacts fits into a datagram. */
  handlerReplyBytesMax: 32_768,
  /** Connections to one handler; further questions wait for one within their time. */
  handlerConnectionsMax: 100,
  /** Letters of the reason a handler gives; more is no phrase. */
  handlerReasonMax: 200,
  /** A pending request the application has not answered at all (64 s, as the daemon). */
  silentApplicationMs: 64_000,
  /** RFC 3261 16.6 step 11: Timer C, more than three minutes; a ringing call that hears nothing new is given up. */
  timerCMs: 185_000,
  /** RFC 5393 5.3.3: branches of one request at once, here and further on. */
  proxyBreadthMax: 60,
  /** Branches of one request one after the other, with those that redirections lead to. */
  proxyTargetsMax: 100,
  /** Sides of calls we stay in whose Contact has been given anew, at some 200 octets each, two long names apart. */
  movedTargetsMax: 100_000,
  /** How long a target that wants credentials is remembered, as in the daemon; a caller sends them at once. */
  challengeMs: 2_000,
  /** RFC 3261 17.2.1: 100 must be sent unless the application answers within 200 ms. */
  tryingMs: 200,
  /** The daemon refuses a longer line with 400, in the body too (`line-limit`). */
  lineBytesMax: 8_192,
  /**
   * What one source that is not trusted may do. The rate is what a switch of a hundred busy extensions sends at its worst;
   * a caller needs four messages for a call. Open transactions: that rate for the 32 s they live, and half as much again.
   */
  protection: {
    requests: { perSecond: 200, burst: 1_000 },
    refusals: { perSecond: 10, burst: 50 },
    openTransactions: 10_000,
    unacknowledgedFinals: 200,
  },
  /** Addresses of sources remembered, at some 300 octets each. */
  sourceAddressesMax: 65_536,
  /** Between two lines of the log about messages of one kind that were refused. */
  complaintEveryMs: 10_000,
  /** RFC 3261 20.33. Spread, so that not all come back in one second. */
  retryAfterSeconds: { least: 5, spread: 11 },
  /** How often the load is measured, and from where to where the server counts as overloaded (`protection/load.ts`). */
  loadEveryMs: 250,
  /** The least delay of so many looks counts. */
  loadLooks: 4,
  load: {
    /** RFC 3261 17.1.1.2: by then each request has been asked for twice again, which makes more load. */
    delayMs: { high: 1_000, low: 200 },
    queuedBytes: { high: 8_388_608, low: 1_048_576 },
    pendingRequests: { high: 20_000, low: 10_000 },
    /** Of `transactionsMax`. */
    transactions: { high: 450_000, low: 400_000 },
  },
} as const;
