import { limits } from '../core/limits.ts';
import type { EndpointRow, OriginRow, ParticipantRow } from '../core/rows.ts';
import type { Batch } from './fold.ts';

/** A row of `endpoints`; without origin the row keeps the one it has. */
export type KeptEndpoint = {
  readonly participantId: string;
  readonly id: string;
  readonly facts: Omit<EndpointRow, 'origin'>;
  readonly origin?: OriginRow;
};

/** A batch as it is written: endpoints apart from their participants, whose rows keep the ids. */
export type WrittenBatch = Omit<Batch, 'participants'> & {
  readonly participants: readonly (Omit<ParticipantRow, 'endpoints'> & { readonly endpoints: readonly string[] })[];
  readonly endpoints: readonly KeptEndpoint[];
  /** Ids of participants that may have rows of endpoints which they have no longer, and of all that they have. */
  readonly crowded: { readonly participants: readonly string[]; readonly endpoints: readonly string[] };
};

/**
 * Which endpoints the table holds as they are. Who comes and goes keeps endpoints that are gone, each with the request
 * it came by: written again with every change they would be most of what is written. Rows are immutable values, so one
 * that was written once is known by itself.
 */
export class EndpointRows {
  #known = new WeakSet<EndpointRow | OriginRow>();

  /** The batch with as much of its endpoints as the table does not hold. */
  of(batch: Batch): WrittenBatch {
    const { participants } = batch;
    const crowded = participants.filter((participant) => this.#isCrowded(participant));
    return {
      ...batch,
      participants: participants.map((participant) => ({ ...participant, endpoints: idsOf(participant) })),
      endpoints: participants.flatMap((participant) => this.#changed(participant)),
      crowded: { participants: crowded.map(({ id }) => id), endpoints: crowded.flatMap(idsOf) },
    };
  }

  /** The batch is in the tables. */
  written({ participants }: Batch): void {
    for (const { endpoints } of participants) {
      for (const endpoint of endpoints) this.#known.add(endpoint).add(endpoint.origin);
    }
  }

  /** Nobody knows any more what the table holds: everything is written again. */
  forget(): void {
    this.#known = new WeakSet();
  }

  #changed(participant: ParticipantRow): KeptEndpoint[] {
    const changed = participant.endpoints.filter((endpoint) => !this.#known.has(endpoint));
    return changed.map(({ origin, ...facts }) => {
      const row = { participantId: participant.id, id: facts.id, facts };
      return this.#known.has(origin) ? row : { ...row, origin };
    });
  }

  /** A new endpoint may have taken the place of the oldest that is gone. */
  #isCrowded({ endpoints }: ParticipantRow): boolean {
    return endpoints.length >= limits.pastEndpointsMax && endpoints.some(({ origin }) => !this.#known.has(origin));
  }
}

function idsOf({ endpoints }: ParticipantRow): readonly string[] {
  return endpoints.map(({ id }) => id);
}
