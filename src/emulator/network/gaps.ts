import type { NetworkQuality } from '../../contracts/emulation.js';
import { drawAt } from '../chance/random.js';
import { NETWORK_STREAM } from './networkStreams.js';

/**
 * Reads that a network loses: single intervals, some in a row, and days on end, most of them at few meters. After 100 meters in
 * London (good: 0.05 % missing, 85 % of the gaps one interval long, two thirds of what is missing in gaps of a day or more, four
 * fifths at a tenth of the meters) and a poor network (2.2 %, 92 % of it in gaps of a day or more).
 */

interface Losses {
  /** Probability that an interval is lost alone. */
  single: number;
  /** Probability that a day has a gap of 2 to 10 quarter hours. */
  some: number;
  /** Probability that four weeks have a gap of days, and how many at the most. */
  long: number;
  longestDays: number;
}

const LOSSES: Readonly<Record<NetworkQuality, Losses>> = {
  good: { single: 0.00011, some: 0.0008, long: 0.0038, longestDays: 4 },
  poor: { single: 0.0005, some: 0.02, long: 0.113, longestDays: 9 },
};
const DAY = 96;
const FOUR_WEEKS = 28 * DAY;
/** A tenth of the meters has eight times the mean, the others the rest. */
const BAD_SHARE = 0.1;
const BAD = 8;
const REST = (1 - BAD_SHARE * BAD) / (1 - BAD_SHARE);
/** Of the 32 bits of a draw. */
const WORST = BAD * 2 ** 32;
const SOME = { least: 2, most: 10 } as const;

const share = (draw: number): number => draw / 2 ** 32;

/** Whether the network loses a meter's read of a UTC quarter hour. */
export function isLost(key: number, slot: number, quality: NetworkQuality): boolean {
  const losses = LOSSES[quality];
  if (!mayBeLost(key, slot, losses)) return false;
  const weight = share(drawAt(key, NETWORK_STREAM.proneness, 0)) < BAD_SHARE ? BAD : REST;
  if (share(drawAt(key, NETWORK_STREAM.single, slot)) < losses.single * weight) return true;
  return (
    inGap(key, slot, NETWORK_STREAM.some, DAY, losses.some * weight, SOME.least, SOME.most) ||
    inGap(key, slot, NETWORK_STREAM.long, FOUR_WEEKS, losses.long * weight, DAY, losses.longestDays * DAY)
  );
}

/** Whether it would be lost of one of the worst meters: of nearly all reads these five draws say no, and no other is made. */
function mayBeLost(key: number, slot: number, { single, some, long }: Losses): boolean {
  const day = Math.floor(slot / DAY);
  const weeks = Math.floor(slot / FOUR_WEEKS);
  return (
    drawAt(key, NETWORK_STREAM.single, slot) < single * WORST ||
    drawAt(key, NETWORK_STREAM.some, 3 * day) < some * WORST ||
    drawAt(key, NETWORK_STREAM.some, 3 * (day - 1)) < some * WORST ||
    drawAt(key, NETWORK_STREAM.long, 3 * weeks) < long * WORST ||
    drawAt(key, NETWORK_STREAM.long, 3 * (weeks - 1)) < long * WORST
  );
}

/** One gap may begin in each period, at any slot of it, and last into the next. */
function inGap(
  key: number,
  slot: number,
  stream: number,
  period: number,
  probability: number,
  least: number,
  most: number,
): boolean {
  const running = Math.floor(slot / period);
  for (let begun = running; begun >= running - 1; begun -= 1) {
    if (share(drawAt(key, stream, 3 * begun)) >= probability) continue;
    const from = begun * period + Math.floor(period * share(drawAt(key, stream, 3 * begun + 1)));
    const length = least + Math.floor((most + 1 - least) * share(drawAt(key, stream, 3 * begun + 2)));
    if (slot >= from && slot < from + length) return true;
  }
  return false;
}
