import { PLACE_NAMES } from '../../src/contracts/places.js';
import { type Counted, cleanReads, count, type Fault, type Sample } from './misfires.js';

/**
 * `node --import tsx test/vee/countMisfires.ts [meters] [days]`: how many of a million reads each rule names, of emulated reads that
 * nothing is wrong with, and of the same with a fault: the tables of docs/vee.md.
 */
const [meters, days] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 28)];
const SEEDS = ['1', '2', '3'];
const DER = { pv: 0.4, ev: 0.15, heatPump: 0.15, battery: 0.1 };
const FAULTS: Readonly<Record<string, Fault>> = {
  'nothing wrong': (read) => read,
  'a thousand times': (read) => ({ ...read, kwh: read.kwh * 1_000 }),
  'a thousandth': (read) => ({ ...read, kwh: read.kwh / 1_000 }),
  'a register that stands still': (read) => ({ ...read, kwh: 0.1 }),
  zeros: (read) => ({ ...read, kwh: 0 }),
};

for (const place of [null, ...PLACE_NAMES])
  for (const [name, fault] of Object.entries(FAULTS)) {
    const counts = SEEDS.map((seed) => {
      const sample: Sample = { seed, place, meters, days, from: '2026-05-01', ...(place && { der: DER }) };
      return count(cleanReads(sample), fault);
    });
    process.stdout.write(`${place ?? 'model 1'}, ${name}: ${perMillion(counts)}\n`);
  }

function perMillion(counts: readonly Counted[]): string {
  const reads = counts.reduce((sum, one) => sum + one.reads, 0);
  const rules = [...new Set(counts.flatMap(({ named }) => Object.keys(named)))] as (keyof Counted['named'])[];
  return rules
    .map((rule) => {
      const named = counts.reduce((sum, one) => sum + (one.named[rule] ?? 0), 0);
      return `${rule} ${Math.round((named / reads) * 1e6)}`;
    })
    .join(', ');
}
