/**
 * Names by Node’s resolver, which asks DNS itself and gives TTLs; the system's own lookup, which knows the hosts file, for
 * names without dots and for those DNS does not have.
 */

import { lookup, Resolver } from 'node:dns/promises';
import { limits } from '../limits.ts';
import type { Found, Names } from './names.ts';

// One DNS server that is silent is asked twice, after 1.2 and 2.4 s, which leaves the hosts file some of `nameQuestionMs`.
const patience = { timeout: 1_200, tries: 2 };

/** `nameServers` are addresses, with a port or without; null: those of the system. Throws on what is no address. */
export function systemNames(nameServers: readonly string[] | null): Names {
  const resolver = new Resolver(patience);
  if (nameServers !== null) resolver.setServers(nameServers);
  const system = new SystemLookups();
  return {
    a: (name) => addresses(name, { system, family: 4, ask: () => resolver.resolve4(name, { ttl: true }) }),
    aaaa: (name) => addresses(name, { system, family: 6, ask: () => resolver.resolve6(name, { ttl: true }) }),
    srv: async (name) => {
      const records = await resolver.resolveSrv(name);
      return {
        records: records.map(({ priority, weight, port, name: target }) => ({
          priority,
          weight,
          port,
          target: plainName(target),
        })),
        ttlMs: null,
      };
    },
    naptr: async (name) => {
      const records = await resolver.resolveNaptr(name);
      return {
        records: records.map((record) => ({ ...record, replacement: plainName(record.replacement) })),
        ttlMs: null,
      };
    },
    close: () => resolver.cancel(),
  };
}

type AddressQuestion = {
  readonly system: SystemLookups;
  readonly family: 4 | 6;
  readonly ask: () => Promise<readonly { readonly address: string; readonly ttl: number }[]>;
};

async function addresses(name: string, { system, family, ask }: AddressQuestion): Promise<Found<string>> {
  if (name.includes('.')) {
    try {
      const records = await ask();
      return {
        records: records.map(({ address }) => address),
        ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1_000,
      };
    } catch (error) {
      // The name exists, without an address of this family: the hosts file is for names that DNS does not know.
      if (error instanceof Error && 'code' in error && error.code === 'ENODATA') return { records: [], ttlMs: null };
    }
  }
  return { records: await system.addresses(name, family), ttlMs: null };
}

/** The system's lookup, of which each holds a thread while it waits. */
class SystemLookups {
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  /** Empty when there is nothing, or too many wait. */
  async addresses(name: string, family: 4 | 6): Promise<readonly string[]> {
    while (this.#active >= limits.systemLookupsMax) {
      if (this.#waiting.length >= limits.systemLookupsWaitingMax) return [];
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#active += 1;
    try {
      return (await lookup(name, { family, all: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      this.#active -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** The root is an empty name. */
function plainName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
