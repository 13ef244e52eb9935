import { LRUCache } from 'lru-cache';
import type { PlaceModel } from '../contracts/emulation.js';
import type { Place } from '../contracts/places.js';
import { CUSTOMER_CLASSES, type CustomerClass } from './customers/customers.js';
import type { Expectation } from './customers/expectation.js';
import { meanQuarterKwh } from './customers/load.js';
import type { MeteredCustomer } from './der/equipment.js';
import { expectedHomeLevel } from './homes/expectedHome.js';
import { createHome, type Home, meanHomeKwh } from './homes/home.js';
import { homeKwh } from './homes/homeLoad.js';
import { type PlaceScene, sceneOfPlace } from './homes/placeScene.js';
import { expectedTradeLevel } from './trade/expectedTrade.js';
import { createTrade, type Trade } from './trade/trade.js';
import { tradeKwh } from './trade/tradeLoad.js';

/**
 * The door of the models of a place: homes and trade that differ from each other, by a place's weather and
 * calendar. The class of a customer, the mean of each class and everything of feeders and voltage are as in the first.
 */

export { type PlaceScene, sceneOfPlace };

export interface PlaceCustomer extends MeteredCustomer {
  home: Home | null;
  trade: Trade | null;
}

/** A meter's customer in a place, who never changes: made from the meter's key and class. */
export function placeCustomerOf(
  key: number,
  itsClass: CustomerClass,
  model: PlaceModel,
  place: Place,
): PlaceCustomer {
  const home = itsClass === 'residential' ? createHome(key, model, place) : null;
  const trade = itsClass === 'residential' ? null : createTrade(key, itsClass, place);
  // A home's to a fifth or so.
  const meanKwh = home === null ? (trade as Trade).meanKwh : meanHomeKwh(home);
  return {
    customerClass: itsClass,
    key,
    meanKwh,
    home,
    trade,
  };
}

/** Energy a customer draws in a quarter hour, kWh, before what all customers of its feeder have in common. */
export function placeCustomerKwh(customer: PlaceCustomer, slot: number, scene: PlaceScene): number {
  return customer.home === null
    ? tradeKwh(customer.trade as Trade, slot, scene)
    : homeKwh(customer.home, slot, scene);
}

/** What is expected of the mean customer of a class in a quarter hour, relative to its mean over the year. */
export function expectedPlaceLevel(itsClass: CustomerClass, slot: number, scene: PlaceScene): number {
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
  model: PlaceModel,
  place: Place,
  timeZone: string,
  firstSlot: number,
  slots: number,
  weatherKey: number,
): ExpectedScene {
  const name = JSON.stringify([model, place, timeZone, firstSlot, slots, weatherKey]);
  const found = kept.get(name);
  if (found !== undefined) return found;
  const scene = sceneOfPlace(model, place, timeZone, firstSlot, slots, weatherKey);
  const level = (itsClass: CustomerClass) =>
    Float64Array.from({ length: slots }, (_, index) =>
      expectedPlaceLevel(itsClass, firstSlot + index, scene),
    );
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
