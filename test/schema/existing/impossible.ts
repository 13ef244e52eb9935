import { FEEDERS, type ImpossibleCase, METERS, REGISTRY, readsTable, SIX_METERS } from './impossibleBase.js';
import { IMPOSSIBLE_FOR_ROLE } from './impossibleForRole.js';
import { IMPOSSIBLE_TABLES } from './impossibleTables.js';

export const IMPOSSIBLE_CASES: ImpossibleCase[] = [
  {
    name: 'no column for the time',
    sql: `${REGISTRY}${readsTable({ read_at: null, hour_ending: 'smallint' }, { key: '' })}`,
    says: ['public.meter_reads_electric', 'time', 'read_at'],
    mends: true,
  },
  {
    name: 'a time that is text',
    sql: `${REGISTRY}${readsTable({ read_at: 'text NOT NULL' })}
      ${SIX_METERS.replace('at, 0.5', `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 0.5`)}`,
    says: ['public.meter_reads_electric', 'read_at', 'text', 'timestamptz'],
    mends: true,
  },
  {
    name: 'no column for the meter',
    sql: `${REGISTRY}${readsTable({ meter_id: null, premise: 'text' }, { key: '' })}`,
    says: ['public.meter_reads_electric', 'meter'],
    mends: false,
  },
  {
    name: 'duplicates in what must be the key',
    sql: `${REGISTRY}${readsTable({}, { key: '' })}${SIX_METERS}
      INSERT INTO meter_reads_electric SELECT * FROM meter_reads_electric WHERE meter_id IN ('M1', 'M2', 'M3') AND read_at = '2026-05-31 00:00Z'`,
    says: ['public.meter_reads_electric', 'tenant_id, meter_id, read_at', /\b3\b/],
    mends: true,
  },
  {
    name: 'a NOT NULL column that nothing can fill',
    sql: `${REGISTRY}${readsTable({ tariff_class: 'text NOT NULL' })}`,
    says: ['public.meter_reads_electric.tariff_class', 'NOT NULL', 'default'],
    mends: true,
  },
  {
    name: 'a primary key of integers without a default',
    sql: `${REGISTRY}${readsTable({ record_no: 'integer PRIMARY KEY' })}
      INSERT INTO meter_reads_electric (record_no, tenant_id, meter_id, feeder_id, read_at, kwh) VALUES (41, 'TOWN', 'M1', 'F1', '2026-05-31 00:00Z', 1)`,
    says: ['public.meter_reads_electric.record_no', 'NOT NULL', 'default'],
    mends: true,
  },
  {
    name: 'energy in whole kWh',
    sql: `${REGISTRY}${readsTable({ kwh: 'numeric(10,0) NOT NULL' })}`,
    says: ['public.meter_reads_electric.kwh', 'numeric(10,0)', 'whole'],
    mends: true,
  },
  {
    name: 'a generated column under a name that GridLens needs',
    sql: `${REGISTRY}${readsTable({ delivered_kwh: 'numeric GENERATED ALWAYS AS (kwh * 1.05) STORED' })}`,
    says: ['public.meter_reads_electric.delivered_kwh', 'generated'],
    mends: true,
  },
  {
    name: 'reads that are a view',
    sql: `${REGISTRY}${readsTable({}, { name: 'raw_reads' })}CREATE VIEW meter_reads_electric AS SELECT * FROM raw_reads;`,
    says: ['public.meter_reads_electric', 'view', 'table'],
    mends: true,
  },
  {
    name: 'reads that are a materialized view',
    sql: `${REGISTRY}${readsTable({}, { name: 'raw_reads' })}CREATE MATERIALIZED VIEW meter_reads_electric AS SELECT * FROM raw_reads;`,
    says: ['public.meter_reads_electric', 'materialized view'],
    mends: true,
  },
  {
    name: 'reads that are in another server',
    sql: `${REGISTRY}CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER mdm FOREIGN DATA WRAPPER elsewhere;
      CREATE FOREIGN TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh numeric) SERVER mdm;`,
    says: ['public.meter_reads_electric', 'foreign table'],
    mends: true,
  },
  {
    name: 'reads that are a partition of another table',
    sql: `${REGISTRY}${readsTable({}, { name: 'all_reads', after: ' PARTITION BY RANGE (read_at)' })}
      CREATE TABLE meter_reads_electric PARTITION OF all_reads FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');${SIX_METERS}`,
    says: ['public.meter_reads_electric', 'partition of public.all_reads'],
    mends: true,
  },
  {
    name: 'two tables that could both be meant',
    sql: `${REGISTRY}${readsTable({}, { name: '"MeterReadsElectric"' })}${readsTable({}, { name: '"METER_READS_ELECTRIC"' })}`,
    says: ['"MeterReadsElectric"', '"METER_READS_ELECTRIC"', 'both'],
    mends: true,
  },
  {
    name: 'two tables of meters, of which one is a copy',
    sql: `${FEEDERS}${METERS}${METERS.replaceAll('meters', '"Meters"')}${METERS.replaceAll('meters', '"METERS"')}
      ALTER TABLE meters RENAME TO old_copy;${readsTable()}`,
    says: ['"Meters"', '"METERS"', 'both'],
    mends: true,
  },
  ...IMPOSSIBLE_TABLES,
  ...IMPOSSIBLE_FOR_ROLE,
];
