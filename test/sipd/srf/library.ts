/** drachtio-srf as its stories use it: the rest of what it really gives, and waits for what it tells. */
import { deferred, within } from '../../support/wait.ts';
import type { AppAnswer, AppDialog, Application, AppRequest, AppResponse, RequestOptions } from '../application.ts';
import type { Stage } from '../stage.ts';

export const modes = ['free', 'strict'] as const;

/** A description of a session, its version at will. */
export function described(version = 1, direction = 'sendrecv'): string {
  return [
    'v=0',
    `o=- 1 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

export const ofSdp = ['Content-Type: application/sdp'];
export const ofText = ['Content-Type: text/plain'];

export type Credentials = { readonly username: string; readonly password: string };
type Headers = Record<string, string>;

/** An offer the library got, whose ACK is the application’s. */
export type Unacknowledged = { readonly sdp: string; readonly ack: (sdp: string) => Promise<Dialog> };

export type Dialog = Omit<AppDialog, 'on' | 'request' | 'destroy' | 'modify'> & {
  readonly type: 'uas' | 'uac';
  readonly onHold: boolean;
  readonly connected: boolean;
  readonly local: AppDialog['local'] & { readonly sdp: string };
  request: (options: InDialog) => Promise<AppAnswer & { readonly body: string }>;
  destroy: (options?: { headers: Headers }) => Promise<AppRequest>;
  modify: (sdp: string, options?: { headers?: Headers; noAck?: boolean }) => Promise<string>;
  on: (event: string, listener: (request: AppRequest, second: AppResponse & string) => void) => void;
};

export type InDialog = {
  readonly method: string;
  readonly headers?: Headers;
  readonly body?: string;
  readonly auth?: Credentials;
};

export type CallOptions = {
  readonly method?: string;
  readonly localSdp?: string;
  readonly headers?: Headers;
  readonly noAck?: boolean;
  readonly auth?: Credentials;
  readonly followRedirects?: boolean;
  readonly callingNumber?: string;
  readonly callingName?: string;
};

export type Progress = {
  readonly cbRequest?: (error: unknown, sent: AppRequest) => void;
  readonly cbProvisional?: (answer: AppAnswer) => void;
};

export type BridgeOptions = CallOptions & {
  readonly passFailure?: boolean;
  readonly proxyRequestHeaders?: readonly string[];
  readonly proxyResponseHeaders?: readonly string[];
  readonly responseHeaders?: Headers;
  readonly localSdpA?: string | ((sdp: string) => string | Promise<string>);
  readonly localSdpB?: string;
};

export type ProxyOptions = {
  readonly remainInDialog?: boolean;
  readonly followRedirects?: boolean;
  readonly forking?: 'simultaneous' | 'sequential';
  readonly provisionalTimeout?: string;
  readonly finalTimeout?: string;
};

export type ProxyResults = {
  readonly connected: boolean;
  readonly finalStatus?: number;
  readonly responses: readonly {
    readonly address: string;
    readonly port: number;
    readonly msgs: readonly { readonly status: number }[];
  }[];
};

export type Library = Omit<Application, 'createUAS' | 'createUAC' | 'request'> & {
  createUAS: (
    request: AppRequest,
    response: AppResponse,
    options: { localSdp?: string | (() => Promise<string>); headers?: Headers },
  ) => Promise<Dialog>;
  createUAC: ((uri: string, options: CallOptions & { noAck: true }, progress?: Progress) => Promise<Unacknowledged>) &
    ((uri: string, options: CallOptions, progress?: Progress) => Promise<Dialog>);
  createB2BUA: (...values: BridgeArguments) => Promise<{ readonly uas: Dialog; readonly uac: Dialog }>;
  proxyRequest: (...values: ProxyArguments) => Promise<ProxyResults>;
  request: (
    uri: string,
    options: RequestOptions & { auth?: Credentials },
    callback: (error: unknown, sent: AppRequest) => void,
  ) => void;
  findDialogById: (id: string) => Dialog | undefined;
  findDialogByCallIDAndFromTag: (callId: string, tag: string) => Dialog | undefined;
};

type BridgeArguments = [
  request: AppRequest,
  response: AppResponse,
  uri: string,
  options?: BridgeOptions,
  progress?: Progress,
];

type ProxyArguments = [request: AppRequest, destination: string | readonly string[], options?: ProxyOptions];

export async function libraryOn(stage: Stage): Promise<Library> {
  return (await stage.application()) as unknown as Library;
}

/** The first value that was not taken yet, whether it is there or still to come. */
export class Mailbox<T> {
  readonly #waiting: T[] = [];
  readonly #takers: ((value: T) => void)[] = [];
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  put(value: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(value);
    else taker(value);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  next(): Promise<T> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve(value);
    const { promise, resolve } = deferred<T>();
    this.#takers.push(resolve);
    return within(this.#what, promise);
  }
}

export type Asked = { readonly request: AppRequest; readonly response: AppResponse };

/** Requests of this method that no dialog takes, as the library hands them up. */
export function askedFor(library: Pick<Library, 'use'>, method: string): Mailbox<Asked> {
  const asked = new Mailbox<Asked>(`${method} to be handed up`);
  library.use(method, (request, response) => asked.put({ request, response }));
  return asked;
}

/** What a dialog tells by this event. */
export function toldBy(dialog: Dialog, event: string): Mailbox<{ request: AppRequest; second: AppResponse & string }> {
  const told = new Mailbox<{ request: AppRequest; second: AppResponse & string }>(`the event ${event}`);
  dialog.on(event, (request, second) => told.put({ request, second }));
  return told;
}

/** Sends a request outside dialogs; gives its final answer. */
export function ask(
  library: Pick<Library, 'request'>,
  uri: string,
  options: RequestOptions & { auth?: Credentials },
): Promise<AppAnswer & { readonly body: string }> {
  const answered = new Promise<AppAnswer & { readonly body: string }>((resolve, reject) => {
    library.request(uri, options, (error, sent) => {
      if (error !== null) reject(error instanceof Error ? error : new Error(String(error)));
      else
        sent.on('response', (answer) => {
          if (answer.status >= 200) resolve(answer as AppAnswer & { readonly body: string });
        });
    });
  });
  return within(`the answer to ${options.method}`, answered);
}

/** Whether nothing has come of a promise yet. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const nothing = Symbol('nothing yet');
  const settled = promise.then(
    () => null,
    () => null,
  );
  return (await Promise.race([settled, Promise.resolve(nothing)])) === nothing;
}
