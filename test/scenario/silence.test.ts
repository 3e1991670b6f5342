import { describe, expect, test } from 'vitest';
import { Service } from '../../src/core/service.ts';
import { parseSdp } from '../../src/wire/sdp.ts';
import { clientSdp, countingIds, factoryUri, inviteFrom, settings } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** AUDIO=inactive: who offered sound and was answered with silence is asked, once, to agree to it. */

const sound = clientSdp('carol', { msrp: false, audio: true });
const silence = clientSdp('carol', { msrp: false, audio: 'inactive' });

/** Carol's softphone has dialled into Alice's conference; its ACK is to come. */
function carolDialsIn(offer = sound): { world: World; answer: string } {
  const world = new World({ audio: 'inactive' });
  world.factoryInvite([]);
  world.acknowledges('alice');
  world.ladder.take();
  const { reply } = world.dialsIn('carol', { offer });
  return { world, answer: acceptedSdp(world, reply) };
}

/** She has been asked to agree. */
function carolIsAsked(offer = sound): { world: World; answer: string } {
  const asked = carolDialsIn(offer);
  asked.world.acknowledges('carol');
  asked.world.ladder.take();
  return asked;
}

function acceptedSdp(world: World, reply: string): string {
  const outcome = world.outcome(reply);
  return outcome.kind === 'session-accepted' ? (outcome.sdp ?? '') : '';
}

test('a softphone that dials in is offered, after its ACK, the very description it was answered with', () => {
  const { world, answer } = carolDialsIn();
  world.acknowledges('carol');
  world.answersAgain('carol', silence);
  world.hangsUp('carol');
  world.ladder.matches(`
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v2
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    carol -> focus : ACK
    focus -> carol : INVITE (again)
    carol -> focus : 200 INVITE (again)
    carol -> focus : BYE
    focus -> store : save v3
  `);
  expect(world.offersWithin('carol')).toEqual([answer]);
  expect(answer).toContain('m=audio 9 RTP/AVP 0\r\na=inactive\r\n');
});

test('so is one that makes a conference', () => {
  const world = new World({ audio: 'inactive' });
  const { reply } = world.factoryInvite([], { offer: clientSdp('alice', { msrp: false, audio: true }) });
  expect(world.offersWithin('alice')).toEqual([]);
  world.acknowledges('alice');
  expect(world.offersWithin('alice')).toEqual([acceptedSdp(world, reply)]);
});

test('once: a repeated ACK, or sound offered again, asks for nothing', () => {
  const { world } = carolIsAsked();
  world.answersAgain('carol', silence);
  world.acknowledges('carol');
  world.reinvites('carol', { offer: sound, reply: 'sip:carol:resume' });
  world.acknowledges('carol');
  expect(world.offersWithin('carol')).toHaveLength(1);
});

test('each endpoint is asked for itself', () => {
  const { world } = carolIsAsked();
  world.dialsIn('carol', { offer: sound });
  world.acknowledges('carol');
  expect(world.offersWithin('carol')).toHaveLength(2);
});

describe('nobody is asked', () => {
  test.each([
    ['who offered silence', silence],
    ['who offered messages only', clientSdp('carol')],
  ])('%s', (_who, offer) => {
    expect(carolIsAsked(offer).world.offersWithin('carol')).toEqual([]);
  });

  test('who made no offer', () => {
    const world = new World({ audio: 'inactive' });
    world.factoryInvite([]);
    world.dialsIn('carol', { offer: null });
    world.acknowledges('carol', clientSdp('carol'));
    expect(world.offersWithin('carol')).toEqual([]);
  });

  test('whose audio was refused, with AUDIO=off', () => {
    const world = new World();
    world.factoryInvite([], { offer: clientSdp('alice', { audio: true }) });
    world.acknowledges('alice');
    expect(world.offersWithin('alice')).toEqual([]);
  });

  test('who was invited, and offers sound later', () => {
    const world = new World({ audio: 'inactive' });
    world.factoryInvite(['bob']);
    world.answers('bob');
    world.reinvites('bob', { offer: clientSdp('bob', { audio: true }), reply: 'sip:bob:sound' });
    world.acknowledges('bob');
    expect(world.offersWithin('bob')).toEqual([]);
  });
});

test('a caller that adds sound later is asked then', () => {
  const { world } = carolIsAsked(clientSdp('carol'));
  world.reinvites('carol', { offer: clientSdp('carol', { audio: true }), reply: 'sip:carol:sound' });
  expect(world.offersWithin('carol')).toEqual([]);
  world.acknowledges('carol');
  expect(world.offersWithin('carol')).toEqual([acceptedSdp(world, 'sip:carol:sound')]);
});

describe('beside messages', () => {
  const both = clientSdp('carol', { audio: true });

  test.each([
    ['says that it connects', 'active'],
    ['says nothing of who connects', 'holdconn'],
  ])('the session stays as it is when the answer %s', (_what, setup) => {
    const { world, answer } = carolIsAsked(both);
    const before = sessionOf(world);
    world.answersAgain('carol', clientSdp('carol', { audio: 'inactive', setup }));
    expect(world.offersWithin('carol')).toEqual([answer]);
    expect(sessionOf(world)).toEqual(before);
    expect(world.participant('carol').endpoints[0]?.media.map(({ type }) => type)).toEqual(['message', 'audio']);
  });

  test('a refused line stays refused, in its place', () => {
    const offer = parseSdp(
      `v=0\r\no=c 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 x\r\nt=0 0\r\nm=video 4002 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n`,
    );
    const { world } = carolIsAsked(offer);
    const lines = world
      .offersWithin('carol')[0]
      ?.split('\r\n')
      .filter((line) => line.startsWith('m='));
    expect(lines).toEqual(['m=video 0 RTP/AVP 31', 'm=audio 9 RTP/AVP 0']);
  });

  test('an answer that drops the messages ends them alone', () => {
    const { world } = carolIsAsked(both);
    world.answersAgain('carol', clientSdp('carol', { audio: 'inactive', port: 0 }));
    expect(world.effects).toContainEqual({ type: 'msrp.close', endpointId: world.endpointOf('carol') });
    expect(world.participant('carol')).toMatchObject({
      status: 'connected',
      endpoints: [{ media: [{ type: 'audio' }] }],
    });
  });

  function sessionOf(world: World) {
    const opens = world.effects.filter((effect) => effect.type === 'msrp.open');
    return opens.filter(({ endpointId }) => endpointId === world.endpointOf('carol')).at(-1);
  }
});

test('an answer that takes nothing, or cannot be read, leaves the call as it was', () => {
  for (const answer of [null, parseSdp(`v=0\r\no=c 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 x\r\nt=0 0\r\n${refusedAudio()}`)]) {
    const { world } = carolIsAsked();
    const before = world.participant('carol');
    world.answersAgain('carol', answer);
    expect(world.participant('carol')).toBe(before);
  }
});

test('the session timer goes on through it, unless the answer says that there is none (RFC 4028 7.4)', () => {
  const { world } = carolIsAsked();
  const timer = () => world.participant('carol').endpoints[0]?.sessionTimer;
  expect(timer()).toEqual({ expires: 1_800, refresher: 'focus' });
  const asked = world.effects.findLast((effect) => effect.type === 'sip.reinvite');
  expect(asked).toMatchObject({ sessionTimer: { expires: 1_800, refresher: 'uac' } });
  const endpointId = world.endpointOf('carol');
  const answered = { type: 'reinvite-answered', endpointId, answer: silence } as const;
  world.happens({ ...answered, sessionTimer: { expires: 600, refresher: 'uas' } });
  expect(timer()).toEqual({ expires: 600, refresher: 'peer' });
  world.happens({ ...answered, sessionTimer: null });
  expect(timer()).toBeNull();
});

test.each([488, 405, 500, 503, 603, null])('refused with %s it is not repeated, and the call goes on', (status) => {
  const { world } = carolIsAsked();
  const before = world.participant('carol');
  world.refusesAgain('carol', status);
  world.passes(60_000);
  world.ladder.matches(`carol -> focus : ${status ?? 'no end of'} INVITE (again)`);
  expect(world.participant('carol')).toBe(before);
  expect(world.timers).toEqual([]);
});

test.each([408, 481])(
  'refused with %s the dialog is gone: the endpoint leaves as failed, with a BYE (RFC 3261 12.2.1.2)',
  (status) => {
    const { world } = carolIsAsked();
    world.refusesAgain('carol', status);
    expect(world.ladder.take()).toEqual([
      `carol -> focus : ${status} INVITE (again)`,
      'focus -> store : save v3',
      `focus -> carol : BYE (Reason ${status})`,
    ]);
    expect(world.participant('carol')).toMatchObject({
      status: 'disconnected',
      disconnection: { method: 'failed', sipStatus: status },
    });
  },
);

describe('glare', () => {
  test('CC-092 a re-INVITE that comes while ours is under way is refused with 491, and taken afterwards', () => {
    const { world } = carolIsAsked();
    world.reinvites('carol', { offer: sound, reply: 'sip:carol:hold' });
    world.answersAgain('carol', silence);
    world.reinvites('carol', { offer: sound, reply: 'sip:carol:again' });
    world.ladder.matches(`
    carol -> focus : INVITE (again)
    focus -> carol : 491 request-pending
    carol -> focus : 200 INVITE (again)
    carol -> focus : INVITE (again)
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  });

  test('refused with 491, ours comes once more after a pause, as RFC 3261 14.1 has it', () => {
    const { world, answer } = carolIsAsked();
    world.refusesAgain('carol', 491);
    world.passes(2_000);
    world.refusesAgain('carol', 491);
    world.passes(60_000);
    world.ladder.matches(`
    carol -> focus : 491 INVITE (again)
    clock -> focus : glare timer
    focus -> carol : INVITE (again)
    carol -> focus : 491 INVITE (again)
  `);
    expect(world.offersWithin('carol')).toEqual([answer, answer]);
    expect(world.participant('carol').status).toBe('connected');
  });

  test('it waits for the end of the one that the caller sends in the pause', () => {
    const { world } = carolIsAsked();
    world.refusesAgain('carol', 491);
    world.reinvites('carol', { offer: sound, reply: 'sip:carol:first' });
    world.passes(2_000);
    world.acknowledges('carol');
    world.ladder.matches(`
    carol -> focus : 491 INVITE (again)
    carol -> focus : INVITE (again)
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    clock -> focus : glare timer
    carol -> focus : ACK
    focus -> carol : INVITE (again)
  `);
  });

  test('it is not repeated when the caller has offered silence in the pause', () => {
    const { world } = carolIsAsked();
    world.refusesAgain('carol', 491);
    world.reinvites('carol', { offer: silence, reply: 'sip:carol:silence' });
    world.acknowledges('carol');
    world.passes(60_000);
    expect(world.offersWithin('carol')).toHaveLength(1);
  });
});

test('a turn whose save failed asked for nothing: the same ACK asks again', () => {
  const service = new Service({ settings: settings({ audio: 'inactive' }), ids: countingIds() });
  const offer = clientSdp('alice', { msrp: false, audio: true });
  const [made] = service.handle(inviteFrom('alice', factoryUri, { offer }), 0);
  const reply = made?.effects.find((effect) => effect.type === 'reply')?.outcome;
  const endpointId = reply?.kind === 'session-accepted' ? reply.endpointId : '';
  const acknowledged = () => service.handle({ type: 'ack-received', endpointId, answer: null }, 0);
  const [first] = acknowledged();
  first?.undo();
  const [again] = acknowledged();
  expect(first?.effects).toMatchObject([{ type: 'sip.reinvite' }]);
  expect(again?.effects).toEqual(first?.effects);
  expect(acknowledged()[0]?.effects).toEqual([]);
});

describe('the call ends meanwhile', () => {
  test('by a BYE: what the re-INVITE came to is nothing any more', () => {
    const { world } = carolIsAsked();
    world.hangsUp('carol');
    world.refusesAgain('carol', 487);
    world.answersAgain('carol', silence);
    world.ladder.matches(`
    carol -> focus : BYE
    focus -> store : save v3
    carol -> focus : 487 INVITE (again)
    carol -> focus : 200 INVITE (again)
  `);
    expect(world.participant('carol').disconnection?.method).toBe('departed');
  });

  test('by an operator, in the pause after a 491: nothing is sent but the BYE', () => {
    const { world } = carolIsAsked();
    world.refusesAgain('carol', 491);
    const { id, conferenceId } = world.participant('carol');
    const asked = { type: 'removal-requested', reply: 'http:op:1', actor: 'key:1', reason: null } as const;
    world.happens({ ...asked, conferenceId, participantId: id });
    expect(world.timers.some((timer) => timer.startsWith('glare'))).toBe(false);
    world.passes(2_000);
    world.ladder.matches(`
    carol -> focus : 491 INVITE (again)
    focus -> store : save v3
    focus -> op    : participant-removed
    focus -> carol : BYE (Removed by the operator)
  `);
  });
});

function refusedAudio(): string {
  return 'm=audio 0 RTP/AVP 0\r\n';
}
