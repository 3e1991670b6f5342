/** A bare drachtio-srf application that answers calls, on the embedded SIP server, in one process. */

import Srf from 'drachtio-srf';
import { startSipd } from '../../src/sipd/sipd.ts';
import { sdp } from './answer.ts';
import { answerParent } from './usage.ts';

// drachtio-srf reads the environment for each header line; a plain object is faster than Node's own. The service does so too.
process.env = { ...process.env };

const silent = (): void => undefined;
const sipd = await startSipd({
  host: '127.0.0.1',
  port: 0,
  control: { host: '127.0.0.1', port: 0, secret: 'bench' },
  mode: 'free',
  log: { debug: silent, info: silent, warn: silent, error: silent },
});

const srf = new Srf();
srf.invite((req, res) => {
  void srf.createUAS(req, res, { localSdp: sdp }).catch(silent);
});
void srf.connect({ host: '127.0.0.1', port: sipd.controlPort, secret: 'bench' });
srf.on('error', silent);
await new Promise<void>((resolve) => srf.once('connect', () => resolve()));
answerParent(sipd.addresses[0]?.port ?? 0, () => ({ ...sipd.counts() }));
