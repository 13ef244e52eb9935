import { valueNoise } from '../chance/noise.js';
import { lognormalQuantiles, pick, type Quantiles } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import type { PlaceScene } from '../homes/placeScene.js';
import { isDayOff, isOpenOn, type Trade2 } from './trade.js';

const DAYS = lognormalQuantiles(0.07);
const WEEKS = lognormalQuantiles(0.08);
const HOURS = lognormalQuantiles(0.07);
const QUARTER_SPREADS: readonly (readonly [number, Quantiles])[] = [
  0.01, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2,
].map((spread) => [spread, lognormalQuantiles(spread)]);
const WEEK = 900;
const HOUR = 7;

/** Temperatures between which neither heating nor cooling is asked for, °C. */
const COLD = 14;
const WARM = 18;

/** Energy of a business or a plant in a quarter hour, kWh. */
export function tradeKwh2(trade: Trade2, slot: number, scene: PlaceScene): number {
  const { key } = trade;
  const day = scene.day[slot - scene.firstSlot] as number;
  return (
    expectedTradeKwh(trade, slot, scene) *
    valueNoise(key, STREAM.tradeWeeks, slot + (key & 0x3ff), WEEK, WEEKS) *
    pick(DAYS, drawAt(key, STREAM.tradeDay, day)) *
    valueNoise(key, STREAM.tradeHours, slot + (key & 7), HOUR, HOURS) *
    pick(spreadOf(trade.spread), drawAt(key, STREAM.tradeQuarter, slot))
  );
}

function spreadOf(spread: number): Quantiles {
  for (const [upTo, table] of QUARTER_SPREADS) if (spread <= upTo) return table;
  return (QUARTER_SPREADS.at(-1) as readonly [number, Quantiles])[1];
}

/** The same without what is its own of a day or an hour. */
export function expectedTradeKwh(trade: Trade2, slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const clock = scene.clock[index] as number;
  const air = scene.air[index] as number;
  const weather = 1 + trade.heat * Math.max(0, COLD - air) + trade.cool * Math.max(0, air - WARM);
  const { base, fullKwh } = trade;
  if (trade.kind === 'streetLight')
    return fullKwh * Math.max(base, (scene.dark[index] as number) > 0.72 ? 1 : 0);
  if (trade.kind === 'pump') return fullKwh * (pumpRuns(trade, slot, clock) ? weather : base);
  if (trade.kind === 'coldStore') return fullKwh * weather * compressor(trade, slot);
  const open = openShare(trade, clock, scene.day[index] as number, scene.kind[index] as number);
  return fullKwh * (base + (1 - base) * open * weather);
}

/** Part of the business that goes on, 0–1: it rises before its hours and falls after them. */
function openShare(trade: Trade2, clock: number, day: number, kind: number): number {
  if (!isOpenOn(trade, kind)) return 0;
  if (trade.closedDays > 0 && closed(trade, day)) return 0;
  const shorter = isDayOff(kind) ? trade.shorter : 0;
  const first = within(clock, trade.from, trade.to2 > 0 ? trade.to : trade.to - shorter, trade.ramp);
  return trade.to2 === 0
    ? first
    : Math.max(first, within(clock, trade.from2, trade.to2 - shorter, trade.ramp));
}

function within(clock: number, from: number, to: number, ramp: number): number {
  if (to <= from) return 0;
  if (from === 0 && to === 96) return 1;
  const rises = (clock + ramp - from + 1) / (ramp + 1);
  const falls = (to + ramp - clock) / (ramp + 1);
  return Math.max(0, Math.min(1, rises, falls));
}

const DAYS_IN_YEAR = 365.2425;

function closed(trade: Trade2, day: number): boolean {
  const dayOfYear = day - Math.floor(day / DAYS_IN_YEAR) * DAYS_IN_YEAR;
  return (dayOfYear - trade.closedFrom + DAYS_IN_YEAR) % DAYS_IN_YEAR < trade.closedDays;
}

/** Half of the pumps run at hours of a clock, the other half whenever a tank is empty. */
function pumpRuns(trade: Trade2, slot: number, clock: number): boolean {
  const { key } = trade;
  if ((key & 1) === 0) return (clock - ((key >>> 4) % 96) + 96) % 96 < 38;
  const cycle = 6 + ((key >>> 4) & 15);
  const start = Math.floor((slot + (key & 63)) / cycle);
  const length = 0.2 + (0.4 * drawAt(key, STREAM.tradeMachine, start)) / 2 ** 32;
  return (slot + (key & 63)) % cycle < cycle * length;
}

/** Compressors come and go about their mean, and defrost now and then. */
function compressor(trade: Trade2, slot: number): number {
  const cycle = 3 + ((trade.key >>> 3) & 3);
  return (slot + (trade.key >>> 6)) % cycle === 0 ? 0.7 : 1 + 0.3 / (cycle - 1);
}
