import { usualChat } from '../../src/core/chat-policy.ts';
import type { Ids } from '../../src/core/ids.ts';
import type { Caller, Input, InviteReceived, OptionsReceived, SubscribeReceived } from '../../src/core/input.ts';
import type { MsrpSelf, Settings } from '../../src/core/settings.ts';
import { parseResourceList, type RecipientEntry } from '../../src/wire/resource-lists.ts';
import { parseSdp, type SessionDescription } from '../../src/wire/sdp.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';

/** One construction per thing, with defaults for everything, so that each option a test sets means something. */

export const factoryUri = 'sip:conf-fact@conf.example.com';

/** Where the people of the stories live. */
export const addressOf: Readonly<Record<string, string>> = {
  alice: 'sip:alice@atlanta.example.com',
  bob: 'sip:bob@biloxi.example.com',
  ted: 'sip:ted@example.net',
  carol: 'sip:carol@chicago.example.com',
  eve: 'sip:eve@elsewhere.example.com',
};

export function nameOf(uri: string): string {
  return Object.keys(addressOf).find((name) => uri.startsWith(addressOf[name] ?? '-')) ?? uri;
}

export function settings(changes: Partial<Settings> = {}): Settings {
  return {
    node: 'node-1',
    lenient: true,
    auth: 'open',
    factoryUser: 'conf-fact',
    ownHosts: new Set(['conf.example.com']),
    conferenceAuthority: 'conf.example.com',
    msrp: msrpSelf(),
    audio: 'off',
    privateTargets: 'refuse',
    realm: 'conf.example.com',
    nonceSecret: 'secret',
    digestAlgorithms: ['SHA-256', 'MD5'],
    consent: 'off',
    creationsPerMinute: 0,
    endPolicy: 'creator-leaves',
    idleSeconds: 300,
    chat: usualChat,
    notifyMinIntervalMs: 0,
    sessionExpires: 1_800,
    minSe: 90,
    ...changes,
  };
}

/** MSRP over TCP alone, and no relay. */
export function msrpSelf(changes: Partial<MsrpSelf> = {}): MsrpSelf {
  return {
    host: 'focus.conf.example.com',
    port: 2855,
    tlsPort: null,
    wsPort: null,
    wssPort: null,
    maxSize: 10_485_760,
    present: () => ({ fingerprint: null, relays: [] }),
    ...changes,
  };
}

/** Identifiers that count: row-1, tag-1, 1 as the first conference. */
export function countingIds(): Ids {
  const counts = new Map<string, number>();
  const next = (kind: string): string => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${kind}-${count}`;
  };
  return {
    row: () => next('row'),
    conferenceUser: () => next('c').slice(2),
    tag: () => next('tag'),
    callId: () => next('call'),
    msrpSession: () => next('session'),
    sdpSession: () => next('3801').replace('-', ''),
    glarePause: () => 1_230,
    retryAfter: () => 7,
  };
}

export type OfferOptions = {
  setup?: string;
  acceptTypes?: string;
  wrapped?: string | null;
  port?: number;
  /** True, or the direction that its line says. */
  audio?: boolean | string;
  msrp?: boolean;
  direction?: string;
  /** Value of a=chatroom; null: the bare attribute. */
  chatroom?: string | null;
};

/** A client's offer or answer with one MSRP line, as in flow M-03. */
export function clientSdp(name: string, options: OfferOptions = {}): SessionDescription {
  const {
    setup = 'actpass',
    acceptTypes = 'message/cpim',
    wrapped = 'text/plain',
    port = 7656,
    audio = false,
    msrp = true,
    direction,
    chatroom,
  } = options;
  const host = `pc.${name}.example.com`;
  const message = [
    `m=message ${port} TCP/MSRP *`,
    `a=accept-types:${acceptTypes}`,
    ...(wrapped === null ? [] : [`a=accept-wrapped-types:${wrapped}`]),
    `a=setup:${setup}`,
    `a=path:msrp://${host}:7656/${name}Session;tcp`,
    ...(direction === undefined ? [] : [`a=${direction}`]),
    ...(chatroom === undefined ? [] : [chatroom === null ? 'a=chatroom' : `a=chatroom:${chatroom}`]),
  ];
  const lines = ['v=0', `o=${name} 28 28 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0', ...(msrp ? message : [])];
  if (audio !== false) lines.push('m=audio 4000 RTP/AVP 0 8');
  if (typeof audio === 'string') lines.push(`a=${audio}`);
  return parseSdp(`${lines.join('\r\n')}\r\n`);
}

export type ListEntry = {
  uri: string;
  replaces?: string;
  join?: string;
  copyControl?: 'to' | 'cc' | 'bcc';
  anonymize?: boolean;
};

/** A resource list read from real XML; `replaces` and `join` are escaped as RFC 3261 19.1.1 asks. */
export function recipients(entries: readonly (ListEntry | string)[], lenient = true): readonly RecipientEntry[] {
  const elements = entries.map((entry) => {
    const { uri, replaces, join, copyControl, anonymize }: ListEntry =
      typeof entry === 'string' ? { uri: entry } : entry;
    const address = addressOf[uri] ?? uri;
    const header = replaces === undefined ? '' : `;method=INVITE?Replaces=${encodeURIComponent(replaces)}`;
    const joined = join === undefined ? '' : `?Join=${encodeURIComponent(join)}`;
    const level = copyControl === undefined ? '' : ` cp:copyControl="${copyControl}"`;
    const hidden = anonymize === undefined ? '' : ` cp:anonymize="${anonymize}"`;
    const escaped = `${address}${header}${joined}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    return `<entry uri="${escaped}"${level}${hidden}/>`;
  });
  const namespaces = 'xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol"';
  const text = `<?xml version="1.0"?><resource-lists ${namespaces}><list>${elements.join('')}</list></resource-lists>`;
  return parseResourceList(text, { lenient, bytesMax: 65_536, elementsMax: 2_000, depthMax: 8 }).entries;
}

export function callerNamed(name: string, changes: Partial<Caller> = {}): Caller {
  return {
    aor: addressOf[name] ?? name,
    displayName: name.slice(0, 1).toUpperCase() + name.slice(1),
    private: false,
    ...changes,
  };
}

let requests = 0;

/** What every request says; each call is a request of its own. */
function facts(name: string, method: string, target: string) {
  const number = ++requests;
  const callId = `${name}-${method.toLowerCase()}-${number}`;
  const fromTag = `${name}tag${number}`;
  return {
    reply: `sip:${name}:${number}`,
    method,
    target: parseSipUri(target),
    requestUri: target,
    sourceAddress: '192.0.2.1',
    caller: callerNamed(name),
    claimed: callerNamed(name),
    credentials: [],
    callId,
    fromTag,
    cseq: 1,
    dialogId: `${callId};from-tag=${fromTag}`,
    requires: [],
    supports: [],
    accepts: null,
    quirks: [],
    received: `${method} ${target} SIP/2.0`,
  };
}

/** A refusal that says nothing but its status. */
export const unexplained = { reasonHeader: null, minSe: null, members: null };

/** Nothing is said of who is there. */
export const nothingSaid = { languages: [], associatedAors: [] };

/** Nothing is said of session timers. */
export const noTimer = { expires: null, refresher: null, minSe: null };

export function inviteFrom(name: string, target: string, changes: Partial<InviteReceived> = {}): InviteReceived {
  return {
    type: 'invite-received',
    ...facts(name, 'INVITE', target),
    contact: `sip:${name}@pc.${name}.example.com`,
    subject: null,
    maxForwards: 70,
    offer: clientSdp(name),
    list: null,
    replaces: null,
    join: null,
    referredBy: null,
    sessionTimer: noTimer,
    fromFocus: false,
    ...nothingSaid,
    ...changes,
  };
}

type InviteeAnswered = Extract<Input, { type: 'endpoint-answered' }>;

export type AnswerParts = Partial<InviteeAnswered>;

/** Somebody's 2xx to an INVITE of ours; without other words it accepts messages. */
export function answerFrom(name: string, changes: AnswerParts & Pick<InviteeAnswered, 'endpointId'>): InviteeAnswered {
  return {
    type: 'endpoint-answered',
    dialogId: 'dialog',
    contact: `sip:${name}@pc.${name}.example.com`,
    remoteTag: `${name}tag`,
    displayName: null,
    private: false,
    ...nothingSaid,
    answer: clientSdp(name, { setup: 'active' }),
    sessionTimer: null,
    ...changes,
  };
}

export function optionsFrom(name: string, target: string, changes: Partial<OptionsReceived> = {}): OptionsReceived {
  return { type: 'options-received', ...facts(name, 'OPTIONS', target), ...changes };
}

export function subscribeFrom(
  name: string,
  target: string,
  changes: Partial<SubscribeReceived> = {},
): SubscribeReceived {
  return {
    type: 'subscribe-received',
    ...facts(name, 'SUBSCRIBE', target),
    event: 'conference',
    expires: null,
    lastNotifyVersion: null,
    ...changes,
  };
}
