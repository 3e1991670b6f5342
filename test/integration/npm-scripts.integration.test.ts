/** The commands of package.json, started by npm as people do it: the signal that npm gets must reach the server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from 'vitest';
import { endWithUs } from '../support/children.ts';
import { waitFor, within } from '../support/wait.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'isfocus-npm-'));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

function npmRun(script: string): ChildProcess {
  const ports = { HTTP_PORT: '0', SIP_PORT: '0', MSRP_PORT: '0', DRACHTIO_PORT: '0' };
  const env = { ...process.env, ...ports, DATA_DIR: dataDir, LOG_LEVEL: 'info' };
  return endWithUs(spawn('npm', ['run', '--silent', script], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] }));
}

test.each([
  ['start', /REST/],
  ['sipd', /srf\.connect/],
])(
  'npm run %s ends, server and all, when npm is told to end',
  async (script, ready) => {
    const npm = npmRun(script);
    let output = '';
    npm.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
    // The pipe closes when the last process that holds it has ended, which is the server and not npm.
    const allGone = npm.stdout === null ? Promise.reject(new Error('no output')) : once(npm.stdout, 'close');
    await waitFor(`the banner of ${script}`, () => ready.test(output), 60_000);
    npm.kill('SIGTERM');
    await within('the server to end', allGone, 15_000);
  },
  90_000,
);
