import { drawAt, STREAM } from '../chance/random.js';
import type { Expectation } from '../customers/expectation.js';
import type { Meter } from '../fleet/meters.js';
import { type Feeder, feederQuarter } from '../grid/feeder.js';
import { lossByDistance, MEASURING_ERROR } from '../grid/losses.js';
import { OWN_DROP, RIPPLE } from '../grid/voltage.js';
import { fillAnomalies } from '../grid/voltageAnomalies.js';

/** The state of a feeder in the quarter hours of a day, and what its meters register and measure. */
export interface FeederDay {
  key: number;
  firstSlot: number;
  slots: number;
  disturbance: Float64Array;
  lossFraction: Float64Array;
  headVolts: Float64Array;
  farEndDrop: Float64Array;
}

export function feederDay(feeder: Feeder, weatherKey: number, expectation: Expectation): FeederDay {
  const { firstSlot, slots } = expectation;
  const quarters = Array.from({ length: slots }, (_, at) =>
    feederQuarter(feeder, weatherKey, firstSlot + at, expectation),
  );
  const column = (name: 'disturbance' | 'lossFraction' | 'headVolts' | 'farEndDrop') =>
    Float64Array.from(quarters, (quarter) => quarter[name]);
  return {
    key: feeder.key,
    firstSlot,
    slots,
    disturbance: column('disturbance'),
    lossFraction: column('lossFraction'),
    headVolts: column('headVolts'),
    farEndDrop: column('farEndDrop'),
  };
}

/** What the meters of one transformer have in common: worked out once, since neighbours come one after the other. */
export interface TransformerDay {
  transformer: number;
  distance: number;
  /** Voltage of the line, or that at which an anomaly holds it. */
  line: Float64Array;
  /** 0 without an anomaly. */
  anomaly: Float64Array;
  /** Whether there is any: without, `anomaly` says nothing. */
  isDisturbed: boolean;
  /** The share of what is delivered that arrives. */
  arrives: Float64Array;
}

export function transformerDay(slots: number): TransformerDay {
  const column = () => new Float64Array(slots);
  return {
    transformer: -1,
    distance: -1,
    line: column(),
    anomaly: column(),
    isDisturbed: false,
    arrives: column(),
  };
}

/** Makes it the transformer of a meter, unless it is. */
export function turnTo(into: TransformerDay, feeder: FeederDay, { transformer, distance }: Meter): void {
  if (into.transformer === transformer && into.distance === distance) return;
  into.transformer = transformer;
  into.distance = distance;
  const byDistance = lossByDistance(distance);
  for (let at = 0; at < feeder.slots; at += 1) {
    into.arrives[at] = 1 - (feeder.lossFraction[at] as number) * byDistance;
    into.line[at] = (feeder.headVolts[at] as number) - (feeder.farEndDrop[at] as number) * distance;
  }
  into.isDisturbed = fillAnomalies(into.anomaly, feeder.key, transformer, feeder.firstSlot);
  if (!into.isDisturbed) return;
  for (let at = 0; at < feeder.slots; at += 1)
    if (into.anomaly[at] !== 0) into.line[at] = into.anomaly[at] as number;
}

/** What flows through one meter in each quarter hour, and what it measures; written over by the next meter. */
export interface MeterDay {
  /** Energy, kWh: drawn by the customer, then what flows in less what flows out. */
  net: Float64Array;
  delivered: Float64Array;
  volts: Float64Array;
}

export function meterDay(slots: number): MeterDay {
  const column = () => new Float64Array(slots);
  return { net: column(), delivered: column(), volts: column() };
}

/** Makes of what a customer draws what it draws on this feeder: weather and local life. */
export function disturb(net: Float64Array, { disturbance, slots }: FeederDay): void {
  for (let at = 0; at < slots; at += 1) net[at] = (net[at] as number) * (disturbance[at] as number);
}

/** Fills in `delivered` and `volts` from `net`. */
export function measure(
  { net, delivered, volts }: MeterDay,
  { customer: { key }, voltsOffset }: Meter,
  meanKwh: number,
  { line, anomaly, isDisturbed, arrives }: TransformerDay,
  { firstSlot, slots }: FeederDay,
): void {
  const { deliveryMeasurement, voltageRipple } = STREAM;
  const [error, most, rippled] = [MEASURING_ERROR, OWN_DROP, RIPPLE];
  for (let at = 0; at < slots; at += 1) {
    const slot = firstSlot + at;
    const flow = net[at] as number;
    const measured = drawAt(key, deliveryMeasurement, slot) / 2 ** 32;
    delivered[at] = (Math.max(0, flow) / (arrives[at] as number)) * (1 + error * (2 * measured - 1));
    const ripple = drawAt(key, voltageRipple, slot) / 2 ** 32;
    const service = (line[at] as number) + voltsOffset + rippled * (2 * ripple - 1);
    const load = flow / meanKwh;
    // As `ownDrop`, of what flows in or out.
    const drop = load >= 0 ? (most * load) / (load + 4) : -((most * -load) / (-load + 4));
    volts[at] = service - (isDisturbed && anomaly[at] !== 0 ? 0 : drop);
  }
}
