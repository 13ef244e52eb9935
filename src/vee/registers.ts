import type { RuleSettings } from '../contracts/veeRules.js';
import { type Database, withTransaction } from '../db/db.js';
import { insertFindings } from './findings.js';
import type { Finding } from './mergedFindings.js';
import { moveRun, type VeeRun } from './runs.js';

/**
 * `register-sum`: compares the sums of reads with what registers showed, as a run was given it, and moves the run on. A
 * register of which no read is there has nothing to be compared with.
 *
 * @param estimatedFrom where the run is estimated from, behind this.
 */
export async function compareRegisters(
  database: Database,
  run: VeeRun,
  rules: RuleSettings,
  estimatedFrom: Date,
): Promise<void> {
  const { severity, limit } = rules['register-sum'];
  const sums = severity === 'off' ? [] : await sumsOf(database, run);
  const findings = sums.flatMap(({ index, sum }): Finding[] => {
    const register = run.registers[index];
    if (register === undefined) return [];
    const value = sum - register.kwh;
    if (!(Math.abs(value) > limit)) return [];
    const { meterId, from, to } = register;
    return [
      {
        ...{ meterId, rule: 'register-sum', value, limit, severity, runId: run.runId },
        ...{ from: Date.parse(from), to: Date.parse(to) },
      },
    ];
  });
  await withTransaction(database, async (client) => {
    const next = { step: 'estimate', partAt: estimatedFrom, afterMeter: null } as const;
    const counted = findings.length > 0 ? { 'register-sum': findings.length } : {};
    await moveRun(client, run, next, { findings: counted, kept: findings.length });
    // A register that agrees now is no finding any more.
    for (const { index } of sums) {
      const register = run.registers[index];
      await client.query(
        `DELETE FROM ami_vee_findings
         WHERE tenant_id = $1 AND meter_id = $2 AND rule = 'register-sum' AND from_at = $3`,
        [run.tenantId, register?.meterId, register?.from],
      );
    }
    await insertFindings(client, run.tenantId, findings);
  });
}

/** The sums of reads that lie within the spans of a run's registers, by the place of the register in their list. */
async function sumsOf(database: Database, run: VeeRun): Promise<{ index: number; sum: number }[]> {
  if (run.registers.length === 0) return [];
  const { rows } = await database.query<{ index: number; sum: number }>(
    `SELECT place::integer - 1 AS index, total.kwh::double precision AS sum
     FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS register (given, place),
       LATERAL (SELECT sum(kwh) AS kwh FROM ami_vee_reads($1, given->>'meterId', (given->>'from')::timestamptz,
         (given->>'to')::timestamptz) read WHERE kwh BETWEEN -10000 AND 10000) total
     WHERE total.kwh IS NOT NULL ORDER BY place`,
    [run.tenantId, JSON.stringify(run.registers)],
  );
  return rows;
}
