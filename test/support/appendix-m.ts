/** The steps of Appendix M that several tests and the demo take: a one-to-one session becomes a conference. */
import {
  boundary,
  type DialogIds,
  type ListEntry,
  listPart,
  multipart,
  type Part,
  resourceList,
  withReplaces,
} from './bodies.ts';
import type { Call, OutgoingInvite } from './call.ts';
import type { Cast } from './cast.ts';
import { whenConference } from './rest-view.ts';
import type { Service } from './service.ts';
import type { Headers } from './sip-dialog.ts';
import type { UserAgent } from './user-agent.ts';

/** Alice calls Bob (M-01, M-02); gives the dialog as Bob sees it, which is how Replaces must name it. */
export async function aliceCallsBob({ alice, bob }: Cast): Promise<{ call: Call; ids: DialogIds }> {
  const call = await alice.call(bob.address);
  await bob.calls[0]?.confirmed;
  const { callId, localTag, remoteTag } = call.dialog.facts;
  return { call, ids: { callId, toTag: remoteTag, fromTag: localTag } };
}

export type ListInvite = {
  readonly entries?: readonly ListEntry[];
  /** The list as text, right or wrong, in place of `entries`. */
  readonly xml?: string;
  readonly headers?: Headers;
};

/** M-03: an INVITE to the factory with a session description and a recipient list. */
export function inviteFactory(
  caller: UserAgent,
  factory: string,
  { entries = [], xml = resourceList(entries), headers = {} }: ListInvite,
): OutgoingInvite {
  const parts: Part[] = [{ type: 'application/sdp', text: caller.media.offer() }, listPart(xml)];
  return caller.invite(factory, {
    contentType: `multipart/mixed;boundary="${boundary}"`,
    body: multipart(parts),
    headers: { 'Require': 'recipient-list-invite', 'Subject': 'Project chat', ...headers },
  });
}

/** Bob's entry, to replace the dialog `ids`, and Ted's. */
export function bobAndTed({ bob, ted }: Cast, ids: DialogIds): ListEntry[] {
  return [
    { uri: withReplaces(bob.address, ids), copyControl: 'to' },
    { uri: ted.address, copyControl: 'to' },
  ];
}

/** M-03 to M-09: Alice makes a conference with Bob and Ted; both are in when this resolves. Gives Alice's call. */
export async function makeConference(cast: Cast, service: Service): Promise<Call> {
  const { alice, bob, ted } = cast;
  const entries = [{ uri: bob.address }, { uri: ted.address }];
  const call = await inviteFactory(alice, service.factoryOver(alice.transport), { entries }).established();
  const joined = [bob, ted].map(async (agent) => await (await agent.firstCall()).confirmed);
  await Promise.all(joined);
  await whenConference(service, call.dialog.remoteTarget, ({ participant_count }) => participant_count === 3);
  return call;
}

/** M-03L: the message as the source document prints it, quirks QK-1 to QK-9. `listUris` are written unescaped. */
export function inviteLiterally(alice: UserAgent, factory: string, listUris: readonly string[]): OutgoingInvite {
  const rows = listUris.map((uri) => `    <entry uri="${uri}" />`);
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"',
    '    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    '  <list>',
    ...rows,
    '  </list>',
    '</resource-lists>',
    '',
  ].join('\r\n');
  return alice.invite(factory.replace(/^sip:/, ''), {
    contentType: ['application/sdp', 'application/resource-lists+xml'],
    body: `${alice.media.offer()}\r\n${xml}`,
    headers: {
      'Require': 'recipient-list-subscribe',
      'Supported': 'eventlist',
      'Content-Disposition': 'recipient-list',
    },
  });
}
