import type pg from 'pg';

/** What a database holds after a run, down to the last digit; two runs of one workload must agree in all of it. */
export interface Holdings {
  reads: number;
  /** Of every read, but when it was written. */
  readsDigest: string;
  intervalsDigest: string;
  daysDigest: string;
  anomaliesDigest: string;
  metersDigest: string;
}

/** What the ledger says of a run. */
export interface Ledger {
  batches: number;
  pending: number;
  failed: number;
  inserted: number;
  duplicate: number;
}

/** The columns of each table, in the order of its key; instants of writing and versions are left out. */
const DIGESTS: Record<Exclude<keyof Holdings, 'reads'>, { table: string; columns: string; key: string }> = {
  readsDigest: {
    table: 'meter_reads_electric',
    columns: 'tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags',
    key: 'tenant_id, read_at, meter_id',
  },
  intervalsDigest: {
    table: 'ami_feeder_intervals',
    columns:
      'tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads, implausible_reads',
    key: 'tenant_id, read_at, feeder_id',
  },
  daysDigest: {
    table: 'ami_feeder_days',
    columns:
      'tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, implausible_reads',
    key: 'tenant_id, day, feeder_id',
  },
  anomaliesDigest: {
    table: 'ami_meter_anomalies',
    columns:
      'tenant_id, day, feeder_id, meter_id, underregistered_reads, registered_kwh, delivered_kwh, first_underregistered_at, last_underregistered_at, low_voltage_reads, min_voltage',
    key: 'tenant_id, day, feeder_id, meter_id',
  },
  metersDigest: {
    table: 'ami_known_meters',
    columns: 'tenant_id, meter_id, feeder_id',
    key: 'tenant_id, meter_id',
  },
};

export async function holdingsOf(pool: pg.Pool): Promise<Holdings> {
  const { rows } = await pool.query<{ reads: number }>(
    'SELECT count(*)::integer AS reads FROM meter_reads_electric',
  );
  const holdings: Record<string, string | number> = { reads: rows[0]?.reads ?? 0 };
  for (const [name, { table, columns, key }] of Object.entries(DIGESTS)) {
    const digest = await pool.query<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(md5(ROW(${columns})::text), '' ORDER BY ${key}), '')) AS digest FROM ${table}`,
    );
    holdings[name] = digest.rows[0]?.digest ?? '';
  }
  return holdings as unknown as Holdings;
}

export async function ledgerOf(pool: pg.Pool): Promise<Ledger> {
  const { rows } = await pool.query<Ledger>(
    `SELECT count(*)::integer AS batches, count(*) FILTER (WHERE state = 'pending')::integer AS pending,
       count(*) FILTER (WHERE state = 'failed')::integer AS failed,
       coalesce(sum(inserted), 0)::integer AS inserted, coalesce(sum(duplicate), 0)::integer AS duplicate
     FROM ami_publish_batches`,
  );
  return rows[0] as Ledger;
}

/** What differs, one sentence each; empty when nothing was lost and nothing written twice. */
export function differences(found: Holdings, wanted: Holdings, ledger: Ledger): string[] {
  const sentences = (Object.keys(wanted) as (keyof Holdings)[])
    .filter((name) => found[name] !== wanted[name])
    .map((name) => `${name}: ${found[name]}, undisturbed ${wanted[name]}`);
  if (ledger.failed > 0) sentences.push(`${ledger.failed} batches were given up`);
  if (ledger.pending > 0) sentences.push(`${ledger.pending} batches are still owed`);
  if (ledger.inserted !== found.reads)
    sentences.push(`the ledger counts ${ledger.inserted} reads as new, and ${found.reads} are there`);
  return sentences;
}
