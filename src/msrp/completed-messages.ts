/** RFC 4975 5.4: what was switched and comes again, as after a new connection, is acknowledged and not shown twice. */

import { limits } from '../core/limits.ts';

type Sender = { readonly conferenceId: string; readonly endpointId: string };

/** Octets of the latest messages of each endpoint, by Message-ID, whichever session it sent them in. */
export class CompletedMessages {
  readonly #byConferenceId = new Map<string, Map<string, Map<string, number>>>();

  /** Octets of a message that was switched; null: it was not, or too long ago. */
  lengthOf({ conferenceId, endpointId }: Sender, messageId: string): number | null {
    return this.#byConferenceId.get(conferenceId)?.get(endpointId)?.get(messageId) ?? null;
  }

  add({ conferenceId, endpointId }: Sender, messageId: string, length: number): void {
    const byEndpointId = this.#byConferenceId.get(conferenceId) ?? new Map<string, Map<string, number>>();
    this.#byConferenceId.set(conferenceId, byEndpointId);
    const lengths = byEndpointId.get(endpointId) ?? new Map<string, number>();
    byEndpointId.set(endpointId, lengths.set(messageId, length));
    if (lengths.size <= limits.completedMessagesMax) return;
    const [oldest] = lengths.keys();
    if (oldest !== undefined) lengths.delete(oldest);
  }

  /** The others are in the conference no longer. */
  keepOnly(conferenceId: string, endpoints: readonly Pick<Sender, 'endpointId'>[]): void {
    const byEndpointId = this.#byConferenceId.get(conferenceId);
    // With each change of the members, most of whom have sent nothing.
    if (byEndpointId === undefined || byEndpointId.size === 0) return;
    const endpointIds = new Set(endpoints.map(({ endpointId }) => endpointId));
    for (const endpointId of byEndpointId.keys()) if (!endpointIds.has(endpointId)) byEndpointId.delete(endpointId);
  }

  forget(conferenceId: string): void {
    this.#byConferenceId.delete(conferenceId);
  }
}
