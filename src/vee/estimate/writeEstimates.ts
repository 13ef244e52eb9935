import { MAX_BATCH_SIZE } from '../../contracts/limits.js';
import { type Database, withTransaction } from '../../db/db.js';
import { endRun, type VeeRun } from '../runs.js';

/**
 * Ends a run, and hands its estimates to the workers as an import: paced and admitted as every file is, and judged by the
 * same rules. A measured read never gives way to one, and takes its place when it comes.
 */
export function writeEstimates(database: Database, run: VeeRun): Promise<void> {
  return withTransaction(database, async (client) => {
    const open = await client.query(
      `SELECT FROM ami_vee_runs WHERE run_id = $1 AND state IN ('waiting', 'running') FOR UPDATE`,
      [run.runId],
    );
    if (open.rowCount === 0) return;
    const { rows } = await client.query<{ importId: number }>(
      `WITH estimates AS (
         SELECT count(*) AS reads, min(read_at) AS first_at, max(read_at) AS last_at FROM ami_vee_estimates
         WHERE run_id = $1 AND import_id IS NULL)
       INSERT INTO ami_imports (tenant_id, file_name, format, over_emulated, state, read_whole_at, reads, batches,
         first_read_at, last_read_at, request_id)
       SELECT $2, $3, 'vee', false, 'writing', clock_timestamp(), reads, ceil(reads / $4::numeric), first_at, last_at, $3
       FROM estimates WHERE reads > 0 RETURNING import_id AS "importId"`,
      [run.runId, run.tenantId, `estimates of validation run ${run.runId}`, MAX_BATCH_SIZE],
    );
    const importId = rows[0]?.importId;
    if (importId !== undefined) {
      await client.query(
        `INSERT INTO ami_import_values (import_id, batch, meter_id, feeder_id, read_at, minutes, kwh, quality,
           quality_method, line)
         SELECT $2, (place - 1) / $3::integer, meter_id, feeder_id, read_at, minutes, kwh, 'estimated', method, place
         FROM (SELECT *, row_number() OVER (ORDER BY minutes, read_at, feeder_id, meter_id) AS place
               FROM ami_vee_estimates WHERE run_id = $1 AND import_id IS NULL) placed ORDER BY place`,
        [run.runId, importId, MAX_BATCH_SIZE],
      );
      await client.query(
        'UPDATE ami_vee_estimates SET import_id = $2 WHERE run_id = $1 AND import_id IS NULL',
        [run.runId, importId],
      );
    }
    await endRun(client, run.runId);
  });
}
