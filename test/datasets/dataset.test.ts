import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetManifest, makeDataset, verifyDataset } from '../../src/datasets/dataset.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { readScenario } from '../../src/scenarios/readScenario.js';
import { writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { expectSameScore } from './sameScore.js';

const TENANT = 'OFFLINE';
const METERS = Number(process.env.DATASET_METERS ?? 200);
/** Thefts of all forms and outages on the same feeders as sags, over two UTC days. */
const SCENARIO = `scenario: "A test: with all forms"
tenantId: ${TENANT}
meterCount: ${METERS}
feederCount: 10
span: { from: 2026-03-28, days: 2 }
events:
  - { name: front, type: comms-outage, feeders: [FEEDER_1, FEEDER_2, FEEDER_3], stepMinutes: 25, severity: 0.7, day: 0, time: "20:40", durationMinutes: 260 }
  - { name: flicker, type: voltage-sag, feeders: [FEEDER_2, FEEDER_7], stepMinutes: 15, severity: 0.7, day: 0, time: "20:30", durationMinutes: 90 }
  - { name: constant, type: theft, feeders: [FEEDER_2], severity: 0.6, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: random, type: theft, feeders: [FEEDER_3], form: random, severity: 0.55, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: window, type: theft, feeders: [FEEDER_4], form: window, severity: 0.25, meterFraction: 0.2, day: 0, durationMinutes: 2880 }
  - { name: mean-factor, type: theft, feeders: [FEEDER_5], form: mean-factor, severity: 0.55, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: mean, type: theft, feeders: [FEEDER_6], form: mean, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: reversed, type: theft, feeders: [FEEDER_7], form: reversed, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
`;
const scenario = readScenario(SCENARIO, 'a test');

describe('a data set', () => {
  const root = mkdtempSync(join(tmpdir(), 'gridlens-dataset-'));
  const folder = join(root, 'set');
  let manifest: DatasetManifest;
  let duck: DuckDBConnection;
  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (
      await duck.runAndReadAll(
        sql.replace(
          /\b(READS|LABELS)\b/g,
          (name) => `read_parquet('${folder}/${name.toLowerCase()}/**/*.parquet', hive_partitioning = true)`,
        ),
      )
    ).getRowObjectsJson();
  const make = (name: string, over: object = {}) =>
    makeDataset(scenario, {
      folder: join(root, name),
      format: 'parquet',
      threads: 1,
      resumes: false,
      ...over,
    });

  beforeAll(async () => {
    manifest = await make('set');
    duck = await (await DuckDBInstance.create()).connect();
    await duck.run(`SET TimeZone = 'America/St_Johns'`);
  });
  afterAll(() => {
    duck.disconnectSync();
    rmSync(root, { recursive: true });
  });

  it('has the counts and sums that its manifest says', async () => {
    const { counts, sums } = manifest;
    expect(counts.reads + counts.missing).toBe(METERS * 192);
    const [found] = await rows(
      'SELECT count(*)::text AS reads, sum(kwh)::text AS kwh, sum(delivered_kwh)::text AS delivered, count(DISTINCT meter_id)::text AS meters FROM READS',
    );
    expect(found).toEqual({
      reads: String(counts.reads),
      kwh: sums.kwh,
      delivered: sums.deliveredKwh,
      meters: String(METERS),
    });
    const [labels] = await rows(
      `SELECT count(*)::text AS labels, count(*) FILTER (WHERE is_missing)::text AS missing,
         (sum(true_kwh - registered_kwh) FILTER (WHERE event_types LIKE '%theft%'))::text AS stolen FROM LABELS`,
    );
    expect(labels).toEqual({
      labels: String(counts.labels),
      missing: String(counts.missing),
      stolen: sums.stolenKwh,
    });
  });

  it('has every column with its type', async () => {
    const types = async (from: string): Promise<unknown> =>
      Object.fromEntries(
        (await rows(`DESCRIBE SELECT * FROM ${from}`)).map((one) => [one.column_name, one.column_type]),
      );
    expect(await types('READS')).toEqual({
      ...{ meter_id: 'VARCHAR', feeder_id: 'VARCHAR', interval_start: 'TIMESTAMP WITH TIME ZONE' },
      ...{
        kwh: 'DECIMAL(9,4)',
        delivered_kwh: 'DECIMAL(9,4)',
        received_kwh: 'DECIMAL(9,4)',
        voltage: 'DECIMAL(5,1)',
        flags: 'VARCHAR',
        day: 'DATE',
      },
    });
    expect(await types(`read_parquet('${folder}/events.parquet')`)).toMatchObject({
      ...{
        event_id: 'VARCHAR',
        severity: 'DECIMAL(5,4)',
        start_at: 'TIMESTAMP WITH TIME ZONE',
        meters: 'INTEGER',
      },
    });
  });

  it('has labels that join the reads one to one, but for those that are missing', async () => {
    const [joined] = await rows(
      `SELECT count(*)::text AS pairs, count(DISTINCT (meter_id, interval_start))::text AS reads
       FROM READS reads JOIN LABELS labels USING (meter_id, interval_start)
       WHERE labels.registered_kwh = reads.kwh AND NOT is_missing`,
    );
    const present = String(manifest.counts.labels - manifest.counts.missing);
    expect(joined).toEqual({ pairs: present, reads: present });
    const forms = await rows(
      `SELECT DISTINCT theft_forms AS form FROM LABELS WHERE theft_forms <> '' ORDER BY 1`,
    );
    expect(forms.map(({ form }) => form)).toEqual([
      'constant',
      'mean',
      'mean-factor',
      'random',
      'reversed',
      'window',
    ]);
  });

  it('lets a reader leave out days and row groups', async () => {
    const [plan] = await rows(
      `EXPLAIN ANALYZE SELECT sum(kwh) FROM READS WHERE day = '2026-03-28' AND meter_id = '${TENANT}-MTR-00001'`,
    );
    expect(JSON.stringify(plan)).toMatch(/(Total Files Read|Scanning Files): 1\b/);
    const groups = await rows(
      `SELECT stats_min_value AS least, stats_max_value AS most FROM parquet_metadata('${folder}/reads/day=2026-03-28/part-01.parquet') WHERE path_in_schema = 'meter_id'`,
    );
    for (const { least, most } of groups) expect(String(least) <= String(most)).toBe(true);
  });

  it('is the same as CSV', async () => {
    await make('csv', { format: 'csv' });
    const csv = `read_csv('${root}/csv/reads/**/*.csv', hive_partitioning = true)`;
    const key = `SELECT meter_id, feeder_id, interval_start, kwh::DECIMAL(9,4) AS kwh, delivered_kwh::DECIMAL(9,4) AS delivered, voltage::DECIMAL(5,1) AS voltage, coalesce(flags, '') AS flags FROM`;
    expect(
      await rows(`SELECT count(*)::text AS differing FROM (${key} ${csv} EXCEPT ALL ${key} READS)`),
    ).toEqual([{ differing: '0' }]);
  });

  it('is the same to the last digit as what the live data plane writes, and so is its score', async () => {
    const database: TestDatabase = await createTestDatabase();
    try {
      for (const event of scenario.events) await insertEvent(database.pool, { ...event, tenantId: TENANT });
      await writeHistory(database.pool, {
        ...{ tenantId: TENANT, meterCount: METERS, feederCount: 10, from: scenario.from, quarterHours: 192 },
      });
      const live = await database.pool.query<{ line: string }>(
        `SELECT concat_ws(' ', meter_id, feeder_id, (extract(epoch FROM read_at) * 1000000)::bigint, kwh::numeric(9, 4), delivered_kwh::numeric(9, 4),
           voltage::numeric(5, 1)) AS line FROM meter_reads_electric WHERE tenant_id = $1 ORDER BY 1`,
        [TENANT],
      );
      const offline = await rows(
        `SELECT concat_ws(' ', meter_id, feeder_id, epoch_us(interval_start), kwh, delivered_kwh, voltage) AS line FROM READS`,
      );
      expect(offline.map(({ line }) => line as string).sort()).toEqual(
        live.rows.map(({ line }) => line).sort(),
      );

      await expectSameScore(database.pool, TENANT, folder);
    } finally {
      await database.drop();
    }
  });

  it('is gone on with after it was cut off, to the same hash, and found whole afterwards', async () => {
    const cut = join(root, 'cut');
    await expect(
      make('cut', {
        onProgress: (made: number) => {
          if (made === 1) throw new Error('killed');
        },
      }),
    ).rejects.toThrow('killed');
    expect(existsSync(join(cut, 'manifest.json'))).toBe(false);
    await expect(verifyDataset(cut)).rejects.toThrow('holds no whole data set');
    await expect(make('cut')).rejects.toThrow('is not empty: name another folder, or go on');
    const other = readScenario(SCENARIO.replace('0.55', '0.54'), 'other');
    await expect(
      makeDataset(other, { folder: cut, format: 'parquet', threads: 1, resumes: true }),
    ).rejects.toThrow('holds a data set of another scenario');
    // What was cut off in the middle of a file, and a file that is not as it was written.
    writeFileSync(join(cut, 'reads/day=2026-03-28/part-01.parquet.1-0.unfinished'), 'half');
    writeFileSync(join(cut, 'reads/day=2026-03-28/part-01.parquet'), 'other');
    expect((await make('cut', { resumes: true })).sha256).toBe(manifest.sha256);
    expect(readdirSync(cut).sort()).toEqual(readdirSync(folder).sort());
    expect(readdirSync(join(cut, 'reads/day=2026-03-28'))).toEqual(['part-01.parquet']);
    expect((await make('cut', { resumes: true })).sha256).toBe(manifest.sha256);
    expect(readFileSync(join(cut, 'manifest.json'))).toEqual(readFileSync(join(folder, 'manifest.json')));
    writeFileSync(join(cut, 'meters.parquet'), 'other');
    await expect(make('cut', { resumes: true })).rejects.toThrow('meters.parquet is not as it was written');
  });

  it('says what keeps it from being written, and leaves nothing that looks whole', async () => {
    mkdirSync(join(root, 'taken'));
    writeFileSync(join(root, 'taken/mine'), '');
    await expect(make('taken', { resumes: true })).rejects.toThrow('holds no data set that was begun');
    writeFileSync(join(root, 'file'), '');
    await expect(make('file')).rejects.toThrow('cannot be written');
    if (process.getuid?.() === 0) return;
    mkdirSync(join(root, 'closed'));
    chmodSync(join(root, 'closed'), 0o500);
    await expect(make('closed')).rejects.toThrow('cannot be written');
  });
});
