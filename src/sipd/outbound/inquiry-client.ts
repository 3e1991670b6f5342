/** Asks request handlers by HTTP. No redirection is followed; what comes late or is too long counts as no reply. */

import { Agent, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { Inquiry, InquiryReply } from '../handlers/question.ts';
import { limits } from '../limits.ts';
import { lookupThrough, type OutboundWays, tlsOptions } from './outbound-ways.ts';

/** One for all handlers; its connections stay open for further questions. */
export class InquiryClient {
  readonly #plain: Agent;
  readonly #secure: SecureAgent;
  /** One for each question without a reply. */
  readonly #open = new Set<AbortController>();

  constructor(ways: OutboundWays) {
    const options = {
      keepAlive: true,
      // To each: kept connections to one handler must not be in the way of another.
      maxSockets: limits.handlerConnectionsMax,
      lookup: lookupThrough(ways.names),
    };
    this.#plain = new Agent(options);
    this.#secure = new SecureAgent({ ...options, ...tlsOptions(ways) });
  }

  /**
   * Never rejects. The status is not looked at, as in the daemon: it is the JSON that counts, and where something is
   * wrong there is none.
   */
  async ask(question: Inquiry): Promise<InquiryReply> {
    const open = new AbortController();
    const timeout = setTimeout(() => open.abort(new Error('it has not answered in time')), limits.handlerMs);
    this.#open.add(open);
    try {
      return { kind: 'replied', body: await bodyOf(await this.#send(question, open.signal)) };
    } catch (error) {
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timeout);
      this.#open.delete(open);
    }
  }

  /** Cuts off what is still being asked. */
  close(): void {
    for (const open of this.#open) open.abort(new Error('the server closes'));
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #send(question: Inquiry, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, body } = question;
    const options = {
      method: body === null ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        // As the daemon says it; the body is the request as it came.
        ...(body === null ? {} : { 'content-type': 'text/plain; charset=UTF-8' }),
      },
      signal,
    };
    return new Promise((resolve, reject) => {
      let heard = false;
      let repeated = false;
      const hear = (response: IncomingMessage): void => {
        heard = true;
        resolve(response);
      };
      const sent = url.startsWith('https:')
        ? requestSecure(url, { ...options, agent: this.#secure }, hear)
        : requestPlain(url, { ...options, agent: this.#plain }, hear);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A connection that was kept, and closed over there as we used it again: the question has not been read.
        const isStale = sent.reusedSocket && !heard && error.code === 'ECONNRESET' && !signal.aborted;
        repeated = isStale;
        if (isStale) this.#send(question, signal).then(resolve, reject);
        else reject(error);
      });
      // A reply by which the protocol would change (RFC 9110 15.2.2) ends without an error.
      sent.once('close', () => {
        if (!repeated) reject(new Error('it has closed without a reply'));
      });
      // While it waits for a connection it does not say that it is given up.
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      sent.end(body === null ? undefined : Buffer.from(body, 'latin1'));
    });
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early destroys the response, and its connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limits.handlerReplyBytesMax) throw new Error('its reply is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
