import type { Names } from '../../../src/sipd/names/names.ts';

/** A world of names in which there are only these hosts, each with one IPv4 address. */
export function hosts(addresses: Readonly<Record<string, string>>): Names {
  const nothing = { records: [], ttlMs: null };
  return {
    a: async (name) => ({ records: [addresses[name] ?? []].flat(), ttlMs: null }),
    aaaa: async () => nothing,
    srv: async () => nothing,
    naptr: async () => nothing,
  };
}
