/** An application on unmodified drachtio-srf, with the types of what it really gives. */
import Srf from 'drachtio-srf';
import { within } from '../support/wait.ts';

export type AppDialog = {
  readonly id: string;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly contact: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  destroy: () => Promise<AppRequest>;
  request: (options: { method: string; headers?: Record<string, string>; body?: string }) => Promise<AppAnswer>;
  modify: (sdp: string) => Promise<string>;
  on: (event: string, listener: (request: AppRequest, second: unknown) => void) => void;
};

export type AppRequest = {
  readonly method: string;
  readonly uri: string;
  readonly raw: string;
  readonly body: string;
  readonly source: string;
  readonly stackDialogId: string | undefined;
  readonly stackTxnId: string;
  readonly receivedOn: string | undefined;
  get: (name: string) => string | undefined;
  on: (event: string, listener: (first: AppAnswer, second: () => void) => void) => void;
  cancel: (callback: (error: unknown) => void) => void;
};

export type AppAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly raw: string;
  readonly source_address: string;
  readonly stackDialogId: string;
  get: (name: string) => string | undefined;
};

export type AppResponse = {
  /** Set once an answer has been confirmed. */
  readonly stackDialogId: string | undefined;
  send: (
    status: number,
    options?: { headers?: Record<string, string>; body?: string },
    callback?: (error: unknown, sent: AppAnswer) => void,
  ) => void;
};

export type RequestOptions = {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly proxy?: string;
  readonly stackDialogId?: string;
};

type Middleware = (request: AppRequest, response: AppResponse) => void;

/** What the control connection is secured with: the authority that signed the server's certificate. */
export type ControlTls = { readonly ca: Buffer };

export type Application = {
  connect: (options: { host: string; port: number; secret: string; tls?: ControlTls }) => void;
  disconnect: () => void;
  on: (event: string, listener: (...values: unknown[]) => void) => void;
  use: (method: string, middleware: Middleware) => void;
  request: (uri: string, options: RequestOptions, callback: (error: unknown, sent: AppRequest) => void) => void;
  createUAS: (
    request: AppRequest,
    response: AppResponse,
    options: { localSdp?: string; headers?: Record<string, string> },
  ) => Promise<AppDialog>;
  createUAC: (
    uri: string,
    options: { localSdp?: string; headers?: Record<string, string>; proxy?: string },
    progress?: { cbRequest?: (error: unknown, sent: AppRequest) => void; cbProvisional?: (answer: AppAnswer) => void },
  ) => Promise<AppDialog>;
};

/** Connects an application and waits until it is logged in. */
export async function connectApplication(port: number, secret = 'cymru', tls?: ControlTls): Promise<Application> {
  const application = new Srf() as unknown as Application;
  const connected = new Promise<void>((resolve, reject) => {
    application.on('connect', (error) => (error instanceof Error ? reject(error) : resolve()));
  });
  application.on('error', () => undefined);
  application.connect({ host: '127.0.0.1', port, secret, ...(tls === undefined ? {} : { tls }) });
  await within('the application to log in', connected);
  return application;
}

/** Sends a request; gives its final answer. */
export function ask(application: Application, uri: string, options: RequestOptions): Promise<AppAnswer> {
  return new Promise((resolve, reject) => {
    application.request(uri, options, (error, sent) => {
      if (error !== null) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      sent.on('response', (answer) => {
        if (answer.status >= 200) resolve(answer);
      });
    });
  });
}
