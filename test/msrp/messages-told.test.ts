import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { messageRow } from '../support/stored-rows.ts';
import { settled } from './memory-carrier.ts';
import { aliceAndBob, type Member, type MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine, roomUri, uriOf } from './switch-room.ts';

let room: MemoryRoom;
let alice: Member;
let bob: Member;

beforeEach(async () => {
  ({ room, alice, bob } = await aliceAndBob());
});

describe('what is told afterwards', () => {
  const wrapped = (type: string, text: string, to = roomUri): Buffer =>
    Buffer.from(chatLine(text).toString().replace('text/plain', type).replace(`<${roomUri}>`, `<${to}>`));

  test('of each message: sender, receivers and what became of it at each', async () => {
    const ted = room.join('ted');
    room.route(['alice', 'bob', 'ted'], { keeps: 'content' });
    ted.answer = () => 413;
    alice.chunk({ messageId: 'told', body: chatLine('Hello') });
    await settled();
    room.report();
    expect(room.reported).toEqual([
      {
        count: 1,
        messages: [
          {
            messageId: 'told',
            from: uriOf('alice'),
            to: null,
            contentType: 'text/plain',
            size: chatLine('Hello').length,
            sentAt: 1_000_000,
            content: 'Hello',
            deliveries: [
              { endpointId: 'bob', outcome: 'delivered', status: null, reason: null },
              { endpointId: 'ted', outcome: 'failed', status: 413, reason: 'it answered 413' },
            ],
          },
        ],
        losses: [{ endpointId: 'ted', reason: 'it answered 413', count: 1 }],
      },
    ]);
  });

  test('of a private message: whom it was for, all named as the roster has them', async () => {
    const body = wrapped('text/plain', 'psst', `${uriOf('bob')};transport=tcp`);
    alice.chunk({ messageId: 'private', body: Buffer.from(body.toString().replace('alice@example', 'alice@EXAMPLE')) });
    await settled();
    room.report();
    expect(room.told).toMatchObject([
      { from: uriOf('alice'), to: uriOf('bob'), content: null, deliveries: [{ outcome: 'delivered' }] },
    ]);
  });

  test('only the count and the losses where nothing is kept', async () => {
    room.route(['alice', 'bob'], { keeps: 'nothing' });
    bob.answer = () => 400;
    alice.chunk({ messageId: 'one', body: chatLine('Hello') });
    await settled();
    room.report();
    expect(room.reported).toMatchObject([{ count: 1, messages: [], losses: [{ endpointId: 'bob', count: 1 }] }]);
  });

  test('no text that is long, or no text', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' }, { acceptsWrapped: ['*'] });
    const kept = 'x'.repeat(limits.keptContentBytesMax);
    for (const text of [kept, `${kept}x`]) alice.chunk({ messageId: `${text.length}`, body: chatLine(text) });
    alice.chunk({ messageId: 'image', body: wrapped('image/png', 'x') });
    await settled();
    room.report();
    expect(room.told.map(({ content }) => content)).toEqual([kept, null, null]);
  });

  test('who was skipped, and why', async () => {
    alice.chunk({ messageId: 'image', body: wrapped('image/png', 'x') });
    await settled();
    room.report();
    const skipped = { endpointId: 'bob', outcome: 'skipped', status: null, reason: 'it takes no image/png' };
    expect(room.told[0]?.deliveries).toEqual([skipped]);
    expect(room.reported[0]?.losses).toEqual([]);
  });

  test('nothing of isComposing and IMDN, which are passed on as all else', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' }, { acceptsWrapped: ['*'], privateMessages: false });
    const composing = wrapped('application/im-iscomposing+xml', '<isComposing/>');
    const notification = wrapped('message/imdn+xml', '<imdn/>', uriOf('bob'));
    alice.chunk({ messageId: 'composing', body: composing });
    alice.chunk({ messageId: 'imdn', body: notification });
    await settled();
    room.report();
    expect(bob.messages).toEqual([shortOf(composing), shortOf(notification)]);
    expect(room.reported).toMatchObject([{ count: 2, messages: [] }]);
  });

  test('of a notice: that the conference said it, and to whom', async () => {
    room.route(['alice', 'bob'], { keeps: 'content' });
    room.notice('Welcome', ['bob']);
    room.notice('All of you', null);
    await settled();
    room.report();
    expect([alice.messages.length, bob.messages.length]).toEqual([1, 2]);
    expect(room.reported).toHaveLength(1);
    expect(room.reported[0]).toMatchObject({
      count: 0,
      messages: [
        { messageId: 'notice-1', from: roomUri, to: uriOf('bob'), content: 'Welcome' },
        { from: roomUri, to: null, content: 'All of you' },
      ],
    });
  });

  test('of a notice: a long one goes in chunks that relays pass on, and has arrived once', async () => {
    room.route(['bob'], { keeps: 'facts' });
    room.notice('☎'.repeat(limits.noticeCharactersMax), null);
    await settled();
    room.report();
    const lengths = bob.sends.map(({ body }) => body?.length ?? 0);
    expect(Math.max(...lengths)).toBe(limits.messagePartBytes);
    const [only] = room.told;
    expect(lengths.reduce((sum, length) => sum + length)).toBe(only?.size);
    expect(bob.messages).toHaveLength(1);
    expect([room.told.length, only?.deliveries]).toMatchObject([1, [{ endpointId: 'bob', outcome: 'delivered' }]]);
  });

  test('of a notice: what the history has kept of it, as it was given', async () => {
    const kept = messageRow({ id: 'said', conferenceId: 'conf-1' });
    room.route(['alice', 'bob'], { keeps: 'facts' });
    room.notice('Welcome', ['bob'], kept);
    room.notice('Hello', ['bob']);
    await settled();
    room.report();
    expect(room.told.map((told) => told.kept)).toEqual([kept, undefined]);
  });

  test('of a notice: who is on hold is not sent it; it is UTF-8, and says so', async () => {
    room.route(['alice'], { keeps: 'facts' }, { acceptsWrapped: [] });
    room.notice('Welcome', null);
    room.route(['bob'], { keeps: 'facts' });
    room.notice('Grüße', null);
    await settled();
    room.report();
    expect([alice.messages.length, bob.messages.length]).toEqual([0, 1]);
    expect(bob.messages[0]).toContain('Content-Type: text/plain;charset=utf-8\r\n\r\n');
    expect(room.reported[0]?.messages).toMatchObject([
      { deliveries: [{ endpointId: 'alice', outcome: 'skipped', reason: 'it is on hold' }] },
      { deliveries: [{ endpointId: 'bob', outcome: 'delivered' }] },
    ]);
  });

  test('in groups: a large one at once', async () => {
    for (let i = 0; i < limits.switchedMessagesMax; i += 1)
      alice.chunk({ messageId: `m-${i}`, body: chatLine('Hello') });
    await settled();
    expect(room.reported).toMatchObject([{ count: limits.switchedMessagesMax, losses: [] }]);
    expect(room.told).toHaveLength(limits.switchedMessagesMax);
  });
});
