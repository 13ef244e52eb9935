import { drawAt, STREAM } from '../chance/random.js';

/**
 * Anomalies of voltage without any event: a failing transformer, a regulator stuck on a lateral. An anomaly
 * concerns neighbours together and stays for a while, so it is drawn for a group of meters and a block of time: at most
 * one per block, found from any quarter hour of the block.
 */
interface Kind {
  stream: number;
  /** Quarter hours of a block, the probability of an anomaly in it, and the longest one. */
  block: number;
  probability: number;
  longest: number;
}

/** Meters that hang on one transformer: neighbours along the feeder. */
export const METERS_PER_TRANSFORMER = 8;
/** Transformers on one lateral. */
const TRANSFORMERS_PER_LATERAL = 8;

/** Half an hour to eight hours, on average once in 100 days for each transformer: 0.13 % of reads. */
const TRANSFORMER: Kind = { stream: STREAM.voltageAnomaly, block: 192, probability: 0.02, longest: 32 };
/** Up to four hours, on average twice a year for each lateral: another 0.04 %. */
const LATERAL: Kind = { stream: STREAM.lateral, block: 672, probability: 0.04, longest: 16 };
const SHORTEST = 2;

/** Three in four are low. How far outside range A (114–126 V) they reach, volts. */
const LOW_SHARE = 0.75;
const LOW = { edge: 114, least: 0.5, most: 3 } as const;
const HIGH = { edge: 126, least: 0.5, most: 1.3 } as const;

/**
 * The voltage at which an anomaly at a transformer holds its service points, volts, before each point's own difference;
 * 0 when there is no anomaly.
 *
 * @param transformer number of the transformer on its feeder, from 0.
 */
export function anomalyVolts(feederKey: number, transformer: number, slot: number): number {
  return (
    groupVolts(feederKey, transformer, slot, TRANSFORMER) ||
    groupVolts(feederKey, Math.floor(transformer / TRANSFORMERS_PER_LATERAL), slot, LATERAL)
  );
}

/**
 * The same for the quarter hours from `firstSlot` on, in one go.
 *
 * @returns whether there is an anomaly in any of them; without one, `into` is not filled.
 */
export function fillAnomalies(
  into: Float64Array,
  feederKey: number,
  transformer: number,
  firstSlot: number,
): boolean {
  const lateral = Math.floor(transformer / TRANSFORMERS_PER_LATERAL);
  const any =
    mayHave(feederKey, transformer, firstSlot, into.length, TRANSFORMER) ||
    mayHave(feederKey, lateral, firstSlot, into.length, LATERAL);
  if (!any) return false;
  for (let at = 0; at < into.length; at += 1) into[at] = anomalyVolts(feederKey, transformer, firstSlot + at);
  return true;
}

/** Whether a block that these quarter hours lie in has an anomaly: few have. */
function mayHave(feederKey: number, group: number, firstSlot: number, slots: number, kind: Kind): boolean {
  const key = drawAt(feederKey, kind.stream, group);
  const first = Math.floor(stepOf(key, firstSlot) / kind.block);
  const last = Math.floor(stepOf(key, firstSlot + slots - 1) / kind.block);
  for (let block = first; block <= last; block += 1)
    if (drawAt(key, kind.stream, block) < kind.probability * 2 ** 32) return true;
  return false;
}

/** Blocks of different groups begin at different times. */
function stepOf(key: number, slot: number): number {
  return slot + (key & 0xfff);
}

function groupVolts(feederKey: number, group: number, slot: number, kind: Kind): number {
  const key = drawAt(feederKey, kind.stream, group);
  const step = stepOf(key, slot);
  const block = Math.floor(step / kind.block);
  if (drawAt(key, kind.stream, block) >= kind.probability * 2 ** 32) return 0;
  const draw = drawAt(key, STREAM.voltageAnomalyDepth, block);
  // Mostly short: the square of a uniform draw. Length, start, kind and depth from different bits.
  const length = SHORTEST + Math.round((kind.longest - SHORTEST) * ((draw & 0xff) / 0xff) ** 2);
  const start = (((draw >>> 8) & 0xff) * (kind.block - length)) >>> 8;
  const since = step - block * kind.block - start;
  if (since < 0 || since >= length) return 0;
  const low = ((draw >>> 16) & 0xff) / 0x100 < LOW_SHARE;
  const depth = (draw >>> 24) / 0xff;
  return low
    ? LOW.edge - LOW.least - (LOW.most - LOW.least) * depth
    : HIGH.edge + HIGH.least + (HIGH.most - HIGH.least) * depth;
}
