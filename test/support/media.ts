import { randomBytes } from 'node:crypto';
import { msrpSdp } from './bodies.ts';

/** Where a user agent's session descriptions come from; `ChatMedia` makes real sessions of them. */
export type Media = {
  readonly offer: () => string;
  readonly answer: (offer: string) => string;
  /** The peer's description is known: the session may begin. */
  readonly begin: (remote: string, role: 'offerer' | 'answerer') => void;
};

/** Session descriptions only, for tests about signalling: the MSRP connection is promised and never made. */
export function silentMedia(user: string): Media {
  const path = `msrp://127.0.0.1:9/${randomBytes(8).toString('hex')};tcp`;
  return {
    offer: () => msrpSdp({ user, path, port: 9, setup: 'actpass' }),
    answer: () => msrpSdp({ user, path, port: 9, setup: 'active' }),
    begin: () => {},
  };
}
