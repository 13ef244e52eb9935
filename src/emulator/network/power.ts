import { drawAt, subjectOf } from '../chance/random.js';
import { NETWORK_STREAM } from './networkStreams.js';

/**
 * Power that is away on a lateral. Interruptions come with storms, and last some two hours (US, EIA: 1.0 to 1.1 a customer and
 * year, 110 to 120 minutes each); meters send a last gasp and are silent until the power is back. Momentary outages, of which no
 * distribution was found, are chosen: five a year, of one to four minutes.
 */

const DAY = 96;
/** Laterals of a feeder; which one a meter is on follows from its id. */
const LATERALS = 12;
const STORMS = 6 / 365;
/** A customer's interruptions a year over the storms. */
const HIT = 1.05 / 6;
const MOMENTARY = 5 / 365;

const share = (draw: number): number => draw / 2 ** 32;

/** What keys of laterals follow from, of one feeder. */
export function lateralsKey(tenantKey: number, feederId: string): number {
  return (tenantKey ^ subjectOf(feederId)) | 0;
}

/** The key of a meter's lateral. */
export function lateralKey(feederKey: number, meterKey: number): number {
  const lateral = Math.floor(LATERALS * share(drawAt(meterKey, NETWORK_STREAM.lateral, 0)));
  return drawAt(feederKey, NETWORK_STREAM.lateral, lateral) | 0;
}

/** Whether a storm of this day or the one before may have power away anywhere: nearly never. */
export function isStormy(tenantKey: number, slot: number): boolean {
  const day = Math.floor(slot / DAY);
  return isStormDay(tenantKey, day) || isStormDay(tenantKey, day - 1);
}

function isStormDay(tenantKey: number, day: number): boolean {
  return share(drawAt(tenantKey, NETWORK_STREAM.storm, 2 * day)) < STORMS;
}

/** Whether a storm has the power of a lateral away in a UTC quarter hour. */
export function isInterrupted(tenantKey: number, lateral: number, slot: number): boolean {
  const running = Math.floor(slot / DAY);
  for (let day = running; day >= running - 1; day -= 1) {
    if (!isStormDay(tenantKey, day)) continue;
    if (share(drawAt(lateral, NETWORK_STREAM.interruption, 3 * day)) >= HIT) continue;
    // A storm passes within some hours.
    const storm = Math.floor(DAY * share(drawAt(tenantKey, NETWORK_STREAM.storm, 2 * day + 1)));
    const from =
      day * DAY + storm + Math.floor(16 * share(drawAt(lateral, NETWORK_STREAM.interruption, 3 * day + 1)));
    const minutes = 30 - 85 * Math.log(1 - share(drawAt(lateral, NETWORK_STREAM.interruption, 3 * day + 2)));
    const length = Math.min(60, Math.max(1, Math.round(minutes / 15)));
    if (slot >= from && slot < from + length) return true;
  }
  return false;
}

/** The part of a UTC quarter hour in which a lateral had power: 1 nearly always. */
export function poweredShare(lateral: number, slot: number): number {
  const day = Math.floor(slot / DAY);
  if (share(drawAt(lateral, NETWORK_STREAM.momentary, 3 * day)) >= MOMENTARY) return 1;
  const at = day * DAY + Math.floor(DAY * share(drawAt(lateral, NETWORK_STREAM.momentary, 3 * day + 1)));
  return at === slot ? 1 - (1 + 3 * share(drawAt(lateral, NETWORK_STREAM.momentary, 3 * day + 2))) / 15 : 1;
}
