import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const replaces = 'a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774';

test('CC-001 a one-to-one session grows into a conference (RFC 4579 5.4, RFC 5366 5, RFC 3891 3)', () => {
  const world = new World();
  world.factoryInvite([{ uri: 'bob', replaces }, 'ted'], { subject: 'Project chat' });
  world.acknowledges('alice');
  world.answers('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.rings('ted');
  world.answersNotify('alice');
  world.answers('ted');
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com [bob ted]
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : INVITE Replaces: a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774
    focus -> ted   : INVITE
    alice -> focus : ACK
    bob   -> focus : 200 INVITE
    focus -> store : save v2
    alice -> focus : SUBSCRIBE
    focus -> store : save v2
    focus -> alice : 200 SUBSCRIBE Expires: 3600
    focus -> alice : NOTIFY active v0 [alice:connected bob:connected ted:dialing-out]
    alice -> focus : 200 NOTIFY
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [ted:alerting]
    alice -> focus : 200 NOTIFY
    ted   -> focus : 200 INVITE
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial [ted:connected]
  `);
  expect(world.conference).toMatchObject({
    status: 'active',
    participantCount: 3,
    createdBy: 'sip:alice@atlanta.example.com',
  });
  expect(world.events).toEqual([
    'conference.created',
    'conference.activated',
    'participant.joined',
    'participant.invited',
    'participant.invited',
    'participant.joined',
    'subscription.created',
    'participant.ringing',
    'participant.joined',
  ]);
});

test('CC-083 the creator leaves: everybody gets BYE, subscribers hear noresource, the URI is gone (RFC 4579 5.12, RFC 4575 3.3)', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.subscribes('bob');
  world.answersNotify('bob');
  world.ladder.take();
  world.hangsUp('alice');
  world.refuses('ted', 487);
  world.subscribes('bob');
  world.passes(300_001);
  world.dialsIn('bob');
  world.ladder.matches(`
    alice -> focus : BYE
    focus -> store : save v3
    focus -> bob   : NOTIFY terminated;noresource v1 deleted
    focus -> bob   : BYE (Conference ended)
    focus -> ted   : CANCEL
    ted   -> focus : 487 INVITE
    focus -> store : save v4
    bob   -> focus : SUBSCRIBE
    focus -> bob   : 410 conference-ended
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt no-such-conference
    focus -> bob   : 404 no-such-conference
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'creator-left', participantCount: 0 });
  expect(world.timers).toEqual([]);
  expect(world.documents('bob').at(-1)).toMatchObject({ state: 'deleted', users: null });
});

test('CC-084, CC-085 anybody else may leave without disturbing the others, and keeps watching (RFC 4575 5.7, RFC 4579 3.4)', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.answers('ted');
  world.subscribes('bob');
  world.answersNotify('bob');
  world.ladder.take();
  world.hangsUp('bob');
  world.answersNotify('bob');
  world.passes(30_000);
  world.ladder.matches(`
    bob   -> focus : BYE
    focus -> store : save v4
    focus -> bob   : NOTIFY active v1 partial [bob:disconnected]
    bob   -> focus : 200 NOTIFY
    clock -> focus : linger timer
    focus -> store : save v5
    focus -> bob   : NOTIFY active v2 partial [bob:deleted]
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', disconnection: { method: 'departed' } });
  expect(world.subscriptionOf('bob').state).toBe('active');
});
