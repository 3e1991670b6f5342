/** The `proxy` frame of an application, read; and the frames that tell it what came of it. */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { timeOfDay } from '../control/frames.ts';
import { limits } from '../limits.ts';
import { type AppMessage, readAppMessage } from '../message/compose.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import type { FinalAnswer } from './response-context.ts';

/** How a request is to be forwarded. */
export type ForwardingWish = {
  /** Whether later requests of the dialog are to come through us. */
  readonly remainInDialog: boolean;
  readonly followRedirects: boolean;
  readonly parallel: boolean;
  /** Milliseconds until a target must have said anything, and everything; null: as long as SIP allows. */
  readonly provisionalMs: number | null;
  readonly finalMs: number | null;
  readonly destinations: readonly string[];
  /** Whose headers replace those of the request. */
  readonly message: Pick<AppMessage, 'headers'>;
};

export type ProxyCommand = ForwardingWish & {
  readonly session: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly fullResponse: boolean;
};

export type CommandFrame = {
  readonly session: number;
  readonly messageId: string;
  /** From `proxy` on. */
  readonly tokens: readonly string[];
  readonly text: string;
};

/** Reads `proxy|<transaction>|remainInDialog|fullResponse|followRedirects|simultaneous or serial|<ms>|<ms>|<uri>…`. */
export function readProxyCommand({ session, messageId, tokens, text }: CommandFrame): ProxyCommand {
  const [, transactionId = '', remain, full, follow, order, provisional = '', final = '', ...destinations] = tokens;
  return {
    session,
    messageId,
    transactionId,
    remainInDialog: remain === 'remainInDialog',
    fullResponse: full === 'fullResponse',
    followRedirects: follow === 'followRedirects',
    parallel: order === 'simultaneous',
    provisionalMs: readDuration(provisional),
    finalMs: readDuration(final),
    destinations: destinations.filter((each) => each !== '').slice(0, limits.proxyTargetsMax),
    message: readAppMessage(text) ?? { headers: [] },
  };
}

/** `2s`, `1500ms`, or a plain number of milliseconds; null for anything else. */
export function readDuration(text: string): number | null {
  const digits = text.replace(/m?s$/, '');
  if (!/^\d{1,9}$/.test(digits)) return null;
  const ms = Number(digits) * (text.endsWith('s') && !text.endsWith('ms') ? 1_000 : 1);
  return ms === 0 ? null : ms;
}

/** Tells the application that asked how it goes; silent once it has gone. */
export class ProxyReport {
  readonly #context: Context;
  readonly #apps: Apps;
  readonly #command: ProxyCommand;
  #isDone = false;

  constructor(context: Context, apps: Apps, command: ProxyCommand) {
    this.#context = context;
    this.#apps = apps;
    this.#command = command;
  }

  /** The request is not forwarded. */
  refused(text: string): void {
    this.#reply(`NOK|${text}`);
  }

  /** A target has given its final answer. */
  heard({ from, bytes, text }: IncomingResponse): void {
    this.#tell(`${bytes}|${from.protocol}|${from.host}|${from.port}`, text);
  }

  /** The caller has been answered: nothing more is told. What the server made up came from nowhere. */
  answered(answer: FinalAnswer): void {
    if (answer.kind === 'made') this.#tell('0|||0', answer.text);
    if (!this.#isDone) this.#reply('OK|done');
    this.#isDone = true;
  }

  #tell(origin: string, text: string): void {
    if (this.#isDone || !this.#command.fullResponse) return;
    this.#reply(`OK|network|${origin}|${timeOfDay(this.#context.now)}|||continue\r\n${text}`);
  }

  #reply(rest: string): void {
    const { session, messageId } = this.#command;
    if (this.#apps.isOpen(session)) this.#apps.reply(session, messageId, rest);
  }
}
