/**
 * RFC 3263 4 as questions and answers: from a hop to the targets a request may be sent to, one after the other. What is
 * asked comes from `next`, what was found goes to `answer`; the addresses of a server are asked for only once the ones
 * before it have failed. Pure.
 */

import { isPrivateHost } from '../../wire/ip-address.ts';
import type { Peer, Protocol } from '../input.ts';
import { limits } from '../limits.ts';
import type { OwnAddresses } from '../own-addresses.ts';
import { type Hop, isName, usableAddress } from './next-hop.ts';
import type { Answer, NaptrRecord, Question, SrvRecord } from './questions.ts';
import { orderByWeight, type Service, servicesOf } from './record-order.ts';
import { defaultPort, defaultTransport, srvName, transportsFor } from './transports.ts';

export type SearchStep =
  | { readonly kind: 'ask'; readonly questions: readonly Question[] }
  | { readonly kind: 'target'; readonly peer: Peer }
  /** There is no further target. */
  | { readonly kind: 'end' };

export type SearchParts = {
  readonly hop: Hop;
  readonly own: OwnAddresses;
  readonly random32: () => number;
  /** Whether our own addresses are targets too; not when absent. */
  readonly toOurselves?: boolean;
};

/** A server: its name or address, and how to reach it. */
type Server = { readonly protocol: Protocol; readonly host: string; readonly port: number };

/** What the answers that are awaited are for. */
type Awaited =
  | { readonly kind: 'naptr' }
  | { readonly kind: 'srv'; readonly services: readonly Service[]; readonly otherwise: Protocol | null }
  | { readonly kind: 'host'; readonly server: Server };

/** The one target of a hop that is an address; null when there are names to ask for, or no transport fits. */
export function numericTarget(hop: Hop, own: OwnAddresses): Peer | null {
  if (!hop.numeric) return null;
  const protocol = defaultTransport(hop, own);
  if (protocol === null) return null;
  return peerOf(hop, { protocol, host: hop.host, port: hop.port ?? defaultPort(protocol) });
}

/** The targets of one request, in order. */
export class TargetSearch {
  readonly #parts: SearchParts;
  readonly #allowed: readonly Protocol[];
  readonly #seen = new Set<string>();
  /** Servers whose addresses have not been asked for, and addresses not yet given out. */
  #servers: Server[] = [];
  #addresses: Server[] = [];
  /** What to ask before there are servers; null when that is done. */
  #first: Awaited | null;
  #awaited: Awaited | null = null;

  constructor(parts: SearchParts) {
    this.#parts = parts;
    this.#allowed = transportsFor(parts.hop, parts.own);
    this.#first = this.#begin();
  }

  /** What comes next. Not to be called while an answer is awaited. */
  next(): SearchStep {
    if (this.#first !== null) {
      this.#awaited = this.#first;
      this.#first = null;
      return { kind: 'ask', questions: this.#questions(this.#awaited) };
    }
    for (;;) {
      const next = this.#addresses.shift();
      if (next !== undefined) {
        if (this.#isNew(next)) return { kind: 'target', peer: peerOf(this.#parts.hop, next) };
        continue;
      }
      const server = this.#servers.shift();
      if (server === undefined || this.#seen.size >= limits.targetsMax) return { kind: 'end' };
      const address = usableAddress(server.host);
      if (address !== null) this.#addresses.push({ ...server, host: address });
      else if (isName(server.host)) {
        this.#awaited = { kind: 'host', server };
        return { kind: 'ask', questions: this.#questions(this.#awaited) };
      }
    }
  }

  /** What was found, an answer to each question of the latest step. */
  answer(answers: readonly Answer[]): void {
    const awaited = this.#awaited;
    this.#awaited = null;
    if (awaited?.kind === 'naptr') this.#first = this.#afterNaptr(naptrRecords(answers));
    else if (awaited?.kind === 'srv') this.#afterSrv(awaited, answers);
    else if (awaited !== null) this.#afterHost(awaited.server, answers);
  }

  #begin(): Awaited | null {
    const { host, numeric, port, transport } = this.#parts.hop;
    // RFC 3263 4.1, 4.2: an address or a port leaves nothing to SRV; and a name without dots (ours) is of no domain.
    if (numeric || port !== null || !host.includes('.')) {
      this.#servers = this.#plainServer(this.#default());
      return null;
    }
    // RFC 3263 4.1: NAPTR is asked only when no transport is demanded.
    return transport === null ? { kind: 'naptr' } : this.#askSrv(this.#ownServices(), transport);
  }

  #default(): Protocol | null {
    return defaultTransport(this.#parts.hop, this.#parts.own);
  }

  #plainServer(protocol: Protocol | null): Server[] {
    const { host, port } = this.#parts.hop;
    return protocol === null ? [] : [{ protocol, host, port: port ?? defaultPort(protocol) }];
  }

  #ownServices(): readonly Service[] {
    return this.#allowed.flatMap((protocol) => {
      const name = srvName(protocol, this.#parts.hop.host);
      return name === null ? [] : [{ protocol, name }];
    });
  }

  #afterNaptr(records: readonly NaptrRecord[]): Awaited | null {
    const services = servicesOf(records, this.#allowed).slice(0, limits.targetsMax);
    const [best] = services;
    if (best !== undefined) return this.#askSrv(services, best.protocol);
    // RFC 3263 4.1: without NAPTR records, SRV for each transport we have.
    return this.#askSrv(this.#ownServices(), this.#default());
  }

  /** `otherwise`: the transport when there are no SRV records. */
  #askSrv(services: readonly Service[], otherwise: Protocol | null): Awaited | null {
    if (services.length > 0) return { kind: 'srv', services, otherwise };
    this.#servers = this.#plainServer(otherwise);
    return null;
  }

  #afterSrv({ services, otherwise }: Awaited & { readonly kind: 'srv' }, answers: readonly Answer[]): void {
    const found = services.map(({ protocol }, at) => ({ protocol, records: srvRecords(answers[at]) }));
    if (found.every(({ records }) => records.length === 0)) {
      // RFC 3263 4.2: without SRV records, the addresses of the domain.
      this.#servers = this.#plainServer(otherwise);
      return;
    }
    this.#servers = found
      .flatMap(({ protocol, records }) =>
        orderByWeight(records, this.#parts.random32).map(({ target, port }) => ({ protocol, host: target, port })),
      )
      // RFC 2782: a target of "." says that there is no such service.
      .filter(({ host, port }) => host !== '' && port > 0 && port < 65_536)
      .slice(0, limits.targetsMax);
  }

  #afterHost({ protocol, port }: Server, answers: readonly Answer[]): void {
    this.#addresses = answers
      .flatMap((answer) => ('addresses' in answer ? answer.addresses : []))
      .slice(0, 2 * limits.targetsMax)
      .flatMap((address) => {
        const host = usableAddress(address);
        return host === null ? [] : [{ protocol, host, port }];
      });
  }

  #questions(awaited: Awaited): readonly Question[] {
    switch (awaited.kind) {
      case 'naptr':
        return [{ kind: 'naptr', name: this.#parts.hop.host }];
      case 'srv':
        return awaited.services.map(({ name }) => ({ kind: 'srv', name }));
      case 'host': {
        const { protocol, host } = awaited.server;
        const families = this.#parts.own.all.filter((own) => own.protocol === protocol).map(({ family }) => family);
        // The family of the socket that was named first goes first.
        return [...new Set(families)].map((family) => ({ kind: family === 6 ? 'aaaa' : 'a', name: host }));
      }
    }
  }

  #isNew({ protocol, host, port }: Server): boolean {
    const key = `${protocol} ${host} ${port}`;
    if (this.#seen.has(key) || this.#seen.size >= limits.targetsMax) return false;
    // An address of a family we have no socket for.
    const { hop, own, toOurselves = false } = this.#parts;
    if (own.towards(protocol, host) === null) return false;
    // A request of ours that comes back is a new one to us; only what is forwarded shows that it has been here.
    if (!toOurselves && own.isOwn(host, port)) return false;
    if (hop.publicOnly === true && !hop.numeric && isPrivateHost(host)) return false;
    this.#seen.add(key);
    return true;
  }
}

function peerOf({ name }: Hop, { protocol, host, port }: Server): Peer {
  const peer = { protocol, host, port, connection: null, listener: null };
  // RFC 5922 7.3: the certificate proves the domain that was asked for, not what DNS made of it.
  return protocol === 'udp' || protocol === 'tcp' ? peer : { ...peer, name };
}

function naptrRecords(answers: readonly Answer[]): readonly NaptrRecord[] {
  const [first] = answers;
  return first?.kind === 'naptr' ? first.records : [];
}

function srvRecords(answer: Answer | undefined): readonly SrvRecord[] {
  return answer?.kind === 'srv' ? answer.records : [];
}
