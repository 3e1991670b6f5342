import { expect, test } from 'vitest';
import { clientSdp, msrpSelf } from '../support/fixtures.ts';
import { losesMessages } from '../support/message-session.ts';
import { World } from '../support/world.ts';

/** A relay of ours comes, changes what it gives, and goes while sessions run (RFC 4976 5.1). */

const [first, second] = ['msrp://relay.example.com:9000/leave-1;tcp', 'msrp://relay.example.com:9000/leave-2;tcp'];
const own = (session: string): string => `msrp://focus.conf.example.com:2855/${session};tcp`;

/** The world, and what leads to us there. */
function worldBehind(...relays: readonly string[]): { world: World; present: { relays: readonly string[] } } {
  const present = { relays };
  const msrp = msrpSelf({ present: () => ({ fingerprint: null, ...present }) });
  return { world: new World({ msrp }), present };
}

/** Alice offers the same again; gives where our answer has her connect to. */
function reached(world: World, reply: string): readonly string[] {
  world.reinvites('alice', { offer: clientSdp('alice'), reply });
  return waysIn(world, reply);
}

function waysIn(world: World, reply: string): readonly string[] {
  const outcome = world.outcome(reply);
  const sdp = outcome.kind === 'session-accepted' ? (outcome.sdp ?? '') : '';
  return sdp.split('\r\n').filter((line) => /^(m=|c=|a=path|a=msrp-cema)/.test(line));
}

const direct = (session: string): readonly string[] => [
  'c=IN IP4 focus.conf.example.com',
  'm=message 2855 TCP/MSRP *',
  `a=path:${own(session)}`,
];

const through = (relay: string, session: string): readonly string[] => [
  'c=IN IP4 focus.conf.example.com',
  'm=message 9000 TCP/MSRP *',
  'c=IN IP4 relay.example.com',
  `a=path:${relay} ${own(session)}`,
];

test('RFC 4975 8.4 a session that runs keeps its path, whatever the relay gives others meanwhile', () => {
  const { world, present } = worldBehind(first);
  const { reply } = world.factoryInvite([]);
  expect(waysIn(world, reply)).toEqual(through(first, 'session-1'));
  present.relays = [second];
  expect(reached(world, 'sip:alice:changed')).toEqual(through(first, 'session-1'));
  present.relays = [];
  expect(reached(world, 'sip:alice:gone')).toEqual(through(first, 'session-1'));
});

test('nor is a session that runs led through a relay that comes', () => {
  const { world, present } = worldBehind();
  const { reply } = world.factoryInvite([]);
  expect(waysIn(world, reply)).toEqual(direct('session-1'));
  present.relays = [first];
  expect(reached(world, 'sip:alice:come')).toEqual(direct('session-1'));
});

test('CC-171 a session that was lost with its relay is negotiated anew without it, in m= and c= too, and with it again', () => {
  const { world, present } = worldBehind(first);
  world.factoryInvite([]);
  present.relays = [];
  losesMessages(world, 'alice');
  world.reinvites('alice', { offer: null, reply: 'sip:alice:late' });
  expect(waysIn(world, 'sip:alice:late')).toEqual(direct('session-2'));
  world.acknowledges('alice', clientSdp('alice', { setup: 'active' }));
  losesMessages(world, 'alice');
  present.relays = [second];
  world.reinvites('alice', { offer: clientSdp('alice'), reply: 'sip:alice:back' });
  expect(waysIn(world, 'sip:alice:back')).toEqual(through(second, 'session-3'));
});

test('a session whose relay cannot be done without has a path of its own nevertheless, so that its end is heard of', () => {
  const relay = first.replace('msrp:', 'msrps:');
  const { world, present } = worldBehind(relay);
  const tls = clientSdp('alice');
  const offer = {
    ...tls,
    media: tls.media.map((line) => ({
      ...line,
      protocol: 'TCP/TLS/MSRP',
      attributes: line.attributes.map((each) =>
        each.name === 'path' ? { ...each, value: (each.value ?? '').replace('msrp:', 'msrps:') } : each,
      ),
    })),
  };
  world.factoryInvite([], { offer });
  present.relays = [];
  losesMessages(world, 'alice');
  world.reinvites('alice', { offer: null, reply: 'sip:alice:late' });
  expect(waysIn(world, 'sip:alice:late').at(-1)).toBe(`a=path:${relay} ${own('session-2').replace('msrp:', 'msrps:')}`);
});
