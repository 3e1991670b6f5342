import { expect, test } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { Service } from '../../src/core/service.ts';
import { countingIds, factoryUri, inviteFrom, settings, subscribeFrom } from '../support/fixtures.ts';

test('a conference has so many subscriptions, and room again once one of them is over', () => {
  const core = new Service({ settings: settings(), ids: countingIds() });
  const effectsOf = (input: Input): readonly Effect[] => core.handle(input, 0).flatMap(({ effects }) => effects);
  const saved = effectsOf(inviteFrom('alice', factoryUri)).find(({ type }) => type === 'store.save');
  const uri = saved?.type === 'store.save' ? (saved.change.conferences[0]?.uri ?? '') : '';
  const subscribes = (dialogId: string): readonly Effect[] => effectsOf(subscribeFrom('alice', uri, { dialogId }));
  const accepted = expect.objectContaining({ outcome: expect.objectContaining({ kind: 'subscription-accepted' }) });
  const first = subscribes('the first').find(({ type }) => type === 'sip.notify');
  for (let count = 2; count < limits.subscriptionsPerConferenceMax; count += 1) subscribes(`phone-${count}`);
  expect(subscribes('the last')).toContainEqual(accepted);
  expect(subscribes('one more')).toMatchObject([{ type: 'reply', outcome: { kind: 'refused', code: 'busy' } }]);
  expect(core.counts.subscriptions).toBe(limits.subscriptionsPerConferenceMax);
  const subscriptionId = first?.type === 'sip.notify' ? first.subscriptionId : '';
  effectsOf({ type: 'notify-answered', subscriptionId, status: 481 });
  expect(subscribes('one more')).toContainEqual(accepted);
});
