import { defaultSeed } from '../../src/emulator/chance/random.js';
import { generateReads } from '../../src/emulator/reads.js';

/** Reads per second of generation alone, in batches of 500, on one core. */
export function measureGeneration(slots: number): number {
  const fleet = { meterCount: 25_000, feederCount: 25 };
  let reads = 0;
  const startedAt = performance.now();
  for (let slot = 0; slot < slots; slot += 1) {
    const readAt = new Date(Date.UTC(2026, 0, 1) + slot * 900_000);
    for (let from = 0; from < fleet.meterCount; from += 500) {
      const request = {
        tenantId: 'BENCH',
        seed: defaultSeed('BENCH'),
        fleet,
        readAt,
        intervalMinutes: 15 as const,
      };
      reads += generateReads({ ...request, from, to: from + 500 }).kwh.length;
    }
  }
  return reads / ((performance.now() - startedAt) / 1000);
}
