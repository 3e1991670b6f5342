/** `npm run fuzz -- --seed 1 --messages 1000000` */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, messages: { type: 'string', default: '100000' } },
});
const before = performance.now();

function tell({ messages, episodes, worstMs, worst }: FuzzReport): void {
  const seconds = (performance.now() - before) / 1_000;
  process.stdout.write(
    `${messages} messages in ${episodes} episodes, ${seconds.toFixed(0)} s; the slowest took ${worstMs.toFixed(1)} ms: ` +
      `${JSON.stringify(worst)}\n`,
  );
}

try {
  tell(fuzz(Number(values.seed), Number(values.messages), tell));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
