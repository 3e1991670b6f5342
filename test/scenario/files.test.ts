import { expect, test } from 'vitest';
import type { SessionDescription } from '../../src/wire/sdp.ts';
import { parseSdp } from '../../src/wire/sdp.ts';
import { clientSdp } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** RFC 5547: files that participants push, each in a session of its own beside that of their messages. */

const host = 'pc.bob.example.com';

/** Bob's messages, and files of these ids. */
function offerOf(...ids: readonly string[]): SessionDescription {
  const session = ['v=0', `o=bob 28 29 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'];
  const lines = ids.flatMap((id) => [
    'm=message 7656 TCP/MSRP *',
    'a=sendonly',
    'a=accept-types:*',
    `a=path:msrp://${host}:7656/${id};tcp`,
    'a=setup:actpass',
    `a=file-selector:name:"${id}.jpg" type:image/jpeg size:100`,
    `a=file-transfer-id:${id}`,
  ]);
  const files = parseSdp(`${[...session, ...lines].join('\r\n')}\r\n`);
  const messages = clientSdp('bob');
  return { ...messages, media: [...messages.media, ...files.media] };
}

/** Bob is in Alice's conference. */
function bobIsIn(): World {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob');
  world.acknowledges('bob');
  return world;
}

/** What the switch is asked to open and close, as Bob offers this. */
function bobOffers(world: World, offer: SessionDescription): readonly string[] {
  const before = world.effects.length;
  world.reinvites('bob', { offer, reply: `sip:bob:offer-${before}` });
  return world.effects.slice(before).flatMap((effect) => {
    if (effect.type === 'msrp.open') return [`open ${effect.file?.name ?? 'messages'} ${effect.role}`];
    return effect.type === 'msrp.close' ? [`close ${effect.sessionId === undefined ? 'all' : 'one'}`] : [];
  });
}

test('each file is a session beside that of messages, until it is offered no more', () => {
  const world = bobIsIn();
  expect(bobOffers(world, offerOf('cat'))).toEqual(['open messages passive', 'open cat.jpg passive']);
  const { members } = world.route();
  expect(bobOffers(world, offerOf('cat', 'dog'))).toEqual(['open messages passive', 'open dog.jpg passive']);
  expect(bobOffers(world, offerOf('dog'))).toEqual(['open messages passive', 'close one']);
  expect(world.route().members).toEqual(members);
  expect(bobOffers(world, clientSdp('bob'))).toEqual(['open messages passive', 'close one']);
});

test('the loss of a file’s session is nobody else’s: Bob stays connected', () => {
  const world = bobIsIn();
  bobOffers(world, offerOf('cat'));
  const file = world.effects.findLast((effect) => effect.type === 'msrp.open' && effect.file !== undefined);
  if (file?.type !== 'msrp.open') throw new Error('a file was offered');
  const { conferenceId, endpointId, sessionId } = file;
  world.happens({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause: 'lost', reason: 'All is said' });
  expect(world.participant('bob').endpoints[0]?.status).toBe('connected');
  expect(world.route().members.map((member) => member.endpointId)).toContain(endpointId);
});

test('with the messages the files end', () => {
  const world = bobIsIn();
  bobOffers(world, offerOf('cat'));
  const { effects } = world;
  const before = effects.length;
  world.hangsUp('bob');
  expect(effects.slice(before).filter(({ type }) => type === 'msrp.close')).toEqual([
    { type: 'msrp.close', endpointId: expect.any(String) },
  ]);
});

/** Bob's media as the roster has them. */
const mediaOf = (world: World): readonly string[] =>
  (world.participant('bob').endpoints[0]?.media ?? []).map(({ id, type, status }) => `${id} ${type} ${status}`);

test('RFC 4575 5.8: the roster has a medium for each file that is sent, as long as it is offered', () => {
  const world = bobIsIn();
  world.subscribes('alice');
  world.answersNotify('alice');
  bobOffers(world, offerOf('cat', 'dog'));
  expect(mediaOf(world)).toEqual(['1 message sendrecv', '2 message sendonly', '3 message sendonly']);
  const shown = world
    .documents('alice')
    .at(-1)
    ?.users?.find(({ entity }) => entity.includes('bob'));
  expect(shown?.endpoints[0]?.media.map(({ id }) => id)).toEqual(['2', '3']);
  bobOffers(world, clientSdp('bob'));
  expect(mediaOf(world)).toEqual(['1 message sendrecv']);
});

test('who is on hold may send a file; it is on hold all the same', () => {
  const world = bobIsIn();
  const offer = offerOf('cat');
  const [messages, ...files] = offer.media;
  if (messages === undefined) throw new Error('Bob offers messages');
  const held = { ...messages, attributes: [...messages.attributes, { name: 'sendonly', value: null }] };
  bobOffers(world, { ...offer, media: [held, ...files] });
  expect(mediaOf(world)).toEqual(['1 message sendonly', '2 message sendonly']);
  expect(world.participant('bob').endpoints[0]?.status).toBe('on-hold');
  bobOffers(world, offerOf('cat'));
  expect(mediaOf(world)).toEqual(['1 message sendrecv', '2 message sendonly']);
  expect(world.participant('bob').endpoints[0]?.status).toBe('connected');
});

test('the loss of the session of messages is not that of a file', () => {
  const world = bobIsIn();
  bobOffers(world, offerOf('cat'));
  const chat = world.effects.findLast((effect) => effect.type === 'msrp.open' && effect.file === undefined);
  if (chat?.type !== 'msrp.open') throw new Error('messages were offered');
  const { conferenceId, endpointId, sessionId } = chat;
  world.happens({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause: 'lost', reason: 'gone' });
  expect(mediaOf(world)).toEqual(['1 message inactive', '2 message sendonly']);
});

test('a file goes on when we describe the session anew, as its peer takes it', () => {
  const world = bobIsIn();
  bobOffers(world, offerOf('cat'));
  world.reinvites('bob', { offer: null, reply: 'sip:bob:bare' });
  world.acknowledges('bob', offerOf('cat'));
  expect(mediaOf(world)).toEqual(['1 message sendrecv', '2 message sendonly']);
});
