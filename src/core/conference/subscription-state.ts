import type { SubscriptionState } from '../rows.ts';
import type { Transitions } from '../transition.ts';

/**
 * Theory of operation (RFC 6665 4.2.2). Whoever may subscribe is active at once; nobody is asked first, so `pending`
 * is only left, never entered. A terminated subscription stays terminated: its dialog answers 481.
 */
export type SubscriptionEvent = 'accept' | 'refresh' | 'terminate';

export const subscriptionTransitions: Transitions<SubscriptionState, SubscriptionEvent> = {
  pending: { accept: 'active', refresh: 'pending', terminate: 'terminated' },
  active: { refresh: 'active', terminate: 'terminated' },
  terminated: {},
};
