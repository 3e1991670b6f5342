/** What a request handler wants done: its JSON, `{action, data}`, read as the real server reads it. */

import { RemoteError } from '../../wire/remote-error.ts';
import { limits } from '../limits.ts';
import { addressList, usableUri } from '../message/address.ts';
import { type ForwardingWish, readDuration } from '../proxy/proxy-command.ts';
import { type ApplicationAddress, readAddress } from './request-handlers.ts';

export type Instruction =
  /** A status from 300 to 699; reason null: the usual one. */
  | { readonly kind: 'reject'; readonly status: number; readonly reason: string | null }
  /** Values for Contact. */
  | { readonly kind: 'redirect'; readonly contacts: readonly string[] }
  | { readonly kind: 'proxy'; readonly wish: ForwardingWish }
  /** To an application that waits for connections; null: the address is none. */
  | { readonly kind: 'connect'; readonly address: ApplicationAddress | null }
  /** To one of the applications that have connected with this tag. */
  | { readonly kind: 'choose'; readonly tag: string };

type Data = Readonly<Record<string, unknown>>;

/** What the daemon waits when a proxy action says nothing. */
const usualWaits = { provisionalMs: 5_000, finalMs: 60_000 };

/** Null when the text is no JSON, or not an instruction. */
export function readInstruction(text: string): Instruction | null {
  const instruction = objectOf(parsed(text));
  const data = objectOf(instruction?.['data']);
  if (data === null) return null;
  switch (instruction?.['action']) {
    case 'reject':
      return rejection(data);
    case 'redirect':
      return redirection(data['contact']);
    case 'proxy':
      return forwarding(data);
    case 'route':
      return routing(data);
    default:
      return null;
  }
}

function rejection({ status, reason }: Data): Instruction | null {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 300 || status > 699) return null;
  return { kind: 'reject', status, reason: typeof reason === 'string' ? reasonOctets(reason) : null };
}

function redirection(contact: unknown): Instruction | null {
  const contacts = listOf(contact)?.flatMap(contactValues) ?? [];
  if (contacts.length === 0 || contacts.includes(null)) return null;
  return { kind: 'redirect', contacts: contacts.flatMap((each) => each ?? []).slice(0, limits.targetsMax) };
}

function forwarding(data: Data): Instruction | null {
  const destinations = listOf(data['destination']) ?? [];
  if (destinations.length === 0 || !destinations.every(isPlain)) return null;
  const flag = (name: string, usual: boolean): boolean => (typeof data[name] === 'boolean' ? data[name] : usual);
  const wait = (name: string, usual: number): number | null =>
    typeof data[name] === 'string' ? readDuration(data[name]) : usual;
  const wish: ForwardingWish = {
    destinations: destinations.slice(0, limits.proxyTargetsMax),
    remainInDialog: flag('recordRoute', false),
    followRedirects: flag('followRedirects', true),
    parallel: flag('simultaneous', false),
    provisionalMs: wait('provisionalTimeout', usualWaits.provisionalMs),
    finalMs: wait('finalTimeout', usualWaits.finalMs),
    message: { headers: [] },
  };
  return { kind: 'proxy', wish };
}

function routing({ uri, tag }: Data): Instruction | null {
  if (typeof uri === 'string') return { kind: 'connect', address: readAddress(uri) };
  return typeof tag === 'string' ? { kind: 'choose', tag: octetsOf(tag) } : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Data | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : null;
}

/** One string, or a list of nothing else; null for anything else. */
function listOf(value: unknown): readonly string[] | null {
  const list = typeof value === 'string' ? [value] : value;
  return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : null;
}

/** The Contacts in a text, a null for each that is none. RFC 3261 20.10: a bare URI with parameters wants brackets. */
function contactValues(text: string): readonly (string | null)[] {
  try {
    return addressList(text).map((value) => {
      const isUri = /^[a-z][a-z0-9+.-]*:./i.test(usableUri(value)) && isPrintable(value);
      if (!isUri) return null;
      return value.includes('<') ? value : `<${value}>`;
    });
  } catch (error) {
    if (error instanceof RemoteError) return [null];
    throw error;
  }
}

// Nothing a handler says may begin a header of its own.
function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}

function isPlain(destination: string): boolean {
  return isPrintable(destination) && !destination.includes(' ');
}

/** RFC 3261 25.1: a Reason-Phrase is UTF-8. Null for one that breaks the line, or fills a page. */
function reasonOctets(reason: string): string | null {
  const isPhrase = reason.length > 0 && reason.length <= limits.handlerReasonMax && !/\p{Cc}/u.test(reason);
  return isPhrase ? octetsOf(reason) : null;
}

/** Inside sipd text is octets. */
function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
