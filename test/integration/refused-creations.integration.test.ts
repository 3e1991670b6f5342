/** An INVITE to the factory that is refused: its status, nobody invited, no conference left, one line in the attempts log. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import { inviteFactory } from '../support/appendix-m.ts';
import { boundary, crlf, type ListEntry, listPart, msrpSdp, multipart, resourceList } from '../support/bodies.ts';
import type { OutgoingInvite } from '../support/call.ts';
import { type Cast, openCast } from '../support/cast.ts';
import { attemptOf, conferences } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { tagOf } from '../support/sip-dialog.ts';
import type { Transport } from '../support/sip-socket.ts';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(async () => {
  await service.dispose();
});

type Refusal = {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly invite: (cast: Cast, factory: string) => OutgoingInvite;
  /** Headers the answer must bear. */
  readonly tells?: Readonly<Record<string, RegExp>>;
};

const bobAlone = ({ bob }: Cast): ListEntry[] => [{ uri: bob.address }];
const listOf = (cast: Cast): string => resourceList(bobAlone(cast));

const refusals: readonly Refusal[] = [
  {
    title: 'CC-008 an option that is not known',
    status: 420,
    code: 'unknown-extension',
    invite: (cast, factory) =>
      inviteFactory(cast.alice, factory, {
        entries: bobAlone(cast),
        headers: { 'Require': 'recipient-list-invite, time-travel' },
      }),
    tells: { 'Unsupported': /^time-travel$/ },
  },
  {
    title: 'CC-015 a body part of a type that is not known and must be',
    status: 415,
    code: 'unsupported-body',
    invite: (cast, factory) =>
      cast.alice.invite(factory, {
        contentType: `multipart/mixed;boundary="${boundary}"`,
        body: multipart([
          { type: 'application/sdp', text: cast.alice.media.offer() },
          listPart(listOf(cast)),
          { type: 'application/x-riddle', text: '?\r\n' },
        ]),
        headers: { 'Require': 'recipient-list-invite' },
      }),
    tells: { 'Accept': /application\/sdp/ },
  },
  {
    title: 'CC-017 a list that is not well-formed',
    status: 400,
    code: 'bad-list',
    invite: (cast, factory) => inviteFactory(cast.alice, factory, { xml: listOf(cast).replace('</list>', '') }),
  },
  {
    title: 'CC-018 a list with a DOCTYPE',
    status: 400,
    code: 'bad-list',
    invite: (cast, factory) =>
      inviteFactory(cast.alice, factory, {
        xml: listOf(cast).replace('?>', '?>\r\n<!DOCTYPE resource-lists [<!ENTITY who SYSTEM "http://127.0.0.1:1/">]>'),
      }),
  },
  {
    title: 'a list that is announced and does not come',
    status: 400,
    code: 'list-missing',
    invite: (cast, factory) => cast.alice.invite(factory, { headers: { 'Require': 'recipient-list-invite' } }),
  },
  {
    title: 'CC-040 a list of 51 entries',
    status: 403,
    code: 'list-too-long',
    invite: (cast, factory) => {
      const others = Array.from({ length: 50 }, (_, n) => ({
        uri: cast.ted.address.replace('sip:ted', `sip:ted${n}`),
      }));
      return inviteFactory(cast.alice, factory, { entries: [...bobAlone(cast), ...others] });
    },
    tells: { 'Warning': /^399 / },
  },
  {
    title: 'a session description without MSRP',
    status: 488,
    code: 'media-not-acceptable',
    invite: (cast, factory) =>
      cast.alice.invite(factory, {
        body: crlf(
          'v=0',
          'o=alice 1 1 IN IP4 127.0.0.1',
          's=-',
          'c=IN IP4 127.0.0.1',
          't=0 0',
          'm=audio 4000 RTP/AVP 0',
        ),
      }),
    tells: { 'Warning': /^30[45] / },
  },
  {
    title: 'MSRP that does not take message/cpim',
    status: 488,
    code: 'media-not-acceptable',
    invite: (cast, factory) => {
      const sdp = msrpSdp({ user: 'alice', path: 'msrp://127.0.0.1:9/abcdefgh1234;tcp', port: 9, setup: 'actpass' });
      return cast.alice.invite(factory, { body: sdp.replace('message/cpim', 'text/plain') });
    },
  },
];

/** Refused by the rules, before a word of the list was looked at. */
async function nothingCameOfIt(cast: Cast, invite: OutgoingInvite): Promise<void> {
  expect(cast.bob.incoming).toEqual([]);
  expect(cast.ted.incoming).toEqual([]);
  const ours = (await conferences(service)).filter(({ created_by }) => created_by === cast.alice.aor);
  expect(ours).toEqual([]);
  expect(tagOf(header(await invite.final, 'To')), 'RFC 3261 8.2.6.2: a final answer bears a tag').toBeDefined();
  const alive = await cast.alice.ask('OPTIONS', service.factoryOver(cast.alice.transport));
  expect(alive.status).toBe(200);
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test.each(refusals)('$title: $status', async ({ status, code, invite: send, tells = {} }) => {
    await using cast = await openCast({ transport });
    const invite = send(cast, service.factoryOver(transport));
    const answer = await invite.final;
    expect(`${answer.status} ${answer.reason}`).toMatch(new RegExp(`^${status} `));
    for (const [name, pattern] of Object.entries(tells)) expect(header(answer, name)).toMatch(pattern);

    const attempt = await attemptOf(service, header(invite.request, 'Call-ID') ?? '');
    expect(attempt).toMatchObject({ method: 'INVITE', caller: cast.alice.aor, code, status });
    expect(attempt?.received).toContain('INVITE');
    await nothingCameOfIt(cast, invite);
  });
});

test('a body over the bound: 413', async () => {
  // Over UDP a datagram of this size cannot be sent at all.
  await using cast = await openCast({ transport: 'tcp' });
  const comment = `<!--${'x'.repeat(100)}-->\r\n`.repeat(700);
  const xml = listOf(cast).replace('</list>', `</list>\r\n${comment}`);
  const invite = inviteFactory(cast.alice, service.factoryOver('tcp'), { xml });
  expect((await invite.final).status).toBe(413);
  const attempt = await attemptOf(service, header(invite.request, 'Call-ID') ?? '');
  expect(attempt).toMatchObject({ method: 'INVITE', code: 'body-too-large', status: 413 });
  await nothingCameOfIt(cast, invite);
});
