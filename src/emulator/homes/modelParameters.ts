import type { PlaceModel } from '../../contracts/emulation.js';
import type { Place } from '../../contracts/places.js';

/**
 * In what the homes of the models of a place differ: same code, other numbers. Those of a model that tenants run never change, since
 * its reads may not. What the second misses of London's homes, docs/realism.md says.
 */
export interface ModelParameters {
  /** Probability that a fortnight has a journey in it, of the household that travels most. */
  mostJourneys: number;
  /** Power of all storage heaters together, least and most, kW before the size of the home. */
  storageKw: readonly [least: number, most: number];
  /** How many they are, least and most, each with a control of its own; 0: all are one, which charges for as long as the cold asks. */
  storageHeaters: readonly [least: number, most: number];
  /** Share of nights in which one of them is off, of the home where that is most. */
  storageOff: number;
  /** Direct heaters of homes with storage heating, used where somebody is in and it is cold: kW a kelvin before the size of the home. */
  storageTopUp: number;
  /** Whether homes with storage heating cook by electricity. */
  storageCooks: boolean;
  /** How far a day's hot water is from the usual, of a tank on a clock, part of it; 0: a fifth of it, and no boosts by hand. */
  tankSpread: number;
  /** Share of days on which such a tank is boosted by hand, of the home that does so most. */
  tankBoosts: number;
  /** Share of days on which a lamp's clock is off, of the home where that is most; by how many quarter hours it is early or late. */
  lampOff: number;
  lampDrift: number;
  /** How far what people have switched on is from its mean in a quarter hour, part of it, of the home where that is most. */
  flicker: number;
  /**
   * What each place's level is multiplied by for the mean home to draw what its place's does: between what `test/realism/fitExpectedHome.ts`
   * finds and what a fleet of 25,000 draws.
   */
  level: Readonly<Record<Place, number>>;
}

/** Storage heating and tanks on a clock draw nearly the same night after night, which one home in ten of `uk` lives by. */
const SECOND: ModelParameters = {
  mostJourneys: 0.55,
  storageKw: [2.5, 8],
  storageHeaters: [0, 0],
  storageOff: 0,
  storageTopUp: 0,
  storageCooks: false,
  tankSpread: 0,
  tankBoosts: 0,
  lampOff: 0,
  lampDrift: 0,
  flicker: 0,
  level: { 'us-south': 1, 'us-northeast': 1, germany: 1, uk: 1, 'australia-nsw': 1 },
};

const THIRD: ModelParameters = {
  // Some 3.4 journeys a year: 123 million overnight trips at home and 93 million visits abroad of 66 million Britons in 2019 (VisitBritain, GBTS; ONS,
  // Travel Trends), who mostly travel together.
  mostJourneys: 0.45,
  // A British home on a night tariff draws 1.4 times what others do (Ofgem, typical values of 2023: 3,900 against 2,700 kWh); with the second
  // model's heaters it was more than twice as much.
  storageKw: [1.2, 4.2],
  // One in each of two to four rooms. Somebody turns each up or down, a room is left cold, and what is left of yesterday's heat ends a charge early.
  storageHeaters: [2, 4],
  storageOff: 0.2,
  // Such a home has no gas: it cooks by electricity, and fan and panel heaters keep its evenings warm.
  storageTopUp: 0.1,
  storageCooks: true,
  // A thermostat heats what was used: a bath one day, next to nothing on another. Where it was too little somebody presses the boost.
  tankSpread: 0.75,
  tankBoosts: 0.35,
  // Clocks are unplugged, and set by hand.
  lampOff: 0.3,
  lampDrift: 2,
  // Sets, computers and lamps come and go within an activity that lasts for hours.
  flicker: 0.45,
  level: { 'us-south': 0.975, 'us-northeast': 0.975, germany: 0.995, uk: 0.985, 'australia-nsw': 0.95 },
};

export const MODEL_PARAMETERS: Readonly<Record<PlaceModel, ModelParameters>> = { 2: SECOND, 3: THIRD };
