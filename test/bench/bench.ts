/**
 * `npm run bench`: each figure beside its anchor, in one run. `-- --only NAME,…` chooses rows, `-- --json` prints a line
 * of JSON for each. Exits 1 when a ratio is not what it must be.
 */

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type BoundRow, isMet, jsonLine, tableLine } from './row.ts';
import { callSetup } from './rows/call-setup.ts';
import { chat } from './rows/chat.ts';
import { chatBesideLarge } from './rows/chat-beside-large.ts';
import { factory } from './rows/factory.ts';
import { idleDialogs } from './rows/idle-dialogs.ts';
import { joins } from './rows/joins.ts';
import { notify } from './rows/notify.ts';
import { notifyCost } from './rows/notify-cost.ts';

const rows: readonly BoundRow[] = [
  ...callSetup,
  ...idleDialogs,
  ...joins,
  ...factory,
  ...notify,
  ...notifyCost,
  ...chat,
  ...chatBesideLarge,
];

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } });

/** The rows asked for. Throws one sentence when a name is none. */
function chosen(only: string | undefined): readonly BoundRow[] {
  if (only === undefined) return rows;
  return only.split(',').map((name) => {
    const row = rows.find((each) => each.name === name.trim());
    if (row === undefined)
      throw new Error(`There is no row ${name}; there are ${rows.map((each) => each.name).join(', ')}.`);
    return row;
  });
}

async function main(): Promise<void> {
  const wanted = chosen(values.only);
  if (spawnSync('which', ['sipp']).status !== 0)
    throw new Error('SIPp (Debian package sip-tester) makes the calls; it is not installed.');
  const say = (line: string): void => void process.stderr.write(`  ${line}\n`);
  if (!values.json)
    process.stdout.write(`${'row'.padEnd(18)} ${'ours'.padStart(9)} ${'anchor'.padStart(9)} ${'ratio'.padStart(7)}\n`);
  for (const row of wanted) {
    say(`${row.name}: ${row.about}`);
    const result = await row.run(say);
    for (const note of result.notes ?? []) say(note);
    process.stdout.write(`${values.json ? jsonLine(row, result) : tableLine(row, result)}\n`);
    if (!isMet(row.bound, result.ratio)) process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
