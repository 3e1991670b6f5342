import type { Config } from './config.ts';
import type { ListeningAddress } from './http/http-options.ts';

/** What a person sees once the service is ready. */
export type BannerFacts = {
  readonly version: string;
  readonly addresses: readonly ListeningAddress[];
  readonly factoryUri: string;
  readonly config: Config;
  /** The admin key, when it has just been made. */
  readonly madeKey: string | null;
};

/** The banner: every address, the factory, the docs page, where the data lie, and a new key once. */
export function banner(facts: BannerFacts): string {
  const { config, addresses, madeKey } = facts;
  const of = (part: ListeningAddress['part']) => addresses.filter((address) => address.part === part);
  const http = of('http')[0];
  const base = http === undefined ? '' : `http://${authority(http)}`;
  const named = (address: ListeningAddress): string => `${address.transport} ${authority(address)}`;
  const rows: [string, string][] = [
    [
      'SIP',
      config.drachtio === null ? of('sip').map(named).join(', ') : `drachtio server ${authority(config.drachtio)}`,
    ],
    ['Factory', facts.factoryUri],
    ['MSRP', of('msrp').map(named).join(', ')],
    ['REST', `${base}/v1`],
    ['Docs', `${base}/docs`],
    ['Data', config.databaseUrl === null ? config.dataDir : `${config.dataDir}, Postgres`],
  ];
  if (madeKey !== null) rows.push(['API key', `${madeKey}   (shown once, keep it)`]);
  const lines = rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`);
  return [`isfocus ${facts.version} is ready.`, '', ...lines, ''].join('\n');
}

function authority({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}
