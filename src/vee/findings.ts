import type { Queryable } from '../db/db.js';
import { numberArray, textArray } from '../reads/meterReads.js';
import { type Finding, mergedFindings } from './mergedFindings.js';

/** Findings, kept in `ami_vee_findings`. */
const COLUMNS = `meter_id AS "meterId", rule, extract(epoch FROM from_at)::double precision * 1000 AS "from",
  extract(epoch FROM to_at)::double precision * 1000 AS "to", value::double precision, limit_value::double precision AS "limit",
  severity, run_id AS "runId"`;

/**
 * Keeps what was found of a batch of meters in a part, in the caller's transaction, in the place of what stood there.
 *
 * @param part in ms, exclusive at its end.
 */
export async function keepFindings(
  client: Queryable,
  tenantId: string,
  meterIds: readonly string[],
  part: { from: number; to: number },
  found: readonly Finding[],
): Promise<void> {
  // Whatever reaches into the part or touches it; what runs of zeros found reaches back beyond it.
  const reach = { from: Math.min(part.from, ...found.map(({ from }) => from)), to: part.to };
  const { rows: standing } = await client.query<Finding>({
    name: 'vee-standing-findings',
    text: `DELETE FROM ami_vee_findings
           WHERE tenant_id = $1 AND to_at >= $3 AND from_at <= $4 AND meter_id = ANY ($2) RETURNING ${COLUMNS}`,
    values: [tenantId, meterIds, new Date(reach.from), new Date(reach.to)],
  });
  await insertFindings(client, tenantId, mergedFindings(standing, found, part));
}

/** Takes the place of findings with the same key. */
export async function insertFindings(
  client: Queryable,
  tenantId: string,
  findings: readonly Finding[],
): Promise<void> {
  if (findings.length === 0) return;
  const seconds = (ms: readonly number[]): string => numberArray(ms.map((one) => one / 1000));
  await client.query({
    name: 'vee-keep-findings',
    text: `INSERT INTO ami_vee_findings (tenant_id, meter_id, rule, from_at, to_at, value, limit_value, severity, run_id)
           SELECT $1, meter_id, rule, to_timestamp(from_s), to_timestamp(to_s), value, limit_value, severity, run_id
           FROM unnest($2::text[], $3::text[], $4::double precision[], $5::double precision[], $6::numeric[],
             $7::numeric[], $8::text[], $9::integer[])
             AS found (meter_id, rule, from_s, to_s, value, limit_value, severity, run_id)
           ON CONFLICT (tenant_id, meter_id, rule, from_at) DO UPDATE SET to_at = excluded.to_at, value = excluded.value,
             limit_value = excluded.limit_value, severity = excluded.severity, run_id = excluded.run_id`,
    values: [
      tenantId,
      textArray(findings.map(({ meterId }) => meterId)),
      textArray(findings.map(({ rule }) => rule)),
      seconds(findings.map(({ from }) => from)),
      seconds(findings.map(({ to }) => to)),
      numberArray(findings.map(({ value }) => rounded(value))),
      numberArray(findings.map(({ limit }) => rounded(limit))),
      textArray(findings.map(({ severity }) => severity)),
      numberArray(findings.map(({ runId }) => runId)),
    ],
  });
}

/** Nine digits behind the point: more is noise of binary fractions. */
const rounded = (value: number): number => Number(value.toFixed(9));

/** The first findings of a run that are still kept, by meter and time. */
export async function findingsOfRun(client: Queryable, runId: number, limit: number): Promise<Finding[]> {
  const { rows } = await client.query<Finding>(
    `SELECT ${COLUMNS} FROM ami_vee_findings WHERE run_id = $1 ORDER BY meter_id, from_at, rule LIMIT $2`,
    [runId, limit],
  );
  return rows;
}
