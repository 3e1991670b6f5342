/** RFC 5547: Alice pushes files in sessions of their own, and the others get each as an attachment of hers. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type CpimMessage, cpimAddresses, parseCpim } from '../../src/wire/cpim.ts';
import { makeConference } from '../support/appendix-m.ts';
import { crlf, msrpSdp } from '../support/bodies.ts';
import { type ChatCast, openChatCast } from '../support/cast.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { openMsrpClient } from '../support/msrp-client.ts';
import { Service } from '../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

type FileFacts = { readonly selector: string; readonly id: string };

/** A client for a file, and the line that offers to send it. */
async function fileToSend({
  selector,
  id,
}: FileFacts): Promise<{ readonly client: MsrpClient; readonly line: string }> {
  const client = await openMsrpClient();
  onTestFinished(() => client.close());
  const line = crlf(
    'm=message 9 TCP/MSRP *',
    'a=sendonly',
    'a=accept-types:*',
    `a=path:${client.path}`,
    'a=setup:active',
    `a=file-selector:${selector}`,
    `a=file-transfer-id:${id}`,
  );
  return { client, line };
}

/** The lines of a description, each with its attributes. */
const linesOf = (sdp: string): readonly string[] => sdp.split(/(?=^m=)/m).slice(1);

const attribute = (line: string | undefined, name: string): string | undefined =>
  line?.match(new RegExp(`^a=${name}:(.*)$`, 'm'))?.[1]?.trim();

/** Alice's conference with Bob and Ted, her clients, and how she offers files beside her messages. */
async function chatting(cast: ChatCast) {
  const call = await makeConference(cast, service);
  const { alice, chats } = cast;
  const [atAlice, atBob, atTed] = [
    await chats.alice.session(0),
    await chats.bob.session(0),
    await chats.ted.session(0),
  ];
  const port = Number(/:(\d+)\//.exec(atAlice.path)?.[1]);
  const messages = msrpSdp({ user: 'alice', path: atAlice.path, port, setup: 'actpass' });
  const offers = async (...lines: readonly string[]): Promise<readonly string[]> => {
    const body = messages + lines.join('');
    const answer = await call.ask('UPDATE', { headers: { 'Content-Type': 'application/sdp' }, body });
    expect(answer.status).toBe(200);
    return linesOf(answer.body);
  };
  return { alice, room: call.dialog.remoteTarget, atAlice, atBob, atTed, offers };
}

const fileName = (cpim: CpimMessage): string | undefined =>
  cpim.contentHeaders.find(({ name }) => name === 'Content-Disposition')?.value;

test('a file comes to the others while the chat goes on, wrapped, as hers, under its name', async () => {
  await using cast = await openChatCast({ transport: 'udp' });
  const { alice, room, atAlice, atBob, atTed, offers } = await chatting(cast);
  const content = randomBytes(150_000).toString('base64');
  const selector = `name:"my notes.txt" type:text/plain size:${content.length}`;
  const { client, line } = await fileToSend({ selector, id: 'transfer-1' });
  const [chatLine, fileLine] = await offers(line);
  expect(attribute(chatLine, 'path')).not.toBe(attribute(fileLine, 'path'));
  expect(fileLine).toContain('a=recvonly');
  expect(attribute(fileLine, 'file-selector')).toBe(selector);
  await client.connect(attribute(fileLine, 'path') ?? '');

  const chunk = (at: number): Promise<number> => {
    const body = content.slice(at, at + 50_000);
    const flag = at + body.length < content.length ? '+' : '$';
    const range = `${at + 1}-*/${content.length}`;
    return client.chunk({ messageId: 'file-1', body, range, flag, contentType: 'text/plain' });
  };
  expect(await chunk(0)).toBe(200);
  expect(await atAlice.send({ from: alice.aor, to: room, text: 'A file is coming.' })).toBe(200);
  expect((await atBob.waitForMessage()).text).toBe('A file is coming.');
  expect((await atTed.waitForMessage()).text).toBe('A file is coming.');
  for (let at = 50_000; at < content.length; at += 50_000) expect(await chunk(at)).toBe(200);

  for (const receiver of [atBob, atTed]) {
    const { request, content: octets, text } = await receiver.waitForMessage();
    const cpim = parseCpim(octets);
    expect(text).toBe(content);
    expect(cpimAddresses(cpim, 'From').map(({ uri }) => uri)).toEqual([alice.aor]);
    expect(cpimAddresses(cpim, 'To').map(({ uri }) => uri)).toEqual([room]);
    expect(cpim.contentHeaders[0]).toEqual({ name: 'Content-Type', value: 'text/plain' });
    expect(fileName(cpim)).toBe('attachment; filename="my notes.txt"');
    expect(request.headers).toContainEqual({ name: 'Content-Type', value: 'message/cpim' });
  }
  expect(atAlice.messages).toEqual([]);

  // Offered again it is the same transfer; without it, it is over, and the chat goes on.
  const [, again] = await offers(line);
  expect(attribute(again, 'path')).toBe(attribute(fileLine, 'path'));
  expect(await client.send({ contentType: 'text/plain', content: 'small' })).toBe(200);
  expect((await atBob.waitForMessage()).text).toBe('small');
  await offers(line.replace('m=message 9', 'm=message 0'));
  await client.waitForClose();
  expect(await atAlice.send({ from: alice.aor, to: room, text: 'That was it.' })).toBe(200);
  expect((await atBob.waitForMessage()).text).toBe('That was it.');
});

test('what is too large, or is to be fetched, is refused by its line alone; a name beyond ASCII arrives', async () => {
  await using cast = await openChatCast({ transport: 'udp' });
  const { atBob, offers } = await chatting(cast);
  const large = await fileToSend({ selector: 'name:"film.mp4" type:video/mp4 size:99999999999', id: 'transfer-2' });
  const pulled = await fileToSend({ selector: 'name:"notes.txt" type:text/plain', id: 'transfer-3' });
  const small = await fileToSend({ selector: 'name:"Grüße.txt" type:text/plain size:5', id: 'transfer-4' });
  const answer = await offers(large.line, pulled.line.replace('a=sendonly', 'a=recvonly'), small.line);
  const ports = answer.map((line) => Number(/^m=message (\d+)/.exec(line)?.[1]));
  expect(ports).toEqual([service.banner.msrp.port, 0, 0, service.banner.msrp.port]);
  await small.client.connect(attribute(answer[3], 'path') ?? '');
  expect(await small.client.send({ contentType: 'text/plain', content: 'Hallo' })).toBe(200);
  const { content, text } = await atBob.waitForMessage();
  expect(text).toBe('Hallo');
  expect(fileName(parseCpim(content))).toBe("attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt");
});
