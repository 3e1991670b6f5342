/** Every bound of the SIP shell, each with its reason. Times in milliseconds, lengths in octets. */
import { limits } from '../core/limits.ts';

export const bounds = {
  /** Requests the core has not answered yet; beyond it the shell answers 503 by itself. */
  pendingRepliesMax: 2_000,
  /** RFC 3261 17.2: 64*T1. Later nobody waits for the answer any more. */
  replyTimeoutMs: 32_000,
  /** The SIP server makes up a 408 after 64*T1; when even that does not come, the request is given up. */
  requestTimeoutMs: 40_000,
  /** The SIP server hangs up 64*T1 after a 200 without ACK; when even that is not told, our own BYE waits no longer. */
  ackTimeoutMs: 40_000,
  /** Ringing and cancelling are the core's timers; this one runs out only when the SIP server never reports an end. */
  inviteTimeoutMs: limits.ringTimeoutMs + limits.cancelTimeoutMs + 20_000,
  /** Phones of one forked INVITE that are told of as they ring, and whose answers in reliable responses are kept until the 2xx. */
  earlyAnswersMax: limits.earlyDialogsMax,
  /** Dialogs without an owner that are being ended: a process may have left more than the gate would queue. */
  farewellsMax: 1_000,
  connectTimeoutMs: 10_000,
  /** The library's delay grows without limit by itself. */
  reconnectDelayMaxMs: 2_000,
  /** RFC 3261 20.33: how long a caller turned away with 503 should wait, in seconds. */
  retryAfterSeconds: 10,
  /** Text of Warning and Reason phrases. */
  phraseMax: 200,
  /** What stands around the SIP text in a control frame (ids, length), generously. */
  frameOverheadBytes: 150,
} as const;

/** What one control connection to a drachtio server may hold unconfirmed. */
export const pacingBounds = {
  /** Frames up to this length may follow each other freely. */
  smallBytesMax: 4_000,
  /** The server's ring holds 12,228 octets; a longer frame, or several large ones at once, kill the connection. */
  unconfirmedBytesMax: 12_000,
  unconfirmedFramesMax: 128,
  /** A server so far behind is given up. */
  queuedFramesMax: 10_000,
  /** A frame never confirmed is counted as read after this. */
  confirmationTimeoutMs: 10_000,
} as const;
