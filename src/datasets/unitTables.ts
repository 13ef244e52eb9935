import type { Column, Table } from '../columnFiles/columns.js';
import { textColumn } from '../columnFiles/columns.js';
import { defaultSeed } from '../emulator/chance/random.js';
import { createUnstolenUse, type UnstolenUse } from '../emulator/events/unstolenUse.js';
import type { Scenario } from '../scenarios/scenario.js';
import {
  type DayReads,
  type DayScene,
  ENERGY_SCALE,
  FLAG_TEXTS,
  type GenerateDay,
  generateDay,
  VOLTAGE_SCALE,
} from './dayReads.js';
import { applyToDay, type EventfulDay, type Label } from './eventsOfDay.js';
import { applyNetworkToDay } from './networkOfDay.js';
import type { Unit } from './units.js';

/** Digits of an energy (up to 99,999 kWh in an interval) and of a voltage. */
const ENERGY_PRECISION = 9;
const VOLTAGE_PRECISION = 5;

/** What a unit comes to; energies in 0.1 Wh, voltage in 0.1 V. Whole numbers, so that sums do not depend on their order. */
export interface UnitSums {
  reads: number;
  labels: number;
  missing: number;
  late: number;
  /** Reads that their meter or network has changed or lost. */
  odd: number;
  kwh: number;
  deliveredKwh: number;
  /** What meters would have registered less what they did, in reads with a theft and without an oddity. */
  stolenKwh: number;
  lowVoltage: number;
  zeros: number;
  voltage: number;
  minVoltage: number;
  maxVoltage: number;
  /** Registered in each hour of the local clock, 24 of them. */
  kwhByHour: number[];
}

export interface UnitTables {
  reads: Table;
  labels: Table;
  sums: UnitSums;
}

/** What a scenario's reads are made with. */
export function daySceneOf({ file, emulation }: Scenario): DayScene {
  const { tenantId, seed = defaultSeed(tenantId), intervalMinutes, timeZone, climate } = file;
  const { meterCount, feederCount } = file;
  const { model, place, customers, der } = emulation;
  return {
    ...{ tenantId, seed, intervalMinutes, timeZone, model, customers, der },
    ...(climate && { climate }),
    ...(place && { place }),
    fleet: { meterCount, feederCount },
  };
}

/** Makes units of one scenario, one after the other. */
export function createUnitMaker(scenario: Scenario, generate: GenerateDay = generateDay) {
  const scene = daySceneOf(scenario);
  const use: UnstolenUse = createUnstolenUse({
    ...scene,
    readAt: scenario.from,
    syntheticFeederCount: scene.fleet.feederCount,
  });
  const hourOf = localHours(scene.timeZone ?? 'UTC');
  const { network } = scenario.emulation;
  const changes = network.quality !== undefined || network.oddities !== undefined;
  return (unit: Unit): UnitTables => {
    const days = unit.feeders.map((span) => {
      const { feederId } = span;
      const reads = generate(scene, span, unit.starts);
      const arrived = changes
        ? applyNetworkToDay(reads, span, unit.starts, network, scene, generate)
        : undefined;
      const eventful = applyToDay(reads, feederId, unit.starts, scenario.events, scene, use, arrived);
      return { feederId, reads, eventful };
    });
    return {
      reads: readsTable(days, unit.starts),
      labels: labelsTable(days, unit.starts),
      sums: sumsOf(days, unit.starts.map(hourOf)),
    };
  };
}

interface FeederDay {
  feederId: string;
  reads: DayReads;
  eventful: EventfulDay;
}

function readsTable(days: readonly FeederDay[], starts: readonly number[]): Table {
  const rows = days.reduce((sum, { reads, eventful }) => sum + reads.kwh.length - missingIn(eventful), 0);
  const column = () => new Int32Array(rows);
  const into: ReadsColumns = {
    meter: column(),
    feeder: column(),
    instants: new BigInt64Array(rows),
    kwh: column(),
    delivered: column(),
    received: column(),
    isUnmetered: new Uint8Array(rows).fill(1),
    voltage: column(),
    flags: column(),
  };
  const times = BigInt64Array.from(starts, (start) => BigInt(start) * 1000n);
  const meterIds: string[] = [];
  let row = 0;
  days.forEach(({ reads, eventful: { isMissing } }, feederAt) => {
    const end = row + reads.kwh.length - missingIn({ isMissing });
    into.feeder.fill(feederAt, row, end);
    if (isMissing) putPresent(into, row, reads, isMissing, times, meterIds.length);
    else putAll(into, row, reads, times, meterIds.length);
    for (const id of reads.meterIds) meterIds.push(id);
    row = end;
  });
  return {
    rows,
    columns: [
      { name: 'meter_id', kind: 'text', dictionary: meterIds, values: into.meter },
      {
        name: 'feeder_id',
        kind: 'text',
        dictionary: days.map(({ feederId }) => feederId),
        values: into.feeder,
      },
      { name: 'interval_start', kind: 'instant', values: into.instants },
      energy('kwh', into.kwh),
      energy('delivered_kwh', into.delivered),
      { ...energy('received_kwh', into.received), isNull: into.isUnmetered },
      volts('voltage', into.voltage),
      { name: 'flags', kind: 'text', dictionary: FLAG_TEXTS, values: into.flags },
    ],
  };
}

interface ReadsColumns {
  meter: Int32Array;
  feeder: Int32Array;
  instants: BigInt64Array;
  kwh: Int32Array;
  delivered: Int32Array;
  received: Int32Array;
  isUnmetered: Uint8Array;
  voltage: Int32Array;
  flags: Int32Array;
}

/** A feeder whose reads are all there, from a row on. */
function putAll(
  into: ReadsColumns,
  row: number,
  reads: DayReads,
  times: BigInt64Array,
  firstMeter: number,
): void {
  into.kwh.set(reads.kwh, row);
  into.delivered.set(reads.deliveredKwh, row);
  if (reads.received) into.received.set(reads.received.kwh, row);
  into.voltage.set(reads.voltage, row);
  into.flags.set(reads.flags, row);
  for (let ordinal = 0; ordinal < reads.meterIds.length; ordinal += 1) {
    const first = row + ordinal * reads.intervals;
    into.meter.fill(firstMeter + ordinal, first, first + reads.intervals);
    if (reads.received?.isMetered[ordinal] === 1) into.isUnmetered.fill(0, first, first + reads.intervals);
    into.instants.set(times, first);
  }
}

/** One of which some are missing. */
function putPresent(
  into: ReadsColumns,
  firstRow: number,
  reads: DayReads,
  isMissing: Uint8Array,
  times: BigInt64Array,
  firstMeter: number,
): void {
  let row = firstRow;
  let place = 0;
  for (let ordinal = 0; ordinal < reads.meterIds.length; ordinal += 1)
    for (let interval = 0; interval < reads.intervals; interval += 1, place += 1) {
      if (isMissing[place] === 1) continue;
      into.meter[row] = firstMeter + ordinal;
      into.instants[row] = times[interval] as bigint;
      into.kwh[row] = reads.kwh[place] as number;
      into.delivered[row] = reads.deliveredKwh[place] as number;
      if (reads.received?.isMetered[ordinal] === 1) {
        into.received[row] = reads.received.kwh[place] as number;
        into.isUnmetered[row] = 0;
      }
      into.voltage[row] = reads.voltage[place] as number;
      into.flags[row] = reads.flags[place] as number;
      row += 1;
    }
}

function labelsTable(days: readonly FeederDay[], starts: readonly number[]): Table {
  const labels = days.flatMap(({ feederId, reads, eventful }) =>
    eventful.labels.map((label) => ({ feederId, meterId: reads.meterIds[label.meter] as string, label })),
  );
  const number = (of: (label: Label) => number): Int32Array =>
    Int32Array.from(labels, ({ label }) => of(label));
  const gone = Uint8Array.from(labels, ({ label }) => (label.isMissing ? 1 : 0));
  const texts = (of: (label: Label) => readonly string[]): string[] =>
    labels.map(({ label }) => [...new Set(of(label))].join(' '));
  return {
    rows: labels.length,
    columns: [
      textColumn(
        'meter_id',
        labels.map(({ meterId }) => meterId),
      ),
      textColumn(
        'feeder_id',
        labels.map(({ feederId }) => feederId),
      ),
      {
        name: 'interval_start',
        kind: 'instant',
        values: BigInt64Array.from(labels, ({ label }) => BigInt(starts[label.interval] as number) * 1000n),
      },
      textColumn(
        'event_ids',
        texts(({ events }) => events.map(({ id }) => id)),
      ),
      textColumn(
        'event_types',
        texts(({ events }) => events.map(({ eventType }) => eventType)),
      ),
      textColumn(
        'theft_forms',
        texts(({ events }) => events.flatMap(({ form }) => form ?? [])),
      ),
      textColumn(
        'oddities',
        texts(({ oddities }) => oddities),
      ),
      {
        name: 'severity',
        kind: 'decimal',
        precision: 5,
        scale: 4,
        values: number(({ events }) =>
          Math.round(Math.max(0, ...events.map(({ severity }) => severity)) * 10_000),
        ),
      },
      { name: 'is_missing', kind: 'boolean', values: gone },
      {
        name: 'came_late',
        kind: 'boolean',
        values: Uint8Array.from(labels, ({ label }) => (label.cameLate ? 1 : 0)),
      },
      energy(
        'true_kwh',
        number(({ trueKwh }) => trueKwh),
      ),
      {
        ...energy(
          'registered_kwh',
          number(({ registeredKwh }) => registeredKwh),
        ),
        isNull: gone,
      },
      volts(
        'true_voltage',
        number(({ trueVoltage }) => trueVoltage),
      ),
    ],
  };
}

function energy(name: string, values: Int32Array): Column {
  return { name, kind: 'decimal', precision: ENERGY_PRECISION, scale: ENERGY_SCALE, values };
}

function volts(name: string, values: Int32Array): Column {
  return { name, kind: 'decimal', precision: VOLTAGE_PRECISION, scale: VOLTAGE_SCALE, values };
}

function missingIn({ isMissing }: { isMissing?: Uint8Array | undefined }): number {
  return isMissing?.reduce((sum, one) => sum + one, 0) ?? 0;
}

const LOW_VOLTAGE = FLAG_TEXTS.indexOf('LOW_VOLTAGE');

/** @param hours of the local clock, by interval. */
function sumsOf(days: readonly FeederDay[], hours: readonly number[]): UnitSums {
  let sums = emptySums();
  for (const { reads, eventful } of days) {
    sums = addSums(sums, sumsOfReads(reads, eventful.isMissing, hours));
    sums.labels += eventful.labels.length;
    for (const { events, oddities, isMissing, cameLate, trueKwh, registeredKwh } of eventful.labels) {
      if (cameLate) sums.late += 1;
      if (oddities.length > 0) sums.odd += 1;
      // What an oddity has changed as well cannot be told from what was stolen.
      if (!isMissing && oddities.length === 0 && events.some(({ eventType }) => eventType === 'theft'))
        sums.stolenKwh += trueKwh - registeredKwh;
    }
  }
  return sums;
}

/** Sums of a feeder's reads alone, meter by meter: no field of an object is touched for each read. */
function sumsOfReads(
  { kwh, deliveredKwh, voltage, flags, intervals }: DayReads,
  isMissing: Uint8Array | undefined,
  hours: readonly number[],
): UnitSums {
  const sums = emptySums();
  const byInterval = new Float64Array(intervals);
  for (let first = 0; first < kwh.length; first += intervals) {
    let [energy, delivered, volts, present, zeros, low] = [0, 0, 0, 0, 0, 0];
    let [least, most] = [sums.minVoltage, sums.maxVoltage];
    for (let at = 0; at < intervals; at += 1) {
      const place = first + at;
      if (isMissing !== undefined && isMissing[place] === 1) continue;
      const one = kwh[place] as number;
      const volt = voltage[place] as number;
      present += 1;
      energy += one;
      delivered += deliveredKwh[place] as number;
      volts += volt;
      if (volt < least) least = volt;
      if (volt > most) most = volt;
      if (one === 0) zeros += 1;
      if (flags[place] === LOW_VOLTAGE) low += 1;
      byInterval[at] = (byInterval[at] as number) + one;
    }
    sums.reads += present;
    sums.missing += intervals - present;
    sums.kwh += energy;
    sums.deliveredKwh += delivered;
    sums.voltage += volts;
    sums.zeros += zeros;
    sums.lowVoltage += low;
    sums.minVoltage = least;
    sums.maxVoltage = most;
  }
  for (let at = 0; at < intervals; at += 1) {
    const hour = hours[at] as number;
    sums.kwhByHour[hour] = (sums.kwhByHour[hour] as number) + (byInterval[at] as number);
  }
  return sums;
}

export function emptySums(): UnitSums {
  return {
    ...{ reads: 0, labels: 0, missing: 0, late: 0, odd: 0, kwh: 0, deliveredKwh: 0, stolenKwh: 0 },
    ...{ lowVoltage: 0, zeros: 0, voltage: 0, minVoltage: 99_999, maxVoltage: 0 },
    kwhByHour: Array.from({ length: 24 }, () => 0),
  };
}

/** Adds the sums of units; whole numbers below 2^53 for ten years of the largest fleet. */
export function addSums(a: UnitSums, b: UnitSums): UnitSums {
  return {
    reads: a.reads + b.reads,
    labels: a.labels + b.labels,
    missing: a.missing + b.missing,
    late: a.late + b.late,
    odd: a.odd + b.odd,
    kwh: a.kwh + b.kwh,
    deliveredKwh: a.deliveredKwh + b.deliveredKwh,
    stolenKwh: a.stolenKwh + b.stolenKwh,
    lowVoltage: a.lowVoltage + b.lowVoltage,
    zeros: a.zeros + b.zeros,
    voltage: a.voltage + b.voltage,
    minVoltage: Math.min(a.minVoltage, b.minVoltage),
    maxVoltage: Math.max(a.maxVoltage, b.maxVoltage),
    kwhByHour: a.kwhByHour.map((kwh, hour) => kwh + (b.kwhByHour[hour] as number)),
  };
}

function localHours(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' });
  return (instant) => Number(format.format(instant)) % 24;
}
