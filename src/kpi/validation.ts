import type { Queryable } from '../db/db.js';

/** What validation has to say of a tenant, from one row that runs keep. */
export interface ValidationState {
  isOn: boolean;
  /** End of the last interval that was given to validation by itself; null where none was yet. */
  validatedTo: Date | null;
  /** Up to where gaps are estimated; null where they are not. */
  estimatedTo: Date | null;
  lastRun: {
    runId: number;
    from: Date;
    to: Date;
    finishedAt: Date;
    reads: number;
    findings: Record<string, number>;
    marked: number;
    estimated: Record<string, number>;
  } | null;
}

/** Null of a tenant that has never said anything about validation. */
export async function validationState(
  database: Queryable,
  tenantId: string,
): Promise<ValidationState | null> {
  const { rows } = await database.query<ValidationState>({
    name: 'validation-state',
    text: `SELECT is_on AS "isOn", validated_to AS "validatedTo", estimated_to AS "estimatedTo", last_run AS "lastRun"
           FROM ami_vee_tenants WHERE tenant_id = $1`,
    values: [tenantId],
  });
  const found = rows[0];
  if (found === undefined) return null;
  const { lastRun } = found;
  if (lastRun === null) return found;
  const { runId, reads, findings, marked, estimated } = lastRun;
  return {
    ...found,
    lastRun: {
      runId,
      // Instants come out of JSON as text.
      from: new Date(lastRun.from),
      to: new Date(lastRun.to),
      finishedAt: new Date(lastRun.finishedAt),
      ...{ reads, findings, marked, estimated },
    },
  };
}
