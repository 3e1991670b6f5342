import { StartRefused } from './store/errors.ts';

/** What the system tells when an address cannot be had. */
type ListenFailure = NodeJS.ErrnoException & { readonly address: string; readonly port: number };

/** Where a part shall listen; null: off. */
type Listener = {
  readonly host: string;
  readonly port: number;
  readonly tlsPort?: number | null;
  readonly wsPort?: number | null;
  readonly wssPort?: number | null;
};

/** Why an address cannot be had; what else may be wrong is told by the word the system has for it. */
const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use',
  EADDRNOTAVAIL: 'it is no address of this machine',
  EACCES: 'no leave for that port',
  ENOTFOUND: 'there is no such host',
};

/** Opens a listener; a port that is taken, or an address that is not ours, is told in one sentence. */
export async function bound<Listening>(what: string, at: Listener, open: () => Promise<Listening>): Promise<Listening> {
  try {
    return await open();
  } catch (error) {
    const { code, address, port = at.port, message } = error as Partial<ListenFailure>;
    if (code === undefined) throw new StartRefused(message ?? String(error));
    const isPort = code === 'EADDRINUSE' || code === 'EACCES';
    const variable = `${what}_${isPort ? portVariable(at, port) : 'HOST'}`;
    // Where several ports are opened the system's error says which it was.
    throw new StartRefused(
      `${what} cannot listen on ${address ?? at.host} port ${port}: ${listenFailures[code] ?? code}; see ${variable}.`,
    );
  }
}

function portVariable({ tlsPort, wsPort, wssPort }: Listener, port: number): string {
  const others = Object.entries({ TLS_PORT: tlsPort, WS_PORT: wsPort, WSS_PORT: wssPort });
  return others.find(([, other]) => other === port)?.[0] ?? 'PORT';
}
