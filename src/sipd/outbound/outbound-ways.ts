/** What whoever connects to handlers and applications has in common: names as SIP looks them up, and whom it trusts. */

import type { LookupFunction } from 'node:net';
import type { KeptNames } from '../names/kept-names.ts';

export type OutboundWays = {
  readonly names: KeptNames;
  /** Authorities in place of the well-known ones; null: those. */
  readonly authorities: readonly Buffer[] | null;
  /** Whether a server must show a certificate for its name. */
  readonly verify: boolean;
};

/** Options of TLS connections. */
export function tlsOptions({ authorities, verify }: OutboundWays): { ca?: Buffer[]; rejectUnauthorized: boolean } {
  return { ...(authorities === null ? {} : { ca: [...authorities] }), rejectUnauthorized: verify };
}

/** Node's own way to look a name up for a connection, by the names that are kept. */
export function lookupThrough(names: KeptNames): LookupFunction {
  return (host, { all = false }, callback) => {
    const name = host.toLowerCase().replace(/\.$/, '');
    const questions = [{ kind: 'a', name } as const, { kind: 'aaaa', name } as const];
    void names.answers(questions).then((answers) => {
      const found = answers.flatMap((answer) => {
        if (!('addresses' in answer)) return [];
        return answer.addresses.map((address) => ({ address, family: answer.kind === 'a' ? 4 : 6 }));
      });
      const [first] = found;
      if (first === undefined) callback(new Error(`no address of ${host} was found`), []);
      else if (all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}
