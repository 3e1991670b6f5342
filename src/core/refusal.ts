/**
 * Every expected "no", once: its reason as a stable code, the status in either protocol, and the sentence a person reads.
 * The SIP shell answers `sip`, the REST shell `http`; `attempts` keeps the code.
 */
export type Refusal = { readonly sip: number; readonly http: number; readonly text: string; readonly warning?: number };

const table = {
  // Identity and permission.
  'unauthenticated': { sip: 401, http: 401, text: 'Authentication is needed' },
  'not-allowed': { sip: 403, http: 403, text: 'Not allowed' },
  'barred': { sip: 403, http: 403, text: 'This user is barred' },
  'too-many-attempts': { sip: 403, http: 403, text: 'Too many failed attempts to authenticate' },
  'not-a-chair': { sip: 403, http: 403, text: 'Only chairs may do this' },
  'not-a-member': { sip: 403, http: 403, text: 'Only members may do this' },
  'wrong-referrer': { sip: 403, http: 403, text: 'Referred-By names somebody else' },
  'consent-missing': { sip: 470, http: 409, text: 'Consent Needed' },
  'list-of-lists': { sip: 403, http: 409, text: 'A URI of the list is itself a list', warning: 399 },
  'not-a-participant': { sip: 403, http: 403, text: 'Only participants may do this' },
  'private-target': { sip: 403, http: 403, text: 'The target is a private or loopback address', warning: 399 },
  // What is asked for does not exist, or no longer.
  'no-such-conference': { sip: 404, http: 404, text: 'No such conference' },
  'no-such-identity': { sip: 404, http: 404, text: 'No such identity here' },
  'no-such-participant': { sip: 404, http: 404, text: 'No such participant' },
  'no-such-resource': { sip: 404, http: 404, text: 'No such resource' },
  'no-such-user': { sip: 404, http: 404, text: 'No such user' },
  'no-such-group': { sip: 404, http: 404, text: 'No such group' },
  'no-such-member': { sip: 404, http: 404, text: 'No such member' },
  'no-such-message': { sip: 404, http: 404, text: 'No such message' },
  'no-such-referral': { sip: 404, http: 404, text: 'No such referral' },
  'no-session': { sip: 480, http: 409, text: 'No session of this group is running' },
  'dialog-ended': { sip: 603, http: 409, text: 'The dialog has ended' },
  'dialog-confirmed': { sip: 486, http: 409, text: 'The dialog is no longer early' },
  'not-your-dialog': { sip: 403, http: 403, text: 'The dialog is somebody else’s' },
  'conference-ended': { sip: 410, http: 409, text: 'The conference has ended' },
  'participant-gone': { sip: 481, http: 409, text: 'The participant has already left' },
  'not-in-conference': { sip: 480, http: 409, text: 'The participant is not in the conference' },
  'other-node': { sip: 500, http: 409, text: 'The conference runs on another node' },
  'no-such-dialog': { sip: 481, http: 404, text: 'Call/Transaction Does Not Exist' },
  'request-overlaps': { sip: 500, http: 409, text: 'Another request is still to be answered' },
  'request-pending': { sip: 491, http: 409, text: 'Request Pending' },
  // The conference's state forbids it.
  'conference-locked': { sip: 403, http: 409, text: 'The conference is locked' },
  'conference-full': { sip: 486, http: 409, text: 'The conference is full' },
  'already-defined': { sip: 403, http: 409, text: 'It is already defined' },
  'changed-meanwhile': { sip: 500, http: 412, text: 'It has changed meanwhile' },
  'too-many-definitions': { sip: 500, http: 409, text: 'No more of them can be defined' },
  'already-joined': { sip: 403, http: 409, text: 'Already in the conference' },
  // The request itself.
  'bad-request': { sip: 400, http: 400, text: 'Bad request' },
  'headers-too-large': { sip: 400, http: 431, text: 'The header fields are too large' },
  'request-too-slow': { sip: 408, http: 408, text: 'The request did not come in time' },
  'validation-failed': { sip: 400, http: 400, text: 'The request does not fit its schema' },
  'bad-body': { sip: 400, http: 400, text: 'The body cannot be read', warning: 399 },
  'bad-list': { sip: 400, http: 400, text: 'The resource list cannot be read', warning: 399 },
  'bad-sdp': { sip: 400, http: 400, text: 'The session description cannot be read', warning: 399 },
  'list-missing': {
    sip: 400,
    http: 400,
    text: 'recipient-list-invite is required but no resource list came',
    warning: 399,
  },
  'list-too-long': { sip: 403, http: 403, text: 'The resource list is too long', warning: 399 },
  'unknown-extension': { sip: 420, http: 400, text: 'Bad Extension' },
  'body-too-large': { sip: 413, http: 413, text: 'The body is too large' },
  'uri-too-long': { sip: 414, http: 400, text: 'The URI is too long' },
  'unsupported-body': { sip: 415, http: 415, text: 'Unsupported media type' },
  'unsupported-encoding': { sip: 415, http: 415, text: 'Unsupported content encoding' },
  'unsupported-scheme': { sip: 416, http: 400, text: 'Unsupported URI scheme' },
  'not-acceptable': { sip: 406, http: 406, text: 'Not acceptable' },
  'media-not-acceptable': { sip: 488, http: 400, text: 'No usable MSRP session is offered', warning: 305 },
  'method-refused': { sip: 403, http: 400, text: 'A REFER may ask for INVITE, BYE or REFER only', warning: 399 },
  'method-not-allowed': { sip: 405, http: 405, text: 'Method not allowed' },
  'too-many-hops': { sip: 483, http: 400, text: 'Too Many Hops' },
  'loop': { sip: 482, http: 400, text: 'Loop detected' },
  // Event package.
  'bad-event': { sip: 489, http: 400, text: 'Bad Event' },
  'session-interval-too-small': { sip: 422, http: 400, text: 'Session Interval Too Small' },
  'interval-too-brief': { sip: 423, http: 400, text: 'Interval Too Brief' },
  // Ourselves.
  // RFC 3261 21.5.4: a 503 would have proxies send us nothing at all for a while, not even of others.
  'too-many-creations': { sip: 480, http: 429, text: 'Too many conferences in a minute', warning: 399 },
  'too-many-invitations': { sip: 480, http: 429, text: 'Too many invitations in a minute', warning: 399 },
  'busy': { sip: 503, http: 503, text: 'The service is busy' },
  'stopping': { sip: 503, http: 503, text: 'The service is stopping' },
  'store-failed': { sip: 500, http: 503, text: 'The state could not be saved' },
  'internal-error': { sip: 500, http: 500, text: 'Internal error' },
} as const satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof table;

/** The refusal named by `code`. Total: every code has one. */
export function refusal(code: RefusalCode): Refusal {
  return table[code];
}

/** Every code with its refusal, for documentation and tests. */
export const refusals: Readonly<Record<RefusalCode, Refusal>> = table;
