/** What the switch tells of the messages it has passed on, in groups. */

import type { Instant, MessageRow } from '../rows.ts';

/** What became of a message at one of its receivers. `status`: the MSRP status, when that tells it. */
export type SwitchedDelivery = {
  readonly endpointId: string;
  readonly outcome: 'delivered' | 'failed' | 'skipped';
  readonly status: number | null;
  /** Why it failed, or was not sent. */
  readonly reason: string | null;
};

/** One message, told once its last receiver is known to have it, or not. */
export type SwitchedMessage = {
  /** As its sender named it. */
  readonly messageId: string;
  /** URI of the sender in the roster; the conference URI for a notice. */
  readonly from: string;
  /** URI of the one user it was for; null: everybody. */
  readonly to: string | null;
  /** Media type of what message/cpim wraps. */
  readonly contentType: string;
  /** Octets, the wrapper included. */
  readonly size: number;
  readonly sentAt: Instant;
  /** What is wrapped, when the route says `content`, it is text, and short enough to be kept; else null. */
  readonly content: string | null;
  readonly deliveries: readonly SwitchedDelivery[];
  /** A notice, as the history kept it when it was sent. */
  readonly kept?: MessageRow;
};

/** Copies that one receiver lost, e.g. because it did not read. */
export type DeliveryLoss = { readonly endpointId: string; readonly count: number; readonly reason: string };
