import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectSchema } from '../../src/schema/detect/detectSchema.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const REGISTRY = `CREATE TABLE feeders (feeder_id text PRIMARY KEY);
  CREATE TABLE meters (meter_id text PRIMARY KEY, feeder_id text REFERENCES feeders);`;

interface Choice {
  sql: string;
  /** Meaning → column. */
  reads?: Record<string, string>;
  meters?: Record<string, string>;
  problem?: RegExp;
}

/** Tables in which more than one column could be meant, as utilities have them. */
const CHOICES: Record<string, Choice> = {
  'the feeder, not the one it is switched to': {
    sql: `${REGISTRY}CREATE TABLE meter_reads_electric (meter_id text REFERENCES meters, read_at timestamptz, kwh numeric,
      alternate_feeder_id text REFERENCES feeders, feeder_id text REFERENCES feeders, UNIQUE (meter_id, read_at));
      ALTER TABLE meters ADD backup_feeder_id text REFERENCES feeders`,
    reads: { feederId: 'feeder_id' },
    meters: { feeder: 'feeder_id' },
  },
  'the meter, not the one that checks it': {
    sql: `${REGISTRY}CREATE TABLE meter_reads_electric (check_meter_id text REFERENCES meters, meter_id text NOT NULL,
      read_at timestamptz, kwh numeric, UNIQUE (meter_id, read_at))`,
    reads: { meterId: 'meter_id' },
  },
  'the meter of a compound key whose tenant has another name': {
    sql: `CREATE TABLE meters (company_id int, meter_no text, feeder_id text, PRIMARY KEY (company_id, meter_no));
      CREATE TABLE meter_reads_electric (company_id int, meter_no text, read_at timestamptz, kwh numeric,
        FOREIGN KEY (company_id, meter_no) REFERENCES meters, UNIQUE (meter_no, read_at))`,
    reads: { meterId: 'meter_no' },
  },
  'the energy of the interval, not the register': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh_reading numeric, kwh_usage numeric,
      UNIQUE (meter_id, read_at))`,
    reads: { kwh: 'kwh_usage' },
  },
  'no register alone': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, cumulative_kwh numeric,
      UNIQUE (meter_id, read_at))`,
    problem: /has no column that is surely the energy of an interval in kWh \(cumulative_kwh, numeric/,
  },
  'no watt-hours': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, energy_wh bigint, UNIQUE (meter_id, read_at))`,
    problem: /energy_wh, bigint, may be/,
  },
  'no whole kWh under another name': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, usage_kwh integer, UNIQUE (meter_id, read_at))`,
    problem: /usage_kwh is of type integer, which rounds .* ALTER COLUMN "usage_kwh" TYPE numeric;/,
  },
  'no parts of a total': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh_peak numeric, kwh_offpeak numeric,
      UNIQUE (meter_id, read_at))`,
    problem: /surely the energy/,
  },
  'what was delivered to a customer who also feeds in': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh_delivered numeric,
      kwh_received numeric, kwh_net numeric, UNIQUE (meter_id, read_at))`,
    reads: { kwh: 'kwh_delivered', deliveredKwh: 'delivered_kwh', receivedKwh: 'kwh_received' },
  },
  'what is exported beside what is imported': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh_import numeric, kwh_export numeric NOT NULL,
      UNIQUE (meter_id, read_at))`,
    reads: { kwh: 'kwh_import', receivedKwh: 'kwh_export' },
  },
  'nothing that was received, by whom nobody knows': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh numeric, received_kwh numeric,
      export_kwh numeric, UNIQUE (meter_id, read_at))`,
    reads: { kwh: 'kwh', receivedKwh: 'none' },
  },
  'what the utility measured, beside what the meter did': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, kwh numeric, kwh_delivered numeric,
      UNIQUE (meter_id, read_at))`,
    reads: { kwh: 'kwh', deliveredKwh: 'kwh_delivered' },
  },
  'the instant that tells reads apart, not the local time': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_time timestamp, read_time_utc timestamptz, kwh numeric,
      UNIQUE (meter_id, read_time_utc))`,
    reads: { readAt: 'read_time_utc' },
  },
  'no end of the interval for its start': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, interval_ending timestamptz, kwh numeric)`,
    problem: /has no column for the time of a read/,
  },
  'no table whose key is the end of the interval': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, "intervalEndUtc" timestamptz, recorded_at timestamptz, kwh numeric,
      PRIMARY KEY (meter_id, "intervalEndUtc"))`,
    problem: /apart by "intervalEndUtc", the end of their intervals/,
  },
  'no table with a row a channel': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, channel int, read_at timestamptz, kwh numeric,
      PRIMARY KEY (meter_id, channel, read_at))`,
    problem: /several rows of a meter and time, told apart by channel/,
  },
  'no table with versions of a read': {
    sql: `CREATE TABLE meter_reads_electric (meter_id text, read_at timestamptz, version int, kwh numeric,
      UNIQUE (meter_id, read_at, version))`,
    problem: /told apart by version/,
  },
  'no table of latest reads': {
    sql: 'CREATE TABLE meter_reads_electric (meter_id text PRIMARY KEY, read_at timestamptz, kwh numeric)',
    problem: /can hold one read of a meter alone/,
  },
  'the id of the registry that the reads carry': {
    sql: `CREATE TABLE meters (meter_id bigint PRIMARY KEY, meter_number text, device_id text, feeder_id text);
      CREATE TABLE meter_reads_electric (device_id text, read_at timestamptz, kwh numeric, UNIQUE (device_id, read_at))`,
    reads: { meterId: 'device_id' },
    meters: { meterId: 'device_id' },
  },
  'nothing of unrelated tables': {
    sql: 'CREATE TABLE circuits (race text, laps int); CREATE TABLE feeder (x int)',
    meters: { meterId: 'meter_id' },
  },
};

describe('what is taken for what', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase('empty');
  });
  afterAll(() => database.drop());

  it.each(Object.entries(CHOICES))('%s', async (_name, { sql, reads, meters, problem }) => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(sql);
      const { detection, problems } = await detectSchema(client, 'T');
      if (problem) {
        expect(problems.join('\n')).toMatch(problem);
        return;
      }
      expect(problems).toEqual([]);
      const names = (columns: object = {}) =>
        Object.fromEntries(
          Object.entries(columns).map(([meaning, column]) => [
            meaning,
            (column as { name?: string } | null)?.name ?? 'none',
          ]),
        );
      expect(names(detection?.mapping.reads.columns)).toMatchObject(reads ?? {});
      expect(names(detection?.mapping.registry.meters)).toMatchObject(meters ?? {});
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});
