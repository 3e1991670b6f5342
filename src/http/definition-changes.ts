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

/** Puts a row beside those that there are. */
export async function addDefinition<Row extends Definition>(port: DefinitionPort<Row>, row: Row): Promise<void> {
  const refused = await stored(() => port.add(row));
  if (refused !== null) throw new Refused({ code: refused });
}

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
    const row = await stored(find);
    assureMatch(headers, etagOf(row));
    const [written, refused] = await stored(() => write(row));
    if (refused === null) return written;
    if (refused !== 'changed-meanwhile' || tries === triesMax) throw new Refused({ code: refused });
  }
}

/** RFC 9110 15.6.4: a store that is away will be there again; whoever wanted a change may ask once more. */
async function stored<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused({ code: 'store-failed', cause: error });
  }
}
