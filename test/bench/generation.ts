import type { Der } from '../../src/contracts/emulation.js';
import { defaultSeed } from '../../src/emulator/chance/random.js';
import { generateReads } from '../../src/emulator/reads.js';
import { generateWholeDay } from '../../src/emulator/wholeDays/wholeDay.js';
import { median } from '../support/quantiles.js';
import { type Row, thousands } from './report.js';

const FLEET = { meterCount: 25_000, feederCount: 25 };
const SCENE = { tenantId: 'BENCH', seed: defaultSeed('BENCH'), intervalMinutes: 15 as const };
const FROM = Date.UTC(2026, 0, 1);

/** What a generation is asked with, besides. */
export type Emulated = { model: 1 } | { model: 2 | 3; place: 'us-south'; timeZone: string; der?: Der };
export const FIRST: Emulated = { model: 1 };
const TEXAS = { place: 'us-south', timeZone: 'America/Chicago' } as const;
export const SECOND: Emulated = { ...TEXAS, model: 2 };
export const THIRD: Emulated = { ...TEXAS, model: 3 };
const SUN = { pv: 0.4, ev: 0.15, heatPump: 0.15 };
const BATTERIES = { ...SUN, battery: 0.2 };
/** What is measured against the first model, each by a name. */
const AGAINST_FIRST: readonly (readonly [what: string, emulated: Emulated])[] = [
  ['model 2', SECOND],
  ['model 3', THIRD],
  ['model 3 with roofs on 40 % of homes, cars and heat pumps in 15 %', { ...THIRD, der: SUN }],
  ['the same with batteries in 20 %', { ...THIRD, der: BATTERIES }],
];

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

/** Quarter hours of a year; a stride that shares no divisor with them visits all, neighbours never one after the other. */
const YEAR = 35_040;
const STRIDE = 13_579;
/** Instants until functions are compiled for good. */
const WARM = 12;

/**
 * Reads of a fleet at single instants scattered over a year, so that no read has anything in common with the one before, of all
 * models in turn in one process: what random access costs, customers once made.
 */
export function randomAccessRows(instants: number): Row[] {
  const ways = [FIRST, ...AGAINST_FIRST.map(([, emulated]) => emulated)].map((emulated) => ({
    emulated,
    times: [] as number[],
  }));
  const measure = (from: number, count: number) => {
    for (let instant = from; instant < from + count; instant += 1)
      for (const { emulated, times } of instant % 2 === 0 ? ways : ways.toReversed())
        times.push(timeOfFleet((instant * STRIDE) % YEAR, emulated));
  };
  measure(0, WARM);
  for (const { times } of ways) times.length = 0;
  measure(WARM, instants);
  const [first, ...others] = ways.map(({ times }) => times) as [number[], ...number[][]];
  const perSecond = (times: readonly number[]) => thousands((FLEET.meterCount * 1000) / median(times));
  return others.map((times, way) => ({
    what: `random access to reads of ${AGAINST_FIRST[way]?.[0]}, against model 1, one core`,
    measured: `${perSecond(times)} against ${perSecond(first)} reads/s`,
    ratio: median(times.map((time, instant) => time / (first[instant] as number))).toFixed(2),
    target: '≤ 1.5',
  }));
}

/**
 * Milliseconds of CPU for the whole fleet in one quarter hour, in batches of 500. Each model has a fleet of its own: a meter keeps the
 * customer of one model, and would make it anew at each turn.
 */
function timeOfFleet(slot: number, emulated: Emulated): number {
  const tenantId = `${SCENE.tenantId}_${emulated.model}`;
  const scene = { ...SCENE, ...emulated, tenantId, fleet: FLEET, readAt: new Date(FROM + slot * 900_000) };
  const before = process.cpuUsage();
  for (let from = 0; from < FLEET.meterCount; from += 500) generateReads({ ...scene, from, to: from + 500 });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
