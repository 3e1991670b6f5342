/** What a dialog lives for besides a call: subscriptions (RFC 6665 4.5.2), each by its own name, and what ends one. */

import type { Dialog } from './dialog.ts';

/**
 * Name of a subscription usage: its package and id (RFC 6665 4.5.1); a REFER without Event subscribes to `refer`. No
 * package can be mistaken for the call itself.
 */
export function subscriptionUsage(event: string | undefined): string {
  const [type = 'refer', ...params] = (event ?? 'refer').split(';').map((part) => part.trim());
  const id = params.find((param) => param.startsWith('id='));
  return id === undefined ? `event ${type}` : `event ${type};${id}`;
}

/** What an accepted REFER begins, by its CSeq (RFC 3515 2.4.6) and the Refer-Sub of its 2xx; null when nothing. */
export function referUsage(cseq: number, referSub: string | undefined): string | null {
  // RFC 4488 4: whoever answers so sends no NOTIFY.
  if (referSub?.trim().toLowerCase().startsWith('false') === true) return null;
  return subscriptionUsage(`refer;id=${cseq}`);
}

/**
 * The usage of the dialog that is called so; a NOTIFY may name an id where the subscription was counted without, or none
 * where it was counted with one (REFER): the first.
 */
export function usageCalled(dialog: Dialog, usage: string): string | undefined {
  if (dialog.usages.has(usage)) return usage;
  const type = usage.split(';')[0] ?? usage;
  return [...dialog.usages].find((each) => each === type || (usage === type && each.startsWith(`${type};`)));
}

/** Ends a usage (`usageCalled`). True when it was the last; a usage the dialog never had ends nothing. */
export function endUsage(dialog: Dialog, usage: string): boolean {
  const ended = usageCalled(dialog, usage);
  return ended !== undefined && dialog.usages.delete(ended) && dialog.usages.size === 0;
}

/**
 * RFC 6665 4.2.2, 4.1.2.2: the answers to a NOTIFY, or to a SUBSCRIBE that refreshes, which end the subscription.
 * A time-out is a 408 (RFC 3261 8.1.3.1).
 */
export function endsSubscription(status: number): boolean {
  return subscriptionEnds.has(status);
}

const subscriptionEnds: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);
