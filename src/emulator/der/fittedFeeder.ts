import { LRUCache } from 'lru-cache';
import type { Der, Model } from '../../contracts/emulation.js';
import type { Place } from '../../contracts/places.js';
import { type BatteryHome, batteryKind } from './batteryPlans.js';
import { derParameters } from './derParameters.js';
import {
  batteryOf,
  type Car,
  carOf,
  type HeatPump,
  hasEvFrom,
  hasHeatPumpFrom,
  hasPvFrom,
  heatPumpOf,
  type MeteredCustomer,
  type Roof,
  roofOf,
} from './equipment.js';

/** Homes of a feeder with one kind of equipment, by their meters' ordinals on it, rising. */
export interface Fitted<Kind> {
  ordinals: number[];
  kinds: Kind[];
}

/** What stands behind the meters of a feeder, kind by kind: most homes have nothing, and are asked no more. */
export interface FittedFeeder {
  roofs: Fitted<Roof>;
  cars: Fitted<Car>;
  heatPumps: Fitted<HeatPump>;
  batteries: Fitted<BatteryHome>;
  /** Meters before this ordinal have been asked. */
  upTo: number;
}

/** By whose shares, where and of which model equipment is. */
export interface Fitting {
  model: Model;
  place: Place;
  der: Der;
}

/** Kept with the feeder: a fleet runs with the same shares, and few are compared at once. */
const kept = new WeakMap<object, LRUCache<string, FittedFeeder>>();
const MAX_FITTINGS = 4;

/**
 * @param feeder whose meters these are: always the same object for the same ones.
 * @param upTo ordinal before which they are asked for.
 */
export function fittedFeeder(
  feeder: object,
  fitting: Fitting,
  upTo: number,
  customerAt: (ordinal: number) => MeteredCustomer,
): FittedFeeder {
  let fittings = kept.get(feeder);
  if (fittings === undefined) {
    fittings = new LRUCache({ max: MAX_FITTINGS });
    kept.set(feeder, fittings);
  }
  const { model, place, der } = fitting;
  const name = `${model} ${place} ${der.pv} ${der.ev} ${der.heatPump} ${der.battery}`;
  let fitted = fittings.get(name);
  if (fitted === undefined) {
    fitted = { roofs: none(), cars: none(), heatPumps: none(), batteries: none(), upTo: 0 };
    fittings.set(name, fitted);
  }
  for (; fitted.upTo < upTo; fitted.upTo += 1) furnish(fitted, fitted.upTo, customerAt(fitted.upTo), fitting);
  return fitted;
}

const none = <Kind>(): Fitted<Kind> => ({ ordinals: [], kinds: [] });

function furnish(
  into: FittedFeeder,
  ordinal: number,
  home: MeteredCustomer,
  { model, place, der }: Fitting,
): void {
  if (home.customerClass !== 'residential') return;
  const { key, meanKwh } = home;
  const { pv = 0, ev = 0, heatPump = 0, battery = 0 } = der;
  if (hasEvFrom(key) < ev) add(into.cars, ordinal, carOf(key));
  if (hasHeatPumpFrom(key) < heatPump)
    add(into.heatPumps, ordinal, heatPumpOf(key, derParameters(model).heatPump));
  const pvFrom = hasPvFrom(key);
  if (pvFrom >= pv) return;
  const roof = roofOf(home, place);
  add(into.roofs, ordinal, roof);
  // Batteries stand in homes with a roof: the same draw, and a smaller share.
  if (pvFrom >= battery) return;
  const has = batteryOf(key);
  add(into.batteries, ordinal, { meanKwh, roof, battery: has, kind: batteryKind(meanKwh, has, roof) });
}

function add<Kind>({ ordinals, kinds }: Fitted<Kind>, ordinal: number, kind: Kind): void {
  ordinals.push(ordinal);
  kinds.push(kind);
}

/** The place of the first that has an ordinal of at least this. */
export function placeFrom({ ordinals }: Fitted<unknown>, ordinal: number): number {
  let [from, to] = [0, ordinals.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ordinals[middle] as number) < ordinal) from = middle + 1;
    else to = middle;
  }
  return from;
}
