import type { Queryable } from '../db/db.js';
import { numberArray, textArray } from '../reads/meterReads.js';
import { keepReplaced } from '../schema/functions/replacedReads.js';
import { quotedRelation } from '../schema/identifiers.js';
import type { ReadsMapping } from '../schema/mapping.js';
import type { VeeRun } from './runs.js';

/** A read that a rule of severity `fail` has found. */
export interface Mark {
  meterId: string;
  /** Start of the interval, ms. */
  at: number;
  minutes: number;
  rule: string;
}

/**
 * Marks reads as questionable, in the caller's transaction; what they were is in `ami_replaced_reads` then. A read that is
 * estimated, edited or questionable stays as it is: an estimate is judged by nothing, and an edit is somebody's decision.
 *
 * @returns how many were marked; 0 in a customer's table, which has no place for it.
 */
export async function markReads(
  client: Queryable,
  reads: ReadsMapping,
  run: VeeRun,
  marks: readonly Mark[],
): Promise<number> {
  if (!reads.own || marks.length === 0) return 0;
  // No batch of an import judges meanwhile by what is changed here.
  await client.query('SELECT ami_lock_imports($1)', [run.tenantId]);
  const importId = await historyId(client, run);
  const { rowCount } = await client.query(
    `WITH mark AS (
       SELECT * FROM unnest($3::text[], $4::double precision[], $5::smallint[], $6::text[]) AS mark (meter_id, at_s, minutes, rule)
     ), former AS MATERIALIZED (
       SELECT read.*, mark.minutes, mark.rule
       FROM mark JOIN ${quotedRelation(reads.table)} read
         ON read.tenant_id = $1 AND read.meter_id = mark.meter_id AND read.read_at = to_timestamp(mark.at_s)
       WHERE read.read_at >= $7 AND read.read_at < $8
         AND (read.quality IS NULL OR read.quality IN ('raw', 'validated'))
       FOR NO KEY UPDATE OF read
     ), history AS (
       ${keepReplaced(
         {
           ...{
             tenant_id: '$1',
             replaced_at: 'clock_timestamp()',
             replaced_by: '$2',
             written_at: 'updated_at',
           },
           interval_minutes: 'coalesce(interval_minutes, minutes)',
         },
         'former',
       )}
     )
     UPDATE ${quotedRelation(reads.table)} stored
     SET quality = 'questionable', quality_method = former.rule, updated_at = clock_timestamp(),
       interval_minutes = coalesce(stored.interval_minutes, former.minutes)
     FROM former
     WHERE stored.tenant_id = $1 AND stored.meter_id = former.meter_id AND stored.read_at = former.read_at
       AND stored.read_at >= $7 AND stored.read_at < $8`,
    [
      run.tenantId,
      importId,
      textArray(marks.map(({ meterId }) => meterId)),
      numberArray(marks.map(({ at }) => at / 1000)),
      numberArray(marks.map(({ minutes }) => minutes)),
      textArray(marks.map(({ rule }) => rule)),
      // Constants by which Postgres leaves the other partitions out.
      run.from,
      run.to,
    ],
  );
  return rowCount ?? 0;
}

/** What a run's marks are known by in the history of reads, where every change names an import. */
async function historyId(client: Queryable, run: VeeRun): Promise<number> {
  if (run.importId !== null) return run.importId;
  const { rows } = await client.query<{ importId: number }>(
    `WITH made AS (
       INSERT INTO ami_imports (tenant_id, file_name, format, over_emulated, state, read_whole_at, finished_at,
         batches_done, batches_failed, batches_cancelled, inserted, updated, duplicate, refused_by_rules)
       VALUES ($1, $2, 'vee', true, 'done', clock_timestamp(), clock_timestamp(), 0, 0, 0, 0, 0, 0, 0)
       RETURNING import_id)
     UPDATE ami_vee_runs SET import_id = made.import_id FROM made WHERE run_id = $3
     RETURNING made.import_id AS "importId"`,
    [run.tenantId, `marks of validation run ${run.runId}`, run.runId],
  );
  return (rows[0] as { importId: number }).importId;
}
