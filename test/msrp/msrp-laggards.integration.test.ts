import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { wholeByteRange, writeMsrpRequest } from '../../src/wire/msrp.ts';
import { waitFor } from '../support/wait.ts';
import { chatLine, openRoom, roomUri, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };

describe('receivers that lag (RFC 7701 6.4)', () => {
  test('a few messages wait for a session that is not open yet, the rest is dropped', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.client()];
    room.offer('bob', { remotePath: [bob.path] });
    room.route('alice', 'bob');
    for (let i = 1; i <= limits.msrpWaitingMessagesMax + 3; i += 1) await alice.send({ ...hello, text: String(i) });
    await bob.connect(room.path('bob'));
    await alice.send({ ...hello, text: 'now' });
    await waitFor('what was kept', () => bob.messages.at(-1)?.text === 'now');
    const kept = Array.from({ length: limits.msrpWaitingMessagesMax }, (_, i) => String(i + 1));
    expect(bob.messages.map((message) => message.text)).toEqual([...kept, 'now']);
    expect(room.shell.counts().dropped).toBe(3);
  });

  test('CC-168 one that stops reading loses messages and then its session; nobody else does', async () => {
    const room = await openRoom();
    const [alice, bob, ted] = [await room.join('alice'), await room.join('bob'), await room.join('ted')];
    room.route('alice', 'bob', 'ted');
    bob.pause();
    const content = chatLine('x'.repeat(8_000));
    const headers = [wholeByteRange(content.length), { name: 'Content-Type', value: 'message/cpim' }];
    const paths = { toPath: [room.path('alice')], fromPath: [alice.path] };
    let sent = 0;
    while (room.shell.counts().dropped === 0) {
      for (let i = 0; i < 50; i += 1) {
        sent += 1;
        const all = [{ name: 'Message-ID', value: `m${sent}` }, ...headers];
        const frame = { transactionId: `t${sent}`, method: 'SEND', ...paths, headers: all, body: content };
        alice.write(writeMsrpRequest({ ...frame, flag: '$' }));
      }
      await alice.waitForStatus(`t${sent}`);
    }
    await waitFor('all messages at ted', () => ted.messages.length === sent);
    // By then what ted answered before has arrived, too.
    await ted.send({ ...hello, from: uriOf('ted') });
    expect(room.closed).toEqual([]);
    room.clock.turn(limits.msrpAnswerTimeoutMs);
    expect(await room.waitForClosed(1)).toEqual(['bob: the peer does not answer']);
    expect(room.inputs).toContainEqual(expect.objectContaining({ type: 'msrp-closed', cause: 'stalled' }));
    expect(await alice.send(hello)).toBe(200);
    expect(ted.messages.length + room.shell.counts().dropped).toBeGreaterThan(sent);
  });

  test('one that catches up in time keeps its session', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    bob.pause();
    const content = chatLine('x'.repeat(8_000));
    while (room.shell.counts().dropped === 0) {
      await Promise.all(Array.from({ length: 50 }, () => alice.send({ contentType: 'message/cpim', content })));
    }
    bob.resume();
    const isLast = (): boolean => bob.messages.at(-1)?.text === 'last';
    await waitFor(
      'a message after the gap',
      async () => (await alice.send({ ...hello, text: 'last' })) === 200 && isLast(),
    );
    room.clock.turn(limits.msrpStallMs);
    expect(await alice.send(hello)).toBe(200);
    expect(room.closed).toEqual([]);
  });
});
