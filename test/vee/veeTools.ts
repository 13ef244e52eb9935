import type { Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

export const TENANT = 'VEE_TENANT';
/** A clock that stands, so that no interval becomes complete by itself. */
export const NOW = new Date('2026-03-12T00:00:00Z');
export const DAY = { from: '2026-03-10T00:00:00Z', to: '2026-03-11T00:00:00Z' };

export interface Finding {
  meterId: string;
  rule: string;
  from: string;
  to: string;
  value: number;
  limit: number;
  severity: string;
}

export interface Run {
  runId: number;
  state: string;
  reads: number;
  findings: Record<string, number>;
  estimated: Record<string, number>;
  marked: number;
  kept: number;
  found: Finding[];
  [field: string]: unknown;
}

/** Reads and runs in a deployment whose worker runs. */
export function veeTools(deployment: () => Deployment) {
  const sql = async (text: string, values: unknown[] = []) =>
    (await deployment().database.pool.query(text, values)).rows;
  const finished = (runId: number): Promise<Run> =>
    waitFor(`run ${runId}`, async () => {
      const { body } = await deployment().http.get(`/api/ami/vee/runs/${runId}`);
      return (body.state === 'done' || body.state === 'failed') && (body as Run);
    });
  return {
    sql,
    finished,
    /** Quarter hours of every meter with 0.1 to 0.6 kWh by the time of day, another meter another usage. */
    async fill(meters: readonly string[], from: string, to: string): Promise<void> {
      await sql(
        `SELECT ami_ensure_read_partition(day::date) FROM generate_series($1::date, $2::date, '1 day') day`,
        [from.slice(0, 10), to.slice(0, 10)],
      );
      await sql(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
         SELECT $1, meter, 'FEEDER_1', at, usage, usage, 120
         FROM unnest($2::text[]) WITH ORDINALITY AS m (meter, n), generate_series($3::timestamptz, $4::timestamptz - interval '15 min', '15 min') at,
           LATERAL (SELECT round((0.2 + 0.1 * sin(extract(epoch FROM at) / 13750.987) + 0.05 * n
             + mod(extract(epoch FROM at)::bigint / 900 * 7919, 31) * 0.001)::numeric, 4) AS usage) u`,
        [TENANT, meters, from, to],
      );
    },
    async change(meterId: string, at: string, set: string): Promise<void> {
      await sql(
        `UPDATE meter_reads_electric SET ${set} WHERE tenant_id = $1 AND meter_id = $2 AND read_at = $3`,
        [TENANT, meterId, at],
      );
    },
    async remove(meterId: string, from: string, to: string): Promise<void> {
      await sql(
        'DELETE FROM meter_reads_electric WHERE tenant_id = $1 AND meter_id = $2 AND read_at >= $3 AND read_at < $4',
        [TENANT, meterId, from, to],
      );
    },
    async run(wanted: object = {}): Promise<Run> {
      const { status, body } = await deployment().post('/api/ami/vee/runs', {
        tenantId: TENANT,
        ...DAY,
        ...wanted,
      });
      if (status !== 202) throw new Error(JSON.stringify(body));
      return finished(body.runId);
    },
    rules: async (rules: object) => {
      const { status, body } = await deployment().post('/api/ami/vee/rules', { tenantId: TENANT, ...rules });
      if (status !== 200) throw new Error(JSON.stringify(body));
      return body;
    },
    summary: async (span = DAY) =>
      (
        await deployment()
          .http.get('/api/ami/vee/summary')
          .query({ tenantId: TENANT, ...span })
      ).body,
    async forget(): Promise<void> {
      for (const table of [
        'meter_reads_electric',
        ...['ami_vee_tenants', 'ami_vee_rules', 'ami_vee_runs', 'ami_vee_findings', 'ami_vee_qualities'],
        ...['ami_vee_estimates', 'ami_imports CASCADE', 'ami_import_values', 'ami_publishes CASCADE'],
      ])
        await deployment().database.truncate(table);
    },
  };
}

export type VeeTools = ReturnType<typeof veeTools>;
