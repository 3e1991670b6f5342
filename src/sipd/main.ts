/** Runs the SIP server alone, as a drachtio server for any drachtio-srf application. */

import { type SipdLog, startSipd } from './sipd.ts';

const log: SipdLog = {
  debug: () => undefined,
  info: (fields, text) => write('info', fields, text),
  warn: (fields, text) => write('warn', fields, text),
  error: (fields, text) => write('error', fields, text),
};

function write(level: string, fields: object, text: string): void {
  process.stderr.write(`${level}: ${text} ${JSON.stringify(fields)}\n`);
}

/** A port out of the environment; throws one sentence that names the variable. */
function portFrom(name: string, usual: number): number {
  const text = process.env[name] ?? String(usual);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new Error(`${name} must be a port number, not "${text}".`);
  return port;
}

async function main(): Promise<void> {
  const mode = process.env['SIPD_MODE'] ?? 'free';
  if (mode !== 'free' && mode !== 'strict') throw new Error(`SIPD_MODE must be free or strict, not "${mode}".`);
  const sipd = await startSipd({
    host: process.env['SIP_HOST'] ?? '127.0.0.1',
    port: portFrom('SIP_PORT', 5060),
    publicHost: process.env['SIP_PUBLIC_HOST'],
    control: {
      host: '127.0.0.1',
      port: portFrom('DRACHTIO_PORT', 9022),
      secret: process.env['DRACHTIO_SECRET'] ?? 'cymru',
    },
    mode,
    log,
  });
  const end = (): void => {
    void sipd.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  const listening = sipd.addresses.map(({ protocol, host, port }) => `${protocol}/${host}:${port}`).join(', ');
  process.stdout.write(`sipd (${mode}) listens on ${listening}; control port 127.0.0.1:${sipd.controlPort}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
