/** The thread of the embedded SIP server: started with its options, counted and closed by messages. */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { LogLevel } from '../output.ts';
import { type Sipd, type SipdLog, startSipd } from '../sipd.ts';
import { levelsFrom } from './levels.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';

async function serve(port: MessagePort, { options, leastLevel }: ThreadData): Promise<void> {
  const tell = (message: FromThread): void => port.postMessage(message);
  let sipd: Sipd;
  try {
    sipd = await startSipd({ ...options, log: logThrough(tell, leastLevel) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ type: 'not-started', message, details: error instanceof Error ? { ...error } : {} });
    port.close();
    return;
  }
  port.on('message', (message: ToThread) => {
    if (message.type === 'count') {
      tell({ type: 'counted', id: message.id, counts: sipd.counts() });
      return;
    }
    void sipd.close().then(() => {
      tell({ type: 'closed' });
      port.close();
    });
  });
  const { addresses, controlPort, controlTlsPort } = sipd;
  tell({ type: 'started', addresses, controlPort, controlTlsPort });
}

/** Lines below the level stay here: under a flood their way over would cost more than the messages they tell of. */
function logThrough(tell: (message: FromThread) => void, leastLevel: LogLevel): SipdLog {
  const wanted = levelsFrom(leastLevel);
  const line = (level: LogLevel): SipdLog[LogLevel] => {
    if (!wanted.has(level)) return () => undefined;
    return (fields, text) => tell({ type: 'log', level, fields, text });
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

if (parentPort !== null) await serve(parentPort, workerData as ThreadData);
