/**
 * `npm run demo`: plays Appendix M of the OMA change request (`docs/checks.md`) against a service of its own. Alice calls Bob, makes a
 * conference of the call, Ted joins, everybody says something, Alice hangs up. Ends with 0 only when all of it was so.
 */
import { play } from './appendix-m-play.ts';

try {
  process.stdout.write(`${await play()}\n`);
} catch (error) {
  process.stderr.write(
    `The demo did not go as Appendix M says: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
