import { type ColumnType, columns } from './columns.ts';
import type { Batch } from './fold.ts';

/**
 * The one statement that writes a batch: its rows come as one JSON text, and each table takes its own from it. The rows
 * go as the core made them; Postgres turns names and times. Parameters: that text, the node's id, its instance.
 *
 * It ends in a fence: a node whose row is gone, or bears another instance, has been taken for dead and its conferences
 * have been closed; dividing by the count of its rows then fails the whole statement. The row is locked until the
 * batch is committed: whoever takes the node over waits for that, and closes what the batch left.
 */
export const batchStatement = [
  'WITH batch AS MATERIALIZED (SELECT $1::jsonb AS rows),',
  [
    insert('conferences', 'replaced'),
    insert('participants', 'replaced'),
    insert('subscriptions', 'replaced'),
    // Appended only: a second event with the same number is a conflict, and so is refused.
    insert('events', 'refused'),
    insert('attempts', 'replaced'),
    insert('referrals', 'replaced'),
    insert('messages', 'replaced'),
  ].join(',\n'),
  'SELECT 1 / count(*) FROM (SELECT FROM nodes WHERE id = $2 AND instance = $3 FOR SHARE) AS own',
].join('\n');

/** SQLSTATE of the fence: division by zero. */
export const fencedState = '22012';

type Existing = 'replaced' | 'refused';

function insert(table: keyof Batch, existing: Existing): string {
  const fields = Object.entries<ColumnType>(columns[table]);
  const names = fields.map(([field]) => columnName(field));
  const record = fields.map(([field, type]) => `"${field}" ${type === 'instant' ? 'bigint' : type}`);
  const values = fields.map(([field, type]) =>
    type === 'instant' ? `to_timestamp(r."${field}" / 1000.0)` : `r."${field}"`,
  );
  const sets = names.slice(1).map((name) => `${name} = EXCLUDED.${name}`);
  return `written_${table} AS (
  INSERT INTO ${table} (${names.join(', ')})
  SELECT ${values.join(', ')}
  FROM batch, jsonb_to_recordset(batch.rows->'${table}') AS r(${record.join(', ')})${
    existing === 'replaced' ? `\n  ON CONFLICT (id) DO UPDATE SET ${sets.join(', ')}` : ''
  })`;
}

function columnName(field: string): string {
  return `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;
}
