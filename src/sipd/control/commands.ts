/**
 * What the frames of applications mean: small commands answered at once, `sip` (a request to send, or the answer to one
 * that came in) and `proxy`. A frame is `<message id>|<command>|<arguments>`, then CRLF and the SIP text, if any.
 */

import type { UserAgentClient } from '../client/user-agent-client.ts';
import type { HeldRequests } from '../handlers/held-requests.ts';
import { readAppMessage } from '../message/compose.ts';
import type { ForwardingProxy } from '../proxy/forwarding-proxy.ts';
import type { CommandFrame } from '../proxy/proxy-command.ts';
import type { Answers } from '../server/answers.ts';
import type { Apps } from './apps.ts';

export type CommandsParts = {
  readonly apps: Apps;
  readonly client: Pick<UserAgentClient, 'request'>;
  readonly answers: Pick<Answers, 'answer'>;
  readonly proxy: Pick<ForwardingProxy, 'command'>;
  /** Hears of applications that log in. */
  readonly held: Pick<HeldRequests, 'loggedIn'>;
};

/** Reads each frame and has done what it asks for; refuses those that break the protocol. */
export class Commands {
  readonly #parts: CommandsParts;

  constructor(parts: CommandsParts) {
    this.#parts = parts;
  }

  /** A frame of the application connection `session`, without its length. */
  received(session: number, payload: string): void {
    const { apps } = this.#parts;
    if (!apps.isOpen(session)) return;
    const end = payload.indexOf('\r\n');
    const [messageId = '', ...tokens] = (end === -1 ? payload : payload.slice(0, end)).split('|');
    const [command] = tokens;
    if (command === undefined) {
      apps.refuse(session, messageId, 'Invalid message format');
      return;
    }
    // The daemon listens to anybody; a service that can send SIP for us must not.
    if (command !== 'authenticate' && !apps.isAuthenticated(session)) {
      apps.refuse(session, messageId, 'not authenticated');
      return;
    }
    if (apps.command(session, messageId, tokens)) {
      if (command === 'authenticate' && apps.isAuthenticated(session)) this.#parts.held.loggedIn(session);
      return;
    }
    const frame = { session, messageId, tokens, text: end === -1 ? '' : payload.slice(end + 2) };
    if (command === 'sip') this.#sip(frame);
    else if (command === 'proxy') this.#parts.proxy.command(frame);
    else apps.refuse(session, messageId, 'Unknown message type');
  }

  /** `sip|<transaction>|<dialog>|<proxy>`: a response answers that transaction; a request is sent. */
  #sip({ session, messageId, tokens, text }: CommandFrame): void {
    const [, transactionId = '', dialogId = '', proxy = ''] = tokens;
    const message = readAppMessage(text);
    if (message === null) {
      this.#parts.apps.reply(session, messageId, `NOK|invalid request-uri: ${text.split('\r\n')[0] ?? ''}`);
      return;
    }
    const { start } = message;
    if (start.kind === 'request') {
      const { method, uri } = start;
      this.#parts.client.request({ session, messageId, transactionId, dialogId, proxy, message, method, uri });
    } else if (transactionId === '') this.#parts.apps.refuse(session, messageId, 'transaction id missing');
    else {
      const { status, reason } = start;
      this.#parts.answers.answer({ session, messageId, transactionId, message, status, reason });
    }
  }
}
