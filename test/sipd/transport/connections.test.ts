import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../../../src/sipd/transport/connection.ts';
import { Connections } from '../../../src/sipd/transport/connections.ts';

type Load = { queued: number; held: number };

const opened: Connection[] = [];
afterEach(() => {
  for (const connection of opened.splice(0)) connection.closed('the test is over');
});

/** Connections that may hold 1000 octets together, each with a load the test chooses, and who was cut off. */
function world() {
  const cut: string[] = [];
  const user = {
    onMessage: () => undefined,
    onBroken: () => undefined,
    onClosed: () => undefined,
    onUnreachable: () => undefined,
  };
  const connections = new Connections(user, { heldBytesMax: 1_000, onOverfull: (host) => cut.push(host) });
  const add = (host: string, load: Load): Connection => {
    const connection = connections.add(
      { protocol: 'tcp', host, port: 5060, connection: null, listener: 0 },
      {
        write: (text) => {
          load.queued += text.length;
        },
        queued: () => load.queued,
        held: () => load.held,
        end: () => undefined,
        destroy: () => undefined,
      },
    );
    connection.opened();
    opened.push(connection);
    return connection;
  };
  return { cut, add };
}

test('what all have begun to send together is bounded: whoever holds most is cut off first', () => {
  const { cut, add } = world();
  const large = { queued: 0, held: 600 };
  add('10.0.0.1', large).take([], true, 600);
  const small = { queued: 0, held: 399 };
  const connection = add('10.0.0.2', small);
  connection.take([], true, 399);
  expect(cut).toEqual([]);
  small.held = 401;
  connection.take([], true, 2);
  expect(cut).toEqual(['10.0.0.1']);
  small.held = 1_001;
  connection.take([], true, 600);
  expect(cut).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('so is what waits for those who do not read', () => {
  const { cut, add } = world();
  add('10.0.0.1', { queued: 0, held: 0 }).send('x'.repeat(700));
  add('10.0.0.2', { queued: 0, held: 0 }).send('x'.repeat(200));
  expect(cut).toEqual([]);
  add('10.0.0.3', { queued: 0, held: 0 }).send('x'.repeat(200));
  expect(cut).toEqual(['10.0.0.1']);
});

test('what was sent and heard to its end is held no more', () => {
  const { cut, add } = world();
  const load = { queued: 0, held: 0 };
  const connection = add('10.0.0.1', load);
  for (let count = 1; count <= 10; count += 1) {
    connection.send('x'.repeat(900));
    load.queued = 0;
    connection.take([{ kind: 'message', text: 'x'.repeat(900) }], false, 900);
  }
  expect(cut).toEqual([]);
});
