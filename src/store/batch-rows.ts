import type { ParticipantRow } from '../core/rows.ts';
import { columns } from './columns.ts';
import { type EndpointRows, endpointIdsOf } from './endpoint-rows.ts';
import type { Batch } from './fold.ts';

type Table = keyof typeof columns;
type Fields = Readonly<Record<string, unknown>>;

const fieldsOf: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(columns).map(([table, types]) => [table, Object.keys(types)]),
);

/** What `batchStatement` reads: each table's rows, each row the values of its columns in their order. */
export function batchRows(batch: Batch, endpoints: EndpointRows): object {
  const { participants } = batch;
  return {
    conferences: rowsOf('conferences', batch.conferences),
    participants: participants.map(participantValues),
    endpoints: rowsOf('endpoints', endpoints.unwritten(participants)),
    subscriptions: rowsOf('subscriptions', batch.subscriptions),
    events: rowsOf('events', batch.events),
    attempts: rowsOf('attempts', batch.attempts),
    referrals: rowsOf('referrals', batch.referrals),
    messages: rowsOf('messages', batch.messages),
  };
}

function rowsOf(table: Table, rows: readonly Fields[]): readonly (readonly unknown[])[] {
  return rows.map((row) => valuesOf(table, row));
}

function valuesOf(table: Table, row: Fields): unknown[] {
  return fieldsOf.get(table)?.map((field) => row[field]) ?? [];
}

const endpointsPlace = Object.keys(columns.participants).indexOf('endpoints');

/** The endpoints are in a table of their own, the participant's row keeps their ids. */
function participantValues(participant: ParticipantRow): readonly unknown[] {
  const values = valuesOf('participants', participant);
  values[endpointsPlace] = endpointIdsOf(participant);
  return values;
}
