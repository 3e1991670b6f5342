/** What one participant says, the others read: message/cpim over MSRP, in both connection roles. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aliceCallsBob, bobAndTed, inviteFactory, makeConference } from '../support/appendix-m.ts';
import { canCapture, needsCapture } from '../support/capture.ts';
import { openChatCast } from '../support/cast.ts';
import { ChatMedia } from '../support/chat-media.ts';
import { complaints, MsrpCapture } from '../support/msrp-capture.ts';
import { needsPrograms } from '../support/programs.ts';
import { whenConference, whenParticipant } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import type { Transport } from '../support/sip-socket.ts';
import { UserAgent } from '../support/user-agent.ts';

let service: Service;
/** All that is said here, where that may be captured. */
let capture: MsrpCapture | undefined;
beforeAll(async () => {
  service = await Service.start();
  if (canCapture()) capture = await MsrpCapture.start(service.banner.msrp);
});
afterAll(async () => {
  await capture?.[Symbol.asyncDispose]();
  await service.dispose();
});

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('a call that became a conference: each one’s line reaches the two others, and only once', async () => {
    await using cast = await openChatCast({ transport });
    const { alice, bob, ted, chats } = cast;
    const { ids } = await aliceCallsBob(cast);
    const call = await inviteFactory(alice, service.factoryOver(transport), {
      entries: bobAndTed(cast, ids),
    }).established();
    const room = call.dialog.remoteTarget;
    const conference = await whenConference(service, room, ({ participant_count }) => participant_count === 3);
    const sessions = await Promise.all([chats.alice.session(1), chats.bob.session(1), chats.ted.session(0)]);
    const [atAlice, atBob, atTed] = sessions;

    expect(await atAlice.send({ from: alice.aor, to: room, text: 'Hello, you two.' })).toBe(200);
    expect((await atBob.waitForMessage()).text).toBe('Hello, you two.');
    expect((await atTed.waitForMessage()).text).toBe('Hello, you two.');
    expect(await atBob.send({ from: bob.aor, to: room, text: 'Hello from Bob.' })).toBe(200);
    expect((await atAlice.waitForMessage()).text).toBe('Hello from Bob.');
    expect((await atTed.waitForMessage()).text).toBe('Hello from Bob.');
    expect(await atTed.send({ from: ted.aor, to: room, text: 'Grüße von Ted: €' })).toBe(200);
    expect((await atAlice.waitForMessage()).text).toBe('Grüße von Ted: €');
    expect((await atBob.waitForMessage()).text).toBe('Grüße von Ted: €');

    expect(sessions.map(({ messages }) => messages.length)).toEqual([2, 2, 2]);
    const counted = await whenConference(service, room, ({ message_count }) => message_count === 3);
    expect(counted.id).toBe(conference.id);
  });

  test('nobody speaks in another’s name', async () => {
    await using cast = await openChatCast({ transport });
    const { alice, bob, chats } = cast;
    const room = (await makeConference(cast, service)).dialog.remoteTarget;
    const [atAlice, atBob] = [await chats.alice.session(0), await chats.bob.session(0)];
    await chats.ted.session(0);
    expect(await atBob.send({ from: alice.aor, to: room, text: 'I am Alice.' })).toBe(403);
    expect(await atBob.send({ contentType: 'text/plain', content: 'no wrapping' })).toBe(415);
    expect(await atBob.send({ from: bob.aor, to: room, text: 'I am Bob.' })).toBe(200);
    expect((await atAlice.waitForMessage()).text).toBe('I am Bob.');
  });

  test('who leaves hears no more, and who stays goes on', async () => {
    await using cast = await openChatCast({ transport });
    const { alice, ted, chats } = cast;
    const room = (await makeConference(cast, service)).dialog.remoteTarget;
    const [atAlice, atBob, atTed] = [
      await chats.alice.session(0),
      await chats.bob.session(0),
      await chats.ted.session(0),
    ];
    await (await ted.firstCall()).bye();
    await whenConference(service, room, ({ participant_count }) => participant_count === 2);
    await atTed.waitForClose();
    expect(await atAlice.send({ from: alice.aor, to: room, text: 'Ted is gone.' })).toBe(200);
    expect((await atBob.waitForMessage()).text).toBe('Ted is gone.');
    expect(atTed.messages).toEqual([]);
  });

  test('who is removed over REST is cut off at once', async () => {
    await using cast = await openChatCast({ transport });
    const { alice, bob, ted, chats } = cast;
    const room = (await makeConference(cast, service)).dialog.remoteTarget;
    const [atAlice, atBob, atTed] = [
      await chats.alice.session(0),
      await chats.bob.session(0),
      await chats.ted.session(0),
    ];
    const { id: conferenceId } = await whenConference(service, room, () => true);
    const { id } = await whenParticipant(
      service,
      { conferenceId, uri: ted.aor },
      ({ status }) => status === 'connected',
    );
    expect((await service.delete(`/conferences/${conferenceId}/participants/${id}`)).status).toBe(204);
    await atTed.waitForClose();
    expect(await atBob.send({ from: bob.aor, to: room, text: 'He is out.' })).toBe(200);
    expect((await atAlice.waitForMessage()).text).toBe('He is out.');
    expect(await atAlice.send({ from: alice.aor, to: room, text: 'So he is.' })).toBe(200);
    expect((await atBob.waitForMessage()).text).toBe('So he is.');
    expect(atTed.messages).toEqual([]);
  });

  test('who dials in by an offer without a description, and connects, talks as well', async () => {
    await using cast = await openChatCast({ transport });
    const { alice, chats } = cast;
    const room = (await makeConference(cast, service)).dialog.remoteTarget;
    const media = await ChatMedia.open('carol');
    await using carol = await UserAgent.open({ name: 'carol', transport, media });
    try {
      await carol.call(room, { body: '' });
      const [atAlice, atCarol] = [await chats.alice.session(0), await media.session(0)];
      expect(await atCarol.send({ from: carol.aor, to: room, text: 'Carol here.' })).toBe(200);
      expect((await atAlice.waitForMessage()).text).toBe('Carol here.');
      expect(await atAlice.send({ from: alice.aor, to: room, text: 'Hello Carol.' })).toBe(200);
      expect((await atCarol.waitForMessage()).text).toBe('Hello Carol.');
    } finally {
      await media.close();
    }
  });
});

test('tshark has read every frame of all that, and finds nothing wrong with any', async (context) => {
  needsPrograms(context, 'tshark');
  needsCapture(context);
  const frames = (await capture?.frames()) ?? [];
  expect(complaints(frames)).toEqual([]);
  // At least what was shown above was said, and heard.
  expect(frames.filter(({ line, byteRange }) => line.endsWith('SEND') && byteRange !== '').length).toBeGreaterThan(30);
});
