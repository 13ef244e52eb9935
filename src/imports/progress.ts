import type { Queryable } from '../db/db.js';
import { SUMS } from './openImports.js';

/** How far an import is. */
export interface ImportProgress {
  importId: number;
  tenantId: string;
  fileName: string;
  format: string;
  mapping: string | null;
  state: 'reading' | 'writing' | 'done' | 'failed' | 'cancelled';
  reads: number;
  batches: number;
  refused: number;
  repeated: number;
  left: Record<string, number>;
  metersRegistered: number;
  first: Date | null;
  last: Date | null;
  batchesDone: number;
  batchesFailed: number;
  batchesCancelled: number;
  inserted: number;
  updated: number;
  duplicate: number;
  refusedByRules: number;
  failure: string | null;
  acceptedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** The counts that were kept when it was over; before, the ledger's. */
const PROGRESS = `SELECT import.import_id AS "importId", tenant_id AS "tenantId", file_name AS "fileName", format, mapping,
    state, reads::double precision AS reads, batches, import.refused::double precision AS refused,
    repeated::double precision AS repeated, left_out AS "left", meters_registered AS "metersRegistered",
    first_read_at AS "first", last_read_at AS "last",
    coalesce(batches_done, live.done) AS "batchesDone", coalesce(batches_failed, live.failed) AS "batchesFailed",
    coalesce(batches_cancelled, live.cancelled) AS "batchesCancelled",
    coalesce(import.inserted, live.inserted)::double precision AS inserted,
    coalesce(import.updated, live.updated)::double precision AS updated,
    coalesce(import.duplicate, live.duplicate)::double precision AS duplicate,
    coalesce(refused_by_rules, live.refused)::double precision AS "refusedByRules",
    coalesce(import.failure, live.failure) AS failure, accepted_at AS "acceptedAt", live.started_at AS "startedAt",
    finished_at AS "finishedAt"
  FROM ami_imports import, LATERAL (${SUMS.replace('$1', 'import.import_id')}) live`;

/** How far an import is; undefined when there is no such one. */
export async function importProgress(
  client: Queryable,
  importId: number,
): Promise<ImportProgress | undefined> {
  const { rows } = await client.query<ImportProgress>(`${PROGRESS} WHERE import.import_id = $1`, [importId]);
  return rows[0];
}

/** A tenant's imports, the latest first. */
export async function listImports(
  client: Queryable,
  tenantId: string,
  limit: number,
): Promise<ImportProgress[]> {
  const { rows } = await client.query<ImportProgress>(
    `${PROGRESS} WHERE tenant_id = $1 ORDER BY import.import_id DESC LIMIT $2`,
    [tenantId, limit],
  );
  return rows;
}

/** A row of a file that became no read, or whose read was left. */
export interface KeptRefusal {
  line: number;
  meterId: string | null;
  readAt: Date | null;
  reason: string;
  /** Rows that it stands for. */
  rows: number;
}

/**
 * Refusals of an import, by line.
 *
 * @param after number of the last one of the page before; one that the import does not have gives an empty page.
 */
export async function keptRefusals(
  client: Queryable,
  importId: number,
  limit: number,
  after?: number,
): Promise<(KeptRefusal & { number: number })[]> {
  const { rows } = await client.query<KeptRefusal & { number: number }>(
    `SELECT line::double precision AS line, meter_id AS "meterId", read_at AS "readAt", reason, rows,
       number::double precision AS number
     FROM ami_import_refusals
     WHERE import_id = $1 AND ($3::bigint IS NULL OR (line, number) > (
       SELECT last.line, last.number FROM ami_import_refusals last WHERE last.import_id = $1 AND last.number = $3))
     ORDER BY line, number LIMIT $2`,
    [importId, limit, after ?? null],
  );
  return rows;
}
