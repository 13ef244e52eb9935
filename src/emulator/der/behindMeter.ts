import type { Der, Model } from '../../contracts/emulation.js';
import type { Climate } from '../../contracts/place.js';
import type { Place } from '../../contracts/places.js';
import { type DayPlans, plansOn } from './batteryPlans.js';
import { derParameters } from './derParameters.js';
import type { MeteredCustomer } from './equipment.js';
import { type FittedFeeder, fittedFeeder, placeFrom } from './fittedFeeder.js';
import { passBatteries, passCars, passHeatPumps, passRoofs, type Span } from './passes.js';
import { quartersOf } from './quarters.js';
import { siteOf } from './site.js';
import { type Sky, skyOverFeeder } from './sky.js';

/**
 * What stands behind the meters of a fleet's homes, in the quarter hours of one batch: what all homes have in common is worked out
 * once. A meter registers what flows in and what flows out in two channels; here they are one number, positive inwards.
 */
export interface BehindMeters {
  /**
   * Makes of what the customers of neighbouring meters draw what flows through the meters.
   *
   * @param net kWh, meter after meter, each by the quarter hours of the batch; changed in place.
   */
  pass(net: Float64Array, meters: Neighbours): void;
  /** Calls for each of the meters that has a channel for what it feeds into the grid, with its place among them. */
  eachFeedingIn(meters: Neighbours, call: (place: number) => void): void;
}

/** Meters that follow each other on a feeder, with the ordinals from `first` to `first + count - 1`. */
export interface Neighbours extends Span {
  /** The same object for the meters of the same feeder, so that what stands behind them is kept with it. */
  on: object;
  /** For `drawAt`. */
  feederKey: number;
  customerAt(ordinal: number): MeteredCustomer;
}

/** Where and when a batch's quarter hours are. */
export interface BehindScene {
  model: Model;
  der: Der;
  place?: Place | undefined;
  climate: Climate;
  timeZone: string;
  weatherKey: number;
  firstSlot: number;
  slots: number;
}

/** @throws RangeError when `timeZone` is no zone of the IANA database. */
export function behindMeters(scene: BehindScene): BehindMeters {
  const { model, der, timeZone, weatherKey, firstSlot, slots } = scene;
  const parameters = derParameters(model);
  const site = siteOf(scene.place, scene.climate, timeZone);
  const quarters = quartersOf(parameters, { site, timeZone, weatherKey, firstSlot, slots });
  const fitting = { model, der, place: site.place };
  let last: { on: object; fitted: FittedFeeder } | undefined;
  const behind = ({ on, first, count, customerAt }: Neighbours): FittedFeeder => {
    if (last?.on !== on || last.fitted.upTo < first + count)
      last = { on, fitted: fittedFeeder(on, fitting, first + count, customerAt) };
    return last.fitted;
  };

  let skies: { feederKey: number; of: readonly Sky[] } | undefined;
  const skiesOver = (feederKey: number): readonly Sky[] => {
    if (skies?.feederKey !== feederKey)
      skies = { feederKey, of: quarters.map(({ sky }) => skyOverFeeder(sky, feederKey)) };
    return skies.of;
  };
  let plans: readonly DayPlans[] | undefined;
  const plansOfQuarters = (): readonly DayPlans[] => {
    if (plans === undefined) {
      const days = new Set(quarters.map(({ battery: { day } }) => day));
      const ofDays = new Map([...days].map((day) => [day, plansOn(parameters, site, weatherKey, day)]));
      plans = quarters.map(({ battery }) => ofDays.get(battery.day) as DayPlans);
    }
    return plans;
  };

  return {
    pass(net, meters) {
      const { cars, heatPumps, roofs, batteries } = behind(meters);
      // Batteries come last, since they take what is left over.
      if (der.ev) passCars(net, meters, cars, quarters);
      if (der.heatPump) passHeatPumps(net, meters, heatPumps, quarters);
      if (der.pv) passRoofs(net, meters, roofs, skiesOver(meters.feederKey));
      if (der.battery) passBatteries(net, meters, batteries, quarters, plansOfQuarters());
    },
    eachFeedingIn(meters, call) {
      const { roofs } = behind(meters);
      const end = placeFrom(roofs, meters.first + meters.count);
      for (let at = placeFrom(roofs, meters.first); at < end; at += 1)
        call((roofs.ordinals[at] as number) - meters.first);
    },
  };
}
