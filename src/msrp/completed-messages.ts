/** RFC 4975 5.4: what was switched and comes again, as after a new connection, is acknowledged and not shown twice. */

import { limits } from '../core/limits.ts';

type Sender = { readonly conferenceId: string; readonly endpointId: string };

/** Message-IDs of the latest messages of each endpoint, whichever session it sent them in. */
export class CompletedMessages {
  readonly #byConferenceId = new Map<string, Map<string, Set<string>>>();

  has({ conferenceId, endpointId }: Sender, messageId: string): boolean {
    return this.#byConferenceId.get(conferenceId)?.get(endpointId)?.has(messageId) ?? false;
  }

  add({ conferenceId, endpointId }: Sender, messageId: string): void {
    const byEndpointId = this.#byConferenceId.get(conferenceId) ?? new Map<string, Set<string>>();
    this.#byConferenceId.set(conferenceId, byEndpointId);
    const messageIds = byEndpointId.get(endpointId) ?? new Set<string>();
    byEndpointId.set(endpointId, messageIds.add(messageId));
    const [oldest] = messageIds;
    if (oldest !== undefined && messageIds.size > limits.completedMessagesMax) messageIds.delete(oldest);
  }

  /** The others are in the conference no longer. */
  keepOnly(conferenceId: string, endpointIds: ReadonlySet<string>): void {
    const byEndpointId = this.#byConferenceId.get(conferenceId);
    for (const endpointId of byEndpointId?.keys() ?? []) {
      if (!endpointIds.has(endpointId)) byEndpointId?.delete(endpointId);
    }
  }

  forget(conferenceId: string): void {
    this.#byConferenceId.delete(conferenceId);
  }
}
