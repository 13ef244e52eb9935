import type { VeeRule } from '../contracts/veeRules.js';
import type { Queryable } from '../db/db.js';

/** What a register showed, as it was given. Instants as ISO 8601, energy in kWh. */
export interface GivenRegister {
  meterId: string;
  from: string;
  to: string;
  kwh: number;
}

/** How far a run is. */
export interface VeeRun {
  runId: number;
  tenantId: string;
  origin: 'interval' | 'request';
  from: Date;
  /** Exclusive. */
  to: Date;
  estimate: boolean;
  registers: GivenRegister[];
  state: 'waiting' | 'running' | 'done' | 'failed';
  requestedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  step: 'validate' | 'registers' | 'estimate';
  partAt: Date;
  afterMeter: string | null;
  meters: number;
  reads: number;
  findings: Partial<Record<VeeRule, number>>;
  kept: number;
  marked: number;
  estimated: Record<string, number>;
  importId: number | null;
  attempts: number;
  failure: string | null;
}

const COLUMNS = `run_id AS "runId", tenant_id AS "tenantId", origin, from_at AS "from", to_at AS "to", estimate, registers,
  state, requested_at AS "requestedAt", started_at AS "startedAt", finished_at AS "finishedAt", step, part_at AS "partAt",
  after_meter AS "afterMeter", meters, reads::double precision AS reads, findings, kept,
  marked::double precision AS marked, estimated, import_id AS "importId", attempts, failure`;

export interface NewRun {
  tenantId: string;
  origin: VeeRun['origin'];
  from: Date;
  to: Date;
  estimate: boolean;
  registers: readonly GivenRegister[];
  requestId: string | null;
}

export async function insertRun(client: Queryable, wanted: NewRun): Promise<VeeRun> {
  const { rows } = await client.query<VeeRun>(
    `INSERT INTO ami_vee_runs (tenant_id, origin, from_at, to_at, part_at, estimate, registers, request_id)
     VALUES ($1, $2, $3, $4, $3, $5, $6, $7) RETURNING ${COLUMNS}`,
    [
      wanted.tenantId,
      wanted.origin,
      wanted.from,
      wanted.to,
      wanted.estimate,
      JSON.stringify(wanted.registers),
      wanted.requestId,
    ],
  );
  return rows[0] as VeeRun;
}

export async function findRun(client: Queryable, runId: number): Promise<VeeRun | undefined> {
  const { rows } = await client.query<VeeRun>(`SELECT ${COLUMNS} FROM ami_vee_runs WHERE run_id = $1`, [
    runId,
  ]);
  return rows[0];
}

/** How many runs of a tenant are not over that somebody asked for. */
export async function openRunsOf(client: Queryable, tenantId: string): Promise<number> {
  const { rows } = await client.query<{ open: number }>(
    `SELECT count(*)::integer AS open FROM ami_vee_runs
     WHERE tenant_id = $1 AND state IN ('waiting', 'running') AND origin = 'request'`,
    [tenantId],
  );
  return rows[0]?.open ?? 0;
}

/** The run that is served next: of intervals first, then in the order in which they were asked for. */
export async function nextRun(client: Queryable, now: Date): Promise<VeeRun | undefined> {
  const { rows } = await client.query<VeeRun>(
    `SELECT ${COLUMNS} FROM ami_vee_runs
     WHERE state IN ('waiting', 'running') AND (next_try_at IS NULL OR next_try_at <= $1)
     ORDER BY origin <> 'interval', run_id LIMIT 1`,
    [now],
  );
  return rows[0];
}

/** Where a run goes on. */
export type Place = Pick<VeeRun, 'step' | 'partAt' | 'afterMeter'>;

/** What a piece of work adds to a run's figures. */
export interface Progress {
  meters?: number;
  reads?: number;
  findings?: Partial<Record<VeeRule, number>>;
  kept?: number;
  marked?: number;
  estimated?: Record<string, number>;
}

/**
 * Moves a run from one place to the next, in the transaction that has done what lies between them.
 *
 * @throws RunMovedError where another process has moved it since: the caller's transaction must not commit.
 */
export async function moveRun(
  client: Queryable,
  seen: VeeRun,
  next: Place,
  done: Progress = {},
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE ami_vee_runs SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), step = $5,
       part_at = $6, after_meter = $7,
       meters = meters + CASE WHEN step = 'validate' AND part_at = from_at THEN $8::integer ELSE 0 END, reads = reads + $9,
       findings = (SELECT coalesce(jsonb_object_agg(rule, n), '{}') FROM (
         SELECT key AS rule, sum(value::bigint) AS n
         FROM (SELECT * FROM jsonb_each_text(findings) UNION ALL SELECT * FROM jsonb_each_text($10)) both_of GROUP BY 1) s),
       kept = kept + $11, marked = marked + $12,
       estimated = (SELECT coalesce(jsonb_object_agg(method, n), '{}') FROM (
         SELECT key AS method, sum(value::bigint) AS n
         FROM (SELECT * FROM jsonb_each_text(estimated) UNION ALL SELECT * FROM jsonb_each_text($13)) both_of GROUP BY 1) s),
       attempts = 0, next_try_at = NULL, failure = NULL
     WHERE run_id = $1 AND state IN ('waiting', 'running') AND step = $2 AND part_at = $3
       AND after_meter IS NOT DISTINCT FROM $4`,
    [
      seen.runId,
      seen.step,
      seen.partAt,
      seen.afterMeter,
      next.step,
      next.partAt,
      next.afterMeter,
      done.meters ?? 0,
      done.reads ?? 0,
      JSON.stringify(done.findings ?? {}),
      done.kept ?? 0,
      done.marked ?? 0,
      JSON.stringify(done.estimated ?? {}),
    ],
  );
  if (rowCount !== 1) throw new RunMovedError();
}

/** Thrown inside a transaction, to roll it back. */
export class RunMovedError extends Error {
  override name = 'RunMovedError';
}

/** Ends a run, and tells quickcheck of it. */
export async function endRun(client: Queryable, runId: number): Promise<void> {
  await client.query(
    `WITH ended AS (
       UPDATE ami_vee_runs SET state = 'done', started_at = coalesce(started_at, clock_timestamp()),
         finished_at = clock_timestamp()
       WHERE run_id = $1 AND state IN ('waiting', 'running') RETURNING *)
     UPDATE ami_vee_tenants tenant SET version = nextval('ami_rollup_versions'), last_run = jsonb_build_object(
       'runId', run_id, 'from', from_at, 'to', to_at, 'finishedAt', ended.finished_at, 'meters', meters, 'reads', reads,
       'findings', findings, 'marked', marked, 'estimated', estimated)
     FROM ended WHERE tenant.tenant_id = ended.tenant_id`,
    [runId],
  );
}

/** Notes why a run cannot go on, and when to try again; null gives it up. */
export async function noteTrouble(client: Queryable, runId: number, failure: string, nextTryAt: Date | null) {
  await client.query(
    `UPDATE ami_vee_runs SET failure = $2, attempts = attempts + 1, next_try_at = $3,
       state = CASE WHEN $3::timestamptz IS NULL THEN 'failed' ELSE state END,
       finished_at = CASE WHEN $3::timestamptz IS NULL THEN clock_timestamp() END
     WHERE run_id = $1 AND state IN ('waiting', 'running')`,
    [runId, failure.slice(0, 500), nextTryAt],
  );
}
