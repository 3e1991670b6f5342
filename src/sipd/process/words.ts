import { waysOf } from '../daemon-ways.ts';
import type { SipdAddress } from '../sipd.ts';
import { defaultSecret, isLoopback, isWildcard, type SipdSettings, sipdVariables } from './settings.ts';

/** What sipd alone says to the person who starts it. */

/** The answer to `--help`: what it is and every variable. */
export function helpText(): string {
  const width = Math.max(...sipdVariables.map(({ name }) => name.length));
  return [
    'sipd is a SIP server for drachtio-srf applications, in place of a drachtio server.',
    '',
    '  npm run sipd',
    '',
    'It is set up by variables of the environment:',
    '',
    ...sipdVariables.map((one) => `  ${one.name.padEnd(width)}  ${plain(one.meaning)} [${plain(one.default)}]`),
    '',
    'docs/sipd.md tells the rest.',
  ].join('\n');
}

/** The sentence for an argument there is none of. */
export function unknownArgument(argument: string): string {
  return `sipd takes no argument but --help, not "${argument}": it is set up by variables of the environment.`;
}

/** Where a started server is found: by SIP, and by applications. */
export type Listening = {
  readonly addresses: readonly SipdAddress[];
  readonly controlPort: number;
  readonly controlTlsPort: number | null;
};

/** The banner: every address, the control port, and how to connect. */
export function sipdBanner(settings: SipdSettings, { addresses, controlPort, controlTlsPort }: Listening): string {
  const { mode, control } = settings;
  const sip = addresses.map(({ protocol, host, port }) => `${protocol} ${authority(host, port)}`);
  const tls = controlTlsPort === null ? '' : `, TLS ${authority(control.host, controlTlsPort)}`;
  const reached = isWildcard(control.host) ? '127.0.0.1' : control.host;
  return [
    `sipd is ready, in ${mode} mode${exceptions(settings)}.`,
    '',
    `  SIP      ${sip.join(', ')}`,
    `  Control  ${authority(control.host, controlPort)}${tls}`,
    `  Connect  srf.connect({ host: '${reached}', port: ${controlPort}, secret: … })`,
    '',
  ].join('\n');
}

/** One sentence when strangers could command the server; else null. */
export function warning({ control }: SipdSettings): string | null {
  if (control.secret !== defaultSecret || isLoopback(control.host)) return null;
  return (
    `The control port on ${control.host} is open to whoever reaches it: ` +
    'DRACHTIO_SECRET is the one everybody knows, set another.'
  );
}

/** What the switches change about the mode. */
function exceptions({ mode, ways }: SipdSettings): string {
  const usual = waysOf(mode);
  const added = [...ways].filter((way) => !usual.has(way));
  const left = [...usual].filter((way) => !ways.has(way));
  const changed = [...added, ...left.map((way) => `-${way}`)];
  return changed.length === 0 ? '' : ` with ${changed.join(', ')}`;
}

function authority(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
