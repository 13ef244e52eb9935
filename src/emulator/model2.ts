import { LRUCache } from 'lru-cache';
import type { Place } from '../contracts/places.js';
import { type Randomness, STREAM } from './chance/random.js';
import {
  CUSTOMER_CLASSES,
  type CustomerClass,
  type CustomerMix,
  customerClass,
} from './customers/customers.js';
import type { Expectation } from './customers/expectation.js';
import { meanQuarterKwh } from './customers/load.js';
import { expectedHomeLevel } from './homes/expectedHome.js';
import { createHome2, type Home2, meanHomeKwh } from './homes/home.js';
import { homeKwh2 } from './homes/homeLoad.js';
import { type PlaceScene, sceneOfPlace } from './homes/placeScene.js';
import { expectedTradeLevel } from './trade/expectedTrade.js';
import { createTrade2, type Trade2 } from './trade/trade.js';
import { tradeKwh2 } from './trade/tradeLoad.js';

/**
 * The door of the second model of customers: homes and trade that differ from each other, by a place's weather and
 * calendar. The class of a customer, the mean of each class and everything of feeders and voltage are as in the first.
 */

export { type PlaceScene, sceneOfPlace };

export interface Customer2 {
  customerClass: CustomerClass;
  /** The meter's key for `drawAt`. */
  key: number;
  home: Home2 | null;
  trade: Trade2 | null;
}

/** A meter's customer, who never changes: made from the meter's subject of randomness, its feeder's mix and the place. */
export function createCustomer2(
  random: Randomness,
  meter: number,
  mix: CustomerMix,
  place: Place,
): Customer2 {
  return customer2Of(random.key(STREAM.meter, meter), customerClass(random, meter, mix), place);
}

/** The same for a meter whose key and class are known. */
export function customer2Of(key: number, itsClass: CustomerClass, place: Place): Customer2 {
  if (itsClass === 'residential') {
    const home = createHome2(key, place);
    return { customerClass: itsClass, key, home, trade: null };
  }
  const trade = createTrade2(key, itsClass, place);
  return { customerClass: itsClass, key, home: null, trade };
}

/** Mean energy of a customer in a quarter hour of the year, kWh; of a home to a fifth or so. */
export function meanKwh2(customer: Customer2): number {
  return customer.home === null ? (customer.trade as Trade2).meanKwh : meanHomeKwh(customer.home);
}

/** Energy a customer draws in a quarter hour, kWh, before what all customers of its feeder have in common. */
export function consumedKwh2(customer: Customer2, slot: number, scene: PlaceScene): number {
  return customer.home === null
    ? tradeKwh2(customer.trade as Trade2, slot, scene)
    : homeKwh2(customer.home, slot, scene);
}

/** What is expected of the mean customer of a class in a quarter hour, relative to its mean over the year. */
export function expectedLevel2(itsClass: CustomerClass, slot: number, scene: PlaceScene): number {
  return itsClass === 'residential'
    ? expectedHomeLevel(slot, scene)
    : expectedTradeLevel(itsClass, slot, scene) / meanQuarterKwh(itsClass);
}

/** A scene with what is expected of each class in it, as the state of feeders wants it. */
export interface ExpectedScene extends PlaceScene {
  expectation: Expectation;
}

/** A publish of 25,000 meters asks some fifty times for the same scene, which costs as much as a dozen reads. */
const kept = new LRUCache<string, ExpectedScene>({ max: 64 });

/** @throws RangeError when `timeZone` is no zone of the IANA database. */
export function expectedScene(
  place: Place,
  timeZone: string,
  firstSlot: number,
  slots: number,
  weatherKey: number,
): ExpectedScene {
  const name = JSON.stringify([place, timeZone, firstSlot, slots, weatherKey]);
  const found = kept.get(name);
  if (found !== undefined) return found;
  const scene = sceneOfPlace(place, timeZone, firstSlot, slots, weatherKey);
  const level = (itsClass: CustomerClass) =>
    Float64Array.from({ length: slots }, (_, index) => expectedLevel2(itsClass, firstSlot + index, scene));
  const expectation: Expectation = {
    firstSlot,
    slots,
    level: Object.fromEntries(
      CUSTOMER_CLASSES.map((itsClass) => [itsClass, level(itsClass)]),
    ) as Expectation['level'],
    clock: scene.clock,
    at: (slot) => slot - firstSlot,
  };
  const made = { ...scene, expectation };
  kept.set(name, made);
  return made;
}
