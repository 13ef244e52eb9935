/**
 * Room: reads. Promises: a batch's reads and its ledger entry are written in one transaction, once, into
 * partitions that stand ready.
 */

import type { Queryable } from '../db/db.js';
import { takeLock } from '../db/locks.js';
import type { QualityFlag } from '../emulator/grid/qualityFlags.js';
import type { ReadColumns } from '../emulator/reads.js';

/** One batch's reads and the ledger row they are written under. */
export interface BatchWrite {
  publishId: string;
  batch: number;
  tenantId: string;
  readAt: Date;
  columns: ReadColumns;
  onConflict: 'nothing' | 'update';
  startedAt: Date;
}

export interface BatchOutcome {
  inserted: number;
  updated: number;
  duplicate: number;
  skipped: number;
}

/**
 * Writes a batch's reads and marks the batch done in one statement, which is one transaction and one round trip: see
 * `sql/schema/reads.sql`.
 *
 * @returns what was written, or undefined when the batch was not pending any more: then nothing was written.
 */
export async function writeBatch(database: Queryable, write: BatchWrite): Promise<BatchOutcome | undefined> {
  const { columns } = write;
  const { rows } = await database.query<BatchOutcome>({
    name: 'write-batch',
    text: 'SELECT * FROM ami_write_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
    values: [
      write.publishId,
      write.batch,
      write.tenantId,
      write.readAt,
      write.onConflict,
      write.startedAt,
      textArray(columns.meterIds),
      textArray(columns.feederIds),
      numberArray(columns.kwh),
      numberArray(columns.deliveredKwh),
      numberArray(columns.voltage),
      flagsArray(columns.qualityFlags),
      // NULL, not an array of NULLs, for a fleet that feeds nothing in.
      columns.receivedKwh ? optionalNumberArray(columns.receivedKwh) : null,
    ],
  });
  return rows[0];
}

/**
 * Writes a batch of an import and marks it done, in one statement: see `src/schema/functions/writeImported.ts`.
 *
 * @returns what was written, or undefined when the batch was not pending any more: then nothing was written.
 */
export async function writeImportedBatch(
  database: Queryable,
  publishId: string,
  batch: number,
  startedAt: Date,
): Promise<BatchOutcome | undefined> {
  const { rows } = await database.query<BatchOutcome>({
    name: 'write-imported-batch',
    text: 'SELECT * FROM ami_write_imported_batch($1, $2, $3)',
    values: [publishId, batch, startedAt],
  });
  return rows[0];
}

/**
 * Takes estimates away, into the history, where reads of an interval are about to be written: an estimate gives way. A
 * process that dies in between leaves a batch that is owed, and so is written again.
 */
export async function yieldEstimates(
  database: Queryable,
  tenantId: string,
  readAt: Date,
  meterIds: readonly string[],
): Promise<void> {
  // Nearly always there are none, and then no list of meters has to travel.
  const { rows } = await database.query<{ some: boolean }>({
    name: 'estimates-at',
    text: 'SELECT EXISTS (SELECT FROM ami_vee_estimates WHERE tenant_id = $1 AND read_at = $2) AS some',
    values: [tenantId, readAt],
  });
  if (rows[0]?.some !== true) return;
  await database.query('SELECT ami_yield_estimates($1, $2, $3)', [tenantId, readAt, textArray(meterIds)]);
}

/** Until the end of the transaction, no other revision of the tenant's interval goes on beyond this. */
export async function lockRevisions(client: Queryable, tenantId: string, readAt: Date): Promise<void> {
  await takeLock(client, 'revision', `${tenantId}:${readAt.toISOString()}`);
}

/**
 * A Postgres array literal of texts, each quoted. pg's own serialisation goes element by element; at 500 rows
 * and six columns that was a sixth of the whole write path (111 k against 134 k rows/s), while joining first
 * and looking for characters to escape once costs next to nothing.
 */
export function textArray(values: readonly string[]): string {
  if (values.length === 0) return '{}';
  const plain = values.join('","');
  const joined = /["\\]/.test(values.join('')) ? values.map(escapeElement).join('","') : plain;
  return `{"${joined}"}`;
}

function escapeElement(value: string): string {
  return value.replace(/["\\]/g, '\\$&');
}

export function numberArray(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

function optionalNumberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/**
 * Flags as an array of array literals, since `unnest` flattens nested arrays. Nearly all reads have no flag, and NULL
 * needs no parsing. When no read of the batch has one, an empty array is enough: `unnest` fills it up with NULLs.
 */
function flagsArray(flags: readonly (readonly QualityFlag[])[]): string {
  if (flags.every((list) => list.length === 0)) return '{}';
  return `{${flags.map((list) => (list.length === 0 ? 'NULL' : `"{${list.join(',')}}"`)).join(',')}}`;
}
