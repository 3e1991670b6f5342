import { expect, test } from 'vitest';
import { readSettings, sipdVariables } from '../../../src/sipd/process/settings.ts';
import { helpText, sipdBanner, warning } from '../../../src/sipd/process/words.ts';

test('the banner has every address, IPv6 in brackets, and how to connect', () => {
  const settings = readSettings({ SIP_HOST: '127.0.0.1,::1', SIPD_MODE: 'strict', SIPD_SWITCHES: '-drops-refer' });
  const addresses = [
    { protocol: 'udp', host: '127.0.0.1', port: 5060 },
    { protocol: 'tcp', host: '::1', port: 5060 },
  ] as const;
  expect(sipdBanner(settings, { addresses, controlPort: 9022, controlTlsPort: 9023 }).split('\n')).toEqual([
    'sipd is ready, in strict mode with -drops-refer.',
    '',
    '  SIP      udp 127.0.0.1:5060, tcp [::1]:5060',
    '  Control  127.0.0.1:9022, TLS 127.0.0.1:9023',
    "  Connect  srf.connect({ host: '127.0.0.1', port: 9022, secret: … })",
    '',
  ]);
});

test('the known secret is warned of where strangers may reach the control port', () => {
  expect(warning(readSettings({}))).toBeNull();
  expect(warning(readSettings({ DRACHTIO_HOST: '::1' }))).toBeNull();
  expect(warning(readSettings({ DRACHTIO_HOST: '0.0.0.0', DRACHTIO_SECRET: 'only us' }))).toBeNull();
  expect(warning(readSettings({ DRACHTIO_HOST: '127.example.com' }))).not.toBeNull();
  expect(warning(readSettings({ DRACHTIO_HOST: '0.0.0.0' }))).toBe(
    'The control port on 0.0.0.0 is open to whoever reaches it: DRACHTIO_SECRET is the one everybody knows, set another.',
  );
});

test('the help has a line for every variable', () => {
  const lines = helpText().split('\n');
  for (const { name } of sipdVariables) expect(lines.some((line) => line.startsWith(`  ${name} `))).toBe(true);
});
