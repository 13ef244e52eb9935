import type { FeederSpan, SyntheticFleet } from '../emulator/fleet/syntheticFleet.js';
import type { QualityFlag } from '../emulator/grid/qualityFlags.js';
import type { ReadColumns, ReadsScene } from '../emulator/reads.js';
import { generateWholeDay, type WholeDay } from '../emulator/wholeDays/wholeDay.js';

/** What reads of a scenario are made with, but for their instant. */
export type DayScene = Omit<ReadsScene, 'readAt'> & { fleet: SyntheticFleet };

/** The reads of one feeder on one day; flags are places in `FLAG_TEXTS`. */
export type DayReads = WholeDay;

/** The flags of a read as one text, by their place in `DayReads.flags`. */
export const FLAG_TEXTS: readonly string[] = ['', 'LOW_VOLTAGE', 'HIGH_VOLTAGE'];

export const ENERGY_SCALE = 4;
export const VOLTAGE_SCALE = 1;
const ENERGY = 10 ** ENERGY_SCALE;
const VOLTAGE = 10 ** VOLTAGE_SCALE;

/** Makes a feeder's day without events. Another way of making it has to give the same to the last digit. */
export type GenerateDay = (scene: DayScene, span: FeederSpan, starts: readonly number[]) => DayReads;

/** As a worker makes them, in one go. */
export const generateDay: GenerateDay = ({ fleet, ...scene }, { from, to }, starts) => {
  const [start = 0] = starts;
  return generateWholeDay({ ...scene, readAt: new Date(start), intervals: starts.length }, fleet, from, to);
};

/** Puts read `at` of the columns in place. */
export function putRead(day: DayReads, place: number, columns: ReadColumns, at: number): void {
  day.kwh[place] = Math.round((columns.kwh[at] as number) * ENERGY);
  day.deliveredKwh[place] = Math.round((columns.deliveredKwh[at] as number) * ENERGY);
  day.voltage[place] = Math.round((columns.voltage[at] as number) * VOLTAGE);
  const flags = columns.qualityFlags[at] as readonly string[];
  if (day.received) day.received.kwh[place] = Math.round((columns.receivedKwh?.[at] ?? 0) * ENERGY);
  // Nearly all reads have none: no text is made for them.
  day.flags[place] = flags.length === 0 ? 0 : FLAG_TEXTS.indexOf(flags.join(' '));
}

/** The reads of one interval of the day, as networks and events are applied to them; what is missing is left out. */
export function columnsAt(
  day: DayReads,
  feederId: string,
  interval: number,
  isMissing?: Uint8Array,
): ReadColumns {
  const { meterIds, intervals, received } = day;
  const meters = Array.from(meterIds.keys()).filter(
    (meter) => isMissing?.[meter * intervals + interval] !== 1,
  );
  const places = meters.map((meter) => meter * intervals + interval);
  return {
    meterIds: meters.map((meter) => meterIds[meter] as string),
    feederIds: meters.map(() => feederId),
    kwh: places.map((place) => (day.kwh[place] as number) / ENERGY),
    deliveredKwh: places.map((place) => (day.deliveredKwh[place] as number) / ENERGY),
    voltage: places.map((place) => (day.voltage[place] as number) / VOLTAGE),
    qualityFlags: places.map((place) => flagsOf(day.flags[place] as number)),
    ...(received && {
      receivedKwh: meters.map((meter, at) =>
        received.isMetered[meter] === 1 ? (received.kwh[places[at] as number] as number) / ENERGY : null,
      ),
    }),
  };
}

function flagsOf(place: number): readonly QualityFlag[] {
  const text = FLAG_TEXTS[place];
  return text ? (text.split(' ') as QualityFlag[]) : [];
}
