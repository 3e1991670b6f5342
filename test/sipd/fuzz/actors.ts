/** What the application and the peers of an episode say when it is their turn. */
import type { Peer } from '../../../src/sipd/input.ts';
import { headerLines } from '../stack-world.ts';
import type { Chance } from './chance.ts';
import { mutate } from './mutate.ts';
import { peerCount } from './script.ts';

/** What has passed that somebody may speak to. */
export type Memory = {
  /** Requests the application was given, by their transaction ids. */
  readonly requests: { readonly transactionId: string; readonly dialogId: string }[];
  /** Requests of the application, by the transaction ids it was told. */
  readonly asked: string[];
  readonly dialogs: Set<string>;
  /** What the server has sent. */
  readonly sent: { readonly to: Peer; readonly text: string }[];
};

/** How much is remembered of each. */
export const memoryMax = 12;

/** A frame of the application, without its message id. */
export function applicationSays(memory: Memory, chance: Chance): string {
  const kind = chance.below(100);
  const [...dialogs] = memory.dialogs;
  if (kind < 55 && memory.requests.length > 0) {
    const { transactionId } = chance.pick(memory.requests);
    return `sip|${transactionId}|\r\n${answer(chance)}`;
  }
  if (kind < 65 && memory.asked.length > 0) {
    return `sip|${chance.pick(memory.asked)}|\r\nCANCEL sip:bob@10.0.0.1 SIP/2.0\r\n\r\n`;
  }
  if (kind < 85 && dialogs.length > 0) {
    const method = chance.pick(['ACK', 'BYE', 'INFO', 'INVITE', 'NOTIFY', 'UPDATE', 'PRACK', 'REFER', 'MESSAGE']);
    const state = method === 'NOTIFY' ? `Subscription-State: ${chance.pick(['active', 'terminated'])}\r\n` : '';
    return `sip||${chance.pick(dialogs)}\r\n${spoilt(`${method} sip:placeholder SIP/2.0\r\n${state}\r\n`, chance)}`;
  }
  const method = chance.pick(['INVITE', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'MESSAGE', 'REFER', 'NOTIFY']);
  const uri = `sip:bob@10.0.0.${1 + chance.below(peerCount)}${chance.happens(20) ? ';transport=tcp' : ''}`;
  return `sip||\r\n${spoilt(`${method} ${uri} SIP/2.0\r\nFrom: <sip:focus@localhost>\r\n\r\n`, chance)}`;
}

/** A message of a peer, and where it comes from; null when it has nothing to speak to. */
export function peerSays(memory: Memory, chance: Chance): { readonly from: Peer; readonly text: string } | null {
  if (memory.sent.length === 0) return null;
  const { to: from, text } = chance.pick(memory.sent);
  const said = text.startsWith('SIP/2.0 ') ? inDialog(text, from, chance) : reply(text, from, chance);
  return { from, text: chance.happens(20) ? mutate(said, chance) : said };
}

function answer(chance: Chance): string {
  const status = chance.pick([100, 180, 183, 200, 200, 200, 202, 302, 404, 486, 500, 603]);
  const headers = [
    ...(chance.happens(30) ? ['Contact: <sip:focus@localhost>;isfocus'] : []),
    ...(chance.happens(15) ? ['Require: 100rel'] : []),
    ...(chance.happens(10) ? ['Session-Expires: 90;refresher=uas'] : []),
    ...(chance.happens(10) ? ['To: <sip:focus@example.com>;tag=chosen'] : []),
    ...(chance.happens(20) ? ['Expires: 60'] : []),
  ];
  const body = chance.happens(30) ? 'v=0\r\n' : '';
  return spoilt(`${[`SIP/2.0 ${status} Fuzz`, ...headers].join('\r\n')}\r\n\r\n${body}`, chance);
}

function reply(request: string, from: Peer, chance: Chance): string {
  const status = chance.pick([
    '100 Trying',
    '180 Ringing',
    '183 X',
    '200 OK',
    '200 OK',
    '202 X',
    '302 X',
    '404 X',
    '481 X',
    '503 X',
  ]);
  const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) => headerLines(request, name));
  const [to = 'To: <sip:x@y>'] = headerLines(request, 'To');
  const tag = to.includes(';tag=') ? '' : `;tag=b${chance.below(3)}`;
  const more = chance.happens(15) ? ['Require: 100rel', 'RSeq: 1'] : [];
  const lines = [`SIP/2.0 ${status}`, ...copied, to + tag, `Contact: <sip:bob@${from.host}:${from.port}>`, ...more];
  return `${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
}

/** The ACK of an answer, or a request in the dialog it made. */
function inDialog(response: string, from: Peer, chance: Chance): string {
  const method = chance.pick([
    'ACK',
    'ACK',
    'ACK',
    'BYE',
    'INFO',
    'INVITE',
    'UPDATE',
    'PRACK',
    'NOTIFY',
    'SUBSCRIBE',
    'CANCEL',
  ]);
  const copied = ['From', 'To', 'Call-ID'].flatMap((name) => headerLines(response, name));
  const [via = ''] = headerLines(response, 'Via');
  const [cseq = ''] = headerLines(response, 'CSeq');
  const number = Number(/\d+/.exec(cseq)?.[0] ?? 1);
  const same = method === 'ACK' || method === 'CANCEL';
  const fresh = `Via: SIP/2.0/${from.protocol.toUpperCase()} ${from.host}:${from.port};branch=z9hG4bKd${chance.below(50)}`;
  const lines = [
    `${method} sip:focus@10.0.0.9 SIP/2.0`,
    same && chance.happens(60) ? via : fresh,
    ...copied,
    `CSeq: ${same ? number : number + chance.below(3)} ${method}`,
    `Contact: <sip:alice@${from.host}:${from.port}>`,
    ...(method === 'PRACK' ? [`RAck: 1 ${number} INVITE`] : []),
    ...(method === 'NOTIFY' ? ['Event: conference', 'Subscription-State: terminated'] : []),
  ];
  return `${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
}

function spoilt(text: string, chance: Chance): string {
  return chance.happens(15) ? mutate(text, chance) : text;
}
