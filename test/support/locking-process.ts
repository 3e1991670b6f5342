import { lockDataDir } from '../../src/store/data-dir-lock.ts';

// Locks the folder named by its first argument, says how that went, and stays until it is killed.

const [folder = ''] = process.argv.slice(2);
try {
  await lockDataDir(folder);
  console.log('locked');
  setInterval(() => undefined, 1_000);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
}
