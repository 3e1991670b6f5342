import { randomBytes } from 'node:crypto';
import {
  header,
  headerValues,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../src/wire/sip-message.ts';

/** Further headers of a request or response; a list stands for several headers of one name. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** `headers` as the list that goes on the wire. */
export function headerList(headers: Headers): SipHeader[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => ({ name, value: one })),
  );
}

/** The URI of a name-addr or addr-spec header, without header parameters. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? (value.split(';')[0] ?? '').trim();
}

/** The tag of a From or To header; undefined when there is none. */
export function tagOf(value: string | undefined): string | undefined {
  return /;\s*tag=([^;>\s]+)/i.exec((value ?? '').replace(/<[^>]*>/, ''))?.[1];
}

export type DialogState = 'early' | 'confirmed' | 'terminated';

export type DialogFacts = {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  /** Values of Route, in order; see `routeSet`. */
  readonly routes?: readonly string[];
  readonly localCseq: number;
  /** True when this user agent sent the request that made it. */
  readonly initiator: boolean;
  readonly usage: 'INVITE' | 'SUBSCRIBE';
  readonly state: DialogState;
};

/** One dialog of a test's user agent (RFC 3261 12). */
export class Dialog {
  readonly facts: DialogFacts;
  state: DialogState;
  remoteTarget: string;
  #cseq: number;

  constructor(facts: DialogFacts) {
    this.facts = facts;
    this.state = facts.state;
    this.remoteTarget = facts.remoteTarget;
    this.#cseq = facts.localCseq;
  }

  /** The dialog that `response` (1xx with a tag, or 2xx) makes of `request` at the one who sent the request. */
  static ofClient(request: SipRequest, response: SipResponse): Dialog {
    return new Dialog({
      callId: header(request, 'Call-ID') ?? '',
      localTag: tagOf(header(request, 'From')) ?? '',
      remoteTag: tagOf(header(response, 'To')) ?? '',
      localUri: uriOf(header(request, 'From') ?? ''),
      remoteUri: uriOf(header(request, 'To') ?? ''),
      remoteTarget: uriOf(header(response, 'Contact') ?? request.uri),
      // RFC 3261 12.1.2: in reverse order.
      routes: routeSet(response).reverse(),
      localCseq: cseqOf(request),
      initiator: true,
      usage: request.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
      state: response.status < 200 ? 'early' : 'confirmed',
    });
  }

  /** The dialog that a request makes at the one who received it and chose `localTag`. */
  static ofServer(request: SipRequest, localTag: string): Dialog {
    return new Dialog({
      callId: header(request, 'Call-ID') ?? '',
      localTag,
      remoteTag: tagOf(header(request, 'From')) ?? '',
      localUri: uriOf(header(request, 'To') ?? ''),
      remoteUri: uriOf(header(request, 'From') ?? ''),
      remoteTarget: uriOf(header(request, 'Contact') ?? ''),
      routes: routeSet(request),
      localCseq: 0,
      initiator: false,
      usage: 'INVITE',
      state: 'early',
    });
  }

  /** True when `message`, received, lies in this dialog. */
  owns(message: SipMessage): boolean {
    const { callId, localTag, remoteTag } = this.facts;
    return (
      header(message, 'Call-ID') === callId &&
      tagOf(header(message, 'To')) === localTag &&
      tagOf(header(message, 'From')) === remoteTag
    );
  }

  /** The URI its requests are sent to: the first route, else the remote target. All routes are loose here. */
  get nextHop(): string {
    const [route] = this.facts.routes ?? [];
    return route === undefined ? this.remoteTarget : uriOf(route);
  }

  /** The headers that make a request part of this dialog; the CSeq rises unless `cseq` is given. */
  headers(method: string, cseq?: number): SipHeader[] {
    const { callId, localTag, remoteTag, localUri, remoteUri } = this.facts;
    if (cseq === undefined) this.#cseq += 1;
    return [
      { name: 'Max-Forwards', value: '70' },
      ...(this.facts.routes ?? []).map((value) => ({ name: 'Route', value })),
      { name: 'To', value: `<${remoteUri}>;tag=${remoteTag}` },
      { name: 'From', value: `<${localUri}>;tag=${localTag}` },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${cseq ?? this.#cseq} ${method}` },
    ];
  }
}

/** The values of Record-Route as they stand in `message`, one URI each. */
export function routeSet(message: SipMessage): string[] {
  return headerValues(message, 'Record-Route').flatMap((value) => value.match(/<[^>]*>[^,]*/g) ?? []);
}

/** The number of a message's CSeq. */
export function cseqOf(message: SipMessage): number {
  return Number.parseInt(header(message, 'CSeq') ?? '', 10);
}

/** A random tag or Call-ID part. */
export function newTag(): string {
  return randomBytes(8).toString('hex');
}
