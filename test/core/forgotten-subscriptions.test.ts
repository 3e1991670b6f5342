import { expect, test } from 'vitest';
import type { Input } from '../../src/core/input.ts';
import { Service } from '../../src/core/service.ts';
import { countingIds, factoryUri, inviteFrom, settings, subscribeFrom } from '../support/fixtures.ts';

const conferenceUri = 'sip:conf-1@conf.example.com';

/** Alice, who has made a conference, watches it; gives the core and the subscription's id. */
function watched() {
  const core = new Service({ settings: settings(), ids: countingIds() });
  core.handle(inviteFrom('alice', factoryUri), 0);
  const notifies = core.handle(subscribeFrom('alice', conferenceUri), 0).flatMap(({ effects }) => effects);
  const [id = ''] = notifies.flatMap((effect) => (effect.type === 'sip.notify' ? [effect.subscriptionId] : []));
  const answered = (status: number): Input => ({ type: 'notify-answered', subscriptionId: id, status });
  return { core, answered };
}

test.each([408, 481])(
  'CC-105, CC-106 a subscription that %i has ended is forgotten: what is said of it concerns nobody',
  (status) => {
    const { core, answered } = watched();
    core.handle(answered(200), 0);
    expect(core.handle(answered(200), 0)).toHaveLength(1);
    core.handle(answered(status), 0);
    expect(core.handle(answered(200), 0)).toEqual([]);
  },
);

test('what ended a subscription could not be saved: it is known as before', () => {
  const { core, answered } = watched();
  const [ended] = core.handle(answered(481), 0);
  ended?.undo();
  expect(core.handle(answered(200), 0)).toHaveLength(1);
});
