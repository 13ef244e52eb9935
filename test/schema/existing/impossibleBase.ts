/** A small healthy database, in parts that an impossible case takes and spoils. */

export const FEEDERS = `CREATE TABLE feeders (tenant_id text, feeder_id text PRIMARY KEY);
INSERT INTO feeders VALUES ('TOWN', 'F1'), ('TOWN', 'F2');`;
export const METERS = `CREATE TABLE meters (tenant_id text, meter_id text PRIMARY KEY, feeder_id text);
INSERT INTO meters SELECT 'TOWN', 'M' || n, 'F' || 1 + n % 2 FROM generate_series(1, 6) n;`;
const TIMES = `unnest(ARRAY['2026-05-31 00:00Z', '2026-05-31 00:15Z']::timestamptz[]) at`;
const COLUMNS = {
  tenant_id: 'text NOT NULL',
  meter_id: 'text NOT NULL',
  feeder_id: 'text NOT NULL',
  read_at: 'timestamptz NOT NULL',
  kwh: 'numeric NOT NULL',
  delivered_kwh: 'numeric',
  voltage: 'numeric',
  quality_flags: 'text[]',
  created_at: 'timestamptz NOT NULL DEFAULT now()',
  updated_at: 'timestamptz NOT NULL DEFAULT now()',
};

/** A table of reads that needs nothing, but for the columns that a case gives another type, or `null` takes away. */
export function readsTable(
  columns: Record<string, string | null> = {},
  { name = 'meter_reads_electric', key = 'UNIQUE (tenant_id, meter_id, read_at)', after = '' } = {},
): string {
  const all = Object.entries({ ...COLUMNS, ...columns }).filter(([, type]) => type !== null);
  return `CREATE TABLE ${name} (${[...all.map((column) => column.join(' ')), key].filter(Boolean).join(', ')})${after};`;
}

/** Six meters with two reads each. */
export const SIX_METERS = `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh)
  SELECT tenant_id, meter_id, feeder_id, at, 0.5 FROM meters, ${TIMES};`;
export const REGISTRY = `${FEEDERS}\n${METERS}\n`;

export const WITH_READS = `${REGISTRY}${readsTable()}${SIX_METERS}`;

/** A database that GridLens cannot work on as it is, and the one sentence it is to say. */
export interface ImpossibleCase {
  name: string;
  sql: string;
  /** Whether GridLens connects as `{{role}}`. */
  asRole?: boolean;
  /** What the sentence must hold: the table, the column or right, the reason. */
  says: (string | RegExp)[];
  /** Whether its statement runs as it stands and all is well after it; else it holds a gap for a name. */
  mends: boolean;
}
