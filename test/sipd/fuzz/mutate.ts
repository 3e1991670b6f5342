/** Ways to spoil a SIP message. */
import type { Chance } from './chance.ts';

const nasty = [
  '',
  ' ',
  '|',
  '||x|y',
  '"',
  '"unclosed',
  '<',
  '<sip:x',
  '>',
  '<>',
  ';',
  ';;;,,;',
  ',',
  'sip:',
  'sips:a@b;transport=tls',
  '<sip:a@b>;tag=',
  '<sip:a@b>;tag=x|y',
  'tel:+1',
  'urn:x:y',
  '[::1',
  '[::1]:99999',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999999999',
  '1e9',
  '0x10',
  'NaN',
  'a\rb',
  'a\nb',
  'a\r\nVia: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKinjected',
  'a\r\n\r\nINVITE sip:x SIP/2.0',
  '\0\0',
  '\u00ff\u00fe\u00e2\u0082\u00ac',
  'z9hG4bK',
  'SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKother',
  'SIP/2.0/TCP [2001:db8::1]:5060;rport;received=203.0.113.1;maddr=224.0.0.1;ttl=255',
  'SIP/2.0/UDP 10.0.0.9:0',
  '*',
  '1 ACK',
  '1 CANCEL',
  '2147483648 INVITE',
  'constructor',
  '__proto__',
  '100rel',
  'active;expires=-1',
  'terminated',
];

const names = [
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'Record-Route',
  'Route',
  'Max-Forwards',
  'Content-Length',
  'Content-Type',
  'Expires',
  'Event',
  'Subscription-State',
  'Require',
  'Supported',
  'RSeq',
  'RAck',
  'Session-Expires',
  'Min-SE',
  'Timestamp',
  'Reason',
  'Refer-To',
  'Replaces',
  'v',
  'f',
  't',
  'i',
  'l',
  'm',
];

type Mutation = (text: string, chance: Chance) => string;

const mutations: readonly Mutation[] = [
  // An octet changes.
  (text, chance) => {
    const at = chance.below(text.length);
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << chance.below(8))) + text.slice(at + 1);
  },
  // An octet or a few are put in.
  (text, chance) => {
    const at = chance.below(text.length + 1);
    return text.slice(0, at) + chance.pick(nasty) + text.slice(at);
  },
  // It breaks off.
  (text, chance) => text.slice(0, chance.below(text.length)),
  // A piece goes.
  (text, chance) => {
    const at = chance.below(text.length);
    return text.slice(0, at) + text.slice(at + chance.below(60));
  },
  // A piece comes twice.
  (text, chance) => {
    const at = chance.below(text.length);
    return text.slice(0, at + chance.below(60)) + text.slice(at);
  },
  // A value is another.
  (text, chance) => changeLine(text, chance, (line) => `${line.slice(0, line.indexOf(':') + 1)} ${chance.pick(nasty)}`),
  // A number is another.
  (text, chance) => changeLine(text, chance, (line) => line.replace(/\d+/, () => chance.pick(nasty))),
  // A line goes, comes twice, or changes places.
  (text, chance) => changeLines(text, (lines) => lines.splice(1 + chance.below(lines.length - 1), 1)),
  (text, chance) => changeLines(text, (lines) => lines.splice(1, 0, chance.pick(lines))),
  (text, chance) =>
    changeLines(text, (lines) => lines.splice(1, 0, ...lines.splice(1 + chance.below(lines.length - 1), 1))),
  // A header of any name and value.
  (text, chance) => changeLines(text, (lines) => lines.splice(1, 0, `${chance.pick(names)}: ${chance.pick(nasty)}`)),
  // A name is spelt otherwise.
  (text, chance) => changeLine(text, chance, (line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())),
  (text, chance) => changeLine(text, chance, (line) => line.replace(/^[^:]*/, (name) => `${name} \t`)),
  // A line is folded.
  (text, chance) => changeLine(text, chance, (line) => line.replace(/ /, '\r\n ')),
  // Line ends are others.
  (text) => text.replaceAll('\r\n', '\n'),
  (text, chance) => text.replace('\r\n', () => chance.pick(['\n', '\r', '\r\r\n', '\n\r', ''])),
  (text, chance) => chance.pick(['\r\n', '\n', '\r\n\r\n', ' ']) + text,
  // Something is there very often.
  (text, chance) => {
    const many = chance
      .pick([';a', ';a="b"', ',', '"', '<', ' ', '\r\n ', 'a', '\\', '%00'])
      .repeat(chance.below(3_000));
    return changeLine(text, chance, (line) => line + many);
  },
  (text, chance) => changeLines(text, (lines) => lines.push(...new Array<string>(chance.below(700)).fill('X: y'))),
  // The first line.
  (text, chance) => text.replace(/^\S+/, chance.pick(['INVITE', 'ACK', 'BYE', 'CANCEL', 'PRACK', 'SIP/2.0', 'X', ''])),
  (text, chance) => text.replace('SIP/2.0\r', `${chance.pick(['SIP/2.1', 'sip/2.0', 'SIP/2.0 ', 'HTTP/1.1'])}\r`),
];

/** The text, changed one to three times; now and then it is no message at all. */
export function mutate(text: string, chance: Chance): string {
  if (chance.happens(2)) return garbage(chance);
  let changed = text;
  for (let count = 1 + chance.below(3); count > 0; count -= 1) changed = chance.pick(mutations)(changed, chance);
  // What a datagram holds.
  return changed.slice(0, 65_507);
}

/** The first part of one message and the second of another. */
export function splice(first: string, second: string, chance: Chance): string {
  return first.slice(0, chance.below(first.length)) + second.slice(chance.below(second.length));
}

/** Any octets. */
export function garbage(chance: Chance): string {
  let text = '';
  for (let count = chance.below(200); count > 0; count -= 1) text += String.fromCharCode(chance.below(256));
  return text;
}

function changeLine(text: string, chance: Chance, change: (line: string) => string): string {
  return changeLines(text, (lines) => {
    const at = chance.below(lines.length);
    lines[at] = change(lines[at] ?? '');
  });
}

function changeLines(text: string, change: (lines: string[]) => void): string {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return text;
  const lines = text.slice(0, end).split('\r\n');
  change(lines);
  return lines.join('\r\n') + text.slice(end);
}
