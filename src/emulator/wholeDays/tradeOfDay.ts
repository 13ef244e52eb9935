import { pick, type Quantiles } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import type { PlaceScene } from '../homes/placeScene.js';
import type { Trade } from '../trade/trade.js';
import {
  DAYS,
  expectedTradeKwh,
  HOUR,
  HOUR_PHASES,
  HOURS,
  QUARTERS,
  WEEK,
  WEEK_PHASES,
  WEEKS,
} from '../trade/tradeLoad.js';
import { type NoiseSteps, noiseSteps } from './noiseSteps.js';

/** What all businesses and plants of a scene have in common, besides the scene. */
export interface TradeDay {
  scene: PlaceScene;
  hours: NoiseSteps;
  weeks: NoiseSteps;
}

export function tradeDay(scene: PlaceScene): TradeDay {
  const { firstSlot, slots } = scene;
  return {
    scene,
    hours: noiseSteps(firstSlot, slots, HOUR_PHASES, HOUR),
    weeks: noiseSteps(firstSlot, slots, WEEK_PHASES, WEEK),
  };
}

/** Fills in what a business or a plant draws in each quarter hour, kWh, as `tradeKwh` has it to the last bit. */
export function fillTrade(into: Float64Array, trade: Trade, { scene, hours, weeks }: TradeDay): void {
  const { firstSlot, slots } = scene;
  const { key } = trade;
  const quarters = QUARTERS[trade.spread] as Quantiles;
  const [hourPhase, weekPhase] = [key & HOUR_PHASES, key & WEEK_PHASES];
  let [day, weekNode, hourNode] = [Number.NaN, -1, -1];
  let [ofDay, week, toWeek, hour, toHour] = [1, 0, 0, 0, 0];
  for (let at = 0; at < slots; at += 1) {
    const slot = firstSlot + at;
    if (scene.day[at] !== day) {
      day = scene.day[at] as number;
      ofDay = pick(DAYS, drawAt(key, STREAM.tradeDay, day));
    }
    if (weeks.node[at + weekPhase] !== weekNode) {
      weekNode = weeks.node[at + weekPhase] as number;
      week = pick(WEEKS, drawAt(key, STREAM.tradeWeeks, weekNode));
      toWeek = pick(WEEKS, drawAt(key, STREAM.tradeWeeks, weekNode + 1)) - week;
    }
    if (hours.node[at + hourPhase] !== hourNode) {
      hourNode = hours.node[at + hourPhase] as number;
      hour = pick(HOURS, drawAt(key, STREAM.tradeHours, hourNode));
      toHour = pick(HOURS, drawAt(key, STREAM.tradeHours, hourNode + 1)) - hour;
    }
    into[at] =
      expectedTradeKwh(trade, slot, scene) *
      (week + toWeek * (weeks.way[at + weekPhase] as number)) *
      ofDay *
      (hour + toHour * (hours.way[at + hourPhase] as number)) *
      pick(quarters, drawAt(key, STREAM.tradeQuarter, slot));
  }
}
