import type pg from 'pg';
import { type Emulation, FIRST_EMULATION } from '../../src/contracts/emulation.js';
import { createRandomness } from '../../src/emulator/chance/random.js';
import type { FeederEventType } from '../../src/emulator/events/feederEvent.js';
import { feederId, meterId } from '../../src/emulator/fleet/syntheticFleet.js';
import { insertEvent } from '../../src/events/eventTable.js';
import { type Score, scoreSuspicion } from '../../src/score/score.js';
import { type History, writeHistory } from '../support/history.js';

export const MONDAY = Date.UTC(2026, 0, 5);
export const HOUR = 3_600_000;
/** The figures were set with `SCORE_METERS=2000`, which takes four times as long and says the same. */
export const METERS = Number(process.env.SCORE_METERS ?? 500);
export const FEEDERS = 20;
export const THIEVES = 0.02 * METERS;
/** Roofs on 40 % of homes, cars in 15 %, heat pumps in 15 %. */
export const WITH_SUN: Emulation = { ...FIRST_EMULATION, der: { pv: 0.4, ev: 0.15, heatPump: 0.15 } };

export const week = (tenantId: string, emulation?: Emulation, monday = MONDAY, days = 7): History => ({
  ...(emulation && { emulation }),
  tenantId,
  meterCount: METERS,
  feederCount: FEEDERS,
  from: new Date(monday),
  quarterHours: days * 96,
});

/** An event on the feeder of the meter with this number. */
export async function postEvent(
  pool: pg.Pool,
  tenantId: string,
  eventType: FeederEventType,
  meter: number,
  severity: number,
  startMs: number,
  hours: number,
  meterIds: string[] | null = null,
): Promise<void> {
  await insertEvent(pool, {
    tenantId,
    feederId: feederId(((meter - 1) % FEEDERS) + 1),
    eventType,
    severity,
    startAt: new Date(startMs),
    endAt: new Date(startMs + hours * HOUR),
    meterIds,
    meterFraction: null,
  });
}

/** A week of thieves, every second of them for an hour a day alone, and of what must not be taken for one. */
export async function robbedWeek(
  pool: pg.Pool,
  tenantId: string,
  emulation?: Emulation,
  monday = MONDAY,
): Promise<Score> {
  const random = createRandomness('thieves', 'THEFT_WEEK');
  for (let thief = 0; thief < THIEVES; thief += 1) {
    const meter = 1 + Math.floor(random.uniform(1, thief, 0) * METERS);
    const severity = 0.2 + 0.7 * random.uniform(2, thief, 0);
    const meters = [meterId(tenantId, meter)];
    if (thief % 2 === 0) {
      await postEvent(pool, tenantId, 'theft', meter, severity, monday, 7 * 24, meters);
    } else {
      // An hour a day, at an hour of the thief's own: the small hours, when least is drawn, among them.
      const hour = Math.floor(random.uniform(3, thief, 0) * 24);
      for (let day = 0; day < 7; day += 1) {
        const from = monday + (day * 24 + hour) * HOUR;
        await postEvent(pool, tenantId, 'theft', meter, severity, from, 1, meters);
      }
    }
  }
  // What must not be taken for theft, and thefts that leave no read behind.
  await postEvent(pool, tenantId, 'comms-outage', 3, 0.7, monday + 30 * HOUR, 20);
  await postEvent(pool, tenantId, 'voltage-sag', 5, 0.9, monday + 50 * HOUR, 20);
  await writeHistory(pool, week(tenantId, emulation, monday));
  return scoreSuspicion(pool, tenantId);
}
