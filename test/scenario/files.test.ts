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
