/**
 * The part of drachtio-srf 5.0 that is used, as it really behaves: the types it ships lack the callbacks, the dialog id
 * and the connection. The only file that imports the library.
 */
import type { Socket } from 'node:net';
import Srf from 'drachtio-srf';

/** A request, received (`source` is `network`), made up by the server (`application`), or sent by us. */
export type SrfRequest = {
  readonly method: string;
  readonly uri: string;
  /** The message as it is on the wire. */
  readonly raw: string;
  readonly source: 'network' | 'application';
  readonly source_address: string;
  readonly source_port: number;
  /** `<Call-ID>;from-tag=<tag>`; empty outside dialogs. */
  readonly stackDialogId: string | undefined;
  on(event: 'response', listener: (response: SrfAnswer, ack: () => void) => void): void;
  on(event: 'cancel', listener: () => void): void;
  on(event: 'update', listener: (request: SrfRequest, response: SrfResponse) => void): void;
  cancel(callback: (error: unknown) => void): void;
};

/** A response to a request of ours. */
export type SrfAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly raw: string;
  readonly source_address: string;
};

/** A response of ours, to be sent once. */
export type SrfResponse = {
  /** As written; Call-ID, CSeq, From and To are those of the request. */
  readonly headers: Record<string, string>;
  send(status: number, reason: string, options: { readonly body?: string }, callback: (error: unknown) => void): void;
};

export type SrfRequestOptions = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends within this dialog; the URI is then `sip:placeholder`. */
  readonly stackDialogId?: string;
  /** Next hop. */
  readonly proxy?: string;
};

export type SrfMiddleware = (request: SrfRequest, response: SrfResponse) => void;

/** The library's connection keeper: tells of each new control socket before anything but the login is written. */
export type SrfWire = {
  closing: boolean;
  readonly reconnectVars: { retryTimer: NodeJS.Timeout | null };
  on(event: 'connect', listener: (socket: Socket) => void): void;
};

export type SrfConnectOptions = {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly reconnect: { readonly retryMaxDelay: number };
};

export type SrfAgent = {
  readonly app: { readonly client: { readonly wp: SrfWire; readonly mapServer: ReadonlyMap<Socket, unknown> } };
  connect(options: SrfConnectOptions): void;
  disconnect(): void;
  use(method: string, middleware: SrfMiddleware): void;
  use(middleware: SrfMiddleware): void;
  /** Throws when there is no connection. The callback gets the request as sent, or what the server refused it with. */
  request(uri: string, options: SrfRequestOptions, callback: (error: unknown, request: SrfRequest) => void): void;
  on(event: 'connect', listener: (error: Error | null, hostports: string) => void): void;
  on(event: 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
};

/** A library instance that is not connected yet. */
export function createSrf(): SrfAgent {
  return new Srf() as unknown as SrfAgent;
}
