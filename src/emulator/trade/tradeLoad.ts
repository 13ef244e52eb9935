import { valueNoise } from '../chance/noise.js';
import { lognormalQuantiles, pick, type Quantiles } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import { UNITS_PER_KWH } from '../homes/home.js';
import type { PlaceScene } from '../homes/placeScene.js';
import { isDayOff, isOpenOn, PART, SPREADS, type Trade } from './trade.js';

export const DAYS = lognormalQuantiles(0.07);
export const WEEKS = lognormalQuantiles(0.08);
export const HOURS = lognormalQuantiles(0.07);
export const QUARTERS = SPREADS.map(lognormalQuantiles);
export const WEEK = 900;
export const HOUR = 7;
/** Bits of a key that are the phase of its noise, in quarter hours. */
export const WEEK_PHASES = 0x3ff;
export const HOUR_PHASES = 7;

/** Temperatures between which neither heating nor cooling is asked for, °C. */
const COLD = 14;
const WARM = 18;

/** Energy of a business or a plant in a quarter hour, kWh. */
export function tradeKwh(trade: Trade, slot: number, scene: PlaceScene): number {
  const { key } = trade;
  const day = scene.day[slot - scene.firstSlot] as number;
  return (
    expectedTradeKwh(trade, slot, scene) *
    valueNoise(key, STREAM.tradeWeeks, slot + (key & WEEK_PHASES), WEEK, WEEKS) *
    pick(DAYS, drawAt(key, STREAM.tradeDay, day)) *
    valueNoise(key, STREAM.tradeHours, slot + (key & HOUR_PHASES), HOUR, HOURS) *
    pick(QUARTERS[trade.spread] as Quantiles, drawAt(key, STREAM.tradeQuarter, slot))
  );
}

/** The same without what is its own of a day or an hour. */
export function expectedTradeKwh(trade: Trade, slot: number, scene: PlaceScene): number {
  const index = slot - scene.firstSlot;
  const clock = scene.clock[index] as number;
  const air = scene.air[index] as number;
  const weather = 1 + (trade.heat * Math.max(0, COLD - air) + trade.cool * Math.max(0, air - WARM)) / PART;
  const full = trade.full / UNITS_PER_KWH;
  const base = trade.base / PART;
  if (trade.kind === 'streetLight')
    return full * Math.max(base, (scene.dark[index] as number) > 0.72 ? 1 : 0);
  if (trade.kind === 'pump') return full * (pumpRuns(trade, slot, clock) ? weather : base);
  if (trade.kind === 'coldStore') return full * weather * compressor(trade, slot);
  const open = openShare(trade, clock, scene.dayOfYear[index] as number, scene.kind[index] as number);
  return full * (base + (1 - base) * open * weather);
}

/** Part of the business that goes on, 0–1: it rises before its hours and falls after them. */
function openShare(trade: Trade, clock: number, dayOfYear: number, kind: number): number {
  if (!isOpenOn(trade, kind)) return 0;
  if (trade.closedDays > 0 && (dayOfYear - trade.closedFrom + 366) % 366 < trade.closedDays) return 0;
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

/** Half of the pumps run at hours of a clock, the other half whenever a tank is empty. */
function pumpRuns(trade: Trade, slot: number, clock: number): boolean {
  const { key } = trade;
  if ((key & 1) === 0) return (clock - ((key >>> 4) % 96) + 96) % 96 < 38;
  const cycle = 6 + ((key >>> 4) & 15);
  const start = Math.floor((slot + (key & 63)) / cycle);
  const length = 0.2 + (0.4 * drawAt(key, STREAM.tradeMachine, start)) / 2 ** 32;
  return (slot + (key & 63)) % cycle < cycle * length;
}

/** Compressors come and go about their mean, and defrost now and then. */
function compressor(trade: Trade, slot: number): number {
  const cycle = 3 + ((trade.key >>> 3) & 3);
  return (slot + (trade.key >>> 6)) % cycle === 0 ? 0.7 : 1 + 0.3 / (cycle - 1);
}
