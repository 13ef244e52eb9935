import type { Quantiles } from '../chance/quantiles.js';
import { pick } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';
import { APPLIANCE_SHARE, BUSIEST, LOOK_BACK, runLength, runStrength } from '../customers/appliances.js';
import {
  AT_HOME,
  AWAY_DRAW,
  AWAY_PROBABILITY,
  AWAY_SLOTS,
  BUSINESS_DAYS,
  BUSINESS_HOURS,
  BUSINESS_QUARTER,
  BUSINESS_WEEKS,
  type Customer,
  DAYS,
  HOME_DAYS,
  HOME_HOURS,
  HOME_QUARTER,
  HOME_WEEKS,
  HOURS,
  PHASES,
  WEEKS,
  withinService,
} from '../customers/consumption.js';
import type { Expectation } from '../customers/expectation.js';
import { BUSINESS_HABITS, HOME_HABITS, PERIOD, PERIODS_PER_DAY } from '../customers/habits.js';
import { type NoiseSteps, noiseSteps } from './noiseSteps.js';

/**
 * A day of customers of the first model. Each quarter hour is what `consumedKwh` makes of it, to the last bit: the same
 * factors are multiplied in the same order, and what several quarter hours have in common is drawn once.
 */
export interface CustomersDay {
  firstSlot: number;
  slots: number;
  expectation: Expectation;
  /** Place of the first slot in the expectation's columns. */
  origin: number;
  hours: NoiseSteps;
  days: NoiseSteps;
  weeks: NoiseSteps;
  /** By place in the expectation: the habits before and after, and the way between them. */
  habitBefore: Uint8Array;
  habitAfter: Uint8Array;
  habitWay: Float64Array;
  /** By place in the expectation: the load that draws the start of an appliance run. */
  startLoad: Float64Array;
}

export function customersDay(expectation: Expectation): CustomersDay {
  const { firstSlot, slots, clock } = expectation;
  const noise = (period: number) => noiseSteps(firstSlot, slots, PHASES, period);
  const level = expectation.level.residential;
  const day: CustomersDay = {
    firstSlot,
    slots,
    expectation,
    origin: expectation.at(firstSlot),
    hours: noise(HOURS),
    days: noise(DAYS),
    weeks: noise(WEEKS),
    habitBefore: new Uint8Array(clock.length),
    habitAfter: new Uint8Array(clock.length),
    habitWay: new Float64Array(clock.length),
    startLoad: new Float64Array(clock.length),
  };
  clock.forEach((shown, at) => {
    const weekend = shown >= 96 ? PERIODS_PER_DAY : 0;
    const position = (shown % 96) / PERIOD;
    const period = Math.floor(position);
    day.habitBefore[at] = weekend + period;
    day.habitAfter[at] = weekend + ((period + 1) % PERIODS_PER_DAY);
    day.habitWay[at] = position - period;
    day.startLoad[at] = ((level[at + 1] as number) + (level[at + 2] as number)) / 2;
  });
  return day;
}

/** What is worked out of one customer, and written over by the next one. */
export interface CustomerScratch {
  habits: Float64Array;
  /** By place in the expectation. */
  habit: Float64Array;
  memory: Float64Array;
  power: Float64Array;
}

export function customerScratch({ slots, expectation }: CustomersDay): CustomerScratch {
  return {
    habits: new Float64Array(2 * PERIODS_PER_DAY),
    habit: new Float64Array(expectation.clock.length),
    memory: new Float64Array(slots),
    power: new Float64Array(slots),
  };
}

/** Fills in what a customer draws in each quarter hour, kWh. */
export function fillCustomer(
  into: Float64Array,
  customer: Customer,
  day: CustomersDay,
  scratch: CustomerScratch,
): void {
  if (customer.customerClass === 'residential') fillHome(into, customer, day, scratch);
  else fillBusiness(into, customer, day, scratch);
}

function fillHome(into: Float64Array, home: Customer, day: CustomersDay, scratch: CustomerScratch): void {
  const { firstSlot, slots } = day;
  const { key, applianceKwh } = home;
  const origin = day.origin - home.shift;
  const level = day.expectation.level.residential;
  const { habit, memory, power } = scratch;
  fillHabit(scratch, key, HOME_HABITS, day, origin - LOOK_BACK, origin + slots);
  fillMemory(memory, key, day, HOME_HOURS, HOME_DAYS, HOME_WEEKS);
  fillAppliances(power, home, day, habit, origin);
  const mean = (1 - APPLIANCE_SHARE) * home.meanKwh;
  const phase = key & PHASES;
  const { quarterNoise } = STREAM;
  const [quarter, length, atHome, atHomeAway] = [HOME_QUARTER, AWAY_SLOTS, AT_HOME, AT_HOME * AWAY_DRAW];
  let block = -1;
  let away = false;
  for (let at = 0; at < slots; at += 1) {
    const slot = firstSlot + at;
    const standing =
      mean *
      (level[origin + at] as number) *
      (habit[origin + at] as number) *
      (memory[at] as number) *
      pick(quarter, drawAt(key, quarterNoise, slot));
    const nowIn = Math.floor((slot + phase) / length);
    if (nowIn !== block) {
      block = nowIn;
      away = drawAt(key, STREAM.away, block) < AWAY_PROBABILITY * 2 ** 32;
    }
    into[at] = away
      ? atHomeAway * standing
      : withinService(atHome * (standing + applianceKwh * (power[at] as number)));
  }
}

function fillBusiness(
  into: Float64Array,
  business: Customer,
  day: CustomersDay,
  scratch: CustomerScratch,
): void {
  const { firstSlot, slots } = day;
  const { key, meanKwh } = business;
  const origin = day.origin - business.shift;
  const level = day.expectation.level[business.customerClass];
  const { habit, memory } = scratch;
  fillHabit(scratch, key, BUSINESS_HABITS, day, origin, origin + slots);
  fillMemory(memory, key, day, BUSINESS_HOURS, BUSINESS_DAYS, BUSINESS_WEEKS);
  const { quarterNoise } = STREAM;
  const quarter = BUSINESS_QUARTER;
  for (let at = 0; at < slots; at += 1) {
    into[at] =
      meanKwh *
      (level[origin + at] as number) *
      (habit[origin + at] as number) *
      (memory[at] as number) *
      pick(quarter, drawAt(key, quarterNoise, firstSlot + at));
  }
}

/** The customer's habit at each place `[from, to)` of the expectation. */
function fillHabit(
  { habits, habit }: CustomerScratch,
  key: number,
  table: Quantiles,
  { habitBefore, habitAfter, habitWay }: CustomersDay,
  from: number,
  to: number,
): void {
  let drawn = 0;
  for (let at = from; at < to; at += 1) {
    const before = habitBefore[at] as number;
    const after = habitAfter[at] as number;
    // A bit for each habit that has been drawn: a day has twelve, and two days of different kinds twice as many.
    if ((drawn & (1 << before)) === 0) {
      habits[before] = pick(table, drawAt(key, STREAM.schedule, before));
      drawn |= 1 << before;
    }
    if ((drawn & (1 << after)) === 0) {
      habits[after] = pick(table, drawAt(key, STREAM.schedule, after));
      drawn |= 1 << after;
    }
    const here = habits[before] as number;
    habit[at] = here + ((habits[after] as number) - here) * (habitWay[at] as number);
  }
}

function fillMemory(
  into: Float64Array,
  key: number,
  { hours, days, weeks, slots }: CustomersDay,
  ofHours: Quantiles,
  ofDays: Quantiles,
  ofWeeks: Quantiles,
): void {
  const phase = key & PHASES;
  let [hourNode, dayNode, weekNode] = [-1, -1, -1];
  let [hour, toHour, dayHere, toDay, week, toWeek] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < slots; at += 1) {
    const step = at + phase;
    if (hours.node[step] !== hourNode) {
      hourNode = hours.node[step] as number;
      hour = pick(ofHours, drawAt(key, STREAM.hoursNoise, hourNode));
      toHour = pick(ofHours, drawAt(key, STREAM.hoursNoise, hourNode + 1)) - hour;
    }
    if (days.node[step] !== dayNode) {
      dayNode = days.node[step] as number;
      dayHere = pick(ofDays, drawAt(key, STREAM.dayNoise, dayNode));
      toDay = pick(ofDays, drawAt(key, STREAM.dayNoise, dayNode + 1)) - dayHere;
    }
    if (weeks.node[step] !== weekNode) {
      weekNode = weeks.node[step] as number;
      week = pick(ofWeeks, drawAt(key, STREAM.weekNoise, weekNode));
      toWeek = pick(ofWeeks, drawAt(key, STREAM.weekNoise, weekNode + 1)) - week;
    }
    into[at] =
      (hour + toHour * (hours.way[step] as number)) *
      (dayHere + toDay * (days.way[step] as number)) *
      (week + toWeek * (weeks.way[step] as number));
  }
}

/**
 * Power of the appliance runs in each quarter hour. A quarter hour adds up its runs from the one that began last to the one
 * that began first, so starts are gone through backwards.
 */
function fillAppliances(
  power: Float64Array,
  { key, applianceStarts }: Customer,
  { firstSlot, slots, startLoad }: CustomersDay,
  habit: Float64Array,
  origin: number,
): void {
  const { applianceStart, applianceRun } = STREAM;
  const busiest = BUSIEST;
  power.fill(0);
  for (let start = slots - 1; start >= -LOOK_BACK; start -= 1) {
    const slot = firstSlot + start;
    const chance = drawAt(key, applianceStart, slot) / 2 ** 32;
    const expected = applianceStarts * (startLoad[origin + start] as number);
    if (chance >= expected * busiest || chance >= expected * (habit[origin + start] as number)) continue;
    const draw = drawAt(key, applianceRun, slot);
    const strength = runStrength(draw);
    const end = Math.min(slots, start + runLength(draw));
    for (let at = Math.max(0, start); at < end; at += 1) power[at] = (power[at] as number) + strength;
  }
}
