import { type ColumnType, columns } from './columns.ts';

/**
 * The one statement that writes a batch: its rows come as one JSON text, and each table takes its own from it. A row is
 * an array of its columns' values: names would be most of the text, to be written, read and sorted with every row. Times
 * go as the core has them. Parameters: that text, the node's id, its instance.
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
    insert('endpoints', 'replaced'),
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

function insert(table: keyof typeof columns, existing: Existing): string {
  const fields = Object.entries<ColumnType>(columns[table]);
  const names = fields.map(([field]) => columnName(field));
  const values = fields.map(([, type], place) => valueAt(place, type));
  const key = table === 'endpoints' ? ['"participant_id"', '"id"'] : ['"id"'];
  const others = names.filter((name) => !key.includes(name));
  const sets = others.map((name) => `${name} = ${name === '"origin"' ? kept(table, name) : `EXCLUDED.${name}`}`);
  return `written_${table} AS (
  INSERT INTO ${table} (${names.join(', ')})
  SELECT ${values.join(', ')}
  FROM batch, jsonb_array_elements(batch.rows->'${table}') AS r(v)${
    existing === 'replaced' ? `\n  ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${sets.join(', ')}` : ''
  })`;
}

function valueAt(place: number, type: ColumnType): string {
  if (type === 'jsonb') return `NULLIF(r.v->${place}, 'null')`;
  const text = `r.v->>${place}`;
  if (type === 'text') return text;
  return type === 'instant' ? `to_timestamp((${text})::bigint / 1000.0)` : `(${text})::${type}`;
}

/** What is not written again stays. */
function kept(table: string, name: string): string {
  return `COALESCE(EXCLUDED.${name}, ${table}.${name})`;
}

function columnName(field: string): string {
  return `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;
}
