import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulationOf } from '../../src/contracts/emulation.js';
import { generateReads } from '../../src/emulator/reads.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { exportFile, planExport } from '../../src/exports/exports.js';
import { readBack } from '../intervalFiles/outgoing.js';
import { type History, writeHistory } from '../support/history.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const T = 'TWO_WAYS';
/** A day of NEM time, which is always ten hours ahead. */
const MIDNIGHT = new Date('2026-06-01T14:00:00Z');
const emulation = emulationOf({ place: 'australia-nsw', der: { pv: 1, ev: 0.2, battery: 0.2 } });
const HISTORY: History = {
  ...{ tenantId: T, meterCount: 30, feederCount: 10, from: MIDNIGHT, quarterHours: 96, emulation },
};

describe('what customers feed into the grid', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await writeHistory(database.pool, HISTORY);
  }, 120_000);
  afterAll(() => database.drop());

  const rows = async (sql: string, values: unknown[] = []) => (await database.pool.query(sql, values)).rows;
  const stored = () =>
    rows(
      `SELECT meter_id, kwh::float8, delivered_kwh::float8, received_kwh::float8 FROM meter_reads_electric
       WHERE tenant_id = $1 AND read_at = $2 ORDER BY 1`,
      [T, NOON],
    );
  const NOON = new Date('2026-06-02T02:00:00Z');

  it('is written beside what they draw, and is nothing of a meter without the channel', async () => {
    const { der, place, model } = emulation;
    const made = generateReads({
      ...{
        tenantId: T,
        seed: `gridlens:${T}`,
        readAt: NOON,
        intervalMinutes: 15,
        timeZone: 'UTC',
        climate: 'us',
      },
      ...{ der, model, place: place as 'australia-nsw' },
      ...{ fleet: { meterCount: 30, feederCount: 10 }, from: 0, to: 30 },
    });
    const byMeter = new Map(made.meterIds.map((id, index) => [id, made.receivedKwh?.[index]]));
    const reads = await stored();
    expect(reads.map(({ meter_id, received_kwh }) => [meter_id, received_kwh])).toEqual(
      reads.map(({ meter_id }) => [meter_id, byMeter.get(meter_id)]),
    );
    expect(reads.filter(({ received_kwh }) => received_kwh > 0).length).toBeGreaterThan(10);
    expect(reads.filter(({ received_kwh }) => received_kwh === null).length).toBeGreaterThan(0);
  });

  it('is neither loss nor theft: no feeder loses more or less by it, and no meter is suspicious', async () => {
    const loss = await rows(
      'SELECT feeder_id, loss_pct::float8 FROM v_kpi_electric_feeder_loss_daily WHERE tenant_id = $1',
      [T],
    );
    for (const { loss_pct } of loss) {
      expect(loss_pct).toBeGreaterThan(1.5);
      expect(loss_pct).toBeLessThan(9);
    }
    expect(await rows('SELECT FROM v_kpi_suspicious_meters_daily WHERE tenant_id = $1', [T])).toEqual([]);
    const reverse = await rows(
      `SELECT FROM (SELECT sum(received_kwh) - sum(delivered_kwh) AS back FROM meter_reads_electric
         WHERE tenant_id = $1 GROUP BY feeder_id, read_at) flow WHERE back > 0`,
      [T],
    );
    expect(reverse.length).toBeGreaterThan(20);
  });

  it('stays as it is when what was drawn is stolen, and a revision writes both channels', async () => {
    const before = await stored();
    await insertEvent(database.pool, {
      ...{ tenantId: T, feederId: 'FEEDER_1', eventType: 'theft', severity: 0.5 },
      ...{ startAt: NOON, endAt: new Date(NOON.getTime() + 900_000), meterIds: null, meterFraction: null },
    });
    await database.pool.query('UPDATE meter_reads_electric SET received_kwh = 99 WHERE read_at = $1', [NOON]);
    await writeHistory(database.pool, { ...HISTORY, from: NOON, quarterHours: 1, onConflict: 'update' });
    const after = await stored();
    expect(after.map(({ received_kwh }) => received_kwh)).toEqual(
      before.map(({ received_kwh }) => received_kwh),
    );
    after.forEach(({ meter_id, kwh }, index) => {
      const isRobbed = (Number(meter_id.slice(-5)) - 1) % 10 === 0;
      expect(kwh).toBeCloseTo(before[index].kwh * (isRobbed ? 0.5 : 1), 4);
    });
  });

  it.each([
    ['nem12', 'B1'],
    ['green-button', '<flowDirection>19</flowDirection>'],
    ['csv', 'received_kwh'],
  ] as const)('leaves by %s as its own channel', async (format, mark) => {
    const zone = format === 'nem12' ? undefined : '+10:00';
    const plan = await planExport(
      database.pool,
      { tenantId: T, format, from: '2026-06-02', to: '2026-06-02', zone },
      31,
    );
    const { pieces } = exportFile(database.pool, plan, plan.days, new Date('2026-06-10T00:00:00Z'));
    const chunks: Buffer[] = [];
    for await (const piece of pieces) chunks.push(Buffer.from(piece as string));
    const text = Buffer.concat(chunks).toString();
    expect(text.includes(mark)).toBe(true);
    const { reads } = await readBack(text);
    const total = reads.reduce(
      (sum, { channel, kwh }) => sum + (channel === 'receivedKwh' ? Number(kwh) : 0),
      0,
    );
    const [{ kwh }] = await rows(
      'SELECT sum(received_kwh)::float8 AS kwh FROM meter_reads_electric WHERE tenant_id = $1',
      [T],
    );
    expect(total).toBeCloseTo(kwh, 2);
    expect(kwh).toBeGreaterThan(50);
  });
});
