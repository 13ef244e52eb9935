import type { PlaceModel } from '../../contracts/emulation.js';
import type { Place } from '../../contracts/places.js';
import { between, has, lognormal, uniform, whole } from '../chance/traits.js';
import { EQUIPMENT, type Equipment } from './equipment.js';
import { createHousehold, type Household, PROBABILITY, VACANT } from './households.js';
import { MODEL_PARAMETERS } from './modelParameters.js';
import { placeLevel } from './placeLevel.js';

/**
 * A home of a place, which never changes. Energies are hundredths of a watt-hour in a quarter hour, in the
 * scale of the place, and all fields whole numbers: those lie in the object itself, while V8 keeps a fraction elsewhere
 * and each one read from there would cost as much as ten draws. They lie in the order of `createHome`, what each read asks for
 * first, so that a read fetches few lines of memory.
 */
export interface Home extends Household {
  key: number;
  /** Level of activity in the morning and at home by day, 256ths of the evening's. */
  morning: number;
  byDay: number;
  /** The same of those asleep: what is left on. */
  night: number;
  /** Index into tables of spread: how much days, months and hours of this home differ. */
  daySpread: number;
  monthSpread: number;
  hourSpread: number;
  /** What is always on: standby, network, pumps. */
  steady: number;
  /** Refrigeration: energy while the compressor runs, how many of a cycle's quarter hours it runs. */
  fridge: number;
  fridgeOn: number;
  fridgeCycle: number;
  /** Light, screens and the like at full activity; light alone in the dark. */
  living: number;
  light: number;
  /** How much these depart from their mean from one quarter hour to the next, 256ths. */
  flicker: number;
  /** Short runs (kettle, microwave, iron): probability in an active quarter hour, and their energy. */
  shortRuns: number;
  short: number;
  /** A cooked dinner: probability, 256ths; when; energy of a quarter hour of it. */
  dinner: number;
  dinnerAt: number;
  cooking: number;
  /** Laundry and dishes: probability on a day, preferred quarter hour and energy. */
  wash: number;
  washAt: number;
  washing: number;
  drying: number;
  dishes: number;
  dishesAt: number;
  dishwasher: number;
  /** Hot water: 0 not by electricity, or one of the kinds below; energy, and quarter hours of heating a day. */
  water: number;
  heater: number;
  waterAt: number;
  waterQuarters: number;
  /** How much a day's hot water departs from the usual, and the days with a boost by hand, 256ths; of a tank on a clock. */
  waterSpread: number;
  boosts: number;
  /** Heating and cooling: energy for each kelvin, limits, and where they begin, °C; 0 where there is none. */
  heat: number;
  heatLimit: number;
  heatBelow: number;
  cool: number;
  coolLimit: number;
  coolAbove: number;
  /** How thermostats are used, 256ths: 0 always on, 256 only when somebody is there and feels like it. */
  frugal: number;
  /** Energy of storage heating in the night tariff, and when that begins; 0 where there is none. */
  storage: number;
  storageAt: number;
  /** Heaters that it comes from, each with a control of its own, and the 256ths of nights in which one is off; 0: all are one. */
  heaters: number;
  heaterOff: number;
  /** A pump or lamp on a clock: energy, first quarter hour and how many. */
  timed: number;
  timedAt: number;
  timedQuarters: number;
  /** 256ths of days on which the clock is off, and how many quarter hours it may be early or late. */
  timedOff: number;
  timedDrift: number;
  /** A quarter hour's mean bends from this on. */
  bend: number;
  /** Mean energy of a quarter hour over the year, to a fifth or so. */
  mean: number;
}

/** Kinds of hot water. */
export const SHOWER = 1;
export const TANK = 2;
export const CLOCK_TANK = 3;

/** Hundredths of a watt-hour in a kWh. */
export const UNITS_PER_KWH = 100_000;

/** Traits 20 to 84. */
export function createHome(key: number, model: PlaceModel, place: Place): Home {
  const parameters = MODEL_PARAMETERS[model];
  const household = createHousehold(key, parameters.mostJourneys);
  const equipment = EQUIPMENT[place];
  const vacant = household.kind === VACANT;
  const lived = vacant ? 0 : 1;
  const people = Math.max(0.4, household.persons) ** 0.6 * lived;
  // One family leaves everything on, another nothing.
  const lavish = lognormal(key, 20, 1, 0.31);
  const uses = equipment.plenty * lavish * people;
  const nothingOn = !vacant && has(key, 21, 0.1);
  const water = vacant ? 0 : waterKind(uniform(key, 22), equipment);
  const heating = !vacant && has(key, 23, equipment.heating);
  const storage = !heating && has(key, 24, equipment.storageHeating / (1 - equipment.heating));
  const cooling = !vacant && has(key, 25, equipment.cooling);
  const roomCooling = !cooling && !vacant && has(key, 26, equipment.roomCooling / (1 - equipment.cooling));
  const spare = !heating && !vacant && has(key, 27, equipment.spareHeater);
  const size = lognormal(key, 28, 1, 0.35);
  const electric = has(key, 29, equipment.electricCooking) || (storage && parameters.storageCooks);
  const pool = has(key, 30, equipment.pool);
  const lamp = !pool && has(key, 31, 0.08);
  const topUp = storage && !vacant ? parameters.storageTopUp : 0;
  const clockTank = water === CLOCK_TANK;
  const units = equipment.level * parameters.level[place] * placeLevel(place) * UNITS_PER_KWH;
  // Each field named: an object that is spread into another has a shape of its own.
  const home: Home = {
    key,
    kind: household.kind,
    looseness: household.looseness,
    wake: household.wake,
    wakeOff: household.wakeOff,
    bed: household.bed,
    leave: household.leave,
    comeBack: household.comeBack,
    daytime: household.daytime,
    daytimeOff: household.daytimeOff,
    dayAway: household.dayAway,
    trip: household.trip,
    longTrip: household.longTrip,
    eveningOut: household.eveningOut,
    morning: of256(between(key, 39, 0.2, 1.1)),
    byDay: of256(between(key, 40, 0.35, 1.05)),
    night: nothingOn ? 0 : of256(uniform(key, 75) ** 2 * 0.45),
    monthSpread: whole(key, 72, 0, 4),
    daySpread: whole(key, 71, 0, 2),
    steady: nothingOn
      ? 0
      : energy(
          units / 4,
          lognormal(key, 32, equipment.steadyKw * lived * lavish * people ** 0.5 + 0.012, 0.75),
        ),
    fridgeCycle: whole(key, 36, 4, 8),
    fridgeOn: whole(key, 35, 1, 3),
    fridge: has(key, 33, 0.97 * lived + 0.1) ? energy(units / 4, lognormal(key, 34, 0.11, 0.35)) : 0,
    hourSpread: whole(key, 73, 2, 4),
    living: energy(units / 4, uses * lognormal(key, 37, 0.16, 0.7)),
    light: energy(units / 4, uses * lognormal(key, 38, 0.1, 0.7)),
    flicker: of256(uniform(key, 84) * parameters.flicker),
    shortRuns: share(lognormal(key, 41, 0.11, 0.55) * people),
    wash: has(key, 46, equipment.washer) ? share(lognormal(key, 47, 0.16, 0.5) * people) : 0,
    dishes: has(key, 52, equipment.dishwasher) ? share(lognormal(key, 53, 0.3, 0.5) * people) : 0,
    water,
    heat: heating || spare || topUp > 0 ? energy(units / 4, size * (heating ? 0.085 : topUp || 0.02)) : 0,
    storage: storage ? energy(units / 4, size * between(key, 63, ...parameters.storageKw)) : 0,
    cool: cooling || roomCooling ? energy(units / 4, size * (cooling ? 0.17 : 0.06)) : 0,
    timed: pool
      ? energy(units / 4, between(key, 68, 0.7, 1.6))
      : lamp
        ? energy(units / 4, between(key, 68, 0.03, 0.3))
        : 0,
    bend: energy(UNITS_PER_KWH / 4, between(key, 74, 10.5, 12)),
    dinnerAt: whole(key, 44, 50, 64),
    washAt: whole(key, 48, 14, 64),
    dishesAt: has(key, 54, 0.2) ? whole(key, 55, 72, 92) : whole(key, 55, 58, 72),
    short: energy(units, lived * lognormal(key, 42, 0.15, 0.3)),
    dinner: of256(between(key, 43, 0.25, 0.98)),
    cooking: energy(
      units,
      lived * (electric ? lognormal(key, 45, 0.32, 0.4) : lognormal(key, 45, 0.08, 0.4)),
    ),
    heatBelow: whole(key, 62, 11, 17),
    coolAbove: whole(key, 66, 18, 24),
    frugal: of256(heating || cooling ? uniform(key, 67) ** 4 : 0.5 + uniform(key, 67) / 2),
    heatLimit: energy(units / 4, size * (heating ? between(key, 61, 3, 9) : between(key, 61, 0.8, 2))),
    coolLimit: energy(units / 4, size * (cooling ? between(key, 65, 2, 4.2) : between(key, 65, 0.5, 1.2))),
    heater:
      water === 0
        ? 0
        : energy(units, water === SHOWER ? lognormal(key, 57, 0.75, 0.25) : lognormal(key, 57, 0.72, 0.1)),
    persons: household.persons,
    waterAt: clockTank ? (has(key, 58, 0.75) ? whole(key, 59, 80, 95) : whole(key, 59, 4, 60)) : 0,
    waterQuarters: Math.max(1, Math.round(lognormal(key, 60, 2.6 * equipment.plenty, 0.35) * people)),
    washing: energy(units, lognormal(key, 49, 0.42, 0.2)),
    drying: has(key, 50, equipment.dryer)
      ? energy(units, equipment.plenty * lognormal(key, 51, 0.42, 0.25))
      : 0,
    dishwasher: energy(units, lognormal(key, 56, 0.34, 0.2)),
    storageAt: whole(key, 64, 78, 84),
    timedAt: whole(key, 69, 8, 60),
    timedQuarters: whole(key, 70, 12, 36),
    heaters: storage ? whole(key, 80, ...parameters.storageHeaters) : 0,
    heaterOff: of256(uniform(key, 81) * parameters.storageOff),
    waterSpread: clockTank ? of256(parameters.tankSpread) : 0,
    boosts: clockTank ? of256(uniform(key, 82) * parameters.tankBoosts) : 0,
    timedOff: lamp ? of256(uniform(key, 83) * parameters.lampOff) : 0,
    timedDrift: lamp ? parameters.lampDrift : 0,
    mean: 0,
  };
  home.mean = meanEnergy(home);
  return home;
}

/** Whole units of energy. */
const energy = (units: number, kwh: number): number => Math.round(kwh * units);
const share = (probability: number): number => Math.round(Math.min(0.97, probability) * PROBABILITY);
const of256 = (part: number): number => Math.round(part * 256);

function waterKind(draw: number, equipment: Equipment): number {
  if (draw < equipment.clockTank) return CLOCK_TANK;
  if (draw < equipment.clockTank + equipment.tank) return TANK;
  return draw < equipment.clockTank + equipment.tank + equipment.shower ? SHOWER : 0;
}

/** Parts of a year's quarter hours, about: with people awake and at home, dark among these. */
const ACTIVE = 0.42;
const DARK = 0.55;

function meanEnergy(home: Home): number {
  const meals = ((home.dinner / 256) * home.cooking * 2.4) / 96;
  const washes = ((home.wash / PROBABILITY) * (home.washing * 2.4 + home.drying * 3.6)) / 96;
  const dishes = ((home.dishes / PROBABILITY) * home.dishwasher * 2.8) / 96;
  const heated = home.water === SHOWER ? 0.8 * home.persons : home.waterQuarters;
  const short = (home.shortRuns / PROBABILITY) * home.short;
  return Math.round(
    home.steady +
      (home.fridge * home.fridgeOn) / home.fridgeCycle +
      ACTIVE * (home.living + DARK * home.light + short) +
      meals +
      washes +
      dishes +
      (home.heater * heated) / 96 +
      home.heat * 4 +
      home.cool * 2.5 +
      home.storage * 0.1 +
      (home.timed * home.timedQuarters) / 96 +
      1,
  );
}

/** Mean energy of a quarter hour over the year, kWh: what a home's voltage drop is told against. */
export const meanHomeKwh = (home: Home): number => home.mean / UNITS_PER_KWH;
