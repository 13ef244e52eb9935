import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchJob } from '../../src/contracts/batchJob.js';
import { type DatasetManifest, makeDataset } from '../../src/datasets/dataset.js';
import { overlaps } from '../../src/emulator/events/feederEvent.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { readScenario } from '../../src/scenarios/readScenario.js';
import { generateBatch } from '../../src/writing/amiEmulator.js';
import { writeHistory } from '../support/history.js';
import { syntheticPublish } from '../support/publishRecords.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { expectSameScore } from './sameScore.js';

const TENANT = 'EMULATED';
const METERS = Number(process.env.DATASET_METERS ?? 200);
/** A fleet with all that may stand behind a meter or go wrong with it, over a change of clocks. */
const FLEET = `tenantId: ${TENANT}
meterCount: ${METERS}
feederCount: 10
timeZone: UTC
model: 2
place: us-south
customers: { commercial: 0.3, industrial: 0.02 }
der: { pv: 0.5, ev: 0.3, heatPump: 0.3, battery: 0.2 }
network: poor
oddities: [momentary-outages, storm-silence, meter-exchange, unit-error, stuck, zero-since-clock-change, clock-drift]
span: { from: 2026-03-28, days: 2 }
`;
const EVENTS = `events:
  - { name: front, type: comms-outage, feeders: [FEEDER_1, FEEDER_2], stepMinutes: 25, severity: 0.7, day: 0, time: "20:40", durationMinutes: 260 }
  - { name: flicker, type: voltage-sag, feeders: [FEEDER_2, FEEDER_3], severity: 0.7, day: 0, time: "20:30", durationMinutes: 90 }
  - { name: constant, type: theft, feeders: [FEEDER_2], severity: 0.6, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: mean, type: theft, feeders: [FEEDER_3], form: mean, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
  - { name: reversed, type: theft, feeders: [FEEDER_4], form: reversed, meterFraction: 0.2, day: 0, durationMinutes: 2000 }
`;
const LATE = `  - { name: cellar, type: comms-outage, feeders: [FEEDER_2, FEEDER_5], severity: 0.5, delivery: late, day: 0, time: "18:00", durationMinutes: 600 }
`;
const scenario = readScenario(`scenario: All of it\n${FLEET}${EVENTS}`, 'a test');
const lateScenario = readScenario(`scenario: All of it, some late\n${FLEET}${EVENTS}${LATE}`, 'a test');

describe('a data set of a fleet with equipment, a poor network and oddities', () => {
  const root = mkdtempSync(join(tmpdir(), 'gridlens-emulated-'));
  let manifest: DatasetManifest;
  let duck: DuckDBConnection;
  const rows = async (sql: string, set = 'set'): Promise<Record<string, unknown>[]> =>
    (
      await duck.runAndReadAll(
        sql.replace(
          /\b(READS|LABELS)\b/g,
          (name) =>
            `read_parquet('${root}/${set}/${name.toLowerCase()}/**/*.parquet', hive_partitioning = true)`,
        ),
      )
    ).getRowObjectsJson();
  const make = (name: string, from: typeof scenario) =>
    makeDataset(from, { folder: join(root, name), format: 'parquet', threads: 1, resumes: false });
  const offlineLines = async (set: string) =>
    (
      await rows(
        `SELECT concat_ws(' ', meter_id, epoch_us(interval_start), kwh, delivered_kwh, voltage, coalesce(received_kwh::VARCHAR, '-')) AS line FROM READS`,
        set,
      )
    )
      .map(({ line }) => line as string)
      .sort();

  beforeAll(async () => {
    manifest = await make('set', scenario);
    duck = await (await DuckDBInstance.create()).connect();
  });
  afterAll(() => {
    duck.disconnectSync();
    rmSync(root, { recursive: true });
  });

  it('is the same to the last digit as what the live data plane writes, and so is its score', async () => {
    const database: TestDatabase = await createTestDatabase();
    try {
      for (const event of scenario.events) await insertEvent(database.pool, { ...event, tenantId: TENANT });
      await writeHistory(database.pool, {
        ...{ tenantId: TENANT, meterCount: METERS, feederCount: 10, from: scenario.from, quarterHours: 192 },
        emulation: scenario.emulation,
      });
      const live = await database.pool.query<{ line: string }>(
        `SELECT concat_ws(' ', meter_id, (extract(epoch FROM read_at) * 1000000)::bigint, kwh::numeric(9, 4), delivered_kwh::numeric(9, 4),
           voltage::numeric(5, 1), coalesce(received_kwh::numeric(9, 4)::text, '-')) AS line
         FROM meter_reads_electric WHERE tenant_id = $1`,
        [TENANT],
      );
      const offline = await offlineLines('set');
      expect(offline).toEqual(live.rows.map(({ line }) => line).sort());
      expect(offline.some((line) => line.endsWith(' -'))).toBe(true);
      expect(offline.some((line) => !line.endsWith(' -') && !line.endsWith(' 0.0000'))).toBe(true);

      await expectSameScore(database.pool, TENANT, join(root, 'set'));
    } finally {
      await database.drop();
    }
  });

  it('is what workers make where an outage has held reads back and delivered them', async () => {
    await make('late', lateScenario);
    const lines: string[] = [];
    for (let slot = 0; slot < 192; slot += 1) {
      const readAt = new Date(scenario.from.getTime() + slot * 900_000);
      const publish = {
        ...syntheticPublish({
          tenantId: TENANT,
          readAt,
          meterCount: METERS,
          feederCount: 10,
          batchSize: METERS,
        }),
        ...{ snapshotId: null, emulation: scenario.emulation },
      };
      const known = lateScenario.events.filter((event) =>
        overlaps(event, readAt, new Date(readAt.getTime() + 900_000)),
      );
      const columns = generateBatch(batchJob.parse(batchPayload(publish, 0)), known, undefined, {
        ...{ asOf: new Date('2027-01-01'), underWay: [] },
      });
      const { meterIds, kwh, deliveredKwh, voltage, receivedKwh } = columns;
      meterIds.forEach((id, at) => {
        const [energy, delivered] = [kwh[at] as number, deliveredKwh[at] as number];
        const received = receivedKwh?.[at]?.toFixed(4) ?? '-';
        const volts = (voltage[at] as number).toFixed(1);
        lines.push(
          `${id} ${readAt.getTime()}000 ${energy.toFixed(4)} ${delivered.toFixed(4)} ${volts} ${received}`,
        );
      });
    }
    expect(await offlineLines('late')).toEqual(lines.sort());
    const [late] = await rows(`SELECT count(*) FILTER (WHERE came_late)::int AS late FROM LABELS`, 'late');
    expect(late?.late).toBeGreaterThan(0);
  });

  it('labels what a meter or the network did to a read, and every read that is missing', async () => {
    expect(manifest.counts.reads + manifest.counts.missing).toBe(METERS * 192);
    const [counted] = await rows(
      `SELECT count(*) FILTER (WHERE is_missing)::int AS missing, count(*) FILTER (WHERE oddities LIKE '%network-gap%')::int AS gaps,
         count(*) FILTER (WHERE oddities <> '' AND oddities NOT LIKE '%network-gap%')::int AS odd,
         count(*) FILTER (WHERE event_ids = '' AND oddities = '')::int AS unexplained FROM LABELS`,
    );
    expect(counted).toMatchObject({ missing: manifest.counts.missing, unexplained: 0 });
    expect(counted?.gaps).toBeGreaterThan(0);
    expect(counted?.odd).toBeGreaterThan(0);
    const [joined] = await rows(
      `SELECT count(*)::int AS pairs FROM READS reads JOIN LABELS labels USING (meter_id, interval_start)
       WHERE labels.registered_kwh = reads.kwh AND NOT is_missing`,
    );
    expect(joined?.pairs).toBe(manifest.counts.labels - manifest.counts.missing);
    const [stolen] = await rows(
      `SELECT (sum(true_kwh - registered_kwh) FILTER (WHERE event_types LIKE '%theft%' AND oddities = ''))::text AS stolen FROM LABELS`,
    );
    expect(stolen).toEqual({ stolen: manifest.sums.stolenKwh });
  });

  it('says so in its card', () => {
    const card = readFileSync(join(root, 'set/README.md'), 'utf8');
    for (const word of ['received_kwh', 'network-gap', 'a poor network', 'pv at 50 % of the homes'])
      expect(card).toContain(word);
  });
});
