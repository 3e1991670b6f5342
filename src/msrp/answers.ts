/** What chunks are answered, in our words. */

import type { Answer } from './connection.ts';

export const answers = {
  ok: { status: 200, comment: 'OK' },
  unreadable: { status: 400, comment: 'The message/cpim cannot be read' },
  wrongLength: { status: 400, comment: 'The Byte-Range does not fit the length' },
  notInConference: { status: 403, comment: 'Not in the conference' },
  tooMany: { status: 413, comment: 'Too many messages are unfinished' },
  tooSlow: { status: 413, comment: 'Too long between two chunks' },
  wrongType: { status: 415, comment: 'Only message/cpim is taken here' },
  noSession: { status: 481, comment: 'No such session' },
  otherConnection: { status: 506, comment: 'The session has another connection' },
} as const satisfies Readonly<Record<string, Answer>>;
