import { defaultSeed } from '../../src/emulator/chance/random.js';
import { generateReads } from '../../src/emulator/reads.js';
import { generateWholeDay } from '../../src/emulator/wholeDays/wholeDay.js';

const FLEET = { meterCount: 25_000, feederCount: 25 };
const SCENE = { tenantId: 'BENCH', seed: defaultSeed('BENCH'), intervalMinutes: 15 as const };
const FROM = Date.UTC(2026, 0, 1);

/** What a generation is asked with, besides. */
export type Emulated = { model: 1 } | { model: 2; place: 'us-south'; timeZone: string };
export const FIRST: Emulated = { model: 1 };
export const SECOND: Emulated = { model: 2, place: 'us-south', timeZone: 'America/Chicago' };

/** Reads per second of generation alone, in batches of 500, on one core. */
export function measureGeneration(slots: number, emulated: Emulated = FIRST): number {
  let reads = 0;
  const startedAt = performance.now();
  for (let slot = 0; slot < slots; slot += 1) {
    const scene = { ...SCENE, ...emulated, fleet: FLEET, readAt: new Date(FROM + slot * 900_000) };
    for (let from = 0; from < FLEET.meterCount; from += 500)
      reads += generateReads({ ...scene, from, to: from + 500 }).kwh.length;
  }
  return reads / ((performance.now() - startedAt) / 1000);
}

/** The same of whole days, feeder by feeder. */
export function measureWholeDays(days: number, emulated: Emulated = FIRST): number {
  let reads = 0;
  const startedAt = performance.now();
  for (let day = 0; day < days; day += 1) {
    const scene = { ...SCENE, ...emulated, intervals: 96, readAt: new Date(FROM + day * 86_400_000) };
    for (let from = 0; from < FLEET.meterCount; from += 1_000)
      reads += generateWholeDay(scene, FLEET, from, from + 1_000).kwh.length;
  }
  return reads / ((performance.now() - startedAt) / 1000);
}
