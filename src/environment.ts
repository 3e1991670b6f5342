/** What the settings of the process are read with: texts, ports, words, numbers, hosts and files, each by its variable. */

import { readFileSync } from 'node:fs';
import { isIP, isIPv6, SocketAddress } from 'node:net';

export type Env = Readonly<Record<string, string | undefined>>;

/** A variable that cannot be used; the message is the one sentence the start ends with. */
export class BadConfig extends Error {}

/** An address or a plain host name. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text);
}

/** The shortest text of an IPv6 address, so that equal addresses are equal; anything else, and one with a scope, stays. */
export function canonical(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new SocketAddress({ address: host, family: 'ipv6' }).address : host;
}

/** Whether that listens on every address, hence is none to be told to others. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || canonical(host) === '::';
}

/** What is set, without blanks around it; nothing is null. */
export function text(env: Env, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? null : value;
}

/** What stands between commas, nothing empty. */
export function list(env: Env, name: string): readonly string[] {
  const items = text(env, name)?.split(',') ?? [];
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** A port; 0 picks a free one. */
export function port(env: Env, name: string, fallback: number): number {
  const value = text(env, name);
  return value === null ? fallback : portOf(name, value);
}

/** A port that is off unless it is set; `off` says so, too. */
export function portOrOff(env: Env, name: string): number | null {
  const value = text(env, name);
  return value === null || value.toLowerCase() === 'off' ? null : portOf(name, value);
}

function portOf(name: string, value: string): number {
  const number = Number(value);
  if (!/^\d{1,5}$/.test(value) || number > 65_535)
    throw new BadConfig(`${name} must be a port from 0 to 65535, not "${value}".`);
  return number;
}

/** Throws when two of these ports, which share their addresses, are one; 0 takes a free one each time. */
export function checkDistinct(ports: Readonly<Record<string, number | null>>): void {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(ports)) {
    if (number === null || number === 0) continue;
    const other = names.get(number);
    if (other !== undefined) throw new BadConfig(`${name} must differ from ${other}, and both are ${number}.`);
    names.set(number, name);
  }
}

/** The path of a file that can be read, demanded because of another variable. */
export function file(env: Env, name: string, forPort: string): string {
  const path = text(env, name);
  if (path === null) throw new BadConfig(`${name} must be set when ${forPort} is.`);
  try {
    readFileSync(path);
  } catch {
    throw new BadConfig(`${name} must be a file that can be read, not "${path}".`);
  }
  return path;
}

/** One of the words, in whatever case; null: not set. */
export function oneOf<Word extends string>(env: Env, name: string, words: readonly Word[]): Word | null {
  const value = text(env, name)?.toLowerCase();
  if (value === undefined) return null;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new BadConfig(`${name} must be one of ${words.join(', ')}, not "${value}".`);
  return word;
}

/** Whether `on` is set, or usual where nothing is. */
export function onOrOff(env: Env, name: string, usual: boolean): boolean {
  const word = oneOf(env, name, ['on', 'off']);
  return word === null ? usual : word === 'on';
}

type Bounds = { readonly least: number; readonly most?: number; readonly fallback: number };

/** A whole number, of at most a million unless said. */
export function whole(env: Env, name: string, { least, most = 1_000_000, fallback }: Bounds): number {
  const value = text(env, name);
  if (value === null) return fallback;
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number < least || number > most)
    throw new BadConfig(`${name} must be a whole number from ${least} to ${most}, not "${value}".`);
  return number;
}

/** null: what is bound can be told to others as it is. */
export function publicHost(
  env: Env,
  how: { name: string; bound: readonly string[]; wildcardOk: boolean },
): string | null {
  const given = text(env, how.name);
  if (given !== null) {
    if (isWildcard(given) || !isHost(given)) {
      throw new BadConfig(`${how.name} must be an address that others can reach, not "${given}".`);
    }
    return given;
  }
  const wildcard = how.bound.find(isWildcard);
  if (wildcard !== undefined && !how.wildcardOk)
    throw new BadConfig(`${how.name} must be set when the server listens on ${wildcard}.`);
  return null;
}
