import type { Definition, DefinitionPort } from '../core/ports.ts';
import { assureMatch, type Conditional } from './preconditions.ts';
import { Refused } from './problem.ts';

/** Attempts at a change that others cross, each with the newest state; then it is refused. */
const triesMax = 5;

/** The tag of a group's or a user's state. */
export function etagOf({ revision }: Pick<Definition, 'revision'>): string {
  return `"${revision}"`;
}

export type Standing<Row extends Definition> = {
  readonly port: DefinitionPort<Row>;
  /** The row as it stands now; throws a refusal when there is none. */
  readonly find: () => Promise<Row>;
  readonly headers: Conditional;
};

/** Puts what `next` makes of the row as it stands in its place, and answers with that. */
export async function changeStanding<Row extends Definition>(
  standing: Standing<Row>,
  next: (row: Row) => Row,
): Promise<Row> {
  return await onNewest(standing, async (row) => {
    const made = next(row);
    return [made, await standing.port.replace(made)];
  });
}

/** Removes the row as it stands. */
export async function removeStanding<Row extends Definition>(standing: Standing<Row>): Promise<void> {
  await onNewest(standing, async (row) => [row, await standing.port.remove(row)]);
}

type Written<Row> = readonly [Row, Awaited<ReturnType<DefinitionPort<never>['remove']>>];

/** Without a wish for a certain state a change holds for whichever there is: what others wrote meanwhile is read again. */
async function onNewest<Row extends Definition>(
  { find, headers }: Standing<Row>,
  write: (row: Row) => Promise<Written<Row>>,
): Promise<Row> {
  for (let tries = 1; ; tries += 1) {
    const row = await find();
    assureMatch(headers, etagOf(row));
    const [written, refused] = await write(row);
    if (refused === null) return written;
    if (refused !== 'changed-meanwhile' || tries === triesMax) throw new Refused({ code: refused });
  }
}
