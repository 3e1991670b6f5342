/** What the service says and keeps of messages: nicknames, notices, and what became of each message. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeConference } from '../support/appendix-m.ts';
import { openChatCast } from '../support/cast.ts';
import { whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

type MessageView = {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[] | null;
  readonly content: string | null;
  readonly delivered: number;
  readonly deliveries: readonly { readonly uri: string; readonly outcome: string }[];
};

type ParticipantView = { readonly id: string; readonly uri: string; readonly nickname: string | null };
type Page<Row> = { readonly data: readonly Row[] };

let service: Service;
beforeAll(async () => {
  service = await Service.start({ HISTORY: 'content', ANNOUNCEMENTS: 'on' });
});
afterAll(() => service.dispose());

test('who said what is read over REST with what became of it, also when the conference is over', async () => {
  await using cast = await openChatCast({ transport: 'tcp' });
  const { alice, bob, ted, chats } = cast;
  const call = await makeConference(cast, service);
  const room = call.dialog.remoteTarget;
  const { id } = await whenConference(service, room, ({ participant_count }) => participant_count === 3);
  const [atAlice, atBob, atTed] = [
    await chats.alice.session(0),
    await chats.bob.session(0),
    await chats.ted.session(0),
  ];
  const arrivals = new Set<string | null>();
  for (let count = 0; count < 2; count += 1) arrivals.add((await atAlice.waitForMessage()).text);
  expect([...arrivals].every((text) => text?.endsWith(' has come'))).toBe(true);

  expect(await atBob.nickname('Bobby')).toBe(200);
  expect(await atTed.nickname('BOBBY')).toBe(425);
  const { body: people } = await service.get<Page<ParticipantView>>(`/conferences/${id}/participants`);
  const nicknames = people.data.map(({ uri, nickname }) => [uri, nickname]);
  expect(new Map(nicknames as [string, string | null][])).toEqual(
    new Map([
      [alice.aor, null],
      [bob.aor, 'Bobby'],
      [ted.aor, null],
    ]),
  );

  expect(await atBob.send({ from: bob.aor, to: room, text: 'Hello from Bob.' })).toBe(200);
  const text = 'The line will be down.';
  const toAlice = people.data.filter(({ uri }) => uri === alice.aor).map((participant) => participant.id);
  const said = await service.post<MessageView>(`/conferences/${id}/messages`, { text, participants: toAlice });
  expect(said).toMatchObject({ status: 202, body: { from: room, to: [alice.aor], content: text } });
  const heard: (string | null)[] = [];
  while (!heard.includes(text)) heard.push((await atAlice.waitForMessage()).text);
  expect(heard).toContain('Hello from Bob.');
  await call.bye();
  await whenConference(service, room, ({ status }) => status === 'ended');

  const messages = await waitFor('what was said', async () => {
    const { body } = await service.get<Page<MessageView>>(`/conferences/${id}/messages`);
    const found = ['Hello from Bob.', text].map((content) => body.data.find((row) => row.content === content));
    return found.every((row) => row !== undefined && row.delivered > 0) && found;
  });
  const [hello, notice] = messages;
  expect(notice?.id).toBe(said.body.id);
  const read = async (row: MessageView | undefined) =>
    (await service.get<MessageView>(`/conferences/${id}/messages/${row?.id}`)).body;
  const delivered = (uri: string) => expect.objectContaining({ uri, outcome: 'delivered', reason: null });
  expect((await read(notice)).deliveries).toEqual([delivered(alice.aor)]);
  const { from, deliveries } = await read(hello);
  expect([from, deliveries.length]).toEqual([bob.aor, 2]);
  expect(deliveries).toEqual(expect.arrayContaining([delivered(alice.aor), delivered(ted.aor)]));
});
