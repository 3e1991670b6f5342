import { expect, test } from 'vitest';
import type { SipNotify } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import { Subscribers } from './subscribers.ts';
import { World } from './world.ts';

/** Alice watches Bob, and has answered her first NOTIFY. The subscribers know of nothing yet. */
function watched(): { readonly first: SipNotify; readonly subscribers: Subscribers } {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  const [first] = world.notifies('alice');
  if (first === undefined) throw new Error('Alice is told nothing');
  const { now, settings, saved, ladder, view } = world;
  const happens = (input: Input): void => subscribers.note(input);
  const subscribers = new Subscribers({ now, settings, saved, ladder, view, happens, passes: () => undefined });
  return { first, subscribers };
}

/** The document of a NOTIFY, changed. */
function changed(notify: SipNotify, change: (body: string) => string): SipNotify {
  return { ...notify, body: change(notify.body ?? '') };
}

test('CC-115 whoever has another roster than the service is named, with the place, once she is owed nothing', () => {
  const { first, subscribers } = watched();
  subscribers.receive(changed(first, (body) => body.replace('<user-count>2<', '<user-count>3<')));
  subscribers.compare();
  subscribers.note({ type: 'notify-answered', subscriptionId: first.subscriptionId, status: 200 });
  const state = (count: number): string =>
    `<conference-state><user-count>${count}</user-count><active>true</active><locked>false</locked></conference-state>`;
  expect(() => subscribers.compare()).toThrow(
    `alice has | the service has\nconference-state: ${state(3)} | ${state(2)}\nuser-count: 3 | 2 are in\nalice -> focus`,
  );
  subscribers.receive(changed(first, (body) => body.replace('version="0"', 'version="1"')));
  subscribers.note({ type: 'notify-answered', subscriptionId: first.subscriptionId, status: 200 });
  subscribers.compare();
});

test('one NOTIFY is under way at a time, but for the last, and none comes after that', () => {
  const { first, subscribers } = watched();
  subscribers.receive(first);
  const second = changed(first, (body) => body.replace('version="0"', 'version="1"'));
  expect(() => subscribers.receive(second)).toThrow(/^a NOTIFY of \S+ while another is under way\nalice -> focus/);
  const last = { ...second, state: { name: 'terminated', reason: 'timeout' } } as const;
  subscribers.receive(last);
  expect(() => subscribers.receive({ ...last, body: null })).toThrow(/^a NOTIFY of \S+ after its last\n/);
});

test('RFC 6665 4.2.2: after a failure she waits for the next change', () => {
  const { first, subscribers } = watched();
  subscribers.receive(changed(first, (body) => body.replace('<user-count>2<', '<user-count>3<')));
  subscribers.note({ type: 'notify-answered', subscriptionId: first.subscriptionId, status: 503 });
  subscribers.compare();
});

test('a document that is not as it must be is told with the ladder', () => {
  const { first, subscribers } = watched();
  expect(() => subscribers.receive(changed(first, (body) => body.replace('version="0"', 'version="2"')))).toThrow(
    /^alice, version 2: the first version is not 0\nalice -> focus : INVITE/,
  );
});
