/** Request handlers, as drachtio calls whom it asks what becomes of a new request: here each is an adviser. */

/** As it is configured. `method` is `*` for every one that has no handler of its own, `verb` GET when not given. */
export type AdviserOption = {
  readonly method: string;
  /** `http:`, `https:`, or an application that gets the request unasked: `tcp://host:port[;transport=tls]`, `tls://…`. */
  readonly url: string;
  readonly verb?: 'GET' | 'POST' | undefined;
};

/** An application that waits for connections (`srf.listen`). */
export type ApplicationAddress = {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** By TLS. */
  readonly secure: boolean;
};

export type Adviser =
  | { readonly kind: 'asked'; readonly url: string; readonly verb: 'GET' | 'POST' }
  | { readonly kind: 'application'; readonly address: ApplicationAddress };

/** Handlers by method, which is in capitals, or `*`. */
export type RequestHandlers = ReadonlyMap<string, Adviser>;

// RFC 3261 25.1: a method is a token.
const methodPattern = /^[\w\-.!%*+`'~]+$/;
const addressPattern = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})(?:;transport=(tcp|tls))?$/i;

/** Throws one sentence when one of them cannot be used, or two are for one method. */
export function readHandlers(options: readonly AdviserOption[]): RequestHandlers {
  const handlers = new Map<string, Adviser>();
  for (const { method, url, verb = 'GET' } of options) {
    if (!methodPattern.test(method))
      throw new Error(`A request handler is for a SIP method or for *, not "${method}".`);
    const key = method.toUpperCase();
    if (handlers.has(key)) throw new Error(`There are two request handlers for ${key}.`);
    const adviser = readUrl(url, verb);
    if (adviser === null) throw new Error(`A request handler has an http, https, tcp or tls URL, not "${url}".`);
    handlers.set(key, adviser);
  }
  return handlers;
}

/** Methods that have a handler of their own. */
export function methodsOf(handlers: RequestHandlers): readonly string[] {
  return [...handlers.keys()].filter((method) => method !== '*');
}

/** Reads `host:port[;transport=tcp|tls]`; null when it is none. */
export function readAddress(text: string): ApplicationAddress | null {
  const [, literal, name, digits, transport] = addressPattern.exec(text) ?? [];
  const host = literal ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return null;
  return { host, port, secure: transport?.toLowerCase() === 'tls' };
}

function readUrl(url: string, verb: 'GET' | 'POST'): Adviser | null {
  const [, direct, rest = ''] = /^(tcp|tls):\/\/(.*?)\/?$/i.exec(url) ?? [];
  if (direct !== undefined) {
    const address = readAddress(rest);
    if (address === null) return null;
    return { kind: 'application', address: { ...address, secure: address.secure || direct.toLowerCase() === 'tls' } };
  }
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  parsed.hash = '';
  const isAskable = parsed.protocol === 'http:' || parsed.protocol === 'https:';
  return isAskable ? { kind: 'asked', url: parsed.href, verb } : null;
}
