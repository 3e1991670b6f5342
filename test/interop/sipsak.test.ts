/** sipsak: pings, a flood, and requests with more and more characters spoilt; sipd answers and has nothing left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { onStage, type Stage } from '../sipd/stage.ts';
import { endWithUs } from '../support/children.ts';
import { needsPrograms } from '../support/programs.ts';
import { unhurried } from '../support/unhurried.ts';
import { waitFor, within } from '../support/wait.ts';

const runMs = 30_000;
/** 64*T1 is 1.28 s: so long answers are kept for repetitions. */
const timers = { t1: 20, t2: 160, t4: 200 };

type Run = { readonly code: number | null; readonly output: string };

/** Runs sipsak against the server to its end. */
async function sipsak(stage: Stage, ...args: readonly string[]): Promise<Run> {
  const child = endWithUs(
    spawn('sipsak', ['-s', `sip:focus@127.0.0.1:${stage.port}`, '-H', '127.0.0.1', ...args], { stdio: 'pipe' }),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      output += bytes.toString('latin1');
    });
  }
  try {
    await within('sipsak to end', once(child, 'close'), runMs);
  } finally {
    child.kill('SIGKILL');
  }
  return { code: child.exitCode, output };
}

/** An application that answers OPTIONS; counts them. */
async function answering(stage: Stage): Promise<{ count: number }> {
  const asked = { count: 0 };
  const application = await stage.application();
  application.use('options', (_, response) => {
    asked.count += 1;
    response.send(200, { headers: { Allow: 'INVITE, OPTIONS' } });
  });
  return asked;
}

async function idle(stage: Stage): Promise<void> {
  await waitFor('sipd to have nothing left', () => Object.values(stage.sipd.counts()).every((count) => count === 0));
}

describe.each(['free', 'strict'] as const)('sipd in %s mode', (mode) => {
  test.for(['udp', 'tcp'])('answers an OPTIONS over %s', async (transport, context) => {
    needsPrograms(context, 'sipsak');
    await onStage(
      mode,
      async (stage) => {
        const asked = await answering(stage);
        const { code, output } = await sipsak(stage, '-E', transport, '-vv');
        expect(output).toContain('SIP/2.0 200 OK');
        expect([code, asked.count]).toEqual([0, 1]);
      },
      { ...unhurried, timers },
    );
  });

  test('stands a flood, and forgets it', async (context) => {
    needsPrograms(context, 'sipsak');
    await onStage(
      mode,
      async (stage) => {
        const asked = await answering(stage);
        await sipsak(stage, '-F', '-e', '300');
        await waitFor('all to be answered', () => asked.count >= 300);
        expect((await sipsak(stage, '-E', 'udp')).code).toBe(0);
        await idle(stage);
      },
      { ...unhurried, timers },
    );
  });

  test('stands spoilt requests, and answers a good one afterwards', async (context) => {
    needsPrograms(context, 'sipsak');
    await onStage(
      mode,
      async (stage) => {
        await answering(stage);
        // It spoils by chance and gives up at the first request that gets no answer; some deserve none.
        const runs = await Promise.all([1, 2, 3].map(() => sipsak(stage, '-R', '-t', '20')));
        for (const { output } of runs) expect(output).toContain('random');
        expect((await sipsak(stage, '-E', 'udp')).code).toBe(0);
        // What drachtio-srf cannot read it never answers; that waits for 64 s, and is no dialog.
        expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0, unacknowledged: 0 });
      },
      { ...unhurried, timers },
    );
  });
});
