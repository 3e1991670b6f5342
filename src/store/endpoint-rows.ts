import { limits } from '../core/limits.ts';
import type { EndpointRow, OriginRow, ParticipantRow } from '../core/rows.ts';

/** A row of `endpoints`; without origin the row keeps the one it has. */
export type KeptEndpoint = {
  readonly participantId: string;
  readonly id: string;
  readonly facts: Omit<EndpointRow, 'origin'>;
  readonly origin: OriginRow | null;
};

/**
 * Which endpoints the table holds as they are. Who comes and goes keeps endpoints that are gone, each with the request
 * it came by: written again with every change they would be most of what is written. Rows are immutable values, so one
 * that was written once is known by itself.
 */
export class EndpointRows {
  #known = new WeakSet<EndpointRow | OriginRow>();

  /** As much of the endpoints as the table does not hold. */
  unwritten(participants: readonly ParticipantRow[]): readonly KeptEndpoint[] {
    const rows: KeptEndpoint[] = [];
    for (const { id: participantId, endpoints } of participants) {
      for (const endpoint of endpoints) {
        if (this.#known.has(endpoint)) continue;
        const { origin, ...facts } = endpoint;
        rows.push({ participantId, id: facts.id, facts, origin: this.#known.has(origin) ? null : origin });
      }
    }
    return rows;
  }

  /** Those of whom a new endpoint may have taken the place of the oldest that is gone; its row is still there. */
  crowded(participants: readonly ParticipantRow[]): readonly string[] {
    const ids: string[] = [];
    for (const { id, endpoints } of participants) {
      const isFull = endpoints.length >= limits.pastEndpointsMax;
      if (isFull && endpoints.some(({ origin }) => !this.#known.has(origin))) ids.push(id);
    }
    return ids;
  }

  /** They are in the table. */
  written(participants: readonly ParticipantRow[]): void {
    for (const { endpoints } of participants) {
      for (const endpoint of endpoints) this.#known.add(endpoint).add(endpoint.origin);
    }
  }

  /** Nobody knows any more what the table holds: everything is written again. */
  forget(): void {
    this.#known = new WeakSet();
  }
}

/** What a participant's row keeps of its endpoints. */
export function endpointIdsOf({ endpoints }: ParticipantRow): readonly string[] {
  return endpoints.map(({ id }) => id);
}
