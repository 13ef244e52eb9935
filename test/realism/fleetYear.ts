import type { CustomerClass } from '../../src/emulator/customers/customers.js';
import { daySlot, type Place, places, readsAt, type Sample } from './sample.js';
import { mean } from './statistics.js';

/**
 * A year of a fleet, sampled: twelve whole weeks, one a month, one quarter hour every hour or three (each time
 * another one of the hour). Enough for a year's energy of each meter, for what feeders lose and for voltages.
 */
export interface FleetYear {
  places: Place[];
  /** Mean energy of a quarter hour of each meter, kWh. */
  meterKwh: Float64Array;
  /** Energy by class, month (0–11) and day of the week (from Monday), kWh. */
  energy: Record<CustomerClass, number[][]>;
  instants: FeederInstant[][];
  voltage: VoltageFigures;
}

/** One feeder in one quarter hour, kWh and volts. */
export interface FeederInstant {
  registered: number;
  delivered: number;
  volts: number;
  anomalies: number;
}

export interface VoltageFigures {
  reads: number;
  /** Reads within 118–124 V, and reads outside ANSI C84.1 range A and range B. */
  normal: number;
  outsideA: number;
  outsideB: number;
  min: number;
  max: number;
  /** Reads by tenth of a volt from 105 V. */
  histogram: Float64Array;
  /** Sum of volts and reads in normal running, by eighth of the distance along the feeder. */
  byDistance: { volts: number; reads: number }[];
}

export const FEEDERS = 25;
/** Mondays in 2026, one about the middle of each month. */
const MONDAYS = [12, 9, 9, 13, 11, 8, 13, 10, 14, 12, 9, 7];

export function fleetYear(sample: Sample, meterCount: number, hoursApart: 1 | 3): FleetYear {
  const fleet = { meterCount, feederCount: FEEDERS };
  const where = places(sample, fleet);
  const weeks = () => MONDAYS.map(() => new Array<number>(7).fill(0));
  const year: FleetYear = {
    places: where,
    meterKwh: new Float64Array(meterCount),
    energy: { residential: weeks(), commercial: weeks(), industrial: weeks() },
    instants: Array.from({ length: FEEDERS }, () => []),
    voltage: noVoltages(),
  };
  let slots = 0;
  MONDAYS.forEach((monday, month) => {
    for (let hour = 0; hour < 7 * 24; hour += hoursApart) {
      // Another one each time, and over the weeks each of them on each day of the week alike.
      const quarter = (3 * (hour / hoursApart) + month) % (4 * hoursApart);
      const slot = daySlot(2026, month, monday) + hour * 4 + quarter;
      addSlot(year, readsAt(sample, fleet, slot), month, Math.floor(hour / 24));
      slots += 1;
    }
  });
  year.meterKwh = year.meterKwh.map((kwh) => kwh / slots);
  return year;
}

function addSlot(year: FleetYear, reads: ReturnType<typeof readsAt>, month: number, day: number): void {
  const instants = year.instants.map(() => ({ registered: 0, delivered: 0, volts: 0, anomalies: 0 }));
  const counts = instants.map(() => 0);
  reads.kwh.forEach((kwh, meter) => {
    const { customerClass, feeder, distance } = year.places[meter] as Place;
    const volts = reads.voltage[meter] as number;
    const instant = instants[feeder - 1] as FeederInstant;
    year.meterKwh[meter] = (year.meterKwh[meter] as number) + kwh;
    const week = year.energy[customerClass][month] as number[];
    week[day] = (week[day] as number) + kwh;
    instant.registered += kwh;
    instant.delivered += reads.deliveredKwh[meter] as number;
    instant.volts += volts;
    counts[feeder - 1] = (counts[feeder - 1] as number) + 1;
    instant.anomalies += addVoltage(year.voltage, volts, distance);
  });
  instants.forEach((instant, index) => {
    instant.volts /= counts[index] as number;
    (year.instants[index] as FeederInstant[]).push(instant);
  });
}

function noVoltages(): VoltageFigures {
  return {
    reads: 0,
    normal: 0,
    outsideA: 0,
    outsideB: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    histogram: new Float64Array(250),
    byDistance: Array.from({ length: 8 }, () => ({ volts: 0, reads: 0 })),
  };
}

/** Adds a read's voltage; 1 when it is an anomaly, outside range A. */
function addVoltage(figures: VoltageFigures, volts: number, distance: number): number {
  const bin = Math.round((volts - 105) * 10);
  figures.histogram[bin] = (figures.histogram[bin] as number) + 1;
  figures.reads += 1;
  figures.min = Math.min(figures.min, volts);
  figures.max = Math.max(figures.max, volts);
  if (volts >= 118 && volts <= 124) figures.normal += 1;
  if (volts < 110 || volts > 127) figures.outsideB += 1;
  if (volts < 114 || volts > 126) {
    figures.outsideA += 1;
    return 1;
  }
  const eighth = figures.byDistance[Math.floor(distance * 8)] as { volts: number; reads: number };
  eighth.volts += volts;
  eighth.reads += 1;
  return 0;
}

/** Mean energy a day of each customer of a class, kWh. */
export function dailyKwh(year: FleetYear, itsClass: CustomerClass): number[] {
  return year.places.flatMap((place, meter) =>
    place.customerClass === itsClass ? [(year.meterKwh[meter] as number) * 96] : [],
  );
}

/** Daily energy of a Saturday and of a Sunday against a weekday, each week against itself. */
export function weekend(weeks: readonly number[][]): { saturday: number; sunday: number } {
  const ratio = (day: number) => mean(weeks.map((week) => (week[day] as number) / mean(week.slice(0, 5))));
  return { saturday: ratio(5), sunday: ratio(6) };
}

/** Energy of the months (0–11) against the year's mean. */
export function seasonLevel(weeks: readonly number[][], months: readonly number[]): number {
  const totals = weeks.map((week) => mean(week));
  return mean(months.map((month) => totals[month] as number)) / mean(totals);
}
